package satchel

import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

/** What an app meets without a hub: typed errors instead of crashes, and the lists it shows. */
class FacadeTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `bad values are typed errors that name the value`() {
        fun what(call: () -> Unit) = assertThrows<SatchelException.InvalidInput> { call() }.what
        assertEquals("key", what { Satchel.open(config(folder, ByteArray(31))) })
        assertEquals("directory", what { Satchel.open(SatchelConfig("", testKey())) })
        assertEquals("boot_id", what { Satchel.open(config(folder).copy(bootId = "today")) })
        assertEquals("utc_offset_min", what { Satchel.open(config(folder).copy(utcOffsetMin = 900)) })
        Satchel.open(config(folder)).use { phone ->
            assertEquals("stop_id", what { phone.stop("7") })
            assertEquals("attempt_id", what { phone.addPhoto("", "x.jpg", PhotoOrigin.CAMERA) })
            assertEquals("parcel_id", what { phone.ratingCode("not an id") })
            assertEquals("limit", what { phone.stops(limit = 0u) })
        }
    }

    @Test
    fun `an unknown stop and a phone without a hub`() {
        Satchel.open(config(folder)).use { phone ->
            val unknown = "00000000-0000-7000-8000-000000000000"
            assertEquals("stop", assertThrows<SatchelException.NotFound> { phone.stop(unknown) }.what)
            assertThrows<SatchelException.NotEnrolled> { phone.beginAttempt(unknown, HandoffKind.RECIPIENT) }
            assertEquals(SyncTask.Done, phone.nextTask(NetworkState.UNMETERED))
        }
    }

    @Test
    fun `a foreign file is left as it is`() {
        val file = folder.resolve("satchel.db").toFile()
        val foreign = "SQLite format 3\u0000" + "x".repeat(4_096)
        file.writeText(foreign)
        assertThrows<SatchelException.StoreForeign> { Satchel.open(config(folder)) }
        assertEquals(foreign, file.readText())
    }

    @Test
    fun `code lists carry both languages and the legal actions`() {
        val lists = codeLists()
        assertEquals(37, lists.reasons.size)
        assertTrue(lists.reasons.all { it.textZh.isNotEmpty() && it.textEn.isNotEmpty() && it.actions.isNotEmpty() })
        val self = lists.handoffs.single { it.handoff == HandoffKind.RECIPIENT }
        assertTrue(!self.needsConsent)
        assertTrue(lists.handoffs.single { it.handoff == HandoffKind.STATION }.needsConsent)
    }

    @Test
    fun `a log sink that throws breaks no call and goes on getting lines`() {
        val lines = CountDownLatch(2)
        val sink = object : LogSink {
            override fun log(record: LogRecord) {
                lines.countDown()
                error("a defect of the app")
            }
        }
        setLogSink(sink, LogLevel.WARN)
        try {
            val dead = folder.resolve("file").toFile().apply { writeText("") }
            repeat(2) {
                // A file where the folder should be: an input/output failure, which is logged.
                assertThrows<SatchelException.Internal> { Satchel.open(config(dead.toPath())) }
            }
            assertTrue(lines.await(10, TimeUnit.SECONDS), "both lines arrive")
        } finally {
            clearLogSink()
        }
    }
}
