package satchel.demo.present

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.map
import satchel.CourierPhone
import satchel.Enrolment
import satchel.PlanEvent
import satchel.PlannedStop
import satchel.RoutePlan
import satchel.Shift
import satchel.Stop
import satchel.StopState
import satchel.SyncStatus
import satchel.allStops

/** A stop with its place in the current plan. */
data class StopLine(val stop: Stop, val planned: PlannedStop?, val isLeftOut: Boolean)

/** The route as the courier works through it. */
data class RouteState(
    val enrolment: Enrolment,
    val shift: Shift,
    val sync: SyncStatus,
    val plan: RoutePlan?,
    val next: StopLine?,
    val later: List<StopLine>,
    val done: List<StopLine>,
) {
    val total: Int get() = done.size + later.size + if (next == null) 0 else 1
}

/** The list, the order and the shift; new with every record and every answer of the hub. */
class RoutePresenter(private val phone: CourierPhone) {
    fun states(): Flow<RouteState> = phone.news().conflate().map { state() }

    private suspend fun state(): RouteState = phone.read {
        val stops = allStops()
        val plan = currentPlan()
        val planned = plan?.stops.orEmpty().associateBy { it.stopId }
        val leftOut = plan?.leftOutStopIds.orEmpty().toSet()
        val lines = stops.filter { it.state != StopState.REMOVED }
            .map { StopLine(it, planned[it.stopId], it.stopId in leftOut) }
        val (done, todo) = lines.partition { it.stop.state == StopState.DONE }
        RouteState(enrolment(), shift(), syncStatus(), plan, todo.firstOrNull(), todo.drop(1), done)
    }

    suspend fun enrol(invite: String, label: String) = phone.ask { enrol(invite.trim(), label) }

    suspend fun startShift() = phone.ask { startShift() }

    suspend fun plan() = phone.ask { plan() }

    suspend fun replan(event: PlanEvent) = phone.ask { replan(event) }
}
