import Foundation

/// How a run of the sync host ended.
public enum SyncEnd: Sendable, Equatable {
    /// Everything is sent and read.
    case done
    /// Nothing can be done before this time (Unix milliseconds; nil: before something changes).
    case waiting(untilMs: Int64?, reason: WaitReason)
    /// ``SyncHost/stop()`` was called or the task was cancelled.
    case stopped
    /// The time given to ``SyncHost/syncOnce(timeoutMs:)`` is over; what is left waits for the next run.
    case outOfTime
    /// The key in the phone's hardware could not do what it is for; ``SyncHost/keyError`` says why. The enrolment or
    /// the change of keys waits, everything else is sent and read.
    case keyFailed
    /// The hub ordered this phone to be wiped: key and store are gone, the phone is closed. Back to the first screen.
    /// What had not reached the hub is lost, by number.
    case wiped(unsentEntries: UInt64, unsentProofs: UInt64)

    /// Whether a scheduler should run the sync again: not when all is done.
    public var wantsAnotherRun: Bool {
        switch self {
        case .done, .wiped: false
        case .waiting, .stopped, .outOfTime, .keyFailed: true
        }
    }
}

/// Does the network's part of the sync: takes the library's requests, sends them, gives back what came.
///
/// All judgement (what to send, when to retry, when to give up) is the library's; the loop cannot spin,
/// because a failed request is not handed out again before its time. Run it when the app comes to the
/// foreground, after `completeAttempt`, when the network is back, and from a background task.
///
/// Before each run it tells the transport which TLS keys the hub has to show, and where it was given the phone's keys
/// it has them do what the library asks: vouch for the log's key, be destroyed when the hub orders a wipe.
public final class SyncHost: Sendable {
    private let phone: CourierPhone
    private let transport: any HttpTransport
    private let network: @Sendable () -> NetworkState
    private let keys: PhoneKeys?
    private let beforeSend: @Sendable (HttpTask) -> Void
    private let isStopped = Locked(false)
    private let failure = Locked<(any Error)?>(nil)

    /// Why the last run ended with ``SyncEnd/keyFailed``.
    public var keyError: (any Error)? { failure.with { $0 } }

    /// Clocks may differ by a little: never spin on a wait that is just over.
    private static let minWaitMs: Int64 = 20
    /// In front, the loop looks this often of itself: the network may be another by then.
    private static let lookMs: Int64 = 30_000
    /// Offline or not enrolled: how soon to think again of waiting at the hub.
    private static let pollRestMs: Int64 = 5_000

    /// - Parameters:
    ///   - phone: whose requests are sent.
    ///   - transport: sends them, one at a time.
    ///   - keys: those the platform keeps. Without them a hub that insists on a hardware key takes no enrolment, and
    ///     `keyTask` is the app's own to ask.
    ///   - beforeSend: called with each request just before it goes out. `upload` in it says how far a photo is, for a
    ///     progress bar.
    ///   - network: says what network there is right now; asked before each request.
    public init(
        _ phone: CourierPhone,
        transport: any HttpTransport = URLSessionTransport(),
        keys: PhoneKeys? = nil,
        beforeSend: @escaping @Sendable (HttpTask) -> Void = { _ in },
        network: @escaping @Sendable () -> NetworkState
    ) {
        self.phone = phone
        self.transport = transport
        self.keys = keys
        self.beforeSend = beforeSend
        self.network = network
    }

    /// Sends and reads until there is nothing to do now. Throws what the store throws.
    ///
    /// Cancelling the task hangs up on the request that is on its way; the library is told so and will ask the
    /// hub how much arrived.
    public func run() async throws -> SyncEnd {
        let before: SyncEnd?
        do {
            before = try await begin()
        } catch is CancellationError {
            return .stopped
        }
        if let before, case .wiped = before { return before }
        while !isStopped.with({ $0 }), !Task.isCancelled {
            let network = network()
            do {
                switch try await phone.read({ try $0.nextTask(network: network) }) {
                case .http(let task):
                    let outcome = await send(task, over: transport)
                    // Also when cancelled meanwhile: a task that is never completed would block the next run.
                    try await phone.alwaysTrying { try $0.completeTask(taskId: task.id, outcome: outcome) }
                case .wait(let untilMs, let reason):
                    if let end = try await end(.waiting(untilMs: untilMs, reason: reason), before) { return end }
                case .done:
                    if let end = try await end(.done, before) { return end }
                }
            } catch is CancellationError {
                break
            }
        }
        return .stopped
    }

    /// Before anything is sent: whom to send it to, and what the keys have to do. What stands against it, if anything.
    private func begin() async throws -> SyncEnd? {
        try await trust(transport)
        let keys = keys
        if case .failed(let error) = try await phone.read({ try $0.offer(keys) }) { return failed(error) }
        let end = try await end(.done, nil)
        return end == .done ? nil : end
    }

    private func trust(_ transport: any HttpTransport) async throws {
        if let hub = try await phone.read({ try $0.hubAddress() }) { try transport.trust(hub) }
    }

