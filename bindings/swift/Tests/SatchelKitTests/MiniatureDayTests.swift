import Foundation
@testable import SatchelKit
import Testing

/// One courier's day against a real hub: enrol, load the round, go offline, deliver, come back, be rated. The
/// same day as in Kotlin and Python.
@Suite(.serialized) struct MiniatureDayTests {
    @Test("a day from enrolment to rating with the network gone in the middle")
    func day() async throws {
        let day = Day()
        try await day.enrolAndLoad()
        day.network.with { $0 = .offline }
        #expect(try await day.host().run() == .waiting(untilMs: nil, reason: .offline))

        try await day.planTheOrder()
        let stops = Dictionary(uniqueKeysWithValues: try await day.phone.stops().stops.map { ($0.parcels[0].waybill, $0) })
        func stop(_ number: String) throws -> Stop { try #require(stops["SW-\(number)"]) }
        try await day.deliverTwoParcelsAtOneDoor(stop("0001"))
        try await day.deliver(stop("0003"))
        try await day.crashAndComeBack(stop("0004"))
        try await day.atTheFrontDesk(stop("0005"))
        try await day.failAtAClosedDoor(stop("0007"))
        try await day.leaveAtTheDoor(stop("0008"))
        try await day.deliver(stop("0006"))
        try await day.deliver(stop("0009"))
        // Nine parcels, what was revealed, two calls, a consent and its withdrawal; reminders besides.
        #expect(try await day.phone.syncStatus().unsentEntries >= 14)
        #expect(try await day.phone.stops().stops.allSatisfy { $0.sync == .local }, "nothing counts before its receipt")

        try await day.comeOnline()
        try await day.beRated(stop("0003"))
        try day.writeRecord()
        await day.phone.shutdown()
        #expect(refused { try day.phone.satchel.stops() } == .Closed)
    }
}

/// The day's state and its steps.
private final class Day {
    let folder = Folder()
    let network = Locked(NetworkState.unmetered)
    let uploads = Locked<[UploadPart]>([])
    private(set) var phone: CourierPhone
    private var photos = 0
    private var record: [(done: Recorded, proofs: Int)] = []

    init() {
        // A store that does not open fails the first step with its own error.
        phone = CourierPhone(try! Satchel.open(config: config(folder("store"))))
    }

    func host() -> SyncHost {
        let note: @Sendable (HttpTask) -> Void = { [uploads] task in
            if let part = task.upload { uploads.with { $0.append(part) } }
        }
        return SyncHost(phone, beforeSend: note) { [network] in network.with { $0 } }
    }

    func sync() async throws {
        let end = try await host().runUntilDone(timeoutMs: 60_000)
        let status = try await phone.syncStatus()
        #expect(end == .done, "\(status)")
    }

    func enrolAndLoad() async throws {
        #expect(try await phone.enrolment() == .absent)
        await #expect(throws: SatchelError.InviteRejected) {
            try await self.phone.enrol(invite: "SATCHEL:NOTHING", label: "test phone")
        }
        let invite = try Given.invite("Swift")
        try await phone.enrol(invite: invite, label: "test phone")
        #expect(try await phone.enrolment() == .pending)
        try await sync()
        guard case .enrolled(_, let courier) = try await phone.enrolment() else {
            Issue.record("not enrolled")
            return
        }
        #expect(courier == "Swift")
        #expect(refused { try phone.satchel.enrol(invite: invite, label: "test phone") } == .AlreadyDone(what: "enrolment"))

        let routes = try await phone.routes()
        #expect(routes.map(\.openStops) == [8])
        let first = try await phone.stops(limit: 3)
        let rest = try await phone.stops(offset: try #require(first.nextOffset), limit: 500)
        #expect(rest.nextOffset == nil)
        #expect(Set((first.stops + rest.stops).map(\.stopId)).count == 8)
        #expect(try await phone.changesSince(version: 0).stopIds.count == 8)
        let round = try #require(routes.first).routeId
        #expect(try phone.satchel.stopsOf(routeId: round).stops.filter { !$0.past }.count == 8)
        #expect(try phone.satchel.pastRoutes().isEmpty)
        let name = try #require(first.stops.first).recipientName
        #expect(!name.contains("甲") && name.hasPrefix("测"), "masked by default: \(name)")
    }

