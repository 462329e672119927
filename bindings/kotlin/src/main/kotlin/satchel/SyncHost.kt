package satchel

/** How a run of the sync host ended. */
sealed class SyncEnd {
    /** Everything is sent and read. */
    object Done : SyncEnd()

    /** Nothing can be done before [untilMs] (Unix milliseconds; `null`: before something changes). */
    class Waiting(val untilMs: Long?, val reason: WaitReason) : SyncEnd()

    /** [SyncHost.stop] was called or the thread was interrupted. */
    object Stopped : SyncEnd()
}

/**
 * Does the network's part of the sync: takes the library's requests, sends them, gives back what came.
 *
 * All judgement (what to send, when to retry, when to give up) is the library's; the loop cannot spin,
 * because a failed request is not handed out again before its time. Call [run] from a background thread:
 * from a WorkManager job with a network constraint, after `completeAttempt`, and when the network is back.
 *
 * @param network says what network there is right now; asked before each request.
 */
class SyncHost(
    private val satchel: SatchelInterface,
    private val transport: HttpTransport,
    private val network: () -> NetworkState,
) {
    @Volatile
    private var stopped = false

    /** Sends and reads until there is nothing to do now. Throws what the store throws. */
    fun run(): SyncEnd {
        while (!stopped) {
            when (val task = satchel.nextTask(network())) {
                is SyncTask.Http -> satchel.completeTask(task.task.id, send(task.task))
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

    /** Ends every run after the request it is at; for good. */
    fun stop() {
        stopped = true
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
    }
}
