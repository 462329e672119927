import Foundation

/// The languages the library speaks.
public enum Language: String, Sendable, CaseIterable {
    /// Simplified Chinese.
    case chinese = "zh-Hans"
    /// English, also for everybody else.
    case english = "en"

    /// The one that fits a locale.
    public init(_ locale: Locale) {
        self = locale.identifier.hasPrefix("zh") ? .chinese : .english
    }
}

/// Something that comes from the library in both languages, ready to show.
public protocol Bilingual {
    /// In Chinese.
    var textZh: String { get }
    /// In English.
    var textEn: String { get }
}

extension Bilingual {
    /// The words in one language.
    public func text(_ language: Language) -> String {
        language == .chinese ? textZh : textEn
    }
}

extension Word: Bilingual {}
extension Requirement: Bilingual {}
extension HandoffLock: Bilingual {}
extension SignatureDoubt: Bilingual {}
extension StopWhy: Bilingual {}
extension ReasonLabel: Bilingual {}
extension HandoffLabel: Bilingual {}
extension ActionLabel: Bilingual {}
extension RelationLabel: Bilingual {}
extension OutcomeLabel: Bilingual {}
extension InspectionLabel: Bilingual {}
extension IdentityLabel: Bilingual {}
extension PromiseLabel: Bilingual {}
extension TagLabel: Bilingual {}
extension CallResultLabel: Bilingual {}
extension ConsentChannelLabel: Bilingual {}
extension SkipReasonLabel: Bilingual {}
extension OriginLabel: Bilingual {}
extension WarningLabel: Bilingual {}
extension SyncStateLabel: Bilingual {}
extension BlockingLabel: Bilingual {}
extension PlanReasonLabel: Bilingual {}

extension SatchelError {
    /// What the courier reads where the library has words for him; nil for what only an app can act on.
    public func words(_ language: Language) -> String? {
        switch self {
        case .Refused(_, _, let textZh, let textEn),
            .PhotoRejected(_, let textZh, let textEn),
            .SignatureRejected(_, let textZh, let textEn):
            language == .chinese ? textZh : textEn
        default: nil
        }
    }
}
