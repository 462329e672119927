package satchel.demo.screen

import android.view.View
import kotlinx.coroutines.CompletableDeferred
import satchel.Reason
import satchel.Report
import satchel.ReportRequest
import satchel.Stop
import satchel.demo.R
import satchel.demo.view.Tone
import satchel.text

/** Something is wrong: one tap on the reason is the whole report, with or without a network. */
class ReportScreen(shell: Shell, private val stop: Stop?) : Screen(shell) {
    override val title get() = string(R.string.report)
    private lateinit var show: (View) -> Unit
    private var inWords = ""

    override suspend fun run(show: (View) -> Unit) {
        this.show = show
        draw(shell.desk.phone().read { reports() })
        CompletableDeferred<Unit>().await()
    }

    private fun draw(reports: List<Report>): Unit = show(
        ui.column(
            stop?.let { ui.text(it.address, 17f, bold = true) },
            ui.faint(string(R.string.report_note), 15f),
            ui.flow(
                (if (stop == null) ON_THE_WAY else AT_THE_DOOR).map { reason ->
                    ui.button(of(labels[reason]), "report-$reason", Tone.PLAIN) { send(reason) }
                },
            ),
            ui.button(string(R.string.other_reason), "report-other", Tone.PLAIN) {
                shell.go(PickScreen(shell, string(R.string.reason), reasons(shell), ::send))
            },
            ui.field(string(R.string.in_words), "report-words", inWords, lines = 2) { inWords = it },
            if (reports.isEmpty()) null else ui.heading(string(R.string.reported)),
            *reports.take(MOST_SHOWN).map(::line).toTypedArray(),
            gap = 12,
        ),
    )

    private fun line(report: Report): View = ui.card(
        ui.row(ui.text(of(labels[report.reason]), 16f, bold = true), ui.faint(words.clock(report.occurredAtMs))),
        ui.text(of(report.text.text), 14f),
        report.answer?.let { ui.chip(it) },
        if (report.remedies.isEmpty()) null else ui.faint(string(R.string.can_offer), 13f),
        *report.remedies.filter { it.needs.isEmpty() }.take(MOST_OFFERS).map { remedyLine(shell, it) }.toTypedArray(),
        gap = 4,
    )

    private fun send(reason: Reason): Unit = shell.act {
        val open = stop?.parcels.orEmpty().map { it.parcelId }
        val request = ReportRequest(reason, stop?.stopId, open, inWords.ifBlank { null })
        val phone = shell.desk.phone()
        told(phone.report(request)) ?: return@act
        inWords = ""
        shell.desk.syncSoon()
        shell.say(string(R.string.recorded))
        draw(phone.read { reports() })
    }

    private companion object {
        const val MOST_SHOWN = 5
        const val MOST_OFFERS = 3

        /** The usual ones; all others are one tap further. */
        val ON_THE_WAY = listOf(Reason.TRAFFIC, Reason.WEATHER, Reason.VEHICLE, Reason.ACCIDENT, Reason.SAFETY)
        val AT_THE_DOOR = listOf(
            Reason.ADDRESS_INCOMPLETE, Reason.ADDRESS_WRONG, Reason.PHONE_WRONG, Reason.ACCESS_DENIED,
            Reason.REFUSED_DAMAGED, Reason.NO_PARKING,
        )
    }
}
