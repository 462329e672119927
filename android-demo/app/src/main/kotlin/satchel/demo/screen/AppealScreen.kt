package satchel.demo.screen

import android.view.View
import satchel.Appeal
import satchel.Parcel
import satchel.Rating
import satchel.demo.R
import satchel.demo.view.Tone
import satchel.text

/** A customer's rating as the courier sees it: what it counts for, and his own word against it. */
class AppealScreen(shell: Shell, private val stopId: String, private val parcelId: String) : Screen(shell) {
    override val title get() = string(R.string.rating)
    private var typed = ""

    override suspend fun run(show: (View) -> Unit) {
        val phone = shell.desk.phone()
        phone.news().collect {
            val parcel = phone.read { stop(stopId) }.parcels.single { it.parcelId == parcelId }
            parcel.rating?.let { show(draw(parcel, it)) }
        }
    }

    private fun draw(parcel: Parcel, rating: Rating): View = ui.column(
        ui.card(
            ui.row(ui.text(parcel.waybill, 16f, bold = true), ui.faint(words.day(rating.ratedAtMs))),
            ui.text("★".repeat(rating.stars.toInt()) + "☆".repeat((5 - rating.stars.toInt()).coerceAtLeast(0)), 26f, R.color.accent),
            rating.comment?.let { ui.text("“$it”", 16f) },
            ui.flow(
                listOfNotNull(rating.standing?.let { ui.chip(of(it.text)) }) + rating.flags.map { ui.chip(of(it.text), Tone.WARN) },
            ),
            rating.hidden?.let { ui.faint(string(R.string.words_hidden, it)) },
        ),
        rating.appeal?.let(::said) ?: form(),
        gap = 12,
    )

    private fun said(appeal: Appeal): View = ui.card(
        ui.text(string(R.string.your_appeal), 16f, bold = true),
        ui.text(appeal.words, 15f),
        ui.faint(appeal.caseNumber?.let { string(R.string.appeal_case, it) } ?: string(R.string.appeal_waits)),
        appeal.answer?.let { ui.card(ui.faint(string(R.string.hub_answers), 13f), ui.text(it, 15f), gap = 2) },
    )

    private fun form(): View = ui.card(
        ui.text(string(R.string.appeal), 16f, bold = true),
        ui.faint(string(R.string.appeal_note)),
        ui.field(string(R.string.your_words), "appeal-words", typed, lines = 3) { typed = it },
        ui.button(string(R.string.appeal_send), "send-appeal", Tone.STRONG) {
            if (typed.isBlank()) return@button shell.say(string(R.string.say_something), bad = true)
            shell.act {
                told(shell.desk.phone().ask { appeal(parcelId, typed.trim()) })?.let {
                    shell.desk.syncSoon()
                    shell.say(string(R.string.recorded))
                }
            }
        },
    )
}
