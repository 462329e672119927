package satchel.demo.screen

import android.view.View
import android.widget.ProgressBar
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collectLatest
import satchel.Answer
import satchel.Enrolment
import satchel.Parcel
import satchel.SyncState
import satchel.demo.R
import satchel.demo.present.RoutePresenter
import satchel.demo.present.RouteState
import satchel.demo.present.StopLine
import satchel.demo.view.Tone

/** The round: what is next, until when it was promised, and what is only on this phone. */
class RouteScreen(shell: Shell) : Screen(shell) {
    override val title get() = string(R.string.route)
    override val isTab get() = true
    private lateinit var presenter: RoutePresenter
    private var invite = ""

    override suspend fun run(show: (View) -> Unit) = coroutineScope {
        presenter = RoutePresenter(shell.desk.phone())
        presenter.states().collectLatest { state ->
            while (true) {
                show(draw(state))
                // The clocks run on although nothing changed.
                delay(CLOCK_MS)
            }
        }
    }

    private fun draw(state: RouteState): View {
        if (state.enrolment is Enrolment.Absent || state.enrolment is Enrolment.Refused) return drawEnrolment(state)
        if (state.total == 0) {
            val isReady = state.enrolment is Enrolment.Enrolled && state.sync.lastContactMs != null
            return ui.column(
                syncCard(state),
                ui.card(ui.text(string(if (isReady) R.string.no_stops else R.string.waiting_for_route), 17f)),
                gap = 12,
            )
        }
        return ui.column(
            progress(state),
            syncCard(state),
            shift(state),
            state.next?.let { nextCard(it) },
            tools(state),
            state.later.takeIf { it.isNotEmpty() }?.let { ui.heading(string(R.string.later)) },
            *state.later.map { line(it) }.toTypedArray(),
            state.done.takeIf { it.isNotEmpty() }?.let { ui.heading(string(R.string.done)) },
            *state.done.map { line(it) }.toTypedArray(),
            gap = 10,
        )
    }

    private fun drawEnrolment(state: RouteState): View = ui.column(
        ui.text(string(R.string.welcome), 26f, bold = true),
        ui.faint(string(R.string.welcome_note), 16f),
        if (state.enrolment is Enrolment.Refused) ui.card(ui.text(string(R.string.invite_refused), tone = R.color.on_bad), tone = Tone.BAD) else null,
        ui.field(string(R.string.invite), "invite", invite, lines = 3) { invite = it },
        ui.button(string(R.string.enrol), "enrol", Tone.STRONG) {
            shell.act {
                if (told(presenter.enrol(invite, shell.desk.label)) != null) shell.desk.sync()
            }
        },
        ui.faint(string(R.string.enrol_note)),
        gap = 14,
    )

    private fun progress(state: RouteState): View {
        val courier = (state.enrolment as? Enrolment.Enrolled)?.courierName.orEmpty()
        val bar = ProgressBar(ui.context, null, android.R.attr.progressBarStyleHorizontal).apply {
            max = state.total
            progress = state.done.size
            contentDescription = string(R.string.progress, state.done.size, state.total)
        }
        return ui.column(
            ui.row(ui.text(courier, 15f, R.color.faint), ui.text(string(R.string.progress, state.done.size, state.total), 15f, bold = true)),
            bar,
            gap = 2,
        )
    }

    /** What is only on this phone, never prettier than it is. */
    private fun syncCard(state: RouteState): View {
        val sync = state.sync
        val isAllSent = sync.unsentEntries == 0uL && sync.unsentProofs == 0uL
        val isBad = sync.blocking != null || sync.receiptAlarms > 0uL || sync.hubContradictions > 0uL
        val tone = if (isBad) Tone.BAD else if (isAllSent) Tone.SOFT else Tone.WARN
        val line = when {
            isAllSent -> string(R.string.all_synced)
            else -> words.unsent(sync)
        }
        val why = sync.blocking?.let { of(labels[it]) } ?: if (shell.desk.settings.isOffline) string(R.string.airplane_on) else null
        val card = ui.card(
            ui.row(ui.text(line, 15f, tone.fore, bold = true), ui.text("›", 20f, tone.fore)),
            why?.let { ui.text(it, 14f, tone.fore) },
            sync.lostProofs.takeIf { it > 0uL }?.let { ui.text(string(R.string.lost_proofs, it.toLong()), 14f, tone.fore) },
            tone = tone, gap = 2,
        )
        return with(ui) { card.pressed("queue") { shell.go(QueueScreen(shell)) } }
    }

