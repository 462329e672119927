package satchel

import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import java.security.KeyPairGenerator
import java.security.KeyStore
import java.security.PrivateKey
import java.security.Signature as EcdsaSignature
import java.security.spec.ECGenParameterSpec

/**
 * The P-256 key in Android's keystore that vouches for the key of the log: in the secure element where the phone has
 * one, else in the trusted environment. It never leaves either.
 */
class AndroidSigningKey(private val alias: String = "satchel.vouching") : SigningKey {
    private val store: KeyStore = KeyStore.getInstance(PROVIDER).apply { load(null) }

    override fun publicKey(): ByteArray {
        if (!store.containsAlias(alias)) make()
        return store.getCertificate(alias).publicKey.encoded
    }

    override fun sign(bytes: ByteArray): ByteArray = EcdsaSignature.getInstance("SHA256withECDSA").run {
        initSign(store.getKey(alias, null) as PrivateKey)
        update(bytes)
        sign()
    }

    override fun destroy() {
        if (store.containsAlias(alias)) store.deleteEntry(alias)
    }

    private fun make() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) {
            try {
                return generate { setIsStrongBoxBacked(true) }
            } catch (_: StrongBoxUnavailableException) {
                // Most phones have none; the trusted environment does as well.
            }
        }
        generate {}
    }

    private fun generate(more: KeyGenParameterSpec.Builder.() -> Unit) {
        val spec = KeyGenParameterSpec.Builder(alias, KeyProperties.PURPOSE_SIGN)
            .setAlgorithmParameterSpec(ECGenParameterSpec("secp256r1"))
            .setDigests(KeyProperties.DIGEST_SHA256)
            .apply(more)
            .build()
        KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_EC, PROVIDER).apply { initialize(spec) }.generateKeyPair()
    }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
    }
}
