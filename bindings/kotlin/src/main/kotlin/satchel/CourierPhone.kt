package satchel

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.onSubscription
import kotlinx.coroutines.flow.transformWhile
import kotlinx.coroutines.isActive
import kotlinx.coroutines.withContext

/**
 * The library for an app of coroutines: every call off the main thread, changes as flows.
 *
 * [satchel]'s calls block (a completion flushes to disk), so they run on [dispatcher]. The named calls are
 * those of a courier's day; [read] and [write] reach all others.
 *
 * Cancelling a coroutine never stops a record half way: a call that has begun is carried through, only its
 * result is dropped, and [changes] tells of it. Who did not see the result of a completion asks again: the
 * second time it answers [SatchelException.AlreadyDone], and the first version stands.
 */
class CourierPhone(
    val satchel: SatchelInterface,
    private val dispatcher: CoroutineDispatcher = defaultDispatcher(),
) {
    private val nudges = MutableSharedFlow<Unit>(extraBufferCapacity = 1, onBufferOverflow = BufferOverflow.DROP_OLDEST)

    /** Asks the library for something, off the calling thread. */
    suspend fun <T> read(call: SatchelInterface.() -> T): T = withContext(dispatcher) { satchel.call() }

    /** Has the library record something; carried through even when the caller is cancelled meanwhile. */
    suspend fun <T> write(call: SatchelInterface.() -> T): T = withContext(NonCancellable + dispatcher) {
        try {
            satchel.call()
        } finally {
            nudge()
        }
    }

    /** Like [write], with refusals as values instead of exceptions. */
    suspend fun <T> ask(call: SatchelInterface.() -> T): Answer<T> = write { answer { call() } }

    /** The stops of all rounds that are not past in their order, masked. */
    suspend fun stops(): List<Stop> = read { allStops() }

    /** Opens a handoff: what it needs, or why it cannot be started. */
    suspend fun begin(stopId: String, handoff: HandoffKind = HandoffKind.RECIPIENT): Answer<AttemptDraft> =
        ask { beginAttempt(stopId, handoff) }

    /** Takes a photo over; the file may be deleted when this returns. */
    suspend fun addPhoto(attemptId: String, path: String, origin: PhotoOrigin = PhotoOrigin.CAMERA): Answer<Photo> =
        ask { addPhoto(attemptId, path, origin) }

    /** Completes a handoff: on disk and flushed when this answers [Answer.Done]. */
    suspend fun complete(attemptId: String, completion: Completion): Answer<Recorded> =
        ask { completeAttempt(attemptId, completion) }

    /** Records that something is wrong and answers with what can be offered to the customer. */
    suspend fun report(request: ReportRequest): Answer<Report> = ask { report(request) }

    /** The code the customer scans, drawn without a network. */
    suspend fun ratingQr(parcelId: String): QrCode = read { ratingQr(parcelId) }

    /**
     * Plans with time to spare. Cancelling the coroutine ends the search at once; the best plan so far is
     * stored all the same. [progress] is called on [dispatcher].
     */
    suspend fun planThoroughly(start: Place? = null, progress: (PlanProgress) -> Unit = {}): RoutePlan {
        val caller = currentCoroutineContext()
        val watcher = object : PlanWatcher {
            override fun goesOn(progress: PlanProgress): Boolean {
                progress(progress)
                return caller.isActive
            }
        }
        return write { planThoroughly(watcher, start) }.also { caller.ensureActive() }
    }

    /**
     * Now, and after every record made here and every answer of the hub: a reason to read again whatever a
     * screen shows, also what is no stop (the queue, the shift, a report). Slow collectors get several as one.
     */
    fun news(): Flow<Unit> = nudges.onSubscription { emit(Unit) }

    /**
     * What changed among the stops after [since]: at once, and then whenever something did. Ends when the
     * phone is shut down, waits while it is paused.
     */
    fun changes(since: Long = 0): Flow<Changes> = flow {
        var version = since
        var isFirst = true
        emitAll(
            news().transformWhile {
                val changes = try {
                    read { changesSince(version) }
                } catch (_: SatchelException.Paused) {
                    return@transformWhile true
                } catch (_: SatchelException.Closed) {
                    return@transformWhile false
                }
                if (isFirst || changes.version != version) emit(changes)
                isFirst = false
                version = changes.version
                true
            },
        )
    }

    /** The list of stops, now and after each change. A change of a few stops reads only those again. */
    fun watchStops(): Flow<List<Stop>> = flow {
        var list: List<Stop>? = null
        changes().collect { changes ->
            val known = list
            val changed = changes.stopIds.toSet()
            val fresh = if (known == null || changes.rereadAll || changed.size > FEW_STOPS) {
                stops()
            } else {
                // A plan may move every stop and is then told as many: the order holds for a few.
                val read = read { changed.map { stop(it) } }.associateBy { it.stopId }
                val stays = { new: Stop -> !new.past && known.any { it.stopId == new.stopId && it.position == new.position } }
                if (read.values.all(stays)) {
                    known.map { read[it.stopId] ?: it }
                } else {
                    stops()
                }
            }
            list = fresh
            emit(fresh)
        }
    }

    /** Tells the flows to look again, after something was recorded past this object. */
    fun nudge() {
        nudges.tryEmit(Unit)
    }

    /** Closes every file before the system suspends the app; see [SatchelInterface.pause]. */
    suspend fun pause() = write { pause() }

    /** Opens them again. */
    suspend fun resume() = write { resume() }

    /** Closes for good; flows end. */
    suspend fun shutdown() = write { shutdown() }

    private companion object {
        /** Beyond this, one call for the page costs less than one a stop. */
        const val FEW_STOPS = 8

        /** Few threads: the store has one writer, and readers seldom wait. */
        @OptIn(ExperimentalCoroutinesApi::class)
        fun defaultDispatcher(): CoroutineDispatcher = Dispatchers.IO.limitedParallelism(4)
    }
}

/** Every stop, page by page: one call for a round of up to 500. */
fun SatchelInterface.allStops(): List<Stop> {
    val all = mutableListOf<Stop>()
    var offset = 0u
    while (true) {
        val page = stops(offset, 500u)
        all += page.stops
        offset = page.nextOffset ?: return all
    }
}
