package satchel.demo.screen

import android.view.View
import android.widget.LinearLayout
import satchel.ItemCount
import satchel.RecipientCheck
import satchel.Requirement
import satchel.RequirementItem
import satchel.RequirementLevel
import satchel.ShownText
import satchel.SkipReason
import satchel.demo.R
import satchel.demo.present.StopPresenter
import satchel.demo.view.PadView
import satchel.demo.view.Tone
import satchel.text

/** The core's checklist as cards: one control for each item it can ask for, in its order and its words. */
class Checklist(
    private val shell: Shell,
    private val presenter: StopPresenter,
    private val takePhoto: () -> Unit,
    private val enterCode: (String) -> Unit,
    private val takeReading: (String) -> Unit,
) {
    private val ui get() = shell.ui
    private val labels get() = shell.desk.labels
    private val cards = mutableMapOf<RequirementItem, LinearLayout>()
    private lateinit var photos: View
    private var pad: PadView? = null

    /** Begins a new form. */
    fun start(photos: View) {
        cards.clear()
        this.photos = photos
    }

    /** The card of a line; the inspection prompt has none, because the completion asks it. */
    fun card(line: Requirement): View? {
        if (line.item == RequirementItem.INSPECTION_PROMPT) return null
        val head = ui.row(
            ui.text(shell.words.of(line.text), 16f, bold = true),
            ui.faint(line.source, 12f),
        )
        val card = ui.card(head, *controls(line).toTypedArray(), skip(line))
        cards[line.item] = card
        return card
    }

    /** Shows what the core still misses, and where. */
    fun mark(missing: List<RequirementItem>) {
        cards.forEach { (item, card) ->
            card.background = if (item in missing) ui.shape(R.color.bad, 14, R.color.on_bad) else ui.shape(R.color.card, 14, R.color.line)
        }
        cards[missing.firstOrNull()]?.let { it.requestRectangleOnScreen(android.graphics.Rect(0, 0, it.width, it.height)) }
    }

    private fun controls(line: Requirement): List<View> = when (line.item) {
        RequirementItem.CONSENT -> listOf(ui.flow(ui.chip(string(R.string.consent_there))))
        RequirementItem.IDENTITY_CHECK -> listOf(identity())
        RequirementItem.AGE_CHECK -> listOf(age())
        RequirementItem.INSPECTION_PROMPT -> emptyList()
        RequirementItem.PARCEL_SCAN -> presenter.openParcels.map { parcel ->
            scanField(shell, parcel.waybill, "scan-${parcel.waybill}", presenter.scans[parcel.parcelId].orEmpty()) { presenter.scans[parcel.parcelId] = it }
        }
        RequirementItem.TEMPERATURE -> temperature()
        RequirementItem.ITEM_COUNTS -> listOf(itemCounts())
        RequirementItem.SIGNER_NAME -> listOf(ui.field(string(R.string.name), "signer", presenter.signerName) { presenter.signerName = it })
        RequirementItem.RELATION -> listOf(
            ui.choice("relation", labels.lists.relations.map { it.relation to said(labels[it.relation]) }, presenter.relation) { presenter.relation = it },
        )
        RequirementItem.LOCKER_ID -> listOf(ui.field(string(R.string.locker), "locker", presenter.place) { presenter.place = it })
        RequirementItem.SLOT_CODE -> listOf(ui.field(string(R.string.slot), "slot", presenter.slot) { presenter.slot = it })
        RequirementItem.STATION_RECEIPT -> listOf(ui.field(string(R.string.receipt), "receipt", presenter.receipt) { presenter.receipt = it })
        RequirementItem.PHOTO -> listOf(ui.button(string(R.string.take_photo), "photo", Tone.SOFT) { takePhoto() }, photos)
        RequirementItem.SIGNATURE -> signature()
        RequirementItem.CODE -> code()
        RequirementItem.POSITION -> listOf(ui.faint(string(R.string.position_note)))
        RequirementItem.NOTE -> listOf(ui.field(string(R.string.note), "note", presenter.note, lines = 2) { presenter.note = it })
    }

    private fun temperature(): List<View> {
        var typed = ""
        return listOf(
            ui.faint(string(R.string.temperature_note)),
            ui.field(string(R.string.degrees), "degrees") { typed = it },
            ui.button(string(R.string.take_reading), "take-reading", Tone.SOFT) { takeReading(typed) },
        )
    }

    private fun identity(): View {
        val methods = labels.lists.identityMethods.map { it.method to string(R.string.matches, said(labels[it.method])) }
        return ui.choice("identity", methods, presenter.identity?.method) { presenter.identity = RecipientCheck(it, matched = true) }
    }

    private fun age(): View =
        ui.choice("age", listOf(true to string(R.string.yes), false to string(R.string.no)), presenter.isOldEnough) { presenter.isOldEnough = it }

    private fun itemCounts(): View {
        if (presenter.items.isEmpty()) presenter.items += ItemCount("", 1u, 0u)
        fun change(new: (ItemCount) -> ItemCount) {
            presenter.items[0] = new(presenter.items[0])
        }
        return ui.column(
            ui.field(string(R.string.item), "item") { text -> change { it.copy(label = text) } },
            ui.field(string(R.string.item_accepted), "accepted", number = true) { text -> change { it.copy(accepted = text.toUIntOrNull() ?: 0u) } },
            ui.field(string(R.string.item_of), "of", "1", number = true) { text -> change { it.copy(of = text.toUIntOrNull() ?: 0u) } },
        )
    }

    private fun signature(): List<View> {
        val statement = ShownText(STATEMENT_VERSION, string(R.string.statement))
        val view = pad ?: PadView(ui, statement) {}.also { pad = it }
        (view.parent as? LinearLayout)?.removeView(view)
        presenter.signature = view::signature
        return listOf(
            ui.faint(statement.text, 13f),
            view,
            ui.button(string(R.string.clear), "clear-pad", Tone.PLAIN) { view.clear() },
        )
    }

    private fun code(): List<View> {
        var typed = ""
        return listOf(
            ui.field(string(R.string.code), "code", number = true) { typed = it },
            ui.button(string(R.string.check_code), "check-code", Tone.SOFT) { enterCode(typed) },
        )
    }

    /** Leaving an item out, where the core says that it may be left out with a reason. */
    private fun skip(line: Requirement): View? {
        if (line.level != RequirementLevel.REQUIRED_WITH_REASON) return null
        val reasons = ui.choice("skip-${line.item}", SkipReason.entries.map { it to said(labels[it]) }, presenter.skips[line.item]) {
            presenter.skips[line.item] = it
        }.apply { visibility = if (line.item in presenter.skips) View.VISIBLE else View.GONE }
        val open = ui.button(string(R.string.leave_out), "leave-out-${line.item}", Tone.PLAIN) { reasons.visibility = View.VISIBLE }
        return ui.column(open, reasons)
    }

    private fun said(text: satchel.Text) = shell.words.of(text)

    private fun string(id: Int, vararg values: Any) = ui.words(id, *values)

    private companion object {
        /** Changes with the words of `R.string.statement`. */
        const val STATEMENT_VERSION = "android-demo-1"
    }
}
