import Foundation
@testable import SatchelKit
import Testing

/// A hub that insists on a hardware key for every log, names its TLS keys, and orders a wipe.
@Suite struct StrictHubTests {
    private let folder = Folder()
    private var store: URL { folder("store") }

    @Test("a phone's whole life with such a hub", .enabled(if: Given.optional("SATCHEL_INVITE_STRICT") != nil))
    func wholeLife() async throws {
        let keyStore = FileKeyStore(file: folder("satchel.key"))
        let signing = try OpenSslSigningKey()
        let keys = PhoneKeys(store: keyStore, directory: store, signing: signing)
        let phone = try await CourierPhone.open(config: .forThisDevice(directory: store, keys: keyStore))
        try await phone.enrol(invite: Given.invite("Strict"), label: "strict phone")

        // Without the hardware's word the hub takes no phone; hardware that cannot sign now says why.
        #expect(try await host(phone, nil).run() != .done)
        let broken = host(phone, PhoneKeys(store: keyStore, directory: store, signing: AbsentKey()))
        #expect(try await broken.run() == .keyFailed)
        #expect(broken.keyError is AbsentKey.NobodyThere)
        #expect(try await phone.enrolment() == .pending)

        #expect(try await host(phone, keys).runUntilDone(timeoutMs: 60_000) == .done)
        guard case .enrolled(let device, _) = try await phone.enrolment() else {
            Issue.record("not enrolled")
            return
        }
        try await follows(phone, keys)
        try await changesItsLogKey(phone, keys)
        try await isWiped(phone, keys, keyStore, device)
    }

    private func host(_ phone: CourierPhone, _ keys: PhoneKeys?) -> SyncHost {
        SyncHost(phone, keys: keys) { .unmetered }
    }

    /// A record goes up and a new stop comes down without anybody asking for a sync.
    private func follows(_ phone: CourierPhone, _ keys: PhoneKeys) async throws {
        let host = host(phone, keys)
        let following = Task { try await host.follow() }
        let door = try #require(try await phone.allStops().first)
        let draft = try await phone.beginAttempt(stopId: door.stopId, handoff: .recipient)
        try photograph(folder("door.png"), seed: 77)
        _ = try await phone.addPhoto(attemptId: draft.attemptId, path: folder("door.png").path, origin: .camera)
        _ = try await phone.completeAttempt(attemptId: draft.attemptId, completion: handedOver(door))
        try await eventually { try await phone.stop(stopId: door.stopId).sync == .proofComplete }

        // Less than the patience of one poll: the hub told it, nobody came to look.
        try await ask("import", "SS-9001")
        try await eventually { try await phone.allStops().contains { $0.parcels[0].waybill == "SS-9001" } }
        following.cancel()
        #expect(try await following.value == .stopped)
        #expect(try await self.host(phone, keys).runUntilDone(timeoutMs: 30_000) == .done, "nothing is left in flight")
    }

    private func changesItsLogKey(_ phone: CourierPhone, _ keys: PhoneKeys) async throws {
        try await phone.rotateLogKey()
        #expect(try await phone.keyTask() != nil)
        #expect(try await host(phone, keys).runUntilDone(timeoutMs: 60_000) == .done)
        #expect(try await phone.keyTask() == nil)
        let door = try #require(try await phone.allStops().first { $0.state == .open })
        let draft = try await phone.beginAttempt(stopId: door.stopId, handoff: .recipient)
        _ = try await phone.completeAttempt(attemptId: draft.attemptId, completion: shut(door))
        #expect(try await host(phone, keys).runUntilDone(timeoutMs: 60_000) == .done)
        #expect(try await phone.stop(stopId: door.stopId).sync == .proofComplete, "signed by the key that follows")
    }

    private func isWiped(_ phone: CourierPhone, _ keys: PhoneKeys, _ keyStore: FileKeyStore, _ device: String) async throws {
        let before = try keyStore.load()
        try await ask("wipe", device)
        // The hub refuses what a revoked phone sends; the order comes with the feed.
        try await eventually {
            await phone.requestSync()
            guard case .wiped = try await host(phone, keys).run() else { return false }
            return true
        }
        #expect(refused { try phone.satchel.stops() } == .Closed)
        #expect(!FileManager.default.fileExists(atPath: store.appendingPathComponent("satchel.db").path))
        #expect(try keyStore.load() == nil)
        #expect(try keys.finishWipe() == false, "it is over")
        // A new enrolment may begin, under another key.
        let anew = try SatchelConfig.forThisDevice(directory: store, keys: keyStore)
        #expect(anew.key != before)
        try Satchel.open(config: anew).shutdown()
    }

