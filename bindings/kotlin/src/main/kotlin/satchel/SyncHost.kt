package satchel

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/** How a run of the sync host ended. */
sealed class SyncEnd {
    /** Whether a scheduler should run the sync again: not when all is done, else with its own back-off. */
    val wantsAnotherRun: Boolean get() = this !is Done && this !is Wiped

    /** Everything that may be sent now is, and everything is read; what waits for Wi-Fi stands in `syncStatus`. */
    object Done : SyncEnd()

    /** Nothing can be done before [untilMs] (Unix milliseconds; `null`: before something changes). */
    class Waiting(val untilMs: Long?, val reason: WaitReason) : SyncEnd()

    /** [SyncHost.stop] was called or the thread was interrupted. */
    object Stopped : SyncEnd()

    /** The time given to [SyncHost.syncOnce] is over; what is left waits for the next run. */
    object OutOfTime : SyncEnd()

    /**
     * The key in the phone's hardware could not do what it is for, as [error] says: the enrolment or the change of
     * keys waits, everything else is sent and read.
     */
    class KeyFailed(val error: Exception) : SyncEnd()

    /**
     * The hub ordered this phone to be wiped: key and store are gone, the phone is closed. Back to the first screen.
     * What had not reached the hub is lost, by number.
     */
    class Wiped(val unsentEntries: Long, val unsentProofs: Long) : SyncEnd()
}

/**
 * Does the network's part of the sync: takes the library's requests, sends them, gives back what came.
 *
 * All judgement (what to send, when to retry, when to give up) is the library's; the loop cannot spin,
 * because a failed request is not handed out again before its time. Call [run] from a background thread:
 * from a WorkManager job with a network constraint, after `completeAttempt`, and when the network is back.
 *
 * Before each run it tells the transport which TLS keys the hub has to show, and where it was given the phone's keys
 * it has them do what the library asks: vouch for the log's key, be destroyed when the hub orders a wipe.
 *
 * @param keys the keys the platform keeps; without them a hub that insists on a hardware key takes no enrolment,
 *   and `keyTask` is the app's own to ask.
 * @param afterAnswer called when the library has taken an answer in, which may have changed what a screen
 *   shows: [CourierPhone.nudge] fits.
 * @param beforeSend called with each request just before it goes out, on the thread that sends it. `upload` in it says
 *   how far a photo is, for a progress bar.
 * @param network says what network there is right now; asked before each request.
 */