    /// Without a network: a plan, a wish, a delay, and why a stop is where it is.
    func planTheOrder() async throws {
        #expect(try await phone.currentPlan() == nil)
        let plan = try await phone.plan()
        let seen = Locked<[UInt32]>([])
        let longer = try await phone.planThoroughly { progress in seen.with { $0.append(progress.permille) } }
        // Later by the moments between the two plans, to the second.
        #expect(longer.completionMs - longer.departureMs <= plan.completionMs - plan.departureMs + 1_000)
        let steps = seen.with { $0 }
        #expect(steps.count > 1 && steps == steps.sorted(), "\(steps)")

        let order = try await phone.plan().stops.map(\.stopId)
        #expect(try await phone.stops().stops.map(\.stopId) == order)
        try await phone.setPlanWishes(wishes: PlanWishes(firstStopId: order[5], end: .depot))
        let late = try await phone.replan(event: .delayed(byMs: 600_000))
        #expect(late.stops.first?.stopId == order[5])
        #expect(!late.change.movedStopIds.isEmpty && late.change.droppedStopIds.isEmpty)
        #expect(late.departureMs - late.madeAtMs == 600_000)
        let why = try await phone.why(stopId: order[5])
        #expect(why.planned.why == .first)
        #expect(why.text(.chinese) == "您要求最先派送")
        #expect(try await phone.currentPlan() == late)
        let circle = [
            StopPair(firstStopId: order[0], thenStopId: order[1]),
            StopPair(firstStopId: order[1], thenStopId: order[0]),
        ]
        #expect(refused { try phone.satchel.setPlanWishes(wishes: PlanWishes(before: circle)) } == .InvalidInput(what: "wishes"))
        guard case .InvalidInput = refused({ try phone.satchel.replan(event: .delayed(byMs: -1)) }) else {
            Issue.record("a delay into the past was taken")
            return
        }
        try await phone.setPlanWishes(wishes: PlanWishes())
    }

    private func complete(_ stop: Stop, _ completion: Completion, photos: Int = 1) async throws -> Recorded {
        let draft = try await phone.beginAttempt(stopId: stop.stopId, handoff: completion.handoff)
        for _ in 0..<photos { _ = try await addPhoto(draft.attemptId) }
        let done = try await phone.completeAttempt(attemptId: draft.attemptId, completion: completion)
        remember(done, completion, photos)
        return done
    }

    private func addPhoto(_ attemptId: String) async throws -> Photo {
        photos += 1
        let file = folder("photo.png")
        try photograph(file, seed: photos)
        let photo = try await phone.addPhoto(attemptId: attemptId, path: file.path, origin: .camera)
        // The source file may go at once.
        try FileManager.default.removeItem(at: file)
        return photo
    }

    private func remember(_ done: Recorded, _ completion: Completion, _ photos: Int) {
        record.append((done, photos + (completion.signature == nil ? 0 : 1)))
    }

    func deliver(_ stop: Stop) async throws {
        // No thermometer: the rules let the reading be left out with a reason; fresh goods want two photos.
        let skips = [Skip(item: .temperature, reason: .deviceFault)]
        let done = try await complete(stop, handedOver(stop, skips: skips), photos: 2)
        let after = try await phone.stop(stopId: stop.stopId)
        #expect(after.state == .done)
        #expect(after.sync == .local)
        #expect(done.parcels.count == stop.parcels.count)
    }

    /// A stop with two parcels, and everything that is refused on the way.
    func deliverTwoParcelsAtOneDoor(_ stop: Stop) async throws {
        #expect(stop.parcels.count == 2)
        #expect(try await phone.reveal(stopId: stop.stopId).name == "测试甲")
        let draft = try await phone.beginAttempt(stopId: stop.stopId, handoff: .recipient)
        let required = draft.requirements.filter { $0.level == .required }.map(\.item)
        #expect(required.contains(.signature) && required.contains(.photo), "\(required)")

        let satchel = phone.satchel
        func complete(_ completion: Completion) -> SatchelError? {
            refused { try satchel.completeAttempt(attemptId: draft.attemptId, completion: completion) }
        }
        guard case .Refused(.itemsMissing, [.photo, .signature], let zh, let en) = complete(handedOver(stop, signature: nil))
        else {
            Issue.record("photo and signature were not asked for")
            return
        }
        #expect(zh.contains("签名") && en.contains("Signature"))

        let text = folder("note.jpg")
        try Data("this is not a picture".utf8).write(to: text)
        guard case .PhotoRejected(.notAnImage, _, _) = refused({
            try satchel.addPhoto(attemptId: draft.attemptId, path: text.path, origin: .camera)
        }) else {
            Issue.record("a text was taken for a photo")
            return
        }
        let photo = try await addPhoto(draft.attemptId)
        #expect((photo.widthPx, photo.heightPx) == (1_024, 768))
        #expect(photo.warnings == [])

        guard case .SignatureRejected(.empty, _, _) =
            complete(handedOver(stop, signature: Signature(strokes: [], canvasWidth: 600, canvasHeight: 300)))
        else {
            Issue.record("no ink was taken for a signature")
            return
        }
        let done = try await phone.completeAttempt(attemptId: draft.attemptId, completion: handedOver(stop))
        remember(done, handedOver(stop), 1)
        #expect(done.parcels.count == 2)
        #expect(complete(handedOver(stop)) == .AlreadyDone(what: "attempt"))
        try await lookBack(draft.attemptId, photo.hash)
    }

