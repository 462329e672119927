package satchel.demo.screen

import android.view.View
import java.util.Calendar
import kotlinx.coroutines.CompletableDeferred
import satchel.Answer
import satchel.Stop
import satchel.demo.R
import satchel.demo.present.WishesPresenter
import satchel.demo.present.WishesState
import satchel.demo.view.Tone

/** What the courier knows better than any plan: where to begin and end, what to leave, when to eat. */
class WishesScreen(shell: Shell) : Screen(shell) {
    override val title get() = string(R.string.wishes)
    private lateinit var presenter: WishesPresenter
    private lateinit var show: (View) -> Unit

    override suspend fun run(show: (View) -> Unit) {
        this.show = show
        presenter = WishesPresenter(shell.desk.phone())
        draw()
        CompletableDeferred<Unit>().await()
    }

    private suspend fun draw() = show(draw(presenter.state()))

    private fun draw(state: WishesState): View = ui.column(
        ui.faint(string(R.string.wishes_note), 15f),
        stop(R.string.wish_first, "first", state, state.first) { presenter.first(it) },
        stop(R.string.wish_last, "last", state, state.last) { presenter.last(it) },
        ui.card(
            ui.text(string(R.string.wish_keep), 16f, bold = true),
            ui.choice("keep", KEPT.map { it to it.toString() }, state.wishes.frozen.toInt()) { change { presenter.keepNext(it.toUByte()) } },
        ),
        ui.card(
            ui.text(string(R.string.wish_pause), 16f, bold = true),
            ui.choice("pause", pauses(), state.wishes.breaks.firstOrNull()?.atMs ?: NONE) { at -> change { presenter.pauseAt(at.takeIf { it != NONE }) } },
        ),
        ui.card(
            ui.text(string(R.string.wish_aside), 16f, bold = true),
            *state.setAside.map { stop ->
                ui.row(ui.text(stop.address, 15f), ui.button(string(R.string.bring_back), "back-${waybill(stop)}", Tone.PLAIN) { change { presenter.setAside(stop.stopId) } })
            }.toTypedArray(),
            ui.flow(ui.button(string(R.string.choose_stop), "aside", Tone.PLAIN) { pick(R.string.wish_aside, state) { stop -> presenter.setAside(stop) } }),
        ),
        gap = 12,
    )

    private fun stop(name: Int, tag: String, state: WishesState, chosen: Stop?, choose: suspend (String?) -> Answer<Unit>): View = ui.card(
        ui.text(string(name), 16f, bold = true),
        ui.text(chosen?.address ?: string(R.string.wish_any), 15f),
        ui.flow(
            ui.button(string(R.string.choose_stop), tag, Tone.PLAIN) { pick(name, state) { choose(it) } },
            chosen?.let { ui.button(string(R.string.wish_any), "$tag-none", Tone.PLAIN) { change { choose(null) } } },
        ),
    )

    private fun pick(name: Int, state: WishesState, choose: suspend (String) -> Answer<Unit>) {
        val options = state.open.map { Option(it, it.address, it.recipientName, false, waybill(it)) }
        shell.go(PickScreen(shell, string(name), options) { stop -> change { choose(stop.stopId) } })
    }

    private fun change(choose: suspend () -> Answer<Unit>) = shell.act {
        told(choose())?.let { shell.say(string(R.string.planned_anew)) }
        draw()
    }

    /** The next full hours; a wish from before stays among them. */
    private fun pauses(): List<Pair<Long, String>> {
        val hour = Calendar.getInstance().apply {
            set(Calendar.MINUTE, 0)
            set(Calendar.SECOND, 0)
            set(Calendar.MILLISECOND, 0)
        }
        return listOf(NONE to string(R.string.wish_no_pause)) + List(PAUSES) {
            hour.add(Calendar.HOUR_OF_DAY, 1)
            hour.timeInMillis to words.clock(hour.timeInMillis)
        }
    }

    private fun waybill(stop: Stop) = stop.parcels.first().waybill

    private companion object {
        const val NONE = 0L
        const val PAUSES = 4
        val KEPT = listOf(0, 1, 2, 3)
    }
}
