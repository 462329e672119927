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

    /// Whether a scheduler should run the sync again: not when all is done.
    public var wantsAnotherRun: Bool { self != .done }
}

/// Does the network's part of the sync: takes the library's requests, sends them, gives back what came.
///
/// All judgement (what to send, when to retry, when to give up) is the library's; the loop cannot spin,
/// because a failed request is not handed out again before its time. Run it when the app comes to the
/// foreground, after `completeAttempt`, when the network is back, and from a background task.
public final class SyncHost: Sendable {
    private let phone: CourierPhone
    private let transport: any HttpTransport
    private let network: @Sendable () -> NetworkState
    private let isStopped = Locked(false)

    /// Clocks may differ by a little: never spin on a wait that is just over.
    private static let minWaitMs: Int64 = 20

    /// - Parameters:
    ///   - phone: whose requests are sent.
    ///   - transport: sends them, one at a time.
    ///   - network: says what network there is right now; asked before each request.
    public init(
        _ phone: CourierPhone,
        transport: any HttpTransport = URLSessionTransport(),
        network: @escaping @Sendable () -> NetworkState
    ) {
        self.phone = phone
        self.transport = transport
        self.network = network
    }

    /// Sends and reads until there is nothing to do now. Throws what the store throws.
    ///
    /// Cancelling the task hangs up on the request that is on its way; the library is told so and will ask the
    /// hub how much arrived.
    public func run() async throws -> SyncEnd {
        while !isStopped.with({ $0 }), !Task.isCancelled {
            let network = network()
            let next: SyncTask
            do {
                next = try await phone.read { try $0.nextTask(network: network) }
            } catch is CancellationError {
                break
            }
            switch next {
            case .http(let task):
                let outcome = await send(task)
                // Also when cancelled meanwhile: a task that is never completed would block the next run.
                try await phone.alwaysTrying { try $0.completeTask(taskId: task.id, outcome: outcome) }
            case .wait(let untilMs, let reason):
                return .waiting(untilMs: untilMs, reason: reason)
            case .done:
                return .done
            }
        }
        return .stopped
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

    private func send(_ task: HttpTask) async -> TaskOutcome {
        // No route, a reset, a bad certificate, a URL the stack does not take: no answer came.
        guard let answer = try? await transport.send(task) else { return .failed }
        return .answered(answer: answer)
    }

    private static func nowMs() -> Int64 {
        Int64(Date().timeIntervalSince1970 * 1_000)
    }
}