    @Test("a wipe that was cut off ends at the next start")
    func cutOff() throws {
        let keyStore = MemoryKeyStore()
        try Satchel.open(config: .forThisDevice(directory: store, keys: keyStore)).shutdown()
        let keys = PhoneKeys(store: keyStore, directory: store)
        try keys.destroy()
        #expect(throws: KeyStoreError.keyLost) { try keyStore.key(forStoreIn: store) }
        #expect(try keys.finishWipe())
        #expect(!FileManager.default.fileExists(atPath: store.appendingPathComponent("satchel.db").path))
        #expect(try keys.finishWipe() == false)
        try Satchel.open(config: .forThisDevice(directory: store, keys: keyStore)).shutdown()
    }

    @Test("a transport that cannot pin refuses a hub that has pins, and only that one")
    func pins() throws {
        let named = HubAddress(url: "https://hub.example", spkiSha256: [Data(repeating: 7, count: 32)])
        let unnamed = HubAddress(url: "https://hub.example", spkiSha256: [])
        try URLSessionTransport().trust(unnamed)
        #if canImport(Security)
        try URLSessionTransport().trust(named)
        #else
        #expect(throws: CannotPin.self) { try URLSessionTransport().trust(named) }
        #endif
        let pins = Pins()
        #expect(pins.allow(nil) && !pins.refuses("http://hub.example"), "no pins: what the system trusts")
        #expect(pins.take(named) && !pins.take(named))
        #expect(pins.refuses("http://hub.example") && !pins.refuses("https://hub.example"))
        #expect(!pins.allow(nil) && !pins.allow(Data("no certificate".utf8)))
        guard let path = Given.optional("SATCHEL_STRICT_CERTIFICATE"), let pin = Given.optional("SATCHEL_STRICT_PIN") else { return }
        let certificate = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(!pins.allow(certificate))
        let bytes = stride(from: 0, to: pin.count, by: 2).map { at in
            UInt8(pin.dropFirst(at).prefix(2), radix: 16) ?? 0
        }
        #expect(pins.take(HubAddress(url: "https://hub.example", spkiSha256: [Data(bytes)])))
        #expect(pins.allow(certificate))
    }

    /// The driver is the dispatcher: it wipes the phone or adds the stop that is named here.
    private func ask(_ what: String, _ whom: String) async throws {
        let please = URL(fileURLWithPath: try #require(Given.optional("SATCHEL_STRICT_PLEASE")))
        try Data(whom.utf8).write(to: please.appendingPathComponent(what), options: .atomic)
        try await eventually { FileManager.default.fileExists(atPath: please.appendingPathComponent(what + ".done").path) }
    }

    private func eventually(_ holds: () async throws -> Bool) async throws {
        for _ in 0..<800 {
            if try await holds() { return }
            try await Task.sleep(nanoseconds: 25_000_000)
        }
        Issue.record("not within 20 s")
    }
}

/// Hardware that the user would have to open first.
private struct AbsentKey: SigningKey {
    struct NobodyThere: Error {}

    func publicKey() throws -> Data { throw NobodyThere() }
    func sign(_: Data) throws -> Data { throw NobodyThere() }
    func destroy() {}
}

/// A P-256 key that the driver made, signed with by the system's own libcrypto: Foundation on Linux has none.
private struct OpenSslSigningKey: SigningKey {
    private let open: Data
    private let secret: Data

    init() throws {
        func read(_ name: String) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: try #require(Given.optional(name))))
        }
        open = try read("SATCHEL_STRICT_PUBLIC")
        secret = try read("SATCHEL_STRICT_SECRET")
    }

    struct CannotSign: Error {}

    func publicKey() -> Data { open }

    func sign(_ bytes: Data) throws -> Data {
        typealias Pointer = UnsafeMutableRawPointer
        typealias Read = @convention(c) (Pointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>, Int) -> Pointer?
        typealias Make = @convention(c) () -> Pointer?
        typealias Begin = @convention(c) (Pointer?, Pointer?, Pointer?, Pointer?, Pointer?) -> Int32
        typealias Sign = @convention(c) (Pointer?, UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<Int>, UnsafePointer<UInt8>, Int) -> Int32
        guard let library = dlopen("libcrypto.so.3", RTLD_NOW) else { throw CannotSign() }
        func function<F>(_ name: String, _: F.Type) throws -> F {
            guard let found = dlsym(library, name) else { throw CannotSign() }
            return unsafeBitCast(found, to: F.self)
        }
        let key = try secret.withUnsafeBytes { raw in
            var at = raw.bindMemory(to: UInt8.self).baseAddress
            return try function("d2i_AutoPrivateKey", Read.self)(nil, &at, raw.count)
        }
        let context = try function("EVP_MD_CTX_new", Make.self)()
        let sha256 = try function("EVP_sha256", Make.self)()
        var signature = [UInt8](repeating: 0, count: 128)
        var length = signature.count
        let message = [UInt8](bytes)
        guard try function("EVP_DigestSignInit", Begin.self)(context, nil, sha256, nil, key) == 1,
            try function("EVP_DigestSign", Sign.self)(context, &signature, &length, message, message.count) == 1
        else { throw CannotSign() }
        return Data(signature.prefix(length))
    }

    func destroy() {}
}
