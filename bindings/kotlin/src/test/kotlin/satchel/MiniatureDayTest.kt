package satchel

import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir

/** One courier's day against a real hub: enrol, load the round, go offline, deliver, come back, be rated. */
class MiniatureDayTest {
    @TempDir
    lateinit var folder: Path

    private lateinit var phone: Satchel
    private var network = NetworkState.UNMETERED
    private var photos = 0
    private val recorded = mutableListOf<Pair<Recorded, Int>>()
    private val uploads = mutableListOf<UploadPart>()

    @Test
    fun `a day from enrolment to rating with the network gone in the middle`() {
        phone = Satchel.open(config(folder.resolve("store")))
        enrolAndLoad()
        network = NetworkState.OFFLINE
        val offline = host().run()
        assertEquals(WaitReason.OFFLINE, (offline as SyncEnd.Waiting).reason)

        planTheOrder()
        val stops = phone.stops().stops.associateBy { it.parcels.first().waybill }
        deliverTwoParcelsAtOneDoor(stops.getValue("KT-0001"))
        deliver(stops.getValue("KT-0003"))
        crashAndComeBack(stops.getValue("KT-0004"))
        atTheFrontDesk(stops.getValue("KT-0005"))
        failAtAClosedDoor(stops.getValue("KT-0007"))
        leaveAtTheDoor(stops.getValue("KT-0008"))
        deliver(stops.getValue("KT-0006"))
        deliver(stops.getValue("KT-0009"))
        // Nine parcels, what was revealed, two calls, a consent and its withdrawal; reminders besides.
        assertTrue(phone.syncStatus().unsentEntries >= 14uL, "${phone.syncStatus()}")
        assertTrue(phone.stops().stops.all { it.sync == SyncState.LOCAL }, "nothing counts before its receipt")

        comeOnline()
        beRated(stops.getValue("KT-0003"))
        writeRecord()
        phone.shutdown()
        assertThrows<SatchelException.Closed> { phone.stops() }
    }

    private fun host() = SyncHost(phone, JvmHttpTransport(), beforeSend = { it.upload?.let(uploads::add) }) { network }

    private fun sync() = assertTrue(host().runUntilDone(60_000) is SyncEnd.Done, "${phone.syncStatus()}")

    private fun enrolAndLoad() {
        assertEquals(Enrolment.Absent, phone.enrolment())
        assertThrows<SatchelException.InviteRejected> { phone.enrol("SATCHEL:NOTHING", "test phone") }
        phone.enrol(Given.invite, "test phone")
        assertEquals(Enrolment.Pending, phone.enrolment())
        sync()
        assertEquals("Kotlin", (phone.enrolment() as Enrolment.Enrolled).courierName)
        val again = assertThrows<SatchelException.AlreadyDone> { phone.enrol(Given.invite, "test phone") }
        assertEquals("enrolment", again.what)

        val route = phone.routes().single()
        assertEquals(8u, route.openStops)
        val first = phone.stops(limit = 3u)
        assertEquals(3, first.stops.size)
        val rest = phone.stops(offset = first.nextOffset!!, limit = 500u)
        assertNull(rest.nextOffset)
        assertEquals(8, (first.stops + rest.stops).map { it.stopId }.distinct().size)
        assertEquals(8, phone.changesSince(0).stopIds.size)
        assertEquals(8, phone.stopsOf(route.routeId).stops.count { !it.past })
        assertTrue(phone.pastRoutes().isEmpty())
        val name = first.stops.first().recipientName
        assertTrue("甲" !in name && name.startsWith("测"), "masked by default: $name")
    }

