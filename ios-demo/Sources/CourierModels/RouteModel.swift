import Foundation
import Observation

/// The round as a list and as a drawing: the order is the library's, the clock the device's.
@MainActor @Observable
public final class RouteModel {
    private let app: AppModel

    public init(app: AppModel) {
        self.app = app
    }

    /// One line of the list.
    public struct Line: Identifiable, Equatable, Sendable {
        public let stop: Stop
        public let planned: PlannedStop?
        public let clock: Clock?
        public var id: String { stop.stopId }
    }

    /// The nearest promise of a stop.
    public enum Clock: Equatable, Sendable {
        case left(TimeSpan, isSoon: Bool)
        case late(TimeSpan)
    }

    /// Less than this left is shown as urgent. A colour, not a rule.
    private static let soonMs: Int64 = 3_600_000

    public func lines(nowMs: Int64) -> [Line] {
        let planned = Dictionary((app.plan?.stops ?? []).map { ($0.stopId, $0) }) { first, _ in first }
        return app.stops.map { stop in
            Line(stop: stop, planned: planned[stop.stopId], clock: Self.clock(stop, nowMs))
        }
    }

    /// What is still to be done, next one first.
    public func open(nowMs: Int64) -> [Line] {
        lines(nowMs: nowMs).filter { $0.stop.state == .open || $0.stop.state == .failed }
    }

    public func done(nowMs: Int64) -> [Line] {
        lines(nowMs: nowMs).filter { $0.stop.state == .done }
    }

    private static func clock(_ stop: Stop, _ nowMs: Int64) -> Clock? {
        guard let promised = stop.promisedByMs, stop.state != .done else { return nil }
        let left = promised - nowMs
        return left < 0 ? .late(TimeSpan(ms: left)) : .left(TimeSpan(ms: left), isSoon: left < soonMs)
    }

    public func makePlan(from place: Place?) async {
        await app.attempt { _ = try await self.app.phone.plan(start: place) }
    }

    public func replan(_ event: PlanEvent) async {
        await app.attempt { _ = try await self.app.phone.replan(event: event) }
    }

    /// The wish to have one stop first, kept until it is taken back.
    public func wantFirst(_ stopId: String?) async {
        await app.attempt {
            let wishes = try await self.app.phone.planWishes().changed { $0.firstStopId = stopId }
            try await self.app.phone.setPlanWishes(wishes: wishes)
            _ = try await self.app.phone.plan(start: nil)
        }
    }

    /// Why a stop is where it is, in words.
    public func why(_ stopId: String) async -> Words? {
        await app.attempt { Words(try await self.app.phone.why(stopId: stopId)) }
    }

    /// A door on the drawing, in a square of side 1, north up.
    public struct Dot: Identifiable, Equatable, Sendable {
        public let id: String
        public let x: Double
        public let y: Double
        /// Place in the order, from 1.
        public let order: Int
        public let isLate: Bool
    }

    /// The open stops in their order: no tiles, no network, only the places themselves.
    public func map() -> [Dot] {
        let late = Set((app.plan?.stops ?? []).filter(\.predictedLate).map(\.stopId))
        let open = app.stops.filter { $0.state == .open || $0.state == .failed }
        guard let first = open.first else { return [] }
        // A degree of longitude shrinks with the latitude; one scale for both, so that ways keep their shape.
        let shrink = cos(first.lat * .pi / 180)
        let xs = open.map { $0.lng * shrink }
        let ys = open.map { -$0.lat }
        let left = xs.min() ?? 0
        let top = ys.min() ?? 0
        let width = (xs.max() ?? 0) - left
        let height = (ys.max() ?? 0) - top
        let side = max(width, height, 1e-9)
        return open.enumerated().map { at, stop in
            Dot(
                id: stop.stopId, x: (xs[at] - left + (side - width) / 2) / side,
                y: (ys[at] - top + (side - height) / 2) / side, order: at + 1, isLate: late.contains(stop.stopId))
        }
    }
}
