import Foundation
import Observation

/// The wishes that screens change; the library's records do not change.
struct Wish {
    var frozen: UInt8
    var firstStopId: String?
    var lastStopId: String?
    var setAsideStopIds: [String]
    var breaks: [PlannedBreak]
}

extension PlanWishes {
    /// The same wishes with these changed.
    func changed(_ edit: (inout Wish) -> Void) -> PlanWishes {
        var wish = Wish(
            frozen: frozen, firstStopId: firstStopId, lastStopId: lastStopId, setAsideStopIds: setAsideStopIds,
            breaks: breaks)
        edit(&wish)
        return PlanWishes(
            frozen: wish.frozen, firstStopId: wish.firstStopId, lastStopId: wish.lastStopId,
            pinnedStopIds: pinnedStopIds, before: before, setAsideStopIds: wish.setAsideStopIds, breaks: wish.breaks,
            shiftEndMs: shiftEndMs, end: end, zoneChangeS: zoneChangeS, busyUntilMs: busyUntilMs)
    }
}

/// What the courier knows better than any plan: where to begin and end, what to leave, when to eat. Each wish is
/// stored at once, and the order follows it.
@MainActor @Observable
public final class WishesModel {
    public private(set) var wishes: PlanWishes?

    private let app: AppModel
    private static let pauseMs: Int64 = 30 * 60_000

    public init(app: AppModel) {
        self.app = app
    }

    public func refresh() async {
        await app.attempt { self.wishes = try await self.app.phone.planWishes() }
    }

    /// What a wish may name: done stops need none.
    public var open: [Stop] { app.stops.filter { $0.state == .open || $0.state == .failed } }

    public var first: Stop? { stop(wishes?.firstStopId) }
    public var last: Stop? { stop(wishes?.lastStopId) }
    public var setAside: [Stop] { (wishes?.setAsideStopIds ?? []).compactMap { stop($0) } }
    public var keepsNext: Int { Int(wishes?.frozen ?? 0) }
    public var pauseAtMs: Int64? { wishes?.breaks.first?.atMs }

    private func stop(_ id: String?) -> Stop? {
        open.first { $0.stopId == id }
    }

    /// A stop is first or last, not both.
    public func wantFirst(_ stopId: String?) async {
        await change { wishes in
            wishes.firstStopId = stopId
            if stopId != nil, wishes.lastStopId == stopId { wishes.lastStopId = nil }
        }
    }

    public func wantLast(_ stopId: String?) async {
        await change { wishes in
            wishes.lastStopId = stopId
            if stopId != nil, wishes.firstStopId == stopId { wishes.firstStopId = nil }
        }
    }

    /// Takes a stop out of the plan, or back in.
    public func toggleAside(_ stopId: String) async {
        await change { wishes in
            if let at = wishes.setAsideStopIds.firstIndex(of: stopId) {
                wishes.setAsideStopIds.remove(at: at)
                return
            }
            wishes.setAsideStopIds.append(stopId)
            if wishes.firstStopId == stopId { wishes.firstStopId = nil }
            if wishes.lastStopId == stopId { wishes.lastStopId = nil }
        }
    }

    /// The next stops that no new plan moves.
    public func keepNext(_ count: Int) async {
        await change { $0.frozen = UInt8(clamping: count) }
    }

    /// One pause of half an hour from then on, or none.
    public func pause(atMs: Int64?) async {
        await change { $0.breaks = atMs.map { [PlannedBreak(atMs: $0, spanMs: Self.pauseMs)] } ?? [] }
    }

    private func change(_ edit: (inout Wish) -> Void) async {
        await app.attempt {
            let wished = try await self.app.phone.planWishes().changed(edit)
            try await self.app.phone.setPlanWishes(wishes: wished)
            self.wishes = wished
            _ = try await self.app.phone.plan(start: nil)
            self.app.say(.own(.plannedAnew))
        }
    }
}
