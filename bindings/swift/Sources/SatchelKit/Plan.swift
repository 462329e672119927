extension CourierPhone {
    /// Plans with time to spare, as before leaving the depot. Cancelling the task ends the search, and the
    /// best plan so far is stored and returned: a cancelled search is a shorter one, not a lost one.
    ///
    /// - Parameters:
    ///   - start: where the courier is; without it the door of the last record, else the depot.
    ///   - progress: told how far the search is, from a thread of the library's caller, some hundred times a second.
    public func planThoroughly(
        start: Place? = nil,
        progress: @escaping @Sendable (PlanProgress) -> Void
    ) async throws -> RoutePlan {
        let watcher = CancellableWatcher(progress)
        return try await withTaskCancellationHandler {
            try await write { try $0.planThoroughly(watcher: watcher, start: start) }
        } onCancel: {
            watcher.end()
        }
    }
}

private final class CancellableWatcher: PlanWatcher {
    private let progress: @Sendable (PlanProgress) -> Void
    private let isOver = Locked(false)

    init(_ progress: @escaping @Sendable (PlanProgress) -> Void) {
        self.progress = progress
    }

    func end() {
        isOver.with { $0 = true }
    }

    func goesOn(progress: PlanProgress) throws -> Bool {
        self.progress(progress)
        return !isOver.with { $0 }
    }
}
