import Foundation
import Observation

/// Everything known about the parcels of a stop, the ways to put the record right, and the word against a rating.
@MainActor @Observable
public final class HistoryModel {
    public private(set) var stop: Stop
    public private(set) var histories: [ParcelHistory] = []

    private let app: AppModel

    public init(app: AppModel, stop: Stop) {
        self.app = app
        self.stop = stop
    }

    /// What was recorded, the latest last; corrections stand beside what they correct.
    public func refresh() async {
        await app.attempt {
            let id = self.stop.stopId
            let seen = try await self.app.phone.read { satchel in
                let stop = try satchel.stop(stopId: id)
                return (stop: stop, histories: try stop.parcels.map { try satchel.history(parcelId: $0.parcelId) })
            }
            self.stop = seen.stop
            self.histories = seen.histories
        }
    }

    /// Each parcel with its history.
    public var parcels: [(parcel: Parcel, history: ParcelHistory)] { Array(zip(stop.parcels, histories)) }

    /// Whether there is a step of this phone's own that still counts.
    public func canUndo(_ history: ParcelHistory) -> Bool {
        history.lines.contains { $0.here && $0.counts }
    }

    /// Takes the last step back; the record stays and the correction is a record of its own.
    public func undo(_ parcelId: String) async {
        await correct(CorrectionRequest(parcelId: parcelId, kind: .undo))
    }

    /// It failed for another reason than was recorded.
    public func wrongReason(_ parcelId: String, _ reason: Reason, words: String) async {
        guard let action = app.labels.reason(reason)?.actions.first else { return }
        await correct(
            CorrectionRequest(parcelId: parcelId, kind: .wrongReason(reason: reason, action: action), words: words))
    }

    private func correct(_ request: CorrectionRequest) async {
        await app.attempt {
            _ = try await self.app.phone.correct(request: request)
            self.app.say(.own(.corrected))
        }
        await refresh()
    }

    /// What the courier has to say against a rating; the hub hears of it with the next sync.
    public func appeal(_ parcelId: String, words: String) async {
        let words = words.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !words.isEmpty else { return app.say(.own(.wordsNeeded)) }
        await app.attempt {
            _ = try await self.app.phone.appeal(parcelId: parcelId, words: words)
            self.app.say(.own(.appealKept))
        }
        await refresh()
    }
}

/// What the hub wonders about in this courier's log, and his answers. Nothing follows from a doubt by itself.
@MainActor @Observable
public final class DoubtsModel {
    public private(set) var doubts: [Doubt] = []

    private let app: AppModel

    public init(app: AppModel) {
        self.app = app
    }

    public func refresh() async {
        await app.attempt { self.doubts = try await self.app.phone.doubts() }
    }

    /// How many still wait for an answer.
    public var open: Int { doubts.count { $0.answer == nil && $0.verdict == nil } }

    /// One answer to each: a second call would give the first.
    public func answer(_ doubtId: String, words: String) async {
        let words = words.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !words.isEmpty else { return app.say(.own(.wordsNeeded)) }
        await app.attempt {
            _ = try await self.app.phone.answerDoubt(doubtId: doubtId, words: words)
            self.app.say(.own(.answerKept))
        }
        await refresh()
    }
}
