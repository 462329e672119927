import Foundation
import Observation

extension Parcel {
    /// It is to be collected at its stop, not handed over.
    public var isPickup: Bool { state.code == "TO_COLLECT" }
}

/// A parcel at its sender's: one check, two questions, three labels (A198–A200). It collects the answers; which of
/// them are missing is the library's to say, and until none is, nothing is recorded.
@MainActor @Observable
public final class PickupModel {
    public var isSenderChecked: Bool?
    public var contents: PickupContents?
    public var timeNeed: PromiseClass?
    /// Nil until asked; empty when the sender has none.
    public var wishes: String?
    /// What it is, and whose label is on it by now.
    public var tags: Set<HandlingTag> = []
    public var hasWaybill = false
    public var hasInspectionLabel = false
    public var scanned = ""
    public private(set) var missing: [Word] = []

    public let parcel: Parcel
    private let app: AppModel
    private let arrivedAtMs: Int64

    public init(app: AppModel, parcel: Parcel, arrivedAtMs: Int64) {
        self.app = app
        self.parcel = parcel
        self.arrivedAtMs = arrivedAtMs
    }

    /// The number on the parcel is the one that is expected.
    public var isScanned: Bool {
        scanned.trimmingCharacters(in: .whitespaces).caseInsensitiveCompare(parcel.waybill) == .orderedSame
    }

    /// Hands the answers in; ``missing`` tells what an incomplete one lacks. What came of it, once it is recorded.
    @discardableResult
    public func record() async -> PickupOutcome? {
        await app.attempt {
            let outcome = try await self.app.phone.pickup(request: self.request())
            guard case .incomplete(let missing) = outcome else {
                self.missing = []
                return outcome
            }
            self.missing = missing
            return nil
        } ?? nil
    }

    private func request() -> PickupRequest {
        let marked = app.labels.lists.tags.map(\.tag).filter(tags.contains)
        return PickupRequest(
            parcelId: parcel.parcelId, arrivedAtMs: arrivedAtMs, senderChecked: isSenderChecked, contents: contents,
            timeNeed: timeNeed, wishes: wishes?.trimmingCharacters(in: .whitespaces), tags: marked,
            handlingLabels: marked, waybillLabel: hasWaybill, inspectionLabel: hasInspectionLabel, scanned: isScanned)
    }
}
