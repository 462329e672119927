package satchel.demo.screen

import android.view.View
import satchel.Answer
import satchel.Place
import satchel.PlanEvent
import satchel.RoutePlan
import satchel.StopState
import satchel.demo.R
import satchel.demo.present.RoutePresenter
import satchel.demo.present.RouteState
import satchel.demo.view.MapDrawing
import satchel.demo.view.MapView
import satchel.demo.view.Pin
import satchel.demo.view.Tone

/** The order drawn without a network: as it was, as it is planned, what that gains and why. */
class MapScreen(shell: Shell) : Screen(shell) {
    override val title get() = string(R.string.map)
    override val isTab get() = true
    private lateinit var presenter: RoutePresenter

    override suspend fun run(show: (View) -> Unit) {
        presenter = RoutePresenter(shell.desk.phone())
        presenter.states().collect { show(draw(it)) }
    }

    private fun draw(state: RouteState): View {
        val todo = listOfNotNull(state.next) + state.later
        val places = (todo + state.done).associate { it.stop.stopId to Place(it.stop.lat, it.stop.lng) }
        val pins = todo.mapIndexed { i, line ->
            val tone = if (line.planned?.predictedLate == true) Tone.WARN else if (i == 0) Tone.STRONG else Tone.SOFT
            Pin("${i + 1}", line.stop.lat, line.stop.lng, tone)
        } + state.done.map { Pin("✓", it.stop.lat, it.stop.lng, Tone.PLAIN) }
        val plan = state.plan
        val after = listOfNotNull(plan?.start) + todo.filter { plan == null || !it.isLeftOut }.mapNotNull { places[it.stop.stopId] }
        val before = if (plan == null) emptyList() else listOfNotNull(plan.start) + plan.beforeStopIds.mapNotNull(places::get)
        val isOpen = todo.any { it.stop.state == StopState.OPEN || it.stop.state == StopState.FAILED }
        return ui.column(
            MapView(ui, MapDrawing(pins, before, after), string(R.string.map_described, todo.size)),
            ui.flow(ui.chip(string(R.string.map_after), Tone.STRONG), ui.chip("- - " + string(R.string.map_before), Tone.PLAIN)).takeIf { plan != null },
            plan?.let { gains(it) },
            if (isOpen) buttons() else null,
            state.next?.planned?.let { planned ->
                ui.card(
                    ui.text(state.next.stop.address, 16f, bold = true),
                    ui.text(of(labels[planned.why])),
                    ui.faint(string(R.string.arrive_and_stay, words.clock(planned.arrivalMs), words.span(planned.serviceMs))),
                    planned.slackMs?.let { ui.faint(string(R.string.slack, words.span(it))) },
                )
            },
            gap = 12,
        )
    }

    private fun gains(plan: RoutePlan): View {
        val sooner = plan.completionBeforeMs - plan.completionMs
        return ui.card(
            ui.text(string(R.string.distance_gain, words.km(plan.distanceBeforeM), words.km(plan.distanceM)), 17f, bold = true),
            if (sooner >= 60_000) ui.text(string(R.string.sooner, words.span(sooner))) else null,
            if (plan.lateness < plan.latenessBefore) ui.text(string(R.string.less_late)) else null,
            if (plan.pairsKnown > 0u) ui.faint(string(R.string.kept, plan.pairsKept.toInt(), plan.pairsKnown.toInt())) else null,
            changed(plan)?.let { ui.faint(it) },
            ui.faint(string(R.string.finish_at, words.clock(plan.completionMs))),
            gap = 4,
        )
    }

    private fun changed(plan: RoutePlan): String? = with(plan.change) {
        listOfNotNull(
            ui.count(R.plurals.moved, movedStopIds.size, movedStopIds.size).takeIf { movedStopIds.isNotEmpty() },
            ui.count(R.plurals.newly_late, newlyLateStopIds.size, newlyLateStopIds.size).takeIf { newlyLateStopIds.isNotEmpty() },
        ).joinToString(" · ").ifEmpty { null }
    }

    private fun buttons(): View = ui.flow(
        ui.button(string(R.string.plan), "plan-now", Tone.STRONG) { again { presenter.plan() } },
        ui.button(string(R.string.delayed), "delayed", Tone.PLAIN) { again { presenter.replan(PlanEvent.Delayed(DELAY_MS)) } },
        ui.button(string(R.string.wishes), "wishes", Tone.PLAIN) { shell.go(WishesScreen(shell)) },
    )

    private fun again(plan: suspend () -> Answer<RoutePlan>) = shell.act { told(plan()) }

    private companion object {
        const val DELAY_MS = 15 * 60_000L
    }
}