    /** Without a network: a plan, a wish, a delay, and why a stop is where it is. */
    private fun planTheOrder() {
        assertNull(phone.currentPlan())
        val plan = phone.plan()
        val seen = mutableListOf<UInt>()
        val longer = phone.planThoroughly(object : PlanWatcher {
            override fun goesOn(progress: PlanProgress): Boolean {
                seen += progress.permille
                return true
            }
        })
        // Later by the moments between the two plans, to the second.
        assertTrue(longer.completionMs - longer.departureMs <= plan.completionMs - plan.departureMs + 1_000)
        assertTrue(seen.size > 1 && seen == seen.sorted(), "$seen")
        val ended = phone.planThoroughly(object : PlanWatcher {
            override fun goesOn(progress: PlanProgress): Boolean = error("a defect of the app ends the search only")
        })
        assertEquals(8, ended.stops.size)
        val order = phone.plan().stops.map { it.stopId }
        assertEquals(order, phone.stops().stops.map { it.stopId })
        phone.setPlanWishes(PlanWishes(firstStopId = order[5], end = RouteEnd.Depot))
        val late = phone.replan(PlanEvent.Delayed(byMs = 600_000))
        assertEquals(order[5], late.stops.first().stopId)
        assertTrue(late.change.movedStopIds.isNotEmpty() && late.change.droppedStopIds.isEmpty(), "${late.change}")
        assertEquals(600_000, late.departureMs - late.madeAtMs)
        val why = phone.why(order[5])
        assertEquals(PlanReason.FIRST, why.planned.why)
        assertEquals("您要求最先派送", why.textZh)
        assertEquals(late, phone.currentPlan())
        val circle = listOf(StopPair(order[0], order[1]), StopPair(order[1], order[0]))
        assertThrows<SatchelException.InvalidInput> { phone.setPlanWishes(PlanWishes(before = circle)) }
        assertThrows<SatchelException.InvalidInput> { phone.replan(PlanEvent.Delayed(byMs = -1)) }
        phone.setPlanWishes(PlanWishes())
    }

    private fun complete(stop: Stop, completion: Completion, photos: Int = 1): Recorded {
        val draft = phone.beginAttempt(stop.stopId, completion.handoff)
        repeat(photos) { addPhoto(draft.attemptId) }
        return phone.completeAttempt(draft.attemptId, completion).also { remember(it, completion, photos) }
    }

    private fun addPhoto(attemptId: String): Photo {
        val file = photograph(folder.resolve("photo.jpg").toFile(), seed = ++photos)
        val photo = phone.addPhoto(attemptId, file.path, PhotoOrigin.CAMERA)
        assertTrue(file.delete(), "the source file may go at once")
        return photo
    }

    private fun remember(done: Recorded, completion: Completion, photos: Int) {
        recorded += done to photos + (if (completion.signature == null) 0 else 1)
    }

    private fun deliver(stop: Stop) {
        // No thermometer: the rules let the reading be left out with a reason; fresh goods want two photos.
        val skips = listOf(Skip(RequirementItem.TEMPERATURE, SkipReason.DEVICE_FAULT))
        val done = complete(stop, handedOver(stop).copy(skips = skips), photos = 2)
        val after = phone.stop(stop.stopId)
        assertEquals(StopState.DONE, after.state)
        assertEquals(SyncState.LOCAL, after.sync)
        assertEquals(stop.parcels.size, done.parcels.size)
    }

    /** A stop with two parcels, and everything that is refused on the way. */
    private fun deliverTwoParcelsAtOneDoor(stop: Stop) {
        assertEquals(2, stop.parcels.size)
        assertEquals("测试甲", phone.reveal(stop.stopId).name)
        val draft = phone.beginAttempt(stop.stopId, HandoffKind.RECIPIENT)
        val required = draft.requirements.filter { it.level == RequirementLevel.REQUIRED }.map { it.item }
        assertTrue(RequirementItem.SIGNATURE in required && RequirementItem.PHOTO in required, "$required")

        val missing = assertThrows<SatchelException.Refused> {
            phone.completeAttempt(draft.attemptId, handedOver(stop, signature = null))
        }
        assertEquals(RefusalRule.ITEMS_MISSING, missing.rule)
        assertEquals(listOf(RequirementItem.PHOTO, RequirementItem.SIGNATURE), missing.missing)
        assertTrue(missing.textZh.contains("签名") && missing.textEn.contains("Signature"))

        val text = folder.resolve("note.jpg").toFile().apply { writeText("this is not a picture") }
        val noPhoto = assertThrows<SatchelException.PhotoRejected> {
            phone.addPhoto(draft.attemptId, text.path, PhotoOrigin.CAMERA)
        }
        assertEquals(PhotoProblem.NOT_AN_IMAGE, noPhoto.reason)
        val photo = addPhoto(draft.attemptId)
        assertEquals(1_024u to 768u, photo.widthPx to photo.heightPx)
        assertEquals(emptyList<PhotoWarning>(), photo.warnings)

        val noInk = Signature(strokes = emptyList(), canvasWidth = 600f, canvasHeight = 300f)
        val empty = assertThrows<SatchelException.SignatureRejected> {
            phone.completeAttempt(draft.attemptId, handedOver(stop, noInk))
        }
        assertEquals(SignatureProblem.EMPTY, empty.reason)

        val done = phone.completeAttempt(draft.attemptId, handedOver(stop))
        remember(done, handedOver(stop), 1)
        assertEquals(2, done.parcels.size)
        val twice = assertThrows<SatchelException.AlreadyDone> {
            phone.completeAttempt(draft.attemptId, handedOver(stop))
        }
        assertEquals("attempt", twice.what)
        lookBack(draft.attemptId, photo.hash)
    }

