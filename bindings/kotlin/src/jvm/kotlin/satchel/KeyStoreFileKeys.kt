package satchel

import java.io.File
import java.security.KeyStore
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey

/** The stand-in for a keystore on a desktop JVM: a PKCS #12 file under a password the program knows. */
class KeyStoreFileKeys(private val file: File, private val password: CharArray) : WrappingKeys {
    override fun existing(): SecretKey? = open().getKey(ALIAS, password) as? SecretKey

    override fun create(): SecretKey {
        val key = KeyGenerator.getInstance("AES").apply { init(256) }.generateKey()
        val store = open()
        store.setEntry(ALIAS, KeyStore.SecretKeyEntry(key), KeyStore.PasswordProtection(password))
        file.parentFile?.mkdirs()
        file.outputStream().use { store.store(it, password) }
        return key
    }

    override fun destroy() {
        val store = open()
        if (!store.containsAlias(ALIAS)) return
        store.deleteEntry(ALIAS)
        file.outputStream().use { store.store(it, password) }
    }

    private fun open(): KeyStore = KeyStore.getInstance("PKCS12").apply {
        if (file.exists()) file.inputStream().use { load(it, password) } else load(null, password)
    }

    private companion object {
        const val ALIAS = "satchel"
    }
}
