package satchel.demo.present

import java.io.File
import satchel.Action
import satchel.Answer
import satchel.AttemptDraft
import satchel.CallRequest
import satchel.CallResult
import satchel.CodeCheck
import satchel.Completion
import satchel.CourierPhone
import satchel.HandlingTag
import satchel.HandoffKind
import satchel.HandoffOption
import satchel.InspectionResult
import satchel.ItemCount
import satchel.LeftAt
import satchel.Parcel
import satchel.ParcelOutcome
import satchel.ParcelResult
import satchel.Position
import satchel.Reason
import satchel.RecipientCheck
import satchel.Recorded
import satchel.Relation
import satchel.Remedy
import satchel.RequirementItem
import satchel.Signature
import satchel.Skip
import satchel.SkipReason
import satchel.Stop
import satchel.StopState
import satchel.TemperatureReport
import satchel.TemperatureSample

/** What comes of one parcel of the stop, as chosen on the screen. */
sealed class Chosen {
    object HandedOver : Chosen()

    object NotNow : Chosen()

    object Partly : Chosen()

    data class Failed(val reason: Reason, val action: Action) : Chosen()
}

/**
 * One visit. It collects answers; what is needed and whether they suffice is the core's to say.
 *
 * The common handoff is three calls: `begin` when the stop opens, one photo, one completion.
 */
class StopPresenter(private val phone: CourierPhone, private val stopId: String) {
    lateinit var stop: Stop
        private set
    var draft: AttemptDraft? = null
        private set
    var handoff: HandoffKind = HandoffKind.RECIPIENT
        private set

    val chosen = mutableMapOf<String, Chosen>()
    val scans = mutableMapOf<String, String>()
    val items = mutableListOf<ItemCount>()
    val skips = mutableMapOf<RequirementItem, SkipReason>()
    var identity: RecipientCheck? = null
    var relation: Relation? = null
    var signerName = ""
    var isOldEnough: Boolean? = null
    var place = ""
    var slot = ""
    var receipt = ""
    var note = ""
    var isDamaged = false
    var signature: () -> Signature? = { null }
    var position: () -> Position? = { null }

    /** Parcels that something can still be done with at this door. */
    val openParcels: List<Parcel> get() = stop.parcels.filter { !it.isPickup && (it.outcome == null || stop.state != StopState.DONE) }

    /** Opens the visit; `null` where there is nothing to hand over, only to collect. */
    suspend fun open(known: Stop?): Answer<AttemptDraft>? {
        stop = known ?: phone.read { stop(stopId) }
        return if (stop.parcels.all { it.isPickup }) null else choose(handoff)
    }

    /** Opens the handoff of this kind; answers to another kind's questions do not carry over. */
    suspend fun choose(kind: HandoffKind): Answer<AttemptDraft> {
        val answer = phone.begin(stopId, kind)
        if (answer is Answer.Done) {
            handoff = kind
            draft = answer.value
            skips.clear()
            openParcels.forEach { chosen.getOrPut(it.parcelId) { Chosen.HandedOver } }
        }
        return answer
    }

    /** Every kind of handoff, with why it is locked here; asked only when the courier wants another one. */
    suspend fun options(): List<HandoffOption> = phone.read { handoffs(stopId) }

    suspend fun addPhoto(file: File) = phone.addPhoto(attempt(), file.path)

    suspend fun photo(hash: String): ByteArray = phone.read { photoThumbnail(attempt(), hash) }

    suspend fun remedies(reason: Reason): List<Remedy> = phone.read { remedies(stopId, reason) }

    suspend fun logCall(number: String, result: CallResult) = phone.ask { logCall(CallRequest(stopId, number, result)) }

    suspend fun callsMade(): Int = phone.read { calls(stopId).size }

    suspend fun contact() = phone.read { reveal(stopId) }

    /** A reading of the first parcel that is kept cold; the core says whether it is beyond its limits. */
    suspend fun takeReading(centiC: Int, atMs: Long): Answer<TemperatureReport> {
        val parcel = openParcels.firstOrNull { HandlingTag.FRESH in it.tags } ?: openParcels.first()
        return phone.ask { addTemperatures(parcel.parcelId, listOf(TemperatureSample(atMs, centiC))) }
    }

    suspend fun enterCode(typed: String): Answer<CodeCheck> =
        phone.ask { enterCode(openParcels.first().parcelId, typed) }

    /** Hands everything in; on disk when this answers [Answer.Done]. */
    suspend fun complete(inspection: InspectionResult?): Answer<Recorded> = phone.complete(attempt(), completion(inspection))

    /** No parcel could be handed over, all for the same reason. */
    suspend fun fail(reason: Reason, action: Action): Answer<Recorded> {
        val failed = Completion(
            handoff = handoff,
            parcels = openParcels.map { ParcelResult(it.parcelId, ParcelOutcome.Failed(reason, action)) },
            position = position(),
            note = note.ifBlank { null },
        )
        return phone.complete(attempt(), failed)
    }

    private fun attempt(): String = checkNotNull(draft) { "the stop is not open" }.attemptId

    private fun completion(inspection: InspectionResult?) = Completion(
        handoff = handoff,
        parcels = openParcels.mapNotNull { parcel -> result(parcel) },
        signerName = signerName.ifBlank { null },
        relation = relation,
        identity = identity,
        inspection = inspection,
        ageChecked = isOldEnough,
        leftAt = LeftAt(place.ifBlank { null }, slot.ifBlank { null }, receipt.ifBlank { null })
            .takeIf { it != LeftAt() },
        skips = skips.map { (item, reason) -> Skip(item, reason) },
        signature = signature(),
        position = position(),
        note = note.ifBlank { null },
    )

    private fun result(parcel: Parcel): ParcelResult? {
        val outcome = when (val chosen = chosen[parcel.parcelId] ?: Chosen.NotNow) {
            Chosen.NotNow -> return null
            Chosen.HandedOver -> if (handoff == HandoffKind.PARTIAL) ParcelOutcome.PartlyDelivered else ParcelOutcome.Delivered
            Chosen.Partly -> ParcelOutcome.PartlyDelivered
            is Chosen.Failed -> ParcelOutcome.Failed(chosen.reason, chosen.action)
        }
        val isPartial = outcome is ParcelOutcome.PartlyDelivered
        return ParcelResult(
            parcel.parcelId,
            outcome,
            scan = scans[parcel.parcelId]?.ifBlank { null },
            items = if (isPartial) items.toList() else emptyList(),
            visiblyDamaged = isDamaged,
        )
    }
}