    /** Photo, small copy and ink as they are stored, the ink in other programs' forms and back. */
    private fun lookBack(attempt: String, photo: String) {
        val whole = phone.photoJpeg(attempt, photo)
        val small = phone.photoThumbnail(attempt, photo)
        assertTrue(listOf(whole, small).all { it[0] == 0xff.toByte() && it[1] == 0xd8.toByte() })
        assertTrue(small.size < whole.size)
        val forms = phone.signatureForms(attempt)
        assertTrue(forms.svg.contains("<svg") && forms.inkml.contains("<ink") && forms.png[1] == 'P'.code.toByte())
        val again = signatureFromPadJson(forms.signaturePadJson, 600f, 200f)
        assertEquals(forms.signaturePadJson.split("\"x\"").size - 1, again.strokes.sumOf { it.size })
        val used = phone.storageUsage()
        assertTrue(used.waitingPhotos > 0u && used.thumbnails >= used.waitingPhotos && used.thumbnailBytes > 0u)
        assertTrue(used.freeQuotaBytes < used.quotaBytes)
    }

    /** Closing the app between photo and completion loses neither; a second instance or key gets no way in. */
    private fun crashAndComeBack(stop: Stop) {
        val store = folder.resolve("store")
        assertThrows<SatchelException.StoreLocked> { Satchel.open(config(store)) }
        val draft = phone.beginAttempt(stop.stopId, HandoffKind.RECIPIENT)
        addPhoto(draft.attemptId)
        phone.pause()
        assertThrows<SatchelException.Paused> { phone.stops() }
        phone.resume()
        phone.shutdown()

        val wrong = testKey().also { it[0] = 0 }
        assertThrows<SatchelException.WrongKey> { Satchel.open(config(store, wrong)) }
        phone = Satchel.open(config(store))
        val again = phone.beginAttempt(stop.stopId, HandoffKind.RECIPIENT)
        assertEquals(draft.attemptId, again.attemptId)
        val done = phone.completeAttempt(again.attemptId, handedOver(stop))
        remember(done, handedOver(stop), 1)
    }

    private fun atTheFrontDesk(stop: Stop) {
        assertEquals(listOf(HandoffKind.FRONT_DESK), stop.parcels.single().consents)
        val completion = Completion(
            handoff = HandoffKind.FRONT_DESK,
            parcels = listOf(ParcelResult(stop.parcels.single().parcelId, ParcelOutcome.Delivered)),
            signerName = "前台小虚",
            relation = Relation.FRONT_DESK,
        )
        complete(stop, completion, photos = 2)
    }

