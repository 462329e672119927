package satchel.demo.screen

import android.view.View
import java.util.Calendar
import satchel.Figure
import satchel.PromiseClock
import satchel.demo.R
import satchel.demo.present.DayPresenter
import satchel.demo.present.DayState
import satchel.demo.view.Tone
import satchel.text

/** The courier's own scorecard, counted on this phone; each figure says out of what. */
class DayScreen(shell: Shell) : Screen(shell) {
    override val title get() = string(R.string.my_day)
    override val isTab get() = true
    private lateinit var presenter: DayPresenter

    override suspend fun run(show: (View) -> Unit) {
        presenter = DayPresenter(shell.desk.phone(), ::today)
        presenter.states().collect { show(draw(it)) }
    }

    private fun today(): LongRange {
        val midnight = Calendar.getInstance().apply {
            set(Calendar.HOUR_OF_DAY, 0)
            set(Calendar.MINUTE, 0)
            set(Calendar.SECOND, 0)
            set(Calendar.MILLISECOND, 0)
        }
        val start = midnight.timeInMillis
        midnight.add(Calendar.DAY_OF_MONTH, 1)
        return start until midnight.timeInMillis
    }

    private fun draw(state: DayState): View {
        val counted = state.figures.filter { it.denominator > 0uL }
        return ui.column(
            shift(state),
            doubts(state),
            money(state),
            ui.heading(string(R.string.figures)),
            if (counted.isEmpty()) ui.faint(string(R.string.no_figures), 15f) else ui.card(*counted.map(::figure).toTypedArray(), gap = 12),
            stars(state),
            if (state.clocks.isEmpty()) null else ui.heading(string(R.string.promises)),
            *state.clocks.take(MOST_CLOCKS).map(::clock).toTypedArray(),
            gap = 10,
        )
    }

    private fun shift(state: DayState): View {
        val since = state.shift.sinceMs
        return ui.card(
            ui.text(if (since == null) string(R.string.off_duty) else string(R.string.on_duty, words.span(System.currentTimeMillis() - since)), 18f, bold = true),
            state.shift.trainingValidUntilMs?.let { ui.faint(string(R.string.training_until, words.day(it))) },
            state.shift.unsent?.let { ui.flow(ui.chip(of(it.text), Tone.WARN)) },
            ui.button(string(if (state.shift.on) R.string.end_shift else R.string.start_shift), "shift", if (state.shift.on) Tone.PLAIN else Tone.STRONG) {
                shell.act { told(presenter.setOnDuty(!state.shift.on)) }
            },
        )
    }

    private fun doubts(state: DayState): View? {
        if (state.allDoubts == 0) return null
        val words = if (state.openDoubts > 0) ui.count(R.plurals.doubts_wait, state.openDoubts, state.openDoubts) else string(R.string.doubts_answered)
        val tone = if (state.openDoubts > 0) Tone.WARN else Tone.PLAIN
        return with(ui) {
            ui.card(ui.row(ui.text(words, 16f, tone.fore, bold = true), ui.text("›", 20f, tone.fore)), tone = tone).pressed("doubts") { shell.go(DoubtsScreen(shell)) }
        }
    }

    private fun money(state: DayState): View? {
        val earned = state.earnings
        if (earned == null && state.points == null) return null
        return ui.card(
            earned?.let { ui.row(ui.text(string(R.string.earned)), ui.text(words.money(it.totalMinor, it.currency), 18f, bold = true)) },
            state.points?.let { ui.row(ui.text(string(R.string.points)), ui.text(it.toString(), 18f, bold = true)) },
            ui.faint(string(R.string.estimate), 13f),
        )
    }

    private fun figure(figure: Figure): View {
        val value = figure.value?.let { if (figure.isShare) "${words.number(it.toLong() / 100.0)} %" else words.number(it.toLong() / 100.0) } ?: "–"
        return ui.column(
            ui.row(ui.text(of(figure.kpi.text), 15f), ui.text(value, 17f, bold = true)),
            ui.row(
                ui.faint(string(R.string.out_of, figure.numerator.toLong(), figure.denominator.toLong()), 13f),
                if (figure.overLine) ui.chip(string(R.string.over_line), Tone.BAD) else ui.faint(figure.row, 12f),
            ),
            gap = 0,
        )
    }

    private fun stars(state: DayState): View? {
        val level = state.stars.levelByHub ?: state.stars.estimate ?: return null
        return ui.card(
            ui.text("★".repeat(level.toInt()) + "☆".repeat((5 - level.toInt()).coerceAtLeast(0)), 24f, R.color.accent),
            *state.stars.inputs.map { input ->
                ui.row(ui.text(of(input.kpi.text), 14f), ui.chip(if (input.met) "✓" else "–", if (input.met) Tone.SOFT else Tone.WARN))
            }.toTypedArray(),
            ui.faint(string(R.string.stars_note), 13f),
        )
    }

    private fun clock(clock: PromiseClock): View {
        val tone = if (clock.leftMs < 0) Tone.BAD else Tone.PLAIN
        val left = if (clock.leftMs < 0) string(R.string.late_by, words.span(-clock.leftMs)) else string(R.string.time_left, words.span(clock.leftMs))
        return ui.card(ui.row(ui.column(ui.text(clock.waybill, 15f, bold = true), ui.faint(of(labels[clock.`class`]), 13f), gap = 0), ui.chip(left, tone)))
    }

    private companion object {
        const val MOST_CLOCKS = 12
    }
}
