package satchel

import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.security.KeyStore
import java.security.cert.CertificateFactory
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable
import org.junit.jupiter.api.io.TempDir

/** A hub that insists: TLS keys by name, a hardware key for every log; and one that orders a wipe. */
@EnabledIfEnvironmentVariable(named = "SATCHEL_STRICT_CERT", matches = ".+", disabledReason = "no openssl or python3 here")
class StrictHubTest {
    @TempDir
    lateinit var folder: Path

    private val certificate = File(System.getenv("SATCHEL_STRICT_CERT").orEmpty())
    private val store get() = folder.resolve("store")
    private val keyFile get() = folder.resolve("satchel.key").toFile()
    private val keys by lazy {
        val wrapping = KeyStoreFileKeys(folder.resolve("keys.p12").toFile(), "desktop".toCharArray())
        PhoneKeys(DatabaseKey(keyFile, wrapping), FileSigningKey(folder.resolve("vouching.key").toFile()))
    }

    private fun open() = Satchel.open(config(store, keys.database.load()))

    /** Trusts the certificate of the hub's TLS, as a phone of a company trusts the company's authority. */
    private fun transport(timeouts: HttpTimeouts = HttpTimeouts()): JvmHttpTransport = JvmHttpTransport(timeouts, roots())

    private fun roots(): KeyStore = KeyStore.getInstance("PKCS12").apply {
        load(null, null)
        setCertificateEntry("hub", certificate.inputStream().use { CertificateFactory.getInstance("X.509").generateCertificate(it) })
    }

    private fun host(phone: SatchelInterface, keys: PhoneKeys?) = SyncHost(phone, transport(), keys = keys) { NetworkState.UNMETERED }

    /** What the dispatcher types. */
    private fun admin(vararg words: String) {
        val command = listOf(System.getenv("SATCHEL_STRICT_HUB")) + words + listOf("--data", System.getenv("SATCHEL_STRICT_DATA"))
        val process = ProcessBuilder(command).redirectErrorStream(true).start()
        val said = process.inputStream.bufferedReader().readText()
        assertEquals(0, process.waitFor(), said)
    }

    @Test
    fun `a phone's whole life with such a hub`() {
        val phone = open()
        phone.enrol(System.getenv("SATCHEL_STRICT_KOTLIN"), "strict phone")
        insistsOnTheHardware(phone)
        assertTrue(host(phone, keys).runUntilDone(60_000) is SyncEnd.Done)
        val device = (phone.enrolment() as Enrolment.Enrolled).deviceId
        followsInFront(phone)
        changesItsLogKey(phone)
        refusesOtherTls(phone)
        isWiped(phone, device)
    }

    private fun insistsOnTheHardware(phone: Satchel) {
        assertTrue(host(phone, null).run() !is SyncEnd.Done)
        assertEquals(Enrolment.Pending, phone.enrolment())
        // Hardware that cannot sign now holds up the enrolment and says why.
        val broken = object : SigningKey {
            override fun publicKey(): ByteArray = error("the user is not there")
            override fun sign(bytes: ByteArray): ByteArray = error("never asked")
            override fun destroy() = Unit
        }
        val end = assertInstanceOf(SyncEnd.KeyFailed::class.java, host(phone, PhoneKeys(keys.database, broken)).run())
        assertEquals("the user is not there", end.error.message)
        assertEquals(Enrolment.Pending, phone.enrolment())
    }

    /** A record goes up and a new stop comes down without anybody asking for a sync. */
    private fun followsInFront(phone: Satchel) = runBlocking(Dispatchers.Default) {
        val courier = CourierPhone(phone)
        val host = SyncHost(phone, transport(), courier::nudge, keys) { NetworkState.UNMETERED }
        val following = async { host.follow(transport(), courier.news()) }
        try {
            val door = courier.stops().first()
            val draft = (courier.begin(door.stopId) as Answer.Done).value
            assertTrue(courier.addPhoto(draft.attemptId, photograph(folder.resolve("door.jpg").toFile(), 77).path) is Answer.Done)
            assertTrue(courier.complete(draft.attemptId, handedOver(door)) is Answer.Done)
            withTimeout(20_000) { while (courier.read { stop(door.stopId) }.sync != SyncState.PROOF_COMPLETE) delay(20) }

            // Less than the patience of one poll: the hub told it, nobody came to look.
            val late = folder.resolve("late.csv").toFile()
            val header = Given.testData.resolve("day.csv").readLines().first()
            late.writeText("$header\nSKotlin-9001,round-SKotlin,样例路 9001 号,37.70001,121.40001,测试某,10000000000,2026-03-02 08:30,,no,\n")
            admin("import", late.path, "--mapping", Given.testData.resolve("day.mapping.json").path, "--courier", "Kotlin")
            withTimeout(20_000) { while (courier.stops().none { it.parcels.single().waybill == "SKotlin-9001" }) delay(20) }
        } finally {
            following.cancelAndJoin()
        }
        // What was cut off counts as failed and is due again shortly; a task left in flight never would be.
        assertTrue(host.runUntilDone(60_000) is SyncEnd.Done, "nothing is left in flight")
    }

