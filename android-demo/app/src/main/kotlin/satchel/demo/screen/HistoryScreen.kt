package satchel.demo.screen

import android.view.View
import satchel.CorrectionKind
import satchel.CorrectionRequest
import satchel.HistoryLine
import satchel.Parcel
import satchel.ParcelHistory
import satchel.Stop
import satchel.demo.R
import satchel.demo.view.Tone
import satchel.text

/** Everything known about the parcels of a stop, and the ways to put the record right. */
class HistoryScreen(shell: Shell, private val stopId: String) : Screen(shell) {
    override val title get() = string(R.string.history)

    override suspend fun run(show: (View) -> Unit) {
        val phone = shell.desk.phone()
        phone.news().collect {
            val (stop, histories) = phone.read {
                val stop = stop(stopId)
                stop to stop.parcels.map { history(it.parcelId) }
            }
            show(draw(stop, histories))
        }
    }

    private fun draw(stop: Stop, histories: List<ParcelHistory>): View = ui.column(
        listOf<View>(ui.text(stop.address, 19f, bold = true), ui.flow(ui.chip(of(labels[stop.sync])))) +
            stop.parcels.zip(histories).map { (parcel, history) -> parcel(parcel, history) },
        gap = 10,
    )

    private fun parcel(parcel: Parcel, history: ParcelHistory): View = ui.card(
        ui.row(ui.text(parcel.waybill, 16f, bold = true), ui.chip(of(history.state.text))),
        *history.flags.map { ui.flow(ui.chip(of(it.text), Tone.WARN)) }.toTypedArray(),
        *history.lines.map(::line).toTypedArray(),
        parcel.rating?.let { rating ->
            ui.column(ui.text("★".repeat(rating.stars.toInt()), 18f, R.color.accent), rating.comment?.let { ui.text("“$it”", 15f) }, gap = 2)
        },
        ui.flow(
            parcel.rating?.let { rating ->
                ui.button(string(if (rating.appeal == null) R.string.rating_more else R.string.your_appeal), "rating-${parcel.waybill}", Tone.SOFT) {
                    shell.go(AppealScreen(shell, stopId, parcel.parcelId))
                }
            },
            ui.button(string(R.string.rating_code), "code-${parcel.waybill}", Tone.SOFT) { shell.go(RatingScreen(shell, parcel.parcelId, shell::back)) }
                .takeIf { parcel.outcome == satchel.Outcome.DELIVERED },
            ui.button(string(R.string.undo), "undo-${parcel.waybill}", Tone.PLAIN) { undo(parcel) }.takeIf { history.lines.any { it.here && it.counts } },
        ),
        gap = 8,
    )

    private fun line(line: HistoryLine): View {
        val note = when {
            line.takenBack -> string(R.string.taken_back)
            !line.counts -> string(R.string.no_effect)
            else -> null
        }
        return ui.row(
            ui.column(
                ui.text(of(line.what.text), 15f),
                line.words?.let { ui.faint(it) },
                ui.faint(ui.count(R.plurals.proofs, line.proofs.size, line.proofs.size), 13f).takeIf { line.proofs.isNotEmpty() },
                note?.let { ui.faint(it, 13f) },
                gap = 0,
            ),
            ui.faint(words.clock(line.atMs)),
        )
    }

    private fun undo(parcel: Parcel) = shell.act {
        val phone = shell.desk.phone()
        told(phone.ask { correct(CorrectionRequest(parcel.parcelId, CorrectionKind.Undo)) })?.let {
            shell.desk.syncSoon()
            shell.say(string(R.string.corrected))
        }
    }
}
