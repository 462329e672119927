@_exported import SatchelKit

/// Something to tell the courier: the library's words where it has some, else the app's own by key.
public enum Message: Equatable, Sendable {
    /// From the library, in both languages.
    case words(Words)
    /// The app's own, a key of `Localizable.xcstrings`.
    case own(Key)

    /// What the app itself has to say. Each has its words in the string catalog; a test holds the two together.
    public enum Key: String, CaseIterable, Sendable {
        case recorded = "message.recorded"
        case reported = "message.reported"
        case consentRecorded = "message.consent_recorded"
        case callLogged = "message.call_logged"
        case appealKept = "message.appeal_kept"
        case inviteRejected = "error.invite_rejected"
        case notEnrolled = "error.not_enrolled"
        case gone = "error.gone"
        case storageFull = "error.storage_full"
        case storeInUse = "error.store_in_use"
        case wrongKey = "error.wrong_key"
        case storeUnusable = "error.store_unusable"
        case updateApp = "error.update_app"
        case appDefect = "error.app_defect"
        case tryLater = "error.try_later"
        case codeWrong = "error.code_wrong"
        case codeUnchecked = "message.code_unchecked"
        case codeMatches = "message.code_matches"
        case corrected = "message.corrected"
        case answerKept = "message.answer_kept"
        case readingTaken = "message.reading_taken"
        case readingBeyond = "message.reading_beyond"
        case plannedAnew = "message.planned_anew"
        case noReading = "error.no_reading"
        case wordsNeeded = "error.words_needed"
    }

    /// What to say about an error; nil for one that needs no words: it was done before, or nobody waits.
    public init?(_ error: any Error) {
        guard let error = error as? SatchelError else {
            if error is CancellationError { return nil }
            self = .own((error as? KeyStoreError) == .keyLost ? .wrongKey : .tryLater)
            return
        }
        switch error {
        case .Refused(_, _, let textZh, let textEn), .PhotoRejected(_, let textZh, let textEn),
            .SignatureRejected(_, let textZh, let textEn):
            self = .words(Words(zh: textZh, en: textEn))
        case .AlreadyDone, .Paused, .Closed: return nil
        case .InviteRejected: self = .own(.inviteRejected)
        case .NotEnrolled: self = .own(.notEnrolled)
        case .NotFound: self = .own(.gone)
        case .StorageFull: self = .own(.storageFull)
        case .StoreLocked: self = .own(.storeInUse)
        case .WrongKey: self = .own(.wrongKey)
        case .StoreForeign, .StoreDamaged: self = .own(.storeUnusable)
        case .StoreFromNewerVersion: self = .own(.updateApp)
        case .InvalidInput: self = .own(.appDefect)
        case .Internal: self = .own(.tryLater)
        }
    }
}

/// A length of time in the two largest units that matter to a courier.
public struct TimeSpan: Equatable, Sendable {
    public let hours: Int
    public let minutes: Int

    public init(ms: Int64) {
        let minutes = Int((ms.magnitude + 30_000) / 60_000)
        hours = minutes / 60
        self.minutes = minutes % 60
    }
}