class SyncHost(
    private val satchel: SatchelInterface,
    private val transport: HttpTransport,
    private val afterAnswer: () -> Unit = {},
    private val keys: PhoneKeys? = null,
    private val beforeSend: (HttpTask) -> Unit = {},
    private val network: () -> NetworkState,
) {
    @Volatile
    private var stopped = false

    /** Sends and reads until there is nothing to do now. Throws what the store throws. */
    fun run(): SyncEnd {
        val before = begin(transport)
        if (before is SyncEnd.Wiped) return before
        while (!stopped) {
            when (val task = satchel.nextTask(network())) {
                is SyncTask.Http -> give(task.task.id, send(transport, task.task))
                is SyncTask.Wait -> end(SyncEnd.Waiting(task.untilMs, task.reason), before)?.let { return it }
                is SyncTask.Done -> end(SyncEnd.Done, before)?.let { return it }
            }
        }
        return SyncEnd.Stopped
    }

    /** Before anything is sent: whom to send it to, and what the keys have to do. What stands against it, if anything. */
    private fun begin(transport: HttpTransport): SyncEnd? {
        satchel.hubAddress()?.let(transport::trust)
        return when (val offered = satchel.offer(keys)) {
            is KeyWork.Failed -> SyncEnd.KeyFailed(offered.error)
            else -> end(SyncEnd.Done, null).takeUnless { it is SyncEnd.Done }
        }
    }

    /** How the run ends, or `null` when the keys made it go on: a signature is to be sent. */
    private fun end(end: SyncEnd, before: SyncEnd?): SyncEnd? = when (val work = satchel.serve(keys)) {
        is KeyWork.Nothing -> before ?: end
        is KeyWork.Served -> null
        is KeyWork.Failed -> SyncEnd.KeyFailed(work.error)
        is KeyWork.Wiped -> SyncEnd.Wiped(work.unsentEntries, work.unsentProofs).also { afterAnswer() }
    }

    /**
     * Like [run], but sits retries out until everything is done or [timeoutMs] have passed. For programs
     * without a scheduler; a phone app leaves waiting to its scheduler.
     */
    fun runUntilDone(timeoutMs: Long): SyncEnd {
        val deadlineNs = System.nanoTime() + timeoutMs * 1_000_000
        while (true) {
            val end = run()
            if (end !is SyncEnd.Waiting) return end
            val untilMs = end.untilMs ?: return end
            val leftMs = (deadlineNs - System.nanoTime()) / 1_000_000
            val waitMs = (untilMs - System.currentTimeMillis()).coerceAtLeast(MIN_WAIT_MS)
            if (waitMs > leftMs) return end
            try {
                Thread.sleep(waitMs)
            } catch (_: InterruptedException) {
                Thread.currentThread().interrupt()
                return SyncEnd.Stopped
            }
        }
    }

    /**
     * One run for a scheduler, as a `CoroutineWorker` or a `JobService` has it: ends when there is nothing to
     * do now, or after [timeoutMs], or when the coroutine is cancelled. In the last two cases the request
     * under way is ended and counts as failed, so that the next run takes it up again; nothing is lost, and
     * the library is left with no task in flight.
     */
    suspend fun syncOnce(timeoutMs: Long, dispatcher: CoroutineDispatcher = Dispatchers.IO): SyncEnd {
        val deadlineNs = System.nanoTime() + timeoutMs * 1_000_000
        val before = withContext(NonCancellable + dispatcher) { begin(transport) }
        if (before is SyncEnd.Wiped) return before
        while (true) {
            currentCoroutineContext().ensureActive()
            val leftMs = (deadlineNs - System.nanoTime()) / 1_000_000
            if (stopped) return SyncEnd.Stopped
            if (leftMs <= 0) return SyncEnd.OutOfTime
            val task = withContext(NonCancellable + dispatcher) { satchel.nextTask(network()) }
            val found = when (task) {
                is SyncTask.Http -> {
                    sendWithin(leftMs, transport, task.task, dispatcher)
                    continue
                }
                is SyncTask.Wait -> SyncEnd.Waiting(task.untilMs, task.reason)
                is SyncTask.Done -> SyncEnd.Done
            }
            withContext(NonCancellable + dispatcher) { end(found, before) }?.let { return it }
        }
    }

    /**
     * While the app is in front: sends what is recorded as it comes, and has the hub tell its news the moment there
     * are any. Goes on until the coroutine is cancelled, as it must be before a `pause`, or [stop] or a wipe ends it.
     *
     * @param polls waits at the hub, beside the transport that sends: one of its own, with some 30 s of patience more.
     * @param records ticks when something may be to send: [CourierPhone.news].
     */
    suspend fun follow(polls: HttpTransport, records: Flow<Unit>, dispatcher: CoroutineDispatcher = Dispatchers.IO): SyncEnd =
        coroutineScope {
            val wake = Channel<Unit>(Channel.CONFLATED)
            val helpers = listOf(
                launch { records.collect { wake.trySend(Unit) } },
                launch { poll(polls, wake, dispatcher) },
            )
            try {
                sendAsItComes(wake, dispatcher)
            } finally {
                helpers.forEach { it.cancel() }
            }
        }

    private suspend fun sendAsItComes(wake: Channel<Unit>, dispatcher: CoroutineDispatcher): SyncEnd {
        while (true) {
            val end = syncOnce(RUN_MS, dispatcher)
            if (end is SyncEnd.Stopped || end is SyncEnd.Wiped) return end
            val dueMs = (end as? SyncEnd.Waiting)?.untilMs?.let { it - System.currentTimeMillis() } ?: LOOK_MS
            withTimeoutOrNull(dueMs.coerceIn(MIN_WAIT_MS, LOOK_MS)) { wake.receive() }
        }
    }

    private suspend fun poll(polls: HttpTransport, wake: Channel<Unit>, dispatcher: CoroutineDispatcher) {
        while (!stopped) {
            val task = try {
                withContext(NonCancellable + dispatcher) {
                    satchel.hubAddress()?.let(polls::trust)
                    satchel.pollTask(network())
                }
            } catch (_: SatchelException.Closed) {
                // Wiped; the other loop says so.
                return
            }
            when (task) {
                is SyncTask.Http -> {
                    sendWithin(RUN_MS, polls, task.task, dispatcher)
                    wake.trySend(Unit)
                }
                is SyncTask.Wait -> delay(((task.untilMs ?: Long.MAX_VALUE) - System.currentTimeMillis()).coerceIn(MIN_WAIT_MS, POLL_REST_MS))
                // Not enrolled yet.
                is SyncTask.Done -> delay(POLL_REST_MS)
            }
        }
    }

    /** Ends every run after the request it is at; for good. */
    fun stop() {
        stopped = true
    }

    /** Sends on a thread of its own, so that neither a cancelled caller nor the deadline has to wait for it. */
    private suspend fun sendWithin(leftMs: Long, transport: HttpTransport, task: HttpTask, dispatcher: CoroutineDispatcher) {
        val sending = CoroutineScope(dispatcher).async { send(transport, task) }
        try {
            withTimeoutOrNull(leftMs) { sending.await() }
        } finally {
            withContext(NonCancellable + dispatcher) {
                while (!sending.isCompleted) {
                    transport.abort()
                    withTimeoutOrNull(ABORT_POLL_MS) { sending.join() }
                }
                give(task.id, sending.await())
            }
        }
    }

    private fun give(taskId: String, outcome: TaskOutcome) {
        satchel.completeTask(taskId, outcome)
        afterAnswer()
    }

    private fun send(transport: HttpTransport, task: HttpTask): TaskOutcome {
        try {
            beforeSend(task)
        } catch (defect: Throwable) {
            // The app's, to be seen by it; the request is not left in flight.
            satchel.completeTask(task.id, TaskOutcome.Failed)
            throw defect
        }
        val answer = try {
            transport.send(task)
        } catch (_: InterruptedException) {
            stop()
            Thread.currentThread().interrupt()
            null
        } catch (_: Exception) {
            // No route, a reset, a bad certificate, a URL the stack does not take: no answer came.
            null
        }
        return if (answer == null) TaskOutcome.Failed else TaskOutcome.Answered(answer)
    }

    private companion object {
        /** Clocks may differ by a little: never spin on a wait that is just over. */
        const val MIN_WAIT_MS = 20L

        /** A request that had not begun when it was ended is found again this soon. */
        const val ABORT_POLL_MS = 50L

        /** In front of the courier a run has as long as it takes. */
        const val RUN_MS = 600_000L

        /** In front, the loop looks this often of itself: the network may be another by then. */
        const val LOOK_MS = 30_000L

        /** Offline or not enrolled: how soon to think again of waiting at the hub. */
        const val POLL_REST_MS = 5_000L
    }
}
