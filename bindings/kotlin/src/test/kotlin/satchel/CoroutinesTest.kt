package satchel

import java.net.ServerSocket
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.system.measureTimeMillis
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

/** Coroutines come and go; what was recorded stays. */
class CoroutinesTest {
    @TempDir
    lateinit var folder: Path

    private val phone by lazy { CourierPhone(SharedPhone.phone) }

    @Test
    fun `a coroutine killed in the middle of a completion loses nothing`() = runBlocking(Dispatchers.Default) {
        repeat(20) { round ->
            val door = SharedPhone.door()
            val draft = (phone.begin(door.stopId) as Answer.Done).value
            val completion = failed(door)
            val begun = CompletableDeferred<Unit>()
            val job = launch {
                phone.write {
                    begun.complete(Unit)
                    completeAttempt(draft.attemptId, completion)
                }
            }
            begun.await()
            // Now and then before, in and after the call.
            if (round % 3 > 0) delay(round % 7L)
            job.cancelAndJoin()
            assertEquals(StopState.FAILED, phone.read { stop(door.stopId) }.state, "round $round")
            assertTrue(phone.complete(draft.attemptId, completion) is Answer.Already)
        }
    }

    @Test
    fun `a coroutine cancelled before its call records nothing`() = runBlocking {
        val door = SharedPhone.door()
        val job = launch(Dispatchers.Default, start = kotlinx.coroutines.CoroutineStart.LAZY) { phone.begin(door.stopId) }
        job.cancelAndJoin()
        assertEquals(StopState.OPEN, phone.read { stop(door.stopId) }.state)
    }

    @Test
    fun `the flow of stops tells of each record without being asked`() = runBlocking {
        val door = SharedPhone.door()
        val lists = Channel<List<Stop>>(Channel.UNLIMITED)
        val watching = launch(Dispatchers.Default) { phone.watchStops().collect { lists.send(it) } }
        val before = withTimeout(10_000) { lists.receive() }
        assertEquals(StopState.OPEN, before.single { it.stopId == door.stopId }.state)
        val draft = (phone.begin(door.stopId) as Answer.Done).value
        assertTrue(phone.complete(draft.attemptId, failed(door)) is Answer.Done)
        withTimeout(10_000) {
            while (lists.receive().single { it.stopId == door.stopId }.state != StopState.FAILED) Unit
        }
        watching.cancelAndJoin()
    }

    @Test
    fun `flows wait through a pause and end with the phone`() = runBlocking {
        val phone = CourierPhone(Satchel.open(config(folder.resolve("flows"))))
        val seen = async(Dispatchers.Default) { phone.changes().toList() }
        phone.pause()
        assertThrows<SatchelException.Paused> { runBlocking { phone.stops() } }
        assertEquals(SatchelException.Paused::class, (phone.ask { stops() } as Answer.Failed).error::class)
        phone.resume()
        assertEquals(emptyList<Stop>(), phone.stops())
        phone.shutdown()
        withTimeout(10_000) { seen.await() }
        assertThrows<SatchelException.Closed> { runBlocking { phone.stops() } }
        Unit
    }

    @Test
    fun `a shutdown during calls ends them with an answer or with Closed`() = runBlocking(Dispatchers.Default) {
        repeat(5) { round ->
            val phone = CourierPhone(Satchel.open(config(folder.resolve("shut-$round"))))
            val calls = List(4) {
                launch {
                    try {
                        while (true) phone.read { syncStatus() }
                    } catch (_: SatchelException.Closed) {
                        // As it should be.
                    }
                }
            }
            delay(20)
            phone.shutdown()
            withTimeout(10_000) { calls.joinAll() }
            Satchel.open(config(folder.resolve("shut-$round"))).shutdown()
        }
    }

    @Test
    fun `a cancelled search ends at once and leaves a plan`() = runBlocking(Dispatchers.Default) {
        val under = CompletableDeferred<Unit>()
        val search = launch { phone.planThoroughly { under.complete(Unit) } }
        withTimeout(20_000) { under.await() }
        val ms = measureTimeMillis { search.cancelAndJoin() }
        assertTrue(ms < 1_500, "$ms ms")
        assertTrue(search.isCancelled)
        assertTrue(phone.read { currentPlan() }!!.stops.isNotEmpty())
    }

