package satchel

import java.io.File
import java.nio.file.Path
import kotlin.io.path.createDirectories
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/**
 * Stores that older releases left behind (`bindings/testdata/stores`, one folder each) open with this one and lack
 * nothing: docs/guides/migrations.md.
 *
 * All hold the same morning, [writeMorning]. `SATCHEL_WRITE_STORE=name scripts/test-bindings --only kotlin` writes one.
 */
class StoreFormatTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `every store of the past opens and lacks nothing`() {
        val stores = File(Given.testData, "stores").listFiles { file -> file.isDirectory }!!
        assertTrue(stores.isNotEmpty(), "no store to open")
        for (stored in stores) {
            val store = folder.resolve(stored.name)
            stored.copyRecursively(store.toFile())
            Satchel.open(config(store)).use { phone -> checkMorning(phone, stored.name) }
            // What was recorded on top is there when it opens again.
            Satchel.open(config(store)).use { phone -> assertEquals(3, phone.stops().stops.count { it.state != StopState.OPEN }) }
        }
    }

    @Test
    fun `the store of today is written`() {
        val name = System.getenv("SATCHEL_WRITE_STORE")
        assumeTrue(name != null, "only when SATCHEL_WRITE_STORE names it")
        val store = folder.resolve("store").createDirectories()
        writeMorning(store)
        val kept = File(Given.testData, "stores/$name")
        kept.deleteRecursively()
        store.toFile().copyRecursively(kept)
        // Made anew by whoever opens it: room for a full disk and for the log, who has it open.
        kept.walk().filter { it.isFile && (it.name in setOf("ballast", "satchel.lock", "satchel.db-shm") || isRoom(it)) }
            .forEach { it.delete() }
    }

    /** One door failed and receipted, one handed over and unsent, one begun with its photo taken; two untouched. */
    private fun writeMorning(store: Path) {
        Satchel.open(config(store)).use { phone ->
            phone.enrol(Given.inviteStore, "of the past")
            sync(phone)
            val doors = phone.allStops()
            val shut = phone.beginAttempt(doors[0].stopId, HandoffKind.RECIPIENT)
            phone.completeAttempt(shut.attemptId, failed(doors[0]))
            sync(phone)
            val handed = phone.beginAttempt(doors[1].stopId, HandoffKind.RECIPIENT)
            phone.addPhoto(handed.attemptId, photo(1), PhotoOrigin.CAMERA)
            phone.completeAttempt(handed.attemptId, handedOver(doors[1]))
            val begun = phone.beginAttempt(doors[2].stopId, HandoffKind.RECIPIENT)
            phone.addPhoto(begun.attemptId, photo(2), PhotoOrigin.CAMERA)
            phone.plan()
            // Moves what is in the write-ahead log into the file itself; what is left of the log is room.
            phone.rekey(testKey())
            phone.shutdown()
        }
    }

    private fun checkMorning(phone: Satchel, name: String) {
        assertTrue(phone.enrolment() is Enrolment.Enrolled, name)
        val doors = phone.allStops().sortedBy { it.parcels.single().waybill }
        assertEquals(5, doors.size, name)
        assertEquals(listOf(StopState.FAILED to SyncState.PROOF_COMPLETE, StopState.DONE to SyncState.LOCAL), doors.take(2).map { it.state to it.sync }, name)
        assertTrue(phone.currentPlan()!!.stops.isNotEmpty(), name)
        val status = phone.syncStatus()
        assertTrue(status.unsentEntries >= 1u && status.unsentProofs >= 2u, "$name: $status")
        assertTrue(phone.nextTask(NetworkState.UNMETERED) is SyncTask.Http, "$name: what was unsent is sent")
        assertEquals("DELIVERED", phone.history(doors[1].parcels.single().parcelId).lines.last().what.code.uppercase(), name)

        val begun = phone.beginAttempt(doors[2].stopId, HandoffKind.RECIPIENT)
        // The visit that was begun then is over by now, and its photo with it; the door is as open as ever.
        phone.addPhoto(begun.attemptId, photo(3), PhotoOrigin.CAMERA)
        phone.completeAttempt(begun.attemptId, handedOver(doors[2]))
        assertEquals(StopState.DONE, phone.stop(doors[2].stopId).state, name)
    }

    private fun isRoom(file: File) = file.name.endsWith("-wal") && file.readBytes().all { it == 0.toByte() }

    private fun sync(phone: Satchel) =
        check(SyncHost(phone, JvmHttpTransport()) { NetworkState.UNMETERED }.runUntilDone(60_000) is SyncEnd.Done)

    private fun photo(seed: Int) = photograph(folder.resolve("photo-$seed.jpg").toFile(), seed).path
}
