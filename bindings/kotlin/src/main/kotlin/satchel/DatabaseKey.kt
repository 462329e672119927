package satchel

import java.io.File
import java.io.FileOutputStream
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import java.security.GeneralSecurityException
import java.security.SecureRandom
import javax.crypto.Cipher
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/** Where the key lies that wraps the database key: Android's keystore, or a stand-in on a desktop. */
interface WrappingKeys {
    /** The key, or `null` when there is none (any more). */
    fun existing(): SecretKey?

    /** Makes a new one. */
    fun create(): SecretKey

    /** Takes it away for good, if it is there. */
    fun destroy()
}

/**
 * The raw key of the store, kept in a file under AES-GCM with a key the platform guards.
 *
 * The store needs 32 raw bytes, and Android's keystore never gives a key out: so the bytes are random,
 * and the keystore's key wraps them. The file alone is worthless; without the file the store is too.
 * Keep it out of backups, like the store: on another device no keystore could open it.
 */
class DatabaseKey(private val file: File, private val keys: WrappingKeys) {
    /**
     * The 32 bytes; made at the first call. Overwrite the array after `Satchel.open`.
     *
     * @throws KeyLost when the file is there and cannot be opened (any more). A new key would not open the
     *   store either: keep the files, call support, and enrol into a new folder.
     */
    fun load(): ByteArray = if (file.exists()) unwrap(file.readBytes()) else make()

    /** A wipe began here and did not end: [PhoneKeys.finishWipe]. */
    val isDestroyed: Boolean get() = destroyed.exists()

    private val destroyed get() = File(file.path + ".destroyed")

    /** Destroys the key, as the hub ordered: nobody opens the store after this. Again after a kill it does the rest. */
    internal fun destroy() {
        // The mark first: whoever finds it knows that no new key is to be made for this store.
        if (!destroyed.exists()) write(destroyed, ByteArray(0))
        keys.destroy()
        file.delete()
    }

    /** The wiped store's files are gone too: the next [load] makes a new key. */
    internal fun forget() {
        destroyed.delete()
    }

    private fun make(): ByteArray {
        if (isDestroyed) throw KeyLost("destroyed", null)
        val raw = ByteArray(KEY_BYTES).also { SecureRandom().nextBytes(it) }
        // The nonce is the cipher's own: Android's keystore refuses one from outside.
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.ENCRYPT_MODE, keys.existing() ?: keys.create())
        cipher.updateAAD(PURPOSE)
        write(file, byteArrayOf(VERSION) + cipher.iv + cipher.doFinal(raw))
        return raw
    }

    private fun unwrap(bytes: ByteArray): ByteArray {
        if (bytes.size != 1 + NONCE_BYTES + KEY_BYTES + TAG_BYTES || bytes[0] != VERSION) throw KeyLost("form", null)
        val key = keys.existing() ?: throw KeyLost("keystore", null)
        return try {
            val cipher = Cipher.getInstance(CIPHER)
            cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BYTES * 8, bytes, 1, NONCE_BYTES))
            cipher.updateAAD(PURPOSE)
            cipher.doFinal(bytes, 1 + NONCE_BYTES, bytes.size - 1 - NONCE_BYTES)
        } catch (error: GeneralSecurityException) {
            throw KeyLost("unwrap", error)
        }
    }

    /** Whole or not at all, flushed: a store must never be older than the key that opens it. */
    private fun write(to: File, bytes: ByteArray) {
        to.parentFile?.mkdirs()
        val fresh = File(to.path + ".new")
        FileOutputStream(fresh).use {
            it.write(bytes)
            it.fd.sync()
        }
        Files.move(fresh.toPath(), to.toPath(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING)
    }

    /** The database key cannot be had: the platform's key is gone or the file is not what was written. */
    class KeyLost(what: String, cause: Throwable?) : Exception(what, cause)

    private companion object {
        const val CIPHER = "AES/GCM/NoPadding"
        const val VERSION: Byte = 1
        const val KEY_BYTES = 32
        const val NONCE_BYTES = 12
        const val TAG_BYTES = 16
        val PURPOSE = "satchel database key v1".toByteArray()
    }
}
