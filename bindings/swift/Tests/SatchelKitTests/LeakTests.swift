import Foundation
import SatchelKit
import Testing

/// Nothing is left behind, however often a phone is opened and handoffs are completed. Memory is the
/// process's, so these tests run alone: the driver starts them by themselves with SATCHEL_CYCLES, a few
/// hundred in CI, 10,000 with `scripts/test-swift --long`.
@Suite(.serialized, .enabled(if: Given.optional("SATCHEL_CYCLES") != nil, "they run alone, by scripts/test-swift"))
struct LeakTests {
    private let folder = Folder()
    private let cycles = Given.optional("SATCHEL_CYCLES").flatMap { Int($0) } ?? 0

    @Test("opening, working and closing")
    func phones() throws {
        try holds("phones") {
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
        try holds("completions") {
            // Door after door, again and again: the record grows on the disk, not in memory.
            let door = doors[visits % doors.count]
            visits += 1
            let draft = try satchel.beginAttempt(stopId: door.stopId, handoff: .recipient)
            _ = try satchel.completeAttempt(attemptId: draft.attemptId, completion: shut(door))
            _ = try satchel.requirements(stopId: door.stopId, handoff: .recipient, parcelIds: [])
        }
    }

    private func holds(_ what: String, _ cycle: () throws -> Void) throws {
        // Allocators and caches settle first.
        for _ in 0..<max(50, cycles / 10) { try cycle() }
        let before = try (memory: residentKiB(), files: openFiles())
        let started = Date()
        for _ in 0..<cycles { try cycle() }
        let grown = try residentKiB() - before.memory
        print("leak: \(what): \(grown) KiB more after \(cycles) cycles in \(Int(Date().timeIntervalSince(started))) s")
        // A phone left behind is far above 100 KiB, a record some KiB; the allowance is for the allocator alone.
        #expect(grown < 1_024 + cycles / 2)
        #expect(try openFiles() <= before.files)
    }

    private func residentKiB() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(line.split(separator: " ").compactMap { Int($0) }.first)
    }

    private func openFiles() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }
}
