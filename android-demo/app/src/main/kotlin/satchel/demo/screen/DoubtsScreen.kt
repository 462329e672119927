package satchel.demo.screen

import android.view.View
import satchel.Doubt
import satchel.demo.R
import satchel.demo.view.Tone
import satchel.text

/** What the hub wonders about, with its reason, and this courier's answer to it. Nothing follows from a doubt by itself. */
class DoubtsScreen(shell: Shell) : Screen(shell) {
    override val title get() = string(R.string.doubts)
    private val typed = mutableMapOf<String, String>()

    override suspend fun run(show: (View) -> Unit) {
        val phone = shell.desk.phone()
        phone.news().collect {
            val doubts = phone.read { doubts().map { it to stops().stops.firstOrNull { stop -> stop.parcels.any { p -> p.parcelId == it.parcelId } } } }
            show(
                ui.column(
                    listOf<View>(ui.faint(string(R.string.doubts_note), 15f)) +
                        doubts.map { (doubt, stop) -> card(doubt, stop?.address) }.ifEmpty { listOf(ui.card(ui.text(string(R.string.no_doubts), 17f))) },
                    gap = 12,
                ),
            )
        }
    }

    private fun card(doubt: Doubt, address: String?): View = ui.card(
        ui.text(doubt.question?.let { of(it.text) } ?: string(R.string.doubt_of_newer_hub), 17f, bold = true),
        address?.let { ui.text(it, 15f) },
        ui.faint(listOfNotNull(string(R.string.happened_at, at(doubt.occurredAtMs)), doubt.otherAtMs?.let { string(R.string.compared_with, at(it)) }).joinToString(" · ")),
        doubt.apartM?.let { ui.faint(string(R.string.apart, words.km(it.toDouble()))) },
        doubt.answer?.let { ui.card(ui.faint(string(R.string.your_answer), 13f), ui.text(it, 15f), gap = 2) },
        doubt.verdict?.let { ui.flow(ui.chip(of(it.text))) },
        doubt.why?.let { ui.text(it, 15f) },
        answer(doubt),
        gap = 6,
    )

    private fun at(ms: Long) = "${words.day(ms)} ${words.clock(ms)}"

    private fun answer(doubt: Doubt): View? = if (doubt.answer != null || doubt.verdict != null) null else ui.column(
        ui.field(string(R.string.your_words), "doubt-words-${doubt.question?.code}", typed[doubt.doubtId].orEmpty(), lines = 3) { typed[doubt.doubtId] = it },
        ui.button(string(R.string.answer_it), "answer-${doubt.question?.code}", Tone.STRONG) {
            val words = typed[doubt.doubtId].orEmpty().trim()
            if (words.isEmpty()) return@button shell.say(string(R.string.say_something), bad = true)
            shell.act {
                told(shell.desk.phone().ask { answerDoubt(doubt.doubtId, words) })?.let {
                    shell.desk.syncSoon()
                    shell.say(string(R.string.recorded))
                }
            }
        },
    )
}
