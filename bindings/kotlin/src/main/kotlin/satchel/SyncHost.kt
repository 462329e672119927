package satchel

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/** How a run of the sync host ended. */
sealed class SyncEnd {
    /** Whether a scheduler should run the sync again: not when all is done, else with its own back-off. */
    val wantsAnotherRun: Boolean get() = this !is Done

    /** Everything is sent and read. */
    object Done : SyncEnd()

    /** Nothing can be done before [untilMs] (Unix milliseconds; `null`: before something changes). */
    class Waiting(val untilMs: Long?, val reason: WaitReason) : SyncEnd()

    /** [SyncHost.stop] was called or the thread was interrupted. */
    object Stopped : SyncEnd()

    /** The time given to [SyncHost.syncOnce] is over; what is left waits for the next run. */
    object OutOfTime : SyncEnd()
}

/**
 * Does the network's part of the sync: takes the library's requests, sends them, gives back what came.
 *
 * All judgement (what to send, when to retry, when to give up) is the library's; the loop cannot spin,
 * because a failed request is not handed out again before its time. Call [run] from a background thread:
 * from a WorkManager job with a network constraint, after `completeAttempt`, and when the network is back.
 *
 * @param afterAnswer called when the library has taken an answer in, which may have changed what a screen
 *   shows: [CourierPhone.nudge] fits.
 * @param network says what network there is right now; asked before each request.
 */
class SyncHost(
    private val satchel: SatchelInterface,
    private val transport: HttpTransport,
    private val afterAnswer: () -> Unit = {},
    private val network: () -> NetworkState,
) {
    @Volatile
    private var stopped = false

    /** Sends and reads until there is nothing to do now. Throws what the store throws. */
    fun run(): SyncEnd {
        while (!stopped) {
            when (val task = satchel.nextTask(network())) {
                is SyncTask.Http -> give(task.task.id, send(task.task))
                is SyncTask.Wait -> return SyncEnd.Waiting(task.untilMs, task.reason)
                is SyncTask.Done -> return SyncEnd.Done
            }
        }
        return SyncEnd.Stopped
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
        while (true) {
            currentCoroutineContext().ensureActive()
            val leftMs = (deadlineNs - System.nanoTime()) / 1_000_000
            if (stopped) return SyncEnd.Stopped
            if (leftMs <= 0) return SyncEnd.OutOfTime
            val task = withContext(NonCancellable + dispatcher) { satchel.nextTask(network()) }
            when (task) {
                is SyncTask.Http -> sendWithin(leftMs, task.task, dispatcher)
                is SyncTask.Wait -> return SyncEnd.Waiting(task.untilMs, task.reason)
                is SyncTask.Done -> return SyncEnd.Done
            }
        }
    }

    /** Ends every run after the request it is at; for good. */
    fun stop() {
        stopped = true
    }

    /** Sends on a thread of its own, so that neither a cancelled caller nor the deadline has to wait for it. */
    private suspend fun sendWithin(leftMs: Long, task: HttpTask, dispatcher: CoroutineDispatcher) {
        val sending = CoroutineScope(dispatcher).async { send(task) }
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

    private fun send(task: HttpTask): TaskOutcome {
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
    }
}
