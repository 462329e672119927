package satchel

import java.io.File
import java.security.KeyFactory
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.Signature as EcdsaSignature
import java.security.spec.ECGenParameterSpec
import java.security.spec.PKCS8EncodedKeySpec
import java.util.Base64

/**
 * The stand-in for a key in hardware on a desktop JVM: a file that holds both halves. It vouches for nothing that
 * somebody who can read the file could not say himself, so it is for tests and for hubs that insist on a key.
 */
class FileSigningKey(private val file: File) : SigningKey {
    override fun publicKey(): ByteArray = halves().first

    override fun sign(bytes: ByteArray): ByteArray {
        val secret = KeyFactory.getInstance("EC").generatePrivate(PKCS8EncodedKeySpec(halves().second))
        return EcdsaSignature.getInstance("SHA256withECDSA").run {
            initSign(secret)
            update(bytes)
            sign()
        }
    }

    override fun destroy() {
        file.delete()
    }

    private fun halves(): Pair<ByteArray, ByteArray> {
        if (!file.exists()) write(KeyPairGenerator.getInstance("EC").apply { initialize(ECGenParameterSpec("secp256r1")) }.generateKeyPair())
        val (public, secret) = file.readLines().map(Base64.getDecoder()::decode)
        return public to secret
    }

    private fun write(pair: KeyPair) {
        file.parentFile?.mkdirs()
        val part = File(file.path + ".part")
        part.delete()
        part.createNewFile()
        part.setReadable(false, false)
        part.setReadable(true, true)
        val base64 = Base64.getEncoder()
        part.writeText(base64.encodeToString(pair.public.encoded) + "\n" + base64.encodeToString(pair.private.encoded) + "\n")
        check(part.renameTo(file)) { "the key cannot be kept" }
    }
}
