package satchel

import java.io.File
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/**
 * The app's process killed (SIGKILL) in the middle of photos, reports and completions: what was acknowledged is
 * there, and the work goes on where it stood.
 */
class KilledTest {
    @TempDir
    lateinit var folder: Path

    private val phone get() = SharedPhone.phone

    @Test
    fun `killed in the middle of photos`() {
        val door = SharedPhone.door()
        val acknowledged = killed("photos", listOf(door.stopId), after = 2)
        val again = phone.beginAttempt(door.stopId, HandoffKind.RECIPIENT)
        val there = again.photos.map { it.hash }
        assertTrue(there.containsAll(acknowledged), "acknowledged and lost: ${acknowledged - there.toSet()}")
        // The one under way may have reached the disk unheard.
        assertTrue(there.size <= acknowledged.size + 1, "$there")
        for (hash in there) assertTrue(phone.photoJpeg(again.attemptId, hash).size > 1_000, "half a photo")
        phone.completeAttempt(again.attemptId, handedOver(door))
        assertEquals(StopState.DONE, phone.stop(door.stopId).state)
    }

    @Test
    fun `killed in the middle of reports`() {
        val doors = List(12) { SharedPhone.door() }
        val before = phone.reports().map { it.reportId }.toSet()
        val acknowledged = killed("reports", doors.map { it.stopId }, after = 4)
        val there = phone.reports().map { it.reportId } - before
        assertTrue(there.containsAll(acknowledged), "acknowledged and lost: ${acknowledged - there.toSet()}")
        assertTrue(there.size <= acknowledged.size + 1, "$there")
        assertTrue(SyncHost(phone, JvmHttpTransport()) { NetworkState.UNMETERED }.runUntilDone(60_000) is SyncEnd.Done)
    }

    @Test
    fun `killed in the middle of completions`() {
        val doors = List(12) { SharedPhone.door() }
        val acknowledged = killed("completions", doors.map { it.stopId }, after = 5)
        val done = doors.map { it.stopId }.filter { phone.stop(it).state == StopState.FAILED }
        assertTrue(done.containsAll(acknowledged), "acknowledged and lost: ${acknowledged - done.toSet()}")
        assertTrue(done.size <= acknowledged.size + 1, "$done")
    }

    /** Has another process do the work on the shared store, kills it after some lines, and gives all it printed. */
    private fun killed(work: String, words: List<String>, after: Int): List<String> {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val classes = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        val command = listOf(java, "-cp", classes, "satchel.OtherProcessKt", work, SharedPhone.store.toString(), folder.toString()) + words
        val heard = mutableListOf<String>()
        phone.pause()
        val worker = ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        try {
            listen(worker, after, heard)
        } finally {
            worker.destroyForcibly().waitFor(30, TimeUnit.SECONDS)
            phone.resume()
        }
        assertTrue(heard.size >= after, "the other process ended by itself after $heard")
        assertEquals(128 + 9, worker.exitValue(), "it was killed, not done")
        return heard
    }

    private fun listen(worker: Process, after: Int, heard: MutableList<String>) {
        worker.inputStream.bufferedReader().use { lines ->
            while (true) {
                val line = lines.readLine() ?: break
                heard += line
                // By its handle: the process's own method would close the pipe on what is still in it.
                if (heard.size == after) ProcessHandle.of(worker.pid()).get().destroyForcibly()
            }
        }
    }
}
