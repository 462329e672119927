package satchel.demo.screen

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.view.View
import android.widget.ImageView
import android.widget.LinearLayout
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import satchel.Answer
import satchel.HandoffKind
import satchel.HandoffOption
import satchel.InspectionResult
import satchel.Reason
import satchel.RequirementItem
import satchel.RequirementLevel
import satchel.Stop
import satchel.demo.R
import satchel.demo.present.Chosen
import satchel.demo.present.StopPresenter
import satchel.demo.present.centiDegrees
import satchel.demo.present.isPickup
import satchel.demo.view.Tone
import satchel.text

/**
 * One door: who, what this handoff needs, and its completion.
 *
 * The form is the core's checklist, line by line. The last question, whether the customer inspected, is asked
 * by the buttons that complete, so that the common handoff takes three taps beside the signature: photo,
 * identity, completion.
 */
class StopScreen(shell: Shell, private val stopId: String, private val known: Stop? = null) : Screen(shell) {
    override val title get() = string(R.string.stop)
    private lateinit var presenter: StopPresenter
    private lateinit var checklist: Checklist
    private lateinit var show: (View) -> Unit
    private var revealed: satchel.Contact? = null
    private var photos: LinearLayout? = null

    override suspend fun run(show: (View) -> Unit) {
        this.show = show
        if (!this::presenter.isInitialized) {
            presenter = StopPresenter(shell.desk.phone(), stopId)
            presenter.position = shell.desk.position
            checklist = Checklist(shell, presenter, ::takePhoto, ::enterCode, ::takeReading)
            // Where there is only something to collect, nothing is handed over.
            val answer = presenter.open(known)
            if (answer != null && answer !is Answer.Done) told(answer)
        }
        draw()
        CompletableDeferred<Unit>().await()
    }

    private fun draw() {
        val draft = presenter.draft
        val lines = draft?.requirements.orEmpty()
        val required = lines.filter { it.level == RequirementLevel.REQUIRED || it.level == RequirementLevel.REQUIRED_WITH_REASON }
        val optional = lines.filter { it.level == RequirementLevel.OPTIONAL }
        photos = ui.column(gap = 6)
        checklist.start(checkNotNull(photos))
        show(
            ui.column(
                person(),
                *draft?.warnings.orEmpty().map { ui.card(ui.text(of(it.text), 15f, R.color.on_warn), tone = Tone.WARN) }.toTypedArray(),
                *pickups().toTypedArray(),
                handoff().takeIf { draft != null || presenter.stop.parcels.any { !it.isPickup } },
                parcels(),
                ui.heading(string(R.string.checklist)).takeIf { draft != null },
                *required.mapNotNull(checklist::card).toTypedArray(),
                optional.mapNotNull(checklist::card).takeIf { it.isNotEmpty() }?.let { more(it) },
                finish(required.any { it.item == RequirementItem.INSPECTION_PROMPT }).takeIf { draft != null },
                ui.flow(
                    ui.button(string(R.string.could_not), "fail", Tone.PLAIN) { shell.go(FailScreen(shell, presenter) { leave(null) }) }
                        .takeIf { draft != null },
                    ui.button(string(R.string.report), "report", Tone.PLAIN) { shell.go(ReportScreen(shell, presenter.stop)) },
                ),
                gap = 12,
            ),
        )
        draft?.photos?.forEach { staged -> shell.act { addEarlier(staged.hash) } }
    }

    private fun person(): View {
        val stop = presenter.stop
        val contact = revealed
        return ui.card(
            ui.text(contact?.address ?: stop.address, 20f, bold = true),
            ui.text("${contact?.name ?: stop.recipientName} · ${contact?.phone ?: stop.recipientPhone}", 16f),
            promise(stop),
            ui.flow(
                if (contact != null) {
                    ui.button(string(R.string.call), "call", Tone.SOFT) { shell.dial(contact.phone) }
                } else {
                    ui.button(string(R.string.show_contact), "reveal", Tone.PLAIN) {
                        shell.act {
                            revealed = presenter.contact()
                            draw()
                        }
                    }
                },
                ui.button(string(R.string.history), "history", Tone.PLAIN) { shell.go(HistoryScreen(shell, stopId)) }
                    .takeIf { stop.parcels.any { it.attempts > 0u } },
            ),
            if (contact == null) ui.faint(string(R.string.show_contact_note), 13f) else null,
        )
    }

