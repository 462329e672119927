import Foundation
import SatchelKit
import Testing

/// Nothing is left behind, however often a phone is opened and handoffs are completed. Memory is the
/// process's, so these tests run alone: the driver starts them by themselves with SATCHEL_CYCLES, a few
/// hundred in CI, 10,000 with `scripts/test-swift --long`.
///
/// A store that grows fills the 8 MiB of pages that the library keeps of it, once; a leak goes on. The long form
/// therefore begins to count when they are full. The short one cannot, and allows for what they take by then.
@Suite(.serialized, .enabled(if: Given.optional("SATCHEL_CYCLES") != nil, "they run alone, by scripts/test-swift"))
struct LeakTests {
    private let folder = Folder()
    private let cycles = Given.optional("SATCHEL_CYCLES").flatMap { Int($0) } ?? 0

    /// A cycle writes somewhat less than a KiB.
    private static let untilPagesAreFull = 14_000

    @Test("opening, working and closing")
    func phones() throws {
        try holds("phones", warmUp: max(50, cycles / 10)) {
            let phone = try Satchel.open(config: config(folder("store")))
            _ = try phone.stops()
            _ = try phone.syncStatus()
            _ = refused { try phone.stop(stopId: "7") }
            phone.shutdown()
        }
    }

    @Test("completing, on one phone")
    func completions() async throws {
        let phone = try await SharedPhone.shared.phone()
        let satchel = phone.satchel
        let doors = try await phone.allStops()
        var visits = 0
        try holds("completions", warmUp: isLong ? Self.untilPagesAreFull : 50) {
            // Door after door, again and again: the record grows on the disk, not in memory.
            let door = doors[visits % doors.count]
            visits += 1
            let draft = try satchel.beginAttempt(stopId: door.stopId, handoff: .recipient)
            _ = try satchel.completeAttempt(attemptId: draft.attemptId, completion: shut(door))
            _ = try satchel.requirements(stopId: door.stopId, handoff: .recipient, parcelIds: [])
        }
    }

    @Test("what were left behind would be seen")
    func control() throws {
        let phone = try Satchel.open(config: config(folder("control")))
        let each = 2 * allowanceKiB * 1_024 / cycles
        var kept: [[UInt8]] = []
        let seen = try growth(warmUp: 50) {
            kept.append([UInt8](repeating: 1, count: each))
            _ = try phone.enrolment()
        }
        #expect(seen.memoryKiB > allowanceKiB, "\(each) bytes a cycle")
        #expect(kept.count == cycles + 50)
        phone.shutdown()
    }

    private var isLong: Bool { cycles >= 10_000 }

    /// In the long form some 50 bytes a cycle: no object that is left behind with each is smaller.
    private var allowanceKiB: Int { isLong ? 512 : 1_024 + cycles }

    private func holds(_ what: String, warmUp: Int, _ cycle: () throws -> Void) throws {
        let grown = try growth(warmUp: warmUp, cycle)
        print("leak: \(what): \(grown.memoryKiB) KiB more after \(cycles) cycles in \(grown.seconds) s, after \(warmUp) to warm up")
        #expect(grown.memoryKiB < allowanceKiB)
        #expect(grown.files <= 0)
    }

    private func growth(warmUp: Int, _ cycle: () throws -> Void) throws -> (memoryKiB: Int, files: Int, seconds: Int) {
        for _ in 0..<warmUp { try cycle() }
        let before = try (memory: ownKiB(), files: openFiles())
        let started = Date()
        for _ in 0..<cycles { try cycle() }
        let seconds = Int(Date().timeIntervalSince(started))
        return try (ownKiB() - before.memory, openFiles() - before.files, seconds)
    }

    /// What the process took for itself; pages of programs and libraries come and go with their files.
    private func ownKiB() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") })
        return try #require(line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }.first)
    }

    private func openFiles() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }
}
