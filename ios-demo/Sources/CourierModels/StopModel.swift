import Foundation
import Observation

/// One door: what this handoff needs, what was given so far, and its completion.
///
/// The common way is three calls of the library: `beginAttempt`, `addPhoto`, `completeAttempt`.
@MainActor @Observable
public final class StopModel {
    /// What came of one parcel at this door.
    public enum Outcome: Equatable, Sendable {
        case handedOver
        /// The customer keeps some of it: `items` say what.
        case partly
        case failed(Reason, Action)
        /// Not touched in this visit.
        case later
    }

    public private(set) var stop: Stop
    public private(set) var contact: Contact?
    public private(set) var draft: AttemptDraft?
    public private(set) var handoff = HandoffKind.recipient
    /// The other ways, read when the courier opens the choice.
    public private(set) var handoffs: [HandoffOption] = []
    public private(set) var photos: [Photo] = []
    /// What the library named as missing at the last try.
    public private(set) var missing: Set<RequirementItem> = []
    public private(set) var doubts: [SignatureDoubt] = []
    public private(set) var remedies: [Remedy] = []
    public private(set) var recorded: Recorded?

    public var outcomes: [String: Outcome]
    public var scans: [String: String] = [:]
    public var signerName = ""
    public var relation: Relation?
    public var identity: RecipientCheck?
    public var inspection: InspectionResult?
    public var ageChecked: Bool?
    public var place = ""
    public var slot = ""
    public var receipt = ""
    public var skips: [RequirementItem: SkipReason] = [:]
    public var note = ""
    /// What the customer keeps of a parcel that is handed over in part.
    public var items: [CountedItem] = []
    public var ink = Ink()
    public var position: Position?

    let app: AppModel
    private var askedAgain = false

    public init(app: AppModel, stop: Stop) {
        self.app = app
        self.stop = stop
        let open = stop.parcels.filter { $0.outcome != .delivered && $0.outcome != .returned }
        outcomes = Dictionary(open.map { ($0.parcelId, .handedOver) }) { first, _ in first }
    }

    /// The parcels that this visit can concern, in the order of the stop.
    public var parcels: [Parcel] { stop.parcels.filter { outcomes[$0.parcelId] != nil } }

    /// What this handoff needs, strongest first as the library orders it.
    public var requirements: [Requirement] { draft?.requirements ?? [] }

    /// Opens the handoff; what was given before the app was killed is there again.
    public func begin(_ handoff: HandoffKind = .recipient) async {
        await app.attempt {
            self.draft = try await self.app.phone.beginAttempt(stopId: self.stop.stopId, handoff: handoff)
            self.handoff = handoff
            self.missing = []
        }
    }

    /// Every way of handing over, with why it is locked here and what would open it.
    public func loadHandoffs() async {
        await app.attempt { self.handoffs = try await self.app.phone.handoffs(stopId: self.stop.stopId) }
    }

    /// Unmasks person and door; the library writes that down (A038).
    public func reveal() async {
        await app.attempt { self.contact = try await self.app.phone.reveal(stopId: self.stop.stopId) }
    }

    /// Takes a photo the camera wrote; the file is deleted once it is safely stored.
    public func addPhoto(_ file: URL, origin: PhotoOrigin = .camera) async {
        guard let attempt = draft?.attemptId else { return }
        await app.attempt {
            let photo = try await self.app.phone.addPhoto(attemptId: attempt, path: file.path, origin: origin)
            self.photos.append(photo)
            self.missing.remove(.photo)
            try? FileManager.default.removeItem(at: file)
        }
    }

    /// Looks at the drawing: what to ask the signer about once more.
    public func checkSignature() async {
        guard let attempt = draft?.attemptId, let signature = ink.signature(askedAgain: askedAgain) else { return }
        await app.attempt {
            let check = try await self.app.phone.checkSignature(attemptId: attempt, signature: signature)
            self.doubts = check.doubts
            self.askedAgain = self.askedAgain || !check.doubts.isEmpty
        }
    }

    public func clearSignature() {
        ink = Ink(width: ink.width, height: ink.height)
        doubts = []
    }

    /// Tries the recipient's code for a parcel.
    public func enterCode(_ typed: String, parcelId: String) async {
        await app.attempt {
            switch try await self.app.phone.enterCode(parcelId: parcelId, typed: typed) {
            case .matches: self.app.say(.own(.codeMatches))
            case .wrong: self.app.say(.own(.codeWrong))
            case .awaitsHub: self.app.say(.own(.codeUnchecked))
            }
        }
    }

