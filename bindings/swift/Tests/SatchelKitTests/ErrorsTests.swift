import Foundation
import SatchelKit
import Testing

/// Every variant of the error is reached from Swift, and damage is never answered with more damage.
@Suite struct ErrorsTests {
    private let folder = Folder()
    private let unknown = "00000000-0000-7000-8000-000000000000"

    private func open(_ name: String, key: Data = testKey()) throws -> Satchel {
        try Satchel.open(config: config(folder(name), key: key))
    }

    private func place(_ name: String, _ bytes: Data) throws -> URL {
        try FileManager.default.createDirectory(at: folder(name), withIntermediateDirectories: true)
        let file = folder(name).appendingPathComponent("satchel.db")
        try bytes.write(to: file)
        return file
    }

    /// All pages but the first, which is what tells a wrong key.
    private func damage(_ name: String) throws -> Data {
        let file = folder(name).appendingPathComponent("satchel.db")
        var bytes = try Data(contentsOf: file)
        for at in 4_096..<bytes.count { bytes[at] &+= 1 }
        try bytes.write(to: file)
        return bytes
    }

    @Test("what the app did wrong")
    func mistakes() throws {
        func what(_ call: () throws -> Void) -> String? {
            guard case .InvalidInput(let what) = refused(call) else { return nil }
            return what
        }
        #expect(what { _ = try open("a", key: Data(count: 31)) } == "key")
        #expect(what { _ = try Satchel.open(config: SatchelConfig(directory: "", key: testKey())) } == "directory")
        #expect(what { _ = try Satchel.open(config: config(folder("a"), bootId: "today")) } == "boot_id")
        #expect(what { _ = try Satchel.open(config: config(folder("a"), utcOffsetMin: 900)) } == "utc_offset_min")
        let phone = try open("a")
        #expect(what { _ = try phone.stop(stopId: "7") } == "stop_id")
        #expect(what { _ = try phone.addPhoto(attemptId: "", path: "x.jpg", origin: .camera) } == "attempt_id")
        #expect(what { _ = try phone.ratingCode(parcelId: "not an id") } == "parcel_id")
        #expect(what { _ = try phone.stops(limit: 0) } == "limit")
        #expect(refused { try phone.enrol(invite: "SATCHEL:NOTHING", label: "x") } == .InviteRejected)
        #expect(refused { try phone.stop(stopId: unknown) } == .NotFound(what: "stop"))
        #expect(refused { try phone.beginAttempt(stopId: unknown, handoff: .recipient) } == .NotEnrolled)
        #expect(try phone.nextTask(network: .unmetered) == .done)
    }

    @Test("what the rules do not allow")
    func refusals() async throws {
        let satchel = try await SharedPhone.shared.phone().satchel
        let door = try await SharedPhone.shared.door()
        let locked = refused { try satchel.beginAttempt(stopId: door.stopId, handoff: .station) }
        guard case .Refused(.consentMissing, [.consent], _, _) = locked else {
            Issue.record("\(String(describing: locked))")
            return
        }
        #expect(locked?.words(.chinese)?.isEmpty == false && locked?.words(.english)?.isEmpty == false)
        let draft = try satchel.beginAttempt(stopId: door.stopId, handoff: .recipient)
        let gone = folder("nowhere.jpg").path
        guard case .PhotoRejected(.missing, _, _) = refused({
            try satchel.addPhoto(attemptId: draft.attemptId, path: gone, origin: .camera)
        }), case .SignatureRejected(.empty, _, _) = refused({
            try satchel.checkSignature(
                attemptId: draft.attemptId, signature: Signature(strokes: [], canvasWidth: 600, canvasHeight: 300))
        }) else {
            Issue.record("no photo or no ink was taken")
            return
        }
        let invite = try Given.invite("Swift_More")
        #expect(refused { try satchel.enrol(invite: invite, label: "x") } == .AlreadyDone(what: "enrolment"))
    }

    @Test("two instances on one store, and the wrong key")
    func lockedAndWrongKey() throws {
        let first = try open("keys")
        #expect(refused { try open("keys") } == .StoreLocked)
        first.shutdown()
        #expect(refused { try open("keys", key: Data(count: 32)) } == .WrongKey)
        #expect(refused { try first.stops() } == .Closed)
        #expect(refused { try first.resume() } == .Closed)
        let second = try open("keys")
        second.pause()
        #expect(refused { try second.stops() } == .Paused)
        try second.resume()
        #expect(try second.stops().total == 0)
    }

    @Test("a foreign, damaged or newer store is named and left as it is")
    func stores() throws {
        let foreign = Data("SQLite format 3\u{0}".utf8) + Data(repeating: 1, count: 8_192)
        let file = try place("foreign", foreign)
        #expect(refused { try open("foreign") } == .StoreForeign)
        #expect(try Data(contentsOf: file) == foreign)

        try open("damaged").shutdown()
        let damaged = try damage("damaged")
        #expect(refused { try open("damaged").stops() } == .StoreDamaged)
        #expect(try Data(contentsOf: folder("damaged").appendingPathComponent("satchel.db")) == damaged)

        let testdata = try #require(Given.optional("SATCHEL_TESTDATA"), "run by scripts/test-swift")
        let newer = try Data(contentsOf: URL(fileURLWithPath: testdata).appendingPathComponent("newer-store.db"))
        let newerFile = try place("newer", newer)
        guard case .StoreFromNewerVersion(999, let known) = refused({ try open("newer") }) else {
            Issue.record("a newer store was opened")
            return
        }
        #expect((1..<999).contains(known))
        #expect(try Data(contentsOf: newerFile) == newer)

        try Data().write(to: folder("file"))
        guard case .Internal(let code) = refused({ try open("file") }) else {
            Issue.record("a file was taken for a folder")
            return
        }
        #expect(code.hasPrefix("IO_"))
    }

    @Test("a full disk is named, loses nothing and ends when there is room",
        .enabled(if: Given.optional("SATCHEL_SMALL_DISK") != nil, "no small disk: only root can mount one"))
    func fullDisk() throws {
        let disk = URL(fileURLWithPath: try #require(Given.optional("SATCHEL_SMALL_DISK")))
        let filler = disk.appendingPathComponent("filler")
        try Data().write(to: filler)
        let writing = try FileHandle(forWritingTo: filler)
        for size in [65_536, 4_096, 1] {
            while (try? writing.write(contentsOf: Data(repeating: 1, count: size))) != nil {}
        }
        try writing.close()
        let store = disk.appendingPathComponent("store")
        #expect(refused { try Satchel.open(config: config(store)) } == .StorageFull)
        try FileManager.default.removeItem(at: filler)
        #expect(try Satchel.open(config: config(store)).enrolment() == .absent)
    }
}