    /// Photo, small copy and ink as they are stored, the ink in other programs' forms and back.
    private func lookBack(_ attempt: String, _ photo: String) async throws {
        let whole = try await phone.photoJpeg(attemptId: attempt, hash: photo)
        let small = try await phone.photoThumbnail(attemptId: attempt, hash: photo)
        #expect([whole, small].allSatisfy { $0.prefix(2) == Data([0xff, 0xd8]) })
        #expect(small.count < whole.count)
        let forms = try await phone.signatureForms(attemptId: attempt)
        #expect(forms.svg.contains("<svg") && forms.inkml.contains("<ink") && forms.png[1] == 0x50)
        let again = try signatureFromPadJson(json: forms.signaturePadJson, canvasWidth: 600, canvasHeight: 200)
        #expect(again.strokes.joined().count == forms.signaturePadJson.components(separatedBy: "\"x\"").count - 1)
        let used = try await phone.storageUsage()
        #expect(used.waitingPhotos > 0 && used.thumbnails >= used.waitingPhotos && used.thumbnailBytes > 0)
        #expect(used.freeQuotaBytes < used.quotaBytes)
    }

    /// Closing the app between photo and completion loses neither; a second instance or key gets no way in.
    func crashAndComeBack(_ stop: Stop) async throws {
        let store = folder("store")
        #expect(refused { try Satchel.open(config: config(store)) } == .StoreLocked)
        let draft = try await phone.beginAttempt(stopId: stop.stopId, handoff: .recipient)
        _ = try await addPhoto(draft.attemptId)
        await phone.pause()
        #expect(refused { try phone.satchel.stops() } == .Paused)
        try await phone.resume()
        await phone.shutdown()

        var wrong = testKey()
        wrong[0] = 0
        #expect(refused { try Satchel.open(config: config(store, key: wrong)) } == .WrongKey)
        phone = try await CourierPhone.open(config: config(store))
        let again = try await phone.beginAttempt(stopId: stop.stopId, handoff: .recipient)
        #expect(again.attemptId == draft.attemptId)
        #expect(again.photos.count == 1)
        let done = try await phone.completeAttempt(attemptId: again.attemptId, completion: handedOver(stop))
        remember(done, handedOver(stop), 1)
    }

    func atTheFrontDesk(_ stop: Stop) async throws {
        #expect(stop.parcels.map(\.consents) == [[.frontDesk]])
        let completion = Completion(
            handoff: .frontDesk,
            parcels: [ParcelResult(parcelId: stop.parcels[0].parcelId, outcome: .delivered)],
            signerName: "前台小虚",
            relation: .frontDesk)
        _ = try await complete(stop, completion, photos: 2)
    }

    /// The station without consent, an action that does not fit the reason, then what is right.
    func failAtAClosedDoor(_ stop: Stop) async throws {
        #expect(try await stationLock(stop)?.rule == .consentMissing)
        let satchel = phone.satchel
        guard case .Refused(.consentMissing, [.consent], _, _) = refused({
            try satchel.beginAttempt(stopId: stop.stopId, handoff: .station)
        }) else {
            Issue.record("the station was open without a consent")
            return
        }
        let parcel = stop.parcels[0].parcelId
        func failed(_ action: Action) -> Completion {
            Completion(
                handoff: .recipient,
                parcels: [ParcelResult(parcelId: parcel, outcome: .failed(reason: .recipientAbsent, action: action))])
        }
        let draft = try await phone.beginAttempt(stopId: stop.stopId, handoff: .recipient)
        func rule(_ action: Action) -> RefusalRule? {
            let error = refused { try satchel.completeAttempt(attemptId: draft.attemptId, completion: failed(action)) }
            guard case .Refused(let rule, _, _, _) = error else { return nil }
            return rule
        }
        #expect(rule(.resendCode) == .illegalAction)
        let label = try #require(codeLists().reasons.first { $0.reason == .recipientAbsent })
        let action = try #require(label.actions.first)
        #expect(rule(action) == .noContact)
        _ = try await phone.logCall(call: CallRequest(stopId: stop.stopId, number: "10000000001", result: .noAnswer))
        let done = try await phone.completeAttempt(attemptId: draft.attemptId, completion: failed(action))
        remember(done, failed(action), 0)
        #expect(done.parcels.map(\.rating) == [nil])
        #expect(try await phone.stop(stopId: stop.stopId).state == .failed)
        guard case .NotFound = refused({ try satchel.ratingCode(parcelId: parcel) }) else {
            Issue.record("a parcel that was not delivered has a rating code")
            return
        }
        try await agreeToTheStation(stop)
        let lines = try await phone.history(parcelId: parcel).lines
        #expect(lines.map(\.what.code) == ["RECIPIENT_ABSENT"] && lines[0].counts)
    }

