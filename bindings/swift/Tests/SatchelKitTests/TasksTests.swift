import Foundation
@testable import SatchelKit
import Testing

/// Tasks come and go; what was recorded stays.
@Suite struct TasksTests {
    private let folder = Folder()

    @Test("a task killed around a completion loses nothing and leaves nothing half done")
    func killed() async throws {
        let phone = try await SharedPhone.shared.phone()
        for round in 0..<20 {
            let door = try await SharedPhone.shared.door()
            let draft = try await phone.beginAttempt(stopId: door.stopId, handoff: .recipient)
            let completion = shut(door)
            let began = Locked(false)
            let task = Task {
                try await phone.write { satchel in
                    began.with { $0 = true }
                    return try satchel.completeAttempt(attemptId: draft.attemptId, completion: completion)
                }
            }
            // Now and then before, in and after the call.
            if round % 4 > 0 { try await Task.sleep(nanoseconds: UInt64(round % 4) * 1_500_000) }
            task.cancel()
            let result = await task.result
            let state = try await phone.stop(stopId: door.stopId).state
            if began.with({ $0 }) {
                #expect(state == .failed, "what has begun is finished, round \(round)")
                #expect((try? result.get()) != nil, "and its result reaches the caller")
                let twice = refused { try phone.satchel.completeAttempt(attemptId: draft.attemptId, completion: completion) }
                #expect(twice == .AlreadyDone(what: "attempt"))
            } else {
                #expect(state == .open, "what has not begun has done nothing, round \(round)")
                #expect(throws: CancellationError.self) { try result.get() }
            }
        }
    }

    @Test("a cancelled search is a shorter one: its best plan is stored")
    func cancelledSearch() async throws {
        let phone = try await SharedPhone.shared.phone()
        let asked = Locked(0)
        let searching = Locked<Task<RoutePlan, any Error>?>(nil)
        let task = Task {
            try await phone.planThoroughly { _ in
                asked.with { $0 += 1 }
                searching.with { $0?.cancel() }
            }
        }
        searching.with { $0 = task }
        let plan = try await task.value
        #expect(asked.with { $0 } < 50, "a whole search asks some hundred times")
        #expect(try await phone.currentPlan()?.madeAtMs == plan.madeAtMs)
        #expect(!plan.stops.isEmpty)
    }

    @Test("the stream of stops tells of each record without being asked")
    func watching() async throws {
        let phone = try await SharedPhone.shared.phone()
        let door = try await SharedPhone.shared.door()
        var lists = phone.watchStops().makeAsyncIterator()
        let before = try #require(try await lists.next())
        #expect(before.first { $0.stopId == door.stopId }?.state == .open)
        let recording = Task {
            let draft = try await phone.beginAttempt(stopId: door.stopId, handoff: .recipient)
            _ = try await phone.completeAttempt(attemptId: draft.attemptId, completion: shut(door))
        }
        var state = StopState.open
        while state == .open {
            state = try #require(try await lists.next()).first { $0.stopId == door.stopId }?.state ?? .open
        }
        #expect(state == .failed)
        try await recording.value
    }

    @Test("streams wait through a pause and end with the phone; a cancelled reader ends too")
    func streams() async throws {
        let phone = try await CourierPhone.open(config: config(folder("streams")))
        let reading = Task {
            var count = 0
            for try await _ in phone.changes() { count += 1 }
            return count
        }
        let cancelled = Task { for try await _ in phone.changes() {} }
        await phone.pause()
        #expect(refused { try phone.satchel.stops() } == .Paused)
        try await Task.sleep(nanoseconds: 50_000_000)
        try await phone.resume()
        cancelled.cancel()
        try await cancelled.value
        await phone.shutdown()
        #expect(try await reading.value <= 1)
    }

    @Test("a shutdown during calls ends them with an answer or with Closed")
    func shutdownDuringCalls() async throws {
        for round in 0..<5 {
            let phone = try await CourierPhone.open(config: config(folder("shut-\(round)")))
            let calls = (0..<4).map { _ in
                Task {
                    while true { _ = try await phone.syncStatus() }
                }
            }
            try await Task.sleep(nanoseconds: UInt64(round) * 2_000_000)
            await phone.shutdown()
            for call in calls {
                guard case .failure(let error) = await call.result else { continue }
                #expect(error as? SatchelError == .Closed)
            }
            // Everything is let go of: the same store opens again at once.
            try await CourierPhone.open(config: config(folder("shut-\(round)"))).shutdown()
        }
    }

    @Test("a cancelled sync ends soon and leaves no task in flight")
    func cancelledSync() async throws {
        let phone = try await SharedPhone.shared.phone()
        let door = try await SharedPhone.shared.door()
        let draft = try await phone.beginAttempt(stopId: door.stopId, handoff: .recipient)
        _ = try await phone.completeAttempt(attemptId: draft.attemptId, completion: shut(door))
        let stalled = SyncHost(phone, transport: StalledTransport()) { .unmetered }
        let syncing = Task { try await stalled.run() }
        try await Task.sleep(nanoseconds: 100_000_000)
        let started = Date()
        syncing.cancel()
        #expect(try await syncing.value == .stopped)
        #expect(Date().timeIntervalSince(started) < 2)
        await phone.requestSync()
        #expect(try await stalled.syncOnce(timeoutMs: 100) == .outOfTime)

        // Other tests of this phone may record meanwhile; what counts is that nobody holds a task.
        await phone.requestSync()
        let end = try await SyncHost(phone) { .unmetered }.runUntilDone(timeoutMs: 30_000)
        #expect(end == .done)
    }

    @Test("a log sink that throws breaks no call and goes on getting lines")
    func logSink() throws {
        let sink = ThrowingSink()
        try setLogSink(sink: sink, level: .warn)
        defer { clearLogSink() }
        try Data().write(to: folder("file"))
        for _ in 0..<2 { _ = refused { try Satchel.open(config: config(folder("file"))) } }
        for _ in 0..<100 where sink.lines.with({ $0 }) < 2 { Thread.sleep(forTimeInterval: 0.05) }
        #expect(sink.lines.with { $0 } >= 2)
    }
}

/// A network that never answers.
private struct StalledTransport: HttpTransport {
    func send(_: HttpTask) async throws -> HttpAnswer? {
        try await Task.sleep(nanoseconds: 60_000_000_000)
        return nil
    }
}

private final class ThrowingSink: LogSink {
    let lines = Locked(0)

    func log(record _: LogRecord) throws {
        lines.with { $0 += 1 }
        throw SatchelError.Internal(code: "a defect of the app")
    }
}
