/// The words of every code list, read once and asked by value: `labels[reason].text(language)`.
public struct Labels: Sendable {
    /// The lists as the library gives them, in the order in which people are shown them.
    public let lists: CodeLists

    private let reasons: [Reason: ReasonLabel]
    private let actions: [Action: ActionLabel]
    private let handoffs: [HandoffKind: HandoffLabel]
    private let relations: [Relation: RelationLabel]
    private let outcomes: [Outcome: OutcomeLabel]
    private let inspections: [InspectionResult: InspectionLabel]
    private let identities: [IdentityMethod: IdentityLabel]
    private let promises: [PromiseClass: PromiseLabel]
    private let tags: [HandlingTag: TagLabel]
    private let calls: [CallResult: CallResultLabel]
    private let channels: [ConsentChannel: ConsentChannelLabel]
    private let skips: [SkipReason: SkipReasonLabel]
    private let warnings: [PhotoWarning: WarningLabel]
    private let syncStates: [SyncState: SyncStateLabel]
    private let blockings: [Blocking: BlockingLabel]
    private let plans: [PlanReason: PlanReasonLabel]

    public init(_ lists: CodeLists = codeLists()) {
        self.lists = lists
        reasons = Self.by(lists.reasons, \.reason)
        actions = Self.by(lists.actions, \.action)
        handoffs = Self.by(lists.handoffs, \.handoff)
        relations = Self.by(lists.relations, \.relation)
        outcomes = Self.by(lists.outcomes, \.outcome)
        inspections = Self.by(lists.inspections, \.inspection)
        identities = Self.by(lists.identityMethods, \.method)
        promises = Self.by(lists.promises, \.promise)
        tags = Self.by(lists.tags, \.tag)
        calls = Self.by(lists.callResults, \.result)
        channels = Self.by(lists.consentChannels, \.channel)
        skips = Self.by(lists.skipReasons, \.reason)
        warnings = Self.by(lists.photoWarnings, \.warning)
        syncStates = Self.by(lists.syncStates, \.state)
        blockings = Self.by(lists.blockings, \.blocking)
        plans = Self.by(lists.planReasons, \.why)
    }

    private static func by<Key: Hashable, Label>(_ labels: [Label], _ key: (Label) -> Key) -> [Key: Label] {
        Dictionary(uniqueKeysWithValues: labels.map { (key($0), $0) })
    }

    /// A reason with the actions it allows, the suggested one first.
    public func reason(_ reason: Reason) -> ReasonLabel? { reasons[reason] }

    // Every list has every value of its enum (a test of the package goes through them all); were one missing,
    // an empty word on a screen is better than no screen.
    public subscript(_ value: Reason) -> Words { Words(reasons[value]) }
    public subscript(_ value: Action) -> Words { Words(actions[value]) }
    public subscript(_ value: HandoffKind) -> Words { Words(handoffs[value]) }
    public subscript(_ value: Relation) -> Words { Words(relations[value]) }
    public subscript(_ value: Outcome) -> Words { Words(outcomes[value]) }
    public subscript(_ value: InspectionResult) -> Words { Words(inspections[value]) }
    public subscript(_ value: IdentityMethod) -> Words { Words(identities[value]) }
    public subscript(_ value: PromiseClass) -> Words { Words(promises[value]) }
    public subscript(_ value: HandlingTag) -> Words { Words(tags[value]) }
    public subscript(_ value: CallResult) -> Words { Words(calls[value]) }
    public subscript(_ value: ConsentChannel) -> Words { Words(channels[value]) }
    public subscript(_ value: SkipReason) -> Words { Words(skips[value]) }
    public subscript(_ value: PhotoWarning) -> Words { Words(warnings[value]) }
    public subscript(_ value: SyncState) -> Words { Words(syncStates[value]) }
    public subscript(_ value: Blocking) -> Words { Words(blockings[value]) }
    public subscript(_ value: PlanReason) -> Words { Words(plans[value]) }
}

/// A text in both languages.
public struct Words: Bilingual, Sendable, Hashable {
    public let textZh: String
    public let textEn: String

    public init(zh: String, en: String) {
        textZh = zh
        textEn = en
    }

    /// The words of anything that has them.
    public init(_ words: (any Bilingual)?) {
        self.init(zh: words?.textZh ?? "", en: words?.textEn ?? "")
    }
}