    private fun promise(stop: Stop): View? = stop.promisedByMs?.let { deadline ->
        val left = deadline - System.currentTimeMillis()
        val words = if (left < 0) string(R.string.late_by, words.span(-left)) else string(R.string.time_left, words.span(left))
        ui.flow(
            ui.chip(words, if (left < 0) Tone.BAD else Tone.SOFT),
            *stop.parcels.flatMap { it.tags }.distinct().map { ui.chip(of(labels[it])) }.toTypedArray(),
            if (stop.parcels.any { it.doorRequired }) ui.chip(string(R.string.door_only), Tone.WARN) else null,
        )
    }

    /** The kind of handoff; all kinds are asked for only when the courier wants another one. */
    private fun handoff(): View = with(ui) {
        ui.card(
            ui.row(
                ui.column(ui.faint(string(R.string.how), 13f), ui.text(of(labels[presenter.handoff]), 17f, bold = true), gap = 0),
                ui.text(string(R.string.change), 15f, R.color.accent, bold = true),
            ),
        ).pressed("how") { shell.act { chooseHandoff() } }
    }

    private suspend fun chooseHandoff() {
        val options = presenter.options()
        val lines = options.map { option ->
            // One that no consent opens stays shut, and says why.
            Option(option, of(labels[option.handoff]), option.locked?.let { of(it.text) }, option.locked != null)
        }
        shell.go(PickScreen(shell, string(R.string.how), lines) { option -> picked(option) })
    }

    private fun picked(option: HandoffOption) {
        val isAskable = option.locked != null && option.channels.isNotEmpty()
        if (isAskable) shell.go(ConsentScreen(shell, presenter, option) { choose(option.handoff) }) else choose(option.handoff)
    }

    private fun choose(kind: HandoffKind) = shell.act {
        if (told(presenter.choose(kind)) != null) draw()
    }

    /** Group stop: what comes of each parcel, when there are several. */
    private fun parcels(): View? {
        val open = presenter.openParcels
        if (open.size < 2) return null
        return ui.card(
            ui.text(string(R.string.which_parcels), 16f, bold = true),
            *open.map { parcel ->
                val chosen = presenter.chosen[parcel.parcelId] ?: Chosen.HandedOver
                val kinds = listOf("over" to string(R.string.handed_over), "later" to string(R.string.not_now), "failed" to string(R.string.not_delivered))
                val now = when (chosen) {
                    Chosen.NotNow -> "later"
                    is Chosen.Failed -> "failed"
                    else -> "over"
                }
                ui.column(
                    ui.text(parcel.waybill, 15f, bold = true),
                    ui.choice("outcome-${parcel.waybill}", kinds, now) { kind -> outcome(parcel.parcelId, kind) },
                    (chosen as? Chosen.Failed)?.let { ui.faint(of(labels[it.reason]) + " → " + of(labels[it.action])) },
                    gap = 4,
                )
            }.toTypedArray(),
            gap = 10,
        )
    }

    private fun outcome(parcelId: String, kind: String) {
        when (kind) {
            "over" -> presenter.chosen[parcelId] = Chosen.HandedOver
            "later" -> presenter.chosen[parcelId] = Chosen.NotNow
            else -> shell.go(
                PickScreen(shell, string(R.string.reason), reasons(shell)) { reason: Reason ->
                    presenter.chosen[parcelId] = Chosen.Failed(reason, labels.reason(reason).actions.first())
                    draw()
                },
            )
        }
    }

    private fun more(cards: List<View>): View {
        val box = ui.column(cards, gap = 12).apply { visibility = View.GONE }
        val open = ui.button(string(R.string.optional), "optional", Tone.PLAIN) { box.visibility = if (box.visibility == View.GONE) View.VISIBLE else View.GONE }
        return ui.column(open, box)
    }

    /** The answer to the inspection prompt completes; without that prompt one button does. */
    private fun finish(asksInspection: Boolean): View = if (asksInspection) {
        ui.card(
            ui.text(string(R.string.inspection_ask), 16f, R.color.on_soft, bold = true),
            ui.text(string(R.string.inspection_note), 14f, R.color.on_soft),
            *InspectionResult.entries.map { result ->
                val tone = if (result == InspectionResult.NOT_POSSIBLE_AGREED) Tone.PLAIN else Tone.STRONG
                ui.button(string(R.string.complete_with, of(labels[result])), "complete-$result", tone) { complete(result) }
            }.toTypedArray(),
            tone = Tone.SOFT,
        )
    } else {
        ui.button(string(R.string.complete), "complete", Tone.STRONG) { complete(null) }
    }

