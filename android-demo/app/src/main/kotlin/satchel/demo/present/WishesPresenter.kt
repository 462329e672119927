package satchel.demo.present

import satchel.Answer
import satchel.CourierPhone
import satchel.PlanWishes
import satchel.PlannedBreak
import satchel.Stop
import satchel.StopState
import satchel.allStops

/** What the courier wishes of every plan, with the stops he can choose from. */
class WishesState(val wishes: PlanWishes, val open: List<Stop>) {
    fun stop(id: String?): Stop? = open.firstOrNull { it.stopId == id }

    /** A stop that a wish names and that is done meanwhile is no wish any more. */
    val first: Stop? get() = stop(wishes.firstStopId)
    val last: Stop? get() = stop(wishes.lastStopId)
    val setAside: List<Stop> get() = wishes.setAsideStopIds.mapNotNull(::stop)
}

/** The wishes, one change at a time; each is stored at once and takes effect with the plan made after it. */
class WishesPresenter(private val phone: CourierPhone) {
    suspend fun state(): WishesState = phone.read {
        WishesState(planWishes(), allStops().filter { it.state == StopState.OPEN || it.state == StopState.FAILED })
    }

    suspend fun first(stopId: String?) = change { it.copy(firstStopId = stopId, lastStopId = it.lastStopId.takeIf { last -> last != stopId }) }

    suspend fun last(stopId: String?) = change { it.copy(lastStopId = stopId, firstStopId = it.firstStopId.takeIf { first -> first != stopId }) }

    /** Takes a stop out of the plan, or back in. */
    suspend fun setAside(stopId: String) = change { wishes ->
        val aside = wishes.setAsideStopIds
        if (stopId in aside) {
            wishes.copy(setAsideStopIds = aside - stopId)
        } else {
            wishes.copy(
                setAsideStopIds = aside + stopId,
                firstStopId = wishes.firstStopId.takeIf { it != stopId },
                lastStopId = wishes.lastStopId.takeIf { it != stopId },
            )
        }
    }

    suspend fun keepNext(count: UByte) = change { it.copy(frozen = count) }

    /** One pause of half an hour from then on, or none. */
    suspend fun pauseAt(startMs: Long?) = change { wishes -> wishes.copy(breaks = listOfNotNull(startMs?.let { PlannedBreak(it, PAUSE_MS) })) }

    private suspend fun change(new: (PlanWishes) -> PlanWishes): Answer<Unit> {
        val wishes = new(phone.read { planWishes() })
        val answer = phone.ask { setPlanWishes(wishes) }
        // The list follows the wishes at once; a plan that cannot be made says why itself.
        return if (answer is Answer.Done) when (val plan = phone.ask { plan() }) {
            is Answer.Done -> Answer.Done(Unit)
            is Answer.Refused -> plan
            is Answer.Failed -> plan
            else -> answer
        } else {
            answer
        }
    }

    private companion object {
        const val PAUSE_MS = 30 * 60_000L
    }
}
