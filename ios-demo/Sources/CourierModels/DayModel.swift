import Foundation
import Observation

/// The courier's own day: shift, promises, figures, what was earned, the load check.
@MainActor @Observable
public final class DayModel {
    public private(set) var shift: Shift?
    public private(set) var figures: [Figure] = []
    public private(set) var clocks: [PromiseClock] = []
    public private(set) var earnings: Earnings?
    public private(set) var points: Int64?
    public private(set) var stars: Stars?
    public private(set) var reports: [Report] = []
    public private(set) var lastScan: LoadScan?
    public private(set) var load: LoadCheck?

    private let app: AppModel

    public init(app: AppModel) {
        self.app = app
    }

    /// Everything of one screen in one go.
    public func refresh(fromMs: Int64, untilMs: Int64) async {
        await app.attempt {
            let seen = try await self.app.phone.read { satchel in
                (
                    shift: try satchel.shift(), figures: try satchel.scorecard(fromMs: fromMs, untilMs: untilMs),
                    clocks: try satchel.clocks(), earnings: try satchel.earnings(fromMs: fromMs, untilMs: untilMs),
                    points: try satchel.points(), stars: try satchel.stars(), reports: try satchel.reports()
                )
            }
            self.shift = seen.shift
            self.figures = seen.figures
            self.clocks = seen.clocks
            self.earnings = seen.earnings
            self.points = seen.points
            self.stars = seen.stars
            self.reports = seen.reports
        }
    }

    /// Starts or ends the shift; the library refuses without training (A174).
    public func toggleShift() async {
        await app.attempt {
            let isOn = try await self.app.phone.shift().on
            self.shift = try await isOn ? self.app.phone.endShift() : self.app.phone.startShift()
        }
    }

    /// A scan at the vehicle: what the parcel is, at once.
    public func scan(_ text: String) async {
        await app.attempt {
            // What was said of the parcel before must not stay on the screen for this one.
            self.lastScan = nil
            guard let round = try await self.app.phone.routes().first else { return }
            self.lastScan = try await self.app.phone.loadScan(routeId: round.routeId, text: text)
            self.load = try await self.app.phone.loadCheck(routeId: round.routeId)
        }
    }

    /// A share as a percentage, a number per day as it is; nil out of nothing.
    public static func value(_ figure: Figure) -> Double? {
        figure.value.map { Double($0) / 100 }
    }
}

/// The codes the customers scan, black on white in every theme, made without a network.
@MainActor @Observable
public final class RatingModel {
    public private(set) var codes: [QrCode] = []
    private let app: AppModel

    public init(app: AppModel) {
        self.app = app
    }

    /// One code for each parcel that was handed over.
    public func show(_ parcelIds: [String]) async {
        await app.attempt {
            self.codes = try await self.app.phone.read { satchel in
                try parcelIds.map { try satchel.ratingQr(parcelId: $0) }
            }
        }
    }
}