    private fun complete(inspection: InspectionResult?) = shell.act {
        val answer = presenter.complete(inspection)
        if (answer is Answer.Refused) checklist.mark(answer.missing)
        val recorded = told(answer) ?: return@act
        shell.desk.syncSoon()
        val rated = recorded.parcels.firstOrNull { it.rating != null }
        recorded.parcels.flatMap { it.warnings }.firstOrNull()?.let { shell.say(of(it.text)) } ?: shell.say(string(R.string.recorded))
        leave(rated?.parcelId)
    }

    /** On to the code for the customer, and from there to the next door. */
    private fun leave(ratedParcelId: String?) {
        if (ratedParcelId == null) shell.start(RouteScreen(shell)) else {
            shell.start(RouteScreen(shell))
            shell.go(RatingScreen(shell, ratedParcelId) { nextDoor() })
        }
    }

    private fun nextDoor() = shell.act {
        val next = shell.desk.phone().stops().firstOrNull { it.state == satchel.StopState.OPEN }
        shell.start(RouteScreen(shell))
        next?.let { shell.go(StopScreen(shell, it.stopId, it)) }
    }

    private fun takePhoto() = shell.takePhoto { file ->
        val photo = told(presenter.addPhoto(file))
        // The camera's own file is still here: looking at it costs no call and no decryption.
        val preview = withContext(Dispatchers.IO) {
            val jpeg = file.readBytes()
            file.delete()
            BitmapFactory.decodeByteArray(jpeg, 0, jpeg.size, BitmapFactory.Options().apply { inSampleSize = SMALLER })
        }
        if (photo != null) add(preview, photo.warnings.map { of(labels[it]) })
    }

    /** One that was taken before the app was killed or the courier went back. */
    private suspend fun addEarlier(hash: String) {
        val jpeg = presenter.photo(hash)
        add(BitmapFactory.decodeByteArray(jpeg, 0, jpeg.size), emptyList())
    }

    private fun add(bitmap: Bitmap?, warnings: List<String>) {
        val picture = ImageView(ui.context).apply {
            setImageBitmap(bitmap)
            adjustViewBounds = true
            maxHeight = ui.dp(160)
            scaleType = ImageView.ScaleType.FIT_START
            contentDescription = string(R.string.photo_stored)
        }
        val words = if (warnings.isEmpty()) string(R.string.photo_stored) else warnings.joinToString(" · ")
        photos?.addView(ui.column(picture, ui.flow(ui.chip(words, if (warnings.isEmpty()) Tone.SOFT else Tone.WARN)), gap = 4))
    }

    private fun enterCode(typed: String) = shell.act {
        when (val check = told(presenter.enterCode(typed))) {
            null -> Unit
            is satchel.CodeCheck.Matches -> shell.say(string(R.string.code_matches))
            is satchel.CodeCheck.Wrong -> shell.say(string(R.string.code_wrong, check.left.toInt()), bad = true)
            is satchel.CodeCheck.AwaitsHub -> shell.say(string(R.string.code_awaits))
        }
    }

    private fun takeReading(typed: String) = shell.act {
        val centi = centiDegrees(typed) ?: return@act shell.say(string(R.string.no_reading), bad = true)
        val report = told(presenter.takeReading(centi, System.currentTimeMillis())) ?: return@act
        val isBad = report.excursions > 0u
        shell.say(string(if (isBad) R.string.reading_beyond else R.string.reading_taken, report.samples.toInt()), bad = isBad)
    }

    /** What is collected here has steps of its own. */
    private fun pickups(): List<View> = presenter.stop.parcels.filter { it.isPickup }.map { parcel ->
        ui.button(string(R.string.collect, parcel.waybill), "pickup-${parcel.waybill}", Tone.STRONG) { shell.go(PickupScreen(shell, parcel)) }
    }

    private companion object {
        /** A preview is a quarter as wide as a phone's photo. */
        const val SMALLER = 4
    }
}