    private fun changesItsLogKey(phone: Satchel) {
        phone.rotateLogKey()
        assertInstanceOf(KeyTask.Sign::class.java, phone.keyTask())
        assertTrue(host(phone, keys).runUntilDone(60_000) is SyncEnd.Done)
        assertNull(phone.keyTask())
        val door = phone.allStops().first { it.state == StopState.OPEN }
        val draft = phone.beginAttempt(door.stopId, HandoffKind.RECIPIENT)
        phone.completeAttempt(draft.attemptId, failed(door))
        assertTrue(host(phone, keys).runUntilDone(60_000) is SyncEnd.Done)
        assertEquals(SyncState.PROOF_COMPLETE, phone.stop(door.stopId).sync, "signed by the key that follows")
    }

    private fun refusesOtherTls(phone: Satchel) {
        val hub = phone.hubAddress()!!
        assertEquals(1, hub.spkiSha256.size)
        val bytes = certificate.inputStream().use { CertificateFactory.getInstance("X.509").generateCertificate(it) }.encoded
        assertEquals(hub.spkiSha256.single().toList(), certificateKeySha256(bytes)!!.toList())
        val page = HttpTask("", TaskPurpose.FEED, "GET", hub.url + "/", emptyList(), ByteArray(0), 65_536u)
        val other = HubAddress(hub.url, listOf(ByteArray(32) { 7 }))
        for (transport in listOf(transport(), UrlConnectionTransport(roots = roots()))) {
            transport.trust(hub)
            assertTrue(transport.send(page) != null, "the key it named")
            transport.trust(other)
            assertNull(runCatching { transport.send(page) }.getOrNull(), "the connection that was open is not used either")
            assertNull(transport.send(page.copy(url = page.url.replace("https:", "http:"))), "nothing in the clear")
            transport.trust(hub)
            assertTrue(transport.send(page) != null)
        }
        // What the system does not trust is not made good by a pin.
        val systems = JvmHttpTransport().apply { trust(hub) }
        assertNull(runCatching { systems.send(page) }.getOrNull())

        class Unpinned : HttpTransport {
            override fun send(task: HttpTask): HttpAnswer? = null
        }
        assertThrows<UnsupportedOperationException> { SyncHost(phone, Unpinned()) { NetworkState.UNMETERED }.run() }
    }

    private fun isWiped(phone: Satchel, device: String) {
        val door = phone.allStops().first { it.state == StopState.OPEN }
        admin("wipe", device, "--why", "lost")
        val draft = phone.beginAttempt(door.stopId, HandoffKind.RECIPIENT)
        phone.completeAttempt(draft.attemptId, failed(door))
        val before = keys.database.load()
        // The hub refuses what a revoked phone sends; the order comes with the feed.
        val deadlineNs = System.nanoTime() + 20_000_000_000
        var end: SyncEnd
        do {
            phone.requestSync()
            end = host(phone, keys).run()
        } while (end !is SyncEnd.Wiped && System.nanoTime() < deadlineNs)
        assertTrue(end is SyncEnd.Wiped && !end.wantsAnotherRun, "$end")
        assertThrows<SatchelException.Closed> { phone.stops() }
        assertFalse(Files.exists(store.resolve("satchel.db")))
        assertFalse(keyFile.exists())
        assertFalse(keys.finishWipe(store.toString()), "it is over")
        // A new enrolment may begin, under another key.
        assertNotEquals(before.toList(), keys.database.load().toList())
        open().shutdown()
    }

    @Test
    fun `a wipe that was cut off ends at the next start`() {
        open().shutdown()
        keys.destroy()
        assertThrows<DatabaseKey.KeyLost> { keys.database.load() }
        assertTrue(keys.finishWipe(store.toString()))
        assertFalse(Files.exists(store.resolve("satchel.db")))
        assertFalse(keys.finishWipe(store.toString()))
        open().shutdown()
    }
}