    /// Completes the visit, each parcel with its outcome. Returns whether it is on disk.
    @discardableResult
    public func complete() async -> Bool {
        guard let attempt = draft?.attemptId else { return false }
        do {
            let done = try await app.phone.completeAttempt(attemptId: attempt, completion: completion())
            recorded = done
            missing = []
            app.say(.own(.recorded))
            await goOn()
            return true
        } catch SatchelError.AlreadyDone {
            // A second tap: the first one stands.
            return true
        } catch SatchelError.Refused(_, let items, let textZh, let textEn) {
            missing = Set(items)
            app.say(.words(Words(zh: textZh, en: textEn)))
            return false
        } catch {
            app.say(Message(error))
            return false
        }
    }

    /// The order goes on from this door; the plan is only made anew if there is one.
    private func goOn() async {
        await app.attempt {
            self.stop = try await self.app.phone.stop(stopId: self.stop.stopId)
            guard self.app.plan != nil else { return }
            let stopId = self.stop.stopId
            let event: PlanEvent = self.stop.state == .done ? .done(stopId: stopId) : .failed(stopId: stopId)
            _ = try await self.app.phone.replan(event: event)
        }
    }

    private func completion() -> Completion {
        let results = parcels.compactMap { parcel -> ParcelResult? in
            switch outcomes[parcel.parcelId] {
            case .handedOver:
                ParcelResult(parcelId: parcel.parcelId, outcome: .delivered, scan: scans[parcel.parcelId])
            case .partly:
                ParcelResult(
                    parcelId: parcel.parcelId, outcome: .partlyDelivered, scan: scans[parcel.parcelId],
                    items: items.compactMap(\.counted))
            case .failed(let reason, let action):
                ParcelResult(parcelId: parcel.parcelId, outcome: .failed(reason: reason, action: action))
            case .later, nil: nil
            }
        }
        let left = LeftAt(place: filled(place), slot: filled(slot), receipt: filled(receipt))
        return Completion(
            handoff: handoff, parcels: results, signerName: filled(signerName), relation: relation,
            identity: identity, inspection: inspection, ageChecked: ageChecked,
            leftAt: left == LeftAt() ? nil : left,
            skips: skips.map { Skip(item: $0.key, reason: $0.value) },
            signature: ink.signature(askedAgain: askedAgain), position: position, note: filled(note))
    }

    private func filled(_ text: String) -> String? {
        text.isEmpty ? nil : text
    }

    // MARK: when it does not work

    /// Reasons with the actions each allows, the suggested one first.
    public var reasons: [ReasonLabel] { app.labels.lists.reasons }

    /// Every parcel of this visit fails for one reason, with the action the library suggests first.
    public func fail(_ reason: Reason, action: Action? = nil) {
        guard let next = action ?? app.labels.reason(reason)?.actions.first else { return }
        for parcel in outcomes.keys { outcomes[parcel] = .failed(reason, next) }
    }

    /// One tap: a reason is enough. What can be offered to the customer comes back at once.
    public func report(_ reason: Reason, words: String = "") async {
        await app.attempt {
            let report = try await self.app.phone.report(
                request: ReportRequest(
                    reason: reason, stopId: self.stop.stopId, parcelIds: self.stop.parcels.map(\.parcelId),
                    words: self.filled(words)))
            self.remedies = report.remedies
            self.app.say(.own(.reported))
        }
    }

    /// Writes a call down; its number is masked before it is stored.
    public func logCall(_ result: CallResult, durationS: UInt32 = 0) async -> Call? {
        await app.attempt {
            if self.contact == nil { self.contact = try await self.app.phone.reveal(stopId: self.stop.stopId) }
            let call = try await self.app.phone.logCall(
                call: CallRequest(
                    stopId: self.stop.stopId, number: self.contact?.phone ?? "", result: result,
                    durationS: durationS))
            self.app.say(.own(.callLogged))
            return call
        }
    }

    /// A consent that the customer gives in a call opens a locked handoff.
    public func consentByCall(to handoff: HandoffKind, durationS: UInt32, place: String? = nil) async {
        guard let call = await logCall(.answered, durationS: durationS) else { return }
        await app.attempt {
            _ = try await self.app.phone.recordConsent(
                request: ConsentRequest(
                    stopId: self.stop.stopId, handoffs: [handoff], evidence: .call(seq: call.seq), place: place))
            self.app.say(.own(.consentRecorded))
        }
        await loadHandoffs()
    }
}
