package satchel.demo.screen

import android.view.View
import kotlinx.coroutines.CompletableDeferred
import satchel.HandlingTag
import satchel.Parcel
import satchel.PickupContents
import satchel.PickupOutcome
import satchel.PromiseClass
import satchel.demo.R
import satchel.demo.present.PickupPresenter
import satchel.demo.view.Tone
import satchel.text

/** A parcel at its sender's: the check, the two questions, the three labels, in the order they are done. */
class PickupScreen(shell: Shell, private val parcel: Parcel) : Screen(shell) {
    override val title get() = string(R.string.pickup)
    private val arrivedAtMs = System.currentTimeMillis()
    private lateinit var presenter: PickupPresenter
    private lateinit var show: (View) -> Unit

    override suspend fun run(show: (View) -> Unit) {
        this.show = show
        if (!this::presenter.isInitialized) presenter = PickupPresenter(shell.desk.phone(), parcel, arrivedAtMs)
        draw()
        CompletableDeferred<Unit>().await()
    }

    private fun draw(): Unit = show(
        ui.column(
            ui.text(parcel.waybill, 20f, bold = true),
            missing(),
            step(R.string.sender_check, R.string.sender_check_note, yesNo("sender", presenter.isSenderChecked) { presenter.isSenderChecked = it }),
            step(R.string.contents, null, ui.choice("contents", contents(), presenter.contents) { presenter.contents = it }),
            step(R.string.time_need, null, ui.choice("time", promises(), presenter.timeNeed) { presenter.timeNeed = it }),
            step(R.string.wish_ask, null, ui.field(string(R.string.wish_none), "wish", presenter.wishes.orEmpty()) { presenter.wishes = it }, askedNothing()),
            step(R.string.handling, R.string.handling_note, tags()),
            step(R.string.labels_on_it, null, labelsOnIt()),
            step(R.string.scan_it, null, scanField(parcel.waybill, "scan", presenter.scanned) { presenter.scanned = it }),
            ui.button(string(R.string.record_pickup), "record-pickup", Tone.STRONG) { record() },
            gap = 12,
        ),
    )

    private fun missing(): View? = presenter.missing.takeIf { it.isNotEmpty() }?.let { words ->
        ui.card(
            ui.text(string(R.string.still_missing), 15f, R.color.on_bad, bold = true),
            *words.map { ui.text(of(it.text), 15f, R.color.on_bad) }.toTypedArray(),
            tone = Tone.BAD, gap = 2,
        )
    }

    private fun step(name: Int, note: Int?, vararg controls: View?): View =
        ui.card(ui.text(string(name), 16f, bold = true), note?.let { ui.faint(string(it), 13f) }, *controls)

    private fun yesNo(tag: String, value: Boolean?, choose: (Boolean) -> Unit): View =
        ui.choice(tag, listOf(true to string(R.string.yes), false to string(R.string.no)), value, choose)

    private fun askedNothing(): View = ui.choice("wish", listOf(NONE to string(R.string.wish_has_none)), NONE.takeIf { presenter.wishes == "" }) {
        presenter.wishes = ""
        draw()
    }

    private fun labelsOnIt(): View {
        val onIt = listOf(WAYBILL to presenter.hasWaybill, INSPECTED to presenter.hasInspectionLabel).filter { it.second }.map { it.first }
        return ui.toggles("label", listOf(WAYBILL to string(R.string.waybill_label), INSPECTED to string(R.string.inspection_label)), onIt.toSet()) { label, isOn ->
            if (label == WAYBILL) presenter.hasWaybill = isOn else presenter.hasInspectionLabel = isOn
        }
    }

    /** What it is, tapped once its label is on it. */
    private fun tags(): View =
        ui.toggles("tag", labels.lists.tags.map { it.tag to of(labels[it.tag]) }, presenter.labels, ::mark)

    private fun mark(tag: HandlingTag, isOn: Boolean) = listOf(presenter.tags, presenter.labels).forEach { if (isOn) it += tag else it -= tag }

    private fun contents() = listOf(
        PickupContents.COMPLIANT to string(R.string.contents_fine), PickupContents.PROHIBITED to string(R.string.contents_prohibited),
        PickupContents.UNDECLARED to string(R.string.contents_undeclared), PickupContents.NOT_SHOWN to string(R.string.contents_not_shown),
    )

    private fun promises() = labels.lists.promises.map { it.promise to of(labels[it.promise]) }

    private fun record() = shell.act {
        when (val outcome = told(presenter.record()) ?: return@act) {
            is PickupOutcome.Incomplete -> draw()
            is PickupOutcome.Accepted -> leave(string(R.string.picked_up, of(labels[outcome.`class`])))
            is PickupOutcome.NotAccepted -> leave(string(R.string.not_picked_up, of(labels[outcome.reason])))
        }
    }

    private fun leave(line: String) {
        shell.desk.syncSoon()
        shell.start(RouteScreen(shell))
        shell.say(line)
    }

    private companion object {
        const val NONE = "none"
        const val WAYBILL = "waybill"
        const val INSPECTED = "inspected"
    }
}