    /// How the run ends, or nil when the keys made it go on: a signature is to be sent.
    private func end(_ end: SyncEnd, _ before: SyncEnd?) async throws -> SyncEnd? {
        let keys = keys
        switch try await phone.read({ try $0.serve(keys) }) {
        case .nothing: return before ?? end
        case .served: return nil
        case .failed(let error): return failed(error)
        case .wiped(let entries, let proofs):
            phone.nudge()
            return .wiped(unsentEntries: entries, unsentProofs: proofs)
        }
    }

    private func failed(_ error: any Error) -> SyncEnd {
        failure.with { $0 = error }
        return .keyFailed
    }

    /// While the app is in front: sends what is recorded as it comes, and has the hub tell its news the moment there
    /// are any. Goes on until its task is cancelled, as it must be before a `pause`, or ``stop()`` or a wipe ends it.
    ///
    /// - Parameter polls: waits at the hub, beside the transport that sends: one of its own, with some 30 s of
    ///   patience more.
    public func follow(polls: any HttpTransport = URLSessionTransport(timeouts: HttpTimeouts(idleMs: 60_000))) async throws
        -> SyncEnd
    {
        // Listening begins before the first run, so that nothing falls between the two.
        let ticks = phone.signal.ticks()
        return try await withThrowingTaskGroup(of: SyncEnd?.self) { group in
            group.addTask { try await self.sendAsItComes(ticks) }
            group.addTask {
                try await self.poll(polls)
                // Without news to wait for the other loop goes on alone.
                return nil
            }
            defer { group.cancelAll() }
            while let end = try await group.next() {
                if let end { return end }
            }
            return .stopped
        }
    }

    private func sendAsItComes(_ ticks: AsyncStream<Void>) async throws -> SyncEnd {
        // Records, news and the clock wake the loop through one stream.
        let (wakes, bell) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        var wake = wakes.makeAsyncIterator()
        let listening = Task {
            for await _ in ticks { bell.yield() }
        }
        defer { listening.cancel() }
        while true {
            let end = try await run()
            var dueMs = Self.lookMs
            switch end {
            case .stopped, .wiped: return end
            case .waiting(let untilMs?, _): dueMs = untilMs - Self.nowMs()
            default: break
            }
            let sleepMs = min(max(dueMs, Self.minWaitMs), Self.lookMs)
            let alarm = Task {
                try await Task.sleep(nanoseconds: UInt64(sleepMs) * 1_000_000)
                bell.yield()
            }
            await wake.next()
            alarm.cancel()
        }
    }

    private func poll(_ polls: any HttpTransport) async throws {
        while !isStopped.with({ $0 }), !Task.isCancelled {
            let network = network()
            var restMs = Self.pollRestMs
            do {
                try await trust(polls)
                switch try await phone.read({ try $0.pollTask(network: network) }) {
                case .http(let task):
                    let outcome = await send(task, over: polls)
                    try await phone.alwaysTrying { try $0.completeTask(taskId: task.id, outcome: outcome) }
                    continue
                case .wait(let untilMs?, _): restMs = min(max(untilMs - Self.nowMs(), Self.minWaitMs), restMs)
                default: break
                }
            } catch SatchelError.Closed {
                // Wiped; the other loop says so.
                return
            } catch is CancellationError {
                return
            }
            // Cancelled: the loop's head sees it.
            try? await Task.sleep(nanoseconds: UInt64(restMs) * 1_000_000)
        }
    }

    /// One run for a scheduler that gives some seconds, as a background task does. When they are over, the
    /// request on its way is ended and counts as failed; nothing is lost, and no task is left in flight.
    public func syncOnce(timeoutMs: Int64) async throws -> SyncEnd {
        let running = Task { try await run() }
        let isOutOfTime = Locked(false)
        let alarm = Task {
            try await Task.sleep(nanoseconds: UInt64(timeoutMs) * 1_000_000)
            isOutOfTime.with { $0 = true }
            running.cancel()
        }
        defer { alarm.cancel() }
        let end = try await withTaskCancellationHandler {
            try await running.value
        } onCancel: {
            running.cancel()
        }
        return end == .stopped && isOutOfTime.with({ $0 }) ? .outOfTime : end
    }

    /// Like ``run()``, but sits retries out until everything is done or the time is up. For programs without a
    /// scheduler and for screens that wait; a phone app leaves waiting to the system.
    public func runUntilDone(timeoutMs: Int64) async throws -> SyncEnd {
        let deadlineMs = Self.nowMs() + timeoutMs
        while true {
            let end = try await run()
            guard case .waiting(let untilMs?, _) = end else { return end }
            let waitMs = max(untilMs - Self.nowMs(), Self.minWaitMs)
            if Self.nowMs() + waitMs > deadlineMs { return end }
            do {
                try await Task.sleep(nanoseconds: UInt64(waitMs) * 1_000_000)
            } catch {
                return .stopped
            }
        }
    }

    /// Ends every run after the request it is at; for good.
    public func stop() {
        isStopped.with { $0 = true }
    }

    private func send(_ task: HttpTask, over transport: any HttpTransport) async -> TaskOutcome {
        beforeSend(task)
        // No route, a reset, a bad certificate, a URL the stack does not take: no answer came.
        guard let answer = try? await transport.send(task) else { return .failed }
        return .answered(answer: answer)
    }

    private static func nowMs() -> Int64 {
        Int64(Date().timeIntervalSince1970 * 1_000)
    }
}
