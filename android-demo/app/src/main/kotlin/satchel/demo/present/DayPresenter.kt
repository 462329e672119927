package satchel.demo.present

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.map
import satchel.CourierPhone
import satchel.Earnings
import satchel.Figure
import satchel.PromiseClock
import satchel.Shift
import satchel.Stars
import satchel.StorageUsage
import satchel.Stop
import satchel.SyncState
import satchel.SyncStatus
import satchel.allStops

/** The courier's own view of the day; each figure with what it is counted from. */
data class DayState(
    val shift: Shift,
    val clocks: List<PromiseClock>,
    val figures: List<Figure>,
    val stars: Stars,
    val points: Long?,
    val earnings: Earnings?,
    /** Questions of the hub that wait for this courier's answer. */
    val openDoubts: Int,
    val allDoubts: Int,
)

/** What is where: the queue as the store has it, stop by stop. */
data class QueueState(val sync: SyncStatus, val storage: StorageUsage, val waiting: List<Stop>)

/** Figures of today, from midnight to midnight of the phone's zone. */
class DayPresenter(private val phone: CourierPhone, private val dayMs: () -> LongRange) {
    fun states(): Flow<DayState> = phone.news().conflate().map {
        val day = dayMs()
        phone.read {
            val doubts = doubts()
            DayState(
                shift(), clocks(), scorecard(day.first, day.last + 1), stars(), points(), earnings(day.first, day.last + 1),
                doubts.count { it.answer == null && it.verdict == null }, doubts.size,
            )
        }
    }

    suspend fun setOnDuty(on: Boolean) = phone.ask { if (on) startShift() else endShift() }
}

/** The honest queue. */
class QueuePresenter(private val phone: CourierPhone) {
    fun states(): Flow<QueueState> = phone.news().conflate().map {
        phone.read {
            val unsent = allStops().filter { it.sync != SyncState.NOTHING && it.sync != SyncState.PROOF_COMPLETE }
            QueueState(syncStatus(), storageUsage(), unsent)
        }
    }

    suspend fun retryNow() = phone.write { requestSync() }
}