    private fun shift(state: RouteState): View? = if (state.shift.on) null else ui.card(
        ui.text(string(R.string.off_duty), 16f, bold = true),
        state.shift.trainingValidUntilMs?.let { ui.faint(string(R.string.training_until, words.day(it))) },
        ui.button(string(R.string.start_shift), "start-shift", Tone.STRONG) {
            shell.act {
                told(presenter.startShift())?.let {
                    shell.say(string(R.string.shift_started))
                    shell.askForPosition()
                }
            }
        },
    )

    private fun nextCard(line: StopLine): View {
        val stop = line.stop
        val card = ui.card(
            ui.row(ui.text(string(R.string.next), 13f, R.color.on_soft, bold = true), clock(line)),
            ui.text(stop.address, 21f, R.color.on_soft, bold = true),
            ui.text(who(line), 15f, R.color.on_soft),
            facts(line),
            line.planned?.let { ui.text(of(labels[it.why]), 14f, R.color.on_soft) },
            ui.button(string(R.string.open_stop), "open-next", Tone.STRONG) { open(line) },
            tone = Tone.SOFT, gap = 6,
        )
        return card
    }

    private fun tools(state: RouteState): View = ui.flow(
        ui.button(string(R.string.load_check), "load", Tone.PLAIN) { shell.go(LoadScreen(shell)) }.takeIf { state.done.isEmpty() },
        ui.button(string(if (state.plan == null) R.string.plan_short else R.string.replan), "plan", Tone.PLAIN) {
            shell.act {
                val plan = presenter.plan()
                if (plan is Answer.Done) shell.go(MapScreen(shell)) else told(plan)
            }
        },
        ui.button(string(R.string.report_short), "report", Tone.PLAIN) { shell.go(ReportScreen(shell, null)) },
    )

    private fun line(line: StopLine): View {
        val stop = line.stop
        val number = ui.chip(stop.position.toString(), Tone.PLAIN)
        val card = ui.card(
            ui.row(ui.text(stop.address, 16f, bold = true), clock(line) ?: number),
            ui.faint(who(line)),
            facts(line),
            gap = 4,
        )
        return with(ui) { card.pressed("stop-${stop.parcels.first().waybill}") { open(line) } }
    }

    private fun who(line: StopLine) = string(
        R.string.who_and_parcels, line.stop.recipientName,
        ui.count(R.plurals.parcels, line.stop.parcels.size, line.stop.parcels.size),
    )

    private fun clock(line: StopLine): View? {
        val deadline = line.stop.promisedByMs ?: return null
        if (line.stop.state == satchel.StopState.DONE) return null
        val left = deadline - System.currentTimeMillis()
        val tone = if (left < 0) Tone.BAD else if (left < SOON_MS) Tone.WARN else Tone.PLAIN
        return ui.chip(if (left < 0) string(R.string.late_by, words.span(-left)) else string(R.string.time_left, words.span(left)), tone)
    }

    private fun facts(line: StopLine): View? {
        val stop = line.stop
        val chips = mutableListOf<View>()
        line.planned?.let {
            chips += ui.chip(string(R.string.eta, words.clock(it.etaFromMs), words.clock(it.etaToMs)), if (it.predictedLate) Tone.WARN else Tone.PLAIN)
        }
        if (line.isLeftOut) chips += ui.chip(string(R.string.left_out), Tone.WARN)
        stop.parcels.flatMap { it.tags }.distinct().forEach { chips += ui.chip(of(labels[it])) }
        if (stop.parcels.any { it.doorRequired }) chips += ui.chip(string(R.string.door_only), Tone.WARN)
        stop.parcels.mapNotNull(Parcel::outcome).firstOrNull()?.let { chips += ui.chip(of(labels[it])) }
        if (stop.sync != SyncState.NOTHING) {
            chips += ui.chip(of(labels[stop.sync]), if (stop.sync == SyncState.PROOF_COMPLETE) Tone.SOFT else Tone.WARN)
        }
        stop.parcels.mapNotNull { it.rating }.firstOrNull()?.let { chips += ui.chip("★".repeat(it.stars.toInt())) }
        return chips.takeIf { it.isNotEmpty() }?.let { ui.flow(it, gap = 6) }
    }

    private fun open(line: StopLine) = when (line.stop.state) {
        satchel.StopState.DONE -> shell.go(HistoryScreen(shell, line.stop.stopId))
        else -> shell.go(StopScreen(shell, line.stop.stopId, line.stop))
    }

    private companion object {
        const val CLOCK_MS = 20_000L
        const val SOON_MS = 3_600_000L
    }
}
