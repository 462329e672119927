package satchel

import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

/** The raw key under the platform's: the same after a restart, and never replaced in silence. */
class DatabaseKeyTest {
    @TempDir
    lateinit var folder: Path

    private val wrapped get() = folder.resolve("satchel.key").toFile()
    private val keystore get() = folder.resolve("keys.p12").toFile()

    private fun key() = DatabaseKey(wrapped, KeyStoreFileKeys(keystore, "stand-in".toCharArray()))

    @Test
    fun `the key is made once, opens the store again and does not lie in the file`() {
        val first = key().load()
        assertEquals(32, first.size)
        assertTrue(first.any { it != 0.toByte() })
        assertArrayEquals(first, key().load())
        val file = wrapped.readBytes()
        assertFalse((0..file.size - 32).any { at -> file.copyOfRange(at, at + 32).contentEquals(first) })
        val store = folder.resolve("store")
        Satchel.open(config(store, first)).shutdown()
        Satchel.open(config(store, key().load())).use { assertEquals(Enrolment.Absent, it.enrolment()) }
    }

    @Test
    fun `a lost keystore or a changed file is an error, not a new key`() {
        key().load()
        val before = wrapped.readBytes()
        assertTrue(keystore.delete())
        assertThrows<DatabaseKey.KeyLost> { key().load() }
        assertArrayEquals(before, wrapped.readBytes())

        // Another keystore's key, then a flipped bit, then a cut file.
        KeyStoreFileKeys(keystore, "stand-in".toCharArray()).create()
        assertThrows<DatabaseKey.KeyLost> { key().load() }
        wrapped.writeBytes(before.copyOf(before.size - 1))
        assertThrows<DatabaseKey.KeyLost> { key().load() }
    }
}
