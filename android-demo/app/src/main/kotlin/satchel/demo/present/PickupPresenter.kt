package satchel.demo.present

import satchel.Answer
import satchel.CourierPhone
import satchel.HandlingTag
import satchel.Parcel
import satchel.PickupContents
import satchel.PickupOutcome
import satchel.PickupRequest
import satchel.PromiseClass
import satchel.Word

/** Whether a parcel is to be collected at its stop, and not handed over. */
val Parcel.isPickup: Boolean get() = state.code == "TO_COLLECT"

/**
 * A parcel at its sender's: one check, two questions, three labels (A198–A200). It collects the answers; which of
 * them are missing is the core's to say, and until none is, nothing is recorded.
 */
class PickupPresenter(private val phone: CourierPhone, private val parcel: Parcel, private val arrivedAtMs: Long) {
    var isSenderChecked: Boolean? = null
    var contents: PickupContents? = null
    var timeNeed: PromiseClass? = null
    /** `null` until asked; empty when the sender has none. */
    var wishes: String? = null
    val tags = mutableSetOf<HandlingTag>()
    val labels = mutableSetOf<HandlingTag>()
    var hasWaybill = false
    var hasInspectionLabel = false
    var scanned = ""
    var missing: List<Word> = emptyList()
        private set

    /** The number on the parcel is the one that is expected. */
    val isScanned: Boolean get() = scanned.trim().equals(parcel.waybill, ignoreCase = true)

    fun request() = PickupRequest(
        parcelId = parcel.parcelId,
        arrivedAtMs = arrivedAtMs,
        senderChecked = isSenderChecked,
        contents = contents,
        timeNeed = timeNeed,
        wishes = wishes?.trim(),
        tags = tags.toList(),
        // A label for what the parcel is not would be a lie on the parcel.
        handlingLabels = labels.filter { it in tags },
        waybillLabel = hasWaybill,
        inspectionLabel = hasInspectionLabel,
        scanned = isScanned,
    )

    /** Hands the answers in; [missing] tells what an incomplete one lacks. */
    suspend fun record(): Answer<PickupOutcome> {
        val answer = phone.ask { pickup(request()) }
        missing = ((answer as? Answer.Done)?.value as? PickupOutcome.Incomplete)?.missing.orEmpty()
        return answer
    }
}