    private func stationLock(_ stop: Stop) async throws -> HandoffLock? {
        try await phone.handoffs(stopId: stop.stopId).first { $0.handoff == .station }?.locked
    }

    /// A consent on the spot opens the station; taken back, it is shut again.
    private func agreeToTheStation(_ stop: Stop) async throws {
        let call = try await phone.logCall(
            call: CallRequest(stopId: stop.stopId, number: "10000000001", result: .answered, durationS: 25))
        let consent = try await phone.recordConsent(
            request: ConsentRequest(stopId: stop.stopId, handoffs: [.station], evidence: .call(seq: call.seq)))
        #expect(try await stationLock(stop) == nil)
        try await phone.withdrawConsent(consentId: consent.consentId)
        #expect(try await stationLock(stop)?.rule == .consentInvalid)
    }

    func leaveAtTheDoor(_ stop: Stop) async throws {
        let completion = Completion(
            handoff: .leaveAtDoor,
            parcels: [ParcelResult(parcelId: stop.parcels[0].parcelId, outcome: .delivered)],
            note: "放在门口鞋柜上")
        _ = try await complete(stop, completion)
    }

    func comeOnline() async throws {
        network.with { $0 = .unmetered }
        await phone.requestSync()
        try await sync()
        #expect(try await phone.stops().stops.allSatisfy { $0.sync == .proofComplete })
        let status = try await phone.syncStatus()
        #expect((status.unsentEntries, status.unsentProofs, status.receiptAlarms) == (0, 0, 0))
        #expect(status.blocking == nil)
        let parts = uploads.with { $0 }
        #expect(!parts.isEmpty && parts.allSatisfy { $0.fromBytes == 0 && $0.sizeBytes > 1_000 }, "\(parts)")
    }

    func beRated(_ stop: Stop) async throws {
        let parcel = stop.parcels[0].parcelId
        let code = try await phone.ratingQr(parcelId: parcel)
        let plain = try await phone.ratingCode(parcelId: parcel)
        #expect(code.url == plain.url)
        #expect(code.modules.count == Int(code.sizeModules * code.sizeModules))
        #expect(code.modules.first == 1, "the corner of a finder is black")
        #expect(code.svg.hasPrefix("<svg") && code.png.count > 200)

        // The code is written in capitals to be small, and Foundation on Linux knows no "HTTP:".
        let form = HttpTask(
            id: "", purpose: .feed, method: "POST", url: code.url.replacingOccurrences(of: "HTTP:", with: "http:"),
            headers: [HttpHeader(name: "Content-Type", value: "application/x-www-form-urlencoded")],
            body: Data("stars=5&tag_patient=1&comment=%E5%BE%88%E5%A5%BD".utf8), maxAnswerBytes: 65_536)
        let answer = try await URLSessionTransport().send(form)
        #expect(answer?.status == 303)
        await phone.requestSync()
        try await sync()
        let rating = try #require(try await phone.stop(stopId: stop.stopId).parcels.first?.rating)
        #expect((rating.stars, rating.comment, rating.tags) == (5, "很好", ["patient"]))
    }

    /// What the driver compares with the hub: one line per parcel of an attempt.
    func writeRecord() throws {
        let lines = record.flatMap { entry in
            entry.done.parcels.map { parcel in
                "\(entry.done.attemptId)\t\(parcel.parcelId)\t\(parcel.seq)\t\(parcel.entryHash)\t\(entry.proofs)\n"
            }
        }
        try Data(lines.joined().utf8).write(to: Given.recordFile())
    }
}
