package satchel

/** The words of every code list, read once and asked by value. */
class Labels(val lists: CodeLists = codeLists()) {
    private val reasons = lists.reasons.associateBy { it.reason }
    private val actions = lists.actions.associate { it.action to Text(it.textZh, it.textEn) }
    private val handoffs = lists.handoffs.associate { it.handoff to Text(it.textZh, it.textEn) }
    private val relations = lists.relations.associate { it.relation to Text(it.textZh, it.textEn) }
    private val outcomes = lists.outcomes.associate { it.outcome to Text(it.textZh, it.textEn) }
    private val inspections = lists.inspections.associate { it.inspection to Text(it.textZh, it.textEn) }
    private val identities = lists.identityMethods.associate { it.method to Text(it.textZh, it.textEn) }
    private val promises = lists.promises.associate { it.promise to Text(it.textZh, it.textEn) }
    private val tags = lists.tags.associate { it.tag to Text(it.textZh, it.textEn) }
    private val calls = lists.callResults.associate { it.result to Text(it.textZh, it.textEn) }
    private val channels = lists.consentChannels.associate { it.channel to Text(it.textZh, it.textEn) }
    private val skips = lists.skipReasons.associate { it.reason to Text(it.textZh, it.textEn) }
    private val warnings = lists.photoWarnings.associate { it.warning to Text(it.textZh, it.textEn) }
    private val syncStates = lists.syncStates.associate { it.state to Text(it.textZh, it.textEn) }
    private val blockings = lists.blockings.associate { it.blocking to Text(it.textZh, it.textEn) }
    private val plans = lists.planReasons.associate { it.why to Text(it.textZh, it.textEn) }

    /** A reason with the actions it allows, the suggested one first. */
    fun reason(reason: Reason): ReasonLabel = reasons.getValue(reason)

    operator fun get(reason: Reason): Text = reason(reason).let { Text(it.textZh, it.textEn) }

    operator fun get(action: Action): Text = actions.getValue(action)

    operator fun get(handoff: HandoffKind): Text = handoffs.getValue(handoff)

    operator fun get(relation: Relation): Text = relations.getValue(relation)

    operator fun get(outcome: Outcome): Text = outcomes.getValue(outcome)

    operator fun get(result: InspectionResult): Text = inspections.getValue(result)

    operator fun get(method: IdentityMethod): Text = identities.getValue(method)

    operator fun get(promise: PromiseClass): Text = promises.getValue(promise)

    operator fun get(tag: HandlingTag): Text = tags.getValue(tag)

    operator fun get(result: CallResult): Text = calls.getValue(result)

    operator fun get(channel: ConsentChannel): Text = channels.getValue(channel)

    operator fun get(reason: SkipReason): Text = skips.getValue(reason)

    operator fun get(warning: PhotoWarning): Text = warnings.getValue(warning)

    operator fun get(state: SyncState): Text = syncStates.getValue(state)

    operator fun get(blocking: Blocking): Text = blockings.getValue(blocking)

    operator fun get(why: PlanReason): Text = plans.getValue(why)
}