    /** The station without consent, an action that does not fit the reason, then what is right. */
    private fun failAtAClosedDoor(stop: Stop) {
        val station = phone.handoffs(stop.stopId).single { it.handoff == HandoffKind.STATION }
        assertEquals(RefusalRule.CONSENT_MISSING, station.locked?.rule)
        val refused = assertThrows<SatchelException.Refused> { phone.beginAttempt(stop.stopId, HandoffKind.STATION) }
        assertEquals(RefusalRule.CONSENT_MISSING, refused.rule)
        assertEquals(listOf(RequirementItem.CONSENT), refused.missing)

        val parcel = stop.parcels.single().parcelId
        fun failed(action: Action) = Completion(
            handoff = HandoffKind.RECIPIENT,
            parcels = listOf(ParcelResult(parcel, ParcelOutcome.Failed(Reason.RECIPIENT_ABSENT, action))),
        )
        val draft = phone.beginAttempt(stop.stopId, HandoffKind.RECIPIENT)
        val illegal = assertThrows<SatchelException.Refused> {
            phone.completeAttempt(draft.attemptId, failed(Action.RESEND_CODE))
        }
        assertEquals(RefusalRule.ILLEGAL_ACTION, illegal.rule)

        val label = codeLists().reasons.single { it.reason == Reason.RECIPIENT_ABSENT }
        val silent = assertThrows<SatchelException.Refused> {
            phone.completeAttempt(draft.attemptId, failed(label.actions.first()))
        }
        assertEquals(RefusalRule.NO_CONTACT, silent.rule)
        phone.logCall(CallRequest(stop.stopId, "10000000001", CallResult.NO_ANSWER))
        val done = phone.completeAttempt(draft.attemptId, failed(label.actions.first()))
        remember(done, failed(label.actions.first()), 0)
        assertNull(done.parcels.single().rating)
        assertEquals(StopState.FAILED, phone.stop(stop.stopId).state)
        assertThrows<SatchelException.NotFound> { phone.ratingCode(parcel) }
        agreeToTheStation(stop)
        val line = phone.history(parcel).lines.single()
        assertEquals("RECIPIENT_ABSENT" to true, line.what.code to line.counts)
    }

    /** A consent on the spot opens the station; taken back, it is shut again. */
    private fun agreeToTheStation(stop: Stop) {
        val call = phone.logCall(CallRequest(stop.stopId, "10000000001", CallResult.ANSWERED, durationS = 25u))
        val consent = phone.recordConsent(
            ConsentRequest(stop.stopId, listOf(HandoffKind.STATION), ConsentEvidence.Call(call.seq)),
        )
        fun lock() = phone.handoffs(stop.stopId).single { it.handoff == HandoffKind.STATION }.locked
        assertNull(lock())
        phone.withdrawConsent(consent.consentId)
        assertEquals(RefusalRule.CONSENT_INVALID, lock()?.rule)
    }

    private fun leaveAtTheDoor(stop: Stop) {
        val completion = Completion(
            handoff = HandoffKind.LEAVE_AT_DOOR,
            parcels = listOf(ParcelResult(stop.parcels.single().parcelId, ParcelOutcome.Delivered)),
            note = "放在门口鞋柜上",
        )
        complete(stop, completion)
    }

    private fun comeOnline() {
        network = NetworkState.UNMETERED
        phone.requestSync()
        sync()
        val stops = phone.stops().stops
        assertTrue(stops.all { it.sync == SyncState.PROOF_COMPLETE }, "${stops.map { it.position to it.sync }}")
        val status = phone.syncStatus()
        assertEquals(0uL to 0uL, status.unsentEntries to status.unsentProofs)
        assertEquals(0uL, status.receiptAlarms)
        assertNull(status.blocking)
        assertTrue(uploads.size >= photos && uploads.all { it.fromBytes == 0uL && it.sizeBytes > 1_000uL }, "$uploads")
    }

    private fun beRated(stop: Stop) {
        val parcel = stop.parcels.single().parcelId
        val code = phone.ratingQr(parcel, 512u)
        assertEquals(phone.ratingCode(parcel).url, code.url)
        assertEquals((code.sizeModules * code.sizeModules).toInt(), code.modules.size)
        assertEquals(1, code.modules.first().toInt(), "the corner of a finder is black")
        assertTrue(code.svg.startsWith("<svg") && code.png.size > 200)

        val answer = HttpClient.newHttpClient().send(
            HttpRequest.newBuilder(URI.create(code.url))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString("stars=5&tag_patient=1&comment=%E5%BE%88%E5%A5%BD"))
                .build(),
            HttpResponse.BodyHandlers.ofString(),
        )
        assertEquals(303, answer.statusCode(), answer.body())
        phone.requestSync()
        sync()
        val rating = phone.stop(stop.stopId).parcels.single().rating
        assertNotNull(rating)
        assertEquals(5 to "很好", rating!!.stars.toInt() to rating.comment)
        assertEquals(listOf("patient"), rating.tags)
    }

    /** What the driver compares with the hub: one line per parcel of an attempt. */
    private fun writeRecord() = Given.recordFile.writeText(
        recorded.joinToString("") { (done, proofs) ->
            done.parcels.joinToString("") { p ->
                "${done.attemptId}\t${p.parcelId}\t${p.seq}\t${p.entryHash}\t$proofs\n"
            }
        },
    )
}