    @Test
    fun `a sync ends cleanly at its deadline and when it is cancelled`() = runBlocking(Dispatchers.Default) {
        SilentServer().use { server ->
            val task = HttpTask("t", TaskPurpose.LOG, "POST", "http://127.0.0.1:${server.port}/", emptyList(), ByteArray(3), 100u)
            for (transport in listOf(JvmHttpTransport(), UrlConnectionTransport())) {
                val fake = OneTask(task)
                val host = SyncHost(fake, transport) { NetworkState.UNMETERED }
                val ms = measureTimeMillis { assertEquals(SyncEnd.OutOfTime, host.syncOnce(300)) }
                assertTrue(ms < 3_000, "$ms ms instead of the transport's minute")
                assertEquals(listOf<TaskOutcome>(TaskOutcome.Failed), fake.outcomes)

                val again = OneTask(task)
                val job = launch { SyncHost(again, transport) { NetworkState.UNMETERED }.syncOnce(60_000) }
                server.awaitCall()
                val cancelMs = measureTimeMillis { job.cancelAndJoin() }
                assertTrue(cancelMs < 3_000, "$cancelMs ms")
                assertEquals(listOf<TaskOutcome>(TaskOutcome.Failed), again.outcomes, "no task is left in flight")
            }
        }
    }

    @Test
    fun `one run of the sync is done or says until when to wait`() = runBlocking {
        val ends = mutableListOf<Int>()
        val host = SyncHost(SharedPhone.phone, JvmHttpTransport(), { ends += 1 }) { NetworkState.UNMETERED }
        SharedPhone.phone.requestSync()
        val end = host.syncOnce(60_000)
        assertTrue(end is SyncEnd.Done && !end.wantsAnotherRun, "$end")
        assertTrue(ends.isNotEmpty(), "the app is told after each answer")
        val offline = SyncHost(SharedPhone.phone, JvmHttpTransport()) { NetworkState.OFFLINE }
        val door = SharedPhone.door()
        val draft = (phone.begin(door.stopId) as Answer.Done).value
        phone.complete(draft.attemptId, failed(door))
        val waiting = offline.syncOnce(60_000)
        assertTrue(waiting is SyncEnd.Waiting && waiting.reason == WaitReason.OFFLINE && waiting.wantsAnotherRun)
        assertNull((waiting as SyncEnd.Waiting).untilMs)
    }

    /** A server that takes requests and never answers. */
    private class SilentServer : AutoCloseable {
        private val socket = ServerSocket(0)
        private val calls = java.util.concurrent.Semaphore(0)
        val port: Int get() = socket.localPort

        init {
            thread(isDaemon = true) {
                runCatching {
                    while (true) {
                        val client = socket.accept()
                        calls.release()
                        thread(isDaemon = true) { runCatching { while (client.getInputStream().read() >= 0) Unit } }
                    }
                }
            }
        }

        /** Waits for a request beyond the one at the deadline. */
        fun awaitCall() = assertTrue(calls.tryAcquire(2, 10, TimeUnit.SECONDS)).also { calls.drainPermits() }

        override fun close() = socket.close()
    }

    /** A library with one request to send, and a memory of what came of it. */
    private class OneTask(private val task: HttpTask) : SatchelInterface by unused() {
        val outcomes = mutableListOf<TaskOutcome>()

        override fun hubAddress(): HubAddress? = null

        override fun nextTask(network: NetworkState): SyncTask =
            if (outcomes.isEmpty()) SyncTask.Http(task) else SyncTask.Wait(null, WaitReason.RETRY)

        override fun completeTask(taskId: String, outcome: TaskOutcome) {
            assertEquals("t", taskId)
            outcomes += outcome
        }
    }

    private companion object {
        fun unused(): SatchelInterface = java.lang.reflect.Proxy.newProxyInstance(
            SatchelInterface::class.java.classLoader,
            arrayOf(SatchelInterface::class.java),
        ) { _, method, _ -> error("not expected: ${method.name}") } as SatchelInterface
    }
}
