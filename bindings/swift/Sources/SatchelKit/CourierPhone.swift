import Foundation

/// The phone for callers that must not block: every call of `Satchel` once more, as `async`.
///
/// Cancellation is explicit and loses nothing. A call that has not begun when its task is cancelled throws
/// `CancellationError` and has done nothing; one that has begun runs to its end and returns what came of it,
/// because the library finishes what it began. So `completeAttempt` never leaves open whether the handoff is
/// on disk: an error means that nothing was written, a value that everything was.
///
/// The calls themselves are generated from the library (`Generated/CourierPhone+Calls.swift`).
public final class CourierPhone: Sendable {
    /// The same phone for blocking calls from threads of one's own.
    public let satchel: Satchel

    let signal = ChangeSignal()

    /// Not Swift's own pool: a thread that waits for the disk there would hold up every other task.
    private let queue = DispatchQueue(label: "satchel.calls", qos: .userInitiated, attributes: .concurrent)

    /// A phone that was opened by `Satchel.open(config:)`.
    public init(_ satchel: Satchel) {
        self.satchel = satchel
    }

    /// Opens the store as `Satchel.open(config:)` does, off the caller's thread.
    public static func open(config: SatchelConfig) async throws -> CourierPhone {
        let opened = try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global(qos: .userInitiated).async {
                continuation.resume(with: Result { try Satchel.open(config: config) })
            }
        }
        return CourierPhone(opened)
    }

    /// Has the library record something, in one call or several; the streams look again afterwards.
    public func write<Value: Sendable>(
        _ work: @escaping @Sendable (Satchel) throws -> Value
    ) async throws -> Value {
        // Also after an error: of several calls the first may have been taken.
        defer { nudge() }
        return try await read(work)
    }

    /// Asks the library for something, in one call or the several that a screen needs together.
    public func read<Value: Sendable>(
        _ work: @escaping @Sendable (Satchel) throws -> Value
    ) async throws -> Value {
        let ticket = Locked(Ticket.waiting)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                queue.async { [satchel] in
                    let mayBegin = ticket.with { ticket in
                        if ticket == .waiting { ticket = .begun }
                        return ticket == .begun
                    }
                    guard mayBegin else { return continuation.resume(throwing: CancellationError()) }
                    continuation.resume(with: Result { try work(satchel) })
                }
            }
        } onCancel: {
            ticket.with { if $0 == .waiting { $0 = .cancelled } }
        }
    }

    /// Runs a call that must happen whether or not the caller was cancelled.
    public func always<Value: Sendable>(_ work: @escaping @Sendable (Satchel) -> Value) async -> Value {
        let value = await withCheckedContinuation { continuation in
            queue.async { [satchel] in continuation.resume(returning: work(satchel)) }
        }
        nudge()
        return value
    }

    /// Like ``always(_:)`` for a call that may fail.
    func alwaysTrying(_ work: @escaping @Sendable (Satchel) throws -> Void) async throws {
        try await always { satchel in Result { try work(satchel) } }.get()
    }

    /// Tells the streams to look again, after something was recorded past this object.
    public func nudge() {
        signal.poke()
    }

    /// Whether a call may still begin.
    private enum Ticket {
        case waiting, begun, cancelled
    }
}
