package satchel

import java.io.File
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.createDirectories
import kotlin.io.path.outputStream
import kotlin.reflect.KClass
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

/** Every error a host has to act on, met from Kotlin, and each sorted into an [Answer]. */
class ErrorsTest {
    @TempDir
    lateinit var folder: Path

    private val phone get() = SharedPhone.phone

    @Test
    fun `every variant is reached`() {
        val reached = waysToFail().mapValues { (_, fail) -> runCatching(fail).exceptionOrNull() }
        reached.forEach { (expected, error) -> assertTrue(expected.isInstance(error), "${expected.simpleName}: $error") }
        // Full storage needs a disk of its own: the test below.
        val all = SatchelException::class.java.declaredClasses
            .filter { SatchelException::class.java.isAssignableFrom(it) }
        assertTrue(all.size > 15, "$all")
        assertEquals(listOf<Class<*>>(SatchelException.StorageFull::class.java), all - reached.keys.map { it.java }.toSet())
    }

    private fun waysToFail(): Map<KClass<out SatchelException>, () -> Unit> = mapOf(
        SatchelException.InvalidInput::class to { phone.stops(limit = 501u) },
        SatchelException.InviteRejected::class to { open("invite").use { it.enrol("SATCHEL:NOTHING", "x") } },
        SatchelException.Refused::class to { phone.beginAttempt(SharedPhone.door().stopId, HandoffKind.STATION) },
        SatchelException.NotFound::class to { phone.stop(UNKNOWN) },
        SatchelException.AlreadyDone::class to { phone.enrol(Given.inviteMore, "x") },
        SatchelException.PhotoRejected::class to {
            val draft = phone.beginAttempt(SharedPhone.door().stopId, HandoffKind.RECIPIENT)
            phone.addPhoto(draft.attemptId, folder.resolve("nowhere.jpg").toString(), PhotoOrigin.CAMERA)
        },
        SatchelException.SignatureRejected::class to {
            val draft = phone.beginAttempt(SharedPhone.door().stopId, HandoffKind.RECIPIENT)
            phone.checkSignature(draft.attemptId, Signature(emptyList(), 600f, 300f))
        },
        SatchelException.NotEnrolled::class to {
            open("fresh").use { it.beginAttempt(UNKNOWN, HandoffKind.RECIPIENT) }
        },
        SatchelException.StoreLocked::class to {
            phone
            Satchel.open(config(SharedPhone.store))
        },
        SatchelException.WrongKey::class to {
            open("keys").shutdown()
            Satchel.open(config(folder.resolve("keys"), ByteArray(32)))
        },
        SatchelException.StoreForeign::class to {
            write("foreign", "SQLite format 3\u0000".toByteArray() + ByteArray(8_192) { 1 })
            open("foreign")
        },
        SatchelException.StoreDamaged::class to {
            open("damaged").shutdown()
            damage(folder.resolve("damaged").resolve("satchel.db").toFile())
            open("damaged").use { it.stops() }
        },
        SatchelException.StoreFromNewerVersion::class to {
            write("newer", File(Given.testData, "newer-store.db").readBytes())
            open("newer")
        },
        SatchelException.Paused::class to {
            open("paused").use {
                it.pause()
                it.stops()
            }
        },
        SatchelException.Closed::class to {
            open("closed").use {
                it.shutdown()
                it.stops()
            }
        },
        SatchelException.Internal::class to {
            folder.resolve("file").toFile().writeText("")
            open("file")
        },
    )

    @Test
    fun `a damaged or newer store is left as it is`() {
        open("kept").shutdown()
        val file = folder.resolve("kept").resolve("satchel.db").toFile()
        damage(file)
        val before = file.readBytes()
        assertThrows<SatchelException> { open("kept").use { it.stops() } }
        assertTrue(before.contentEquals(file.readBytes()), "nothing is repaired or deleted")

        write("newer", File(Given.testData, "newer-store.db").readBytes())
        val newer = assertThrows<SatchelException.StoreFromNewerVersion> { open("newer") }
        assertEquals(999, newer.found)
        assertTrue(newer.known in 1 until 999)
    }

    @Test
    fun `a full disk is named, loses nothing and ends when there is room`() {
        val disk = folder.resolve("disk").createDirectories()
        val isMounted = run("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk.toString())
        if (!isMounted) println("SKIPPED, NOTHING PROVED: a small disk for StorageFull needs root (mount)")
        assumeTrue(isMounted)
        try {
            val filler = disk.resolve("filler").toFile()
            fill(filler)
            assertThrows<SatchelException.StorageFull> { Satchel.open(config(disk.resolve("store"))) }
            filler.delete()
            Satchel.open(config(disk.resolve("store"))).use { assertEquals(Enrolment.Absent, it.enrolment()) }
        } finally {
            run("umount", disk.toString())
        }
    }

    @Test
    fun `refusals are values where the app wants them so`() {
        val door = SharedPhone.door()
        val refused = answer { phone.beginAttempt(door.stopId, HandoffKind.STATION) } as Answer.Refused
        assertEquals(RefusalRule.CONSENT_MISSING, refused.rule)
        assertEquals(listOf(RequirementItem.CONSENT), refused.missing)
        assertTrue(refused.text.zh.isNotEmpty() && refused.text.en.isNotEmpty())
        val draft = (answer { phone.beginAttempt(door.stopId, HandoffKind.RECIPIENT) } as Answer.Done).value
        val photo = answer { phone.addPhoto(draft.attemptId, folder.resolve("no.jpg").toString(), PhotoOrigin.CAMERA) }
        assertTrue(photo is Answer.TakeAgain)
        assertEquals(Answer.Gone("stop"), answer { phone.stop(UNKNOWN) })
        assertEquals(Answer.Already("enrolment"), answer { phone.enrol(Given.inviteMore, "x") })
        val locked = answer { Satchel.open(config(SharedPhone.store)) } as Answer.Failed
        assertTrue(locked.error is SatchelException.StoreLocked)
        assertThrows<SatchelException.InvalidInput> { answer { phone.stop("7") } }
    }

    private fun open(name: String): Satchel = Satchel.open(config(folder.resolve(name)))

    private fun write(name: String, bytes: ByteArray) {
        folder.resolve(name).createDirectories().resolve("satchel.db").outputStream().use { it.write(bytes) }
    }

    /** All pages but the first, which is what tells a wrong key. */
    private fun damage(file: File) {
        val bytes = file.readBytes()
        for (i in 4_096 until bytes.size) bytes[i] = (bytes[i] + 1).toByte()
        file.writeBytes(bytes)
    }

    private fun fill(file: File) {
        val chunks = sequenceOf(65_536, 4_096, 1).map { ByteArray(it) { 1 } }
        file.outputStream().use { out -> chunks.forEach { chunk -> runCatching { while (true) out.write(chunk) } } }
    }

    private fun run(vararg command: String): Boolean {
        val process = runCatching { ProcessBuilder(*command).redirectErrorStream(true).start() }.getOrNull() ?: return false
        return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0
    }

    private companion object {
        const val UNKNOWN = "00000000-0000-7000-8000-000000000000"
    }
}
