import Foundation
import SatchelKit
import Testing

/// What the driver (`scripts/test-swift`) gives: invites of a running hub and where to write the record.
enum Given {
    static func invite(_ courier: String) throws -> String {
        try value("SATCHEL_INVITE_\(courier.uppercased())")
    }

    static func recordFile() throws -> URL {
        URL(fileURLWithPath: try value("SATCHEL_RECORD_SWIFT"))
    }

    static func optional(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func value(_ name: String) throws -> String {
        try #require(optional(name), "\(name) is not set: these tests run from scripts/test-swift")
    }
}

/// A folder that is gone with the test.
final class Folder: Sendable {
    let url: URL

    init() {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("satchel-\(UUID().uuidString)")
        // A test without its folder fails at its first file.
        try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func callAsFunction(_ name: String) -> URL {
        url.appendingPathComponent(name)
    }
}

/// A key as a keychain would give it; fixed, so that a store can be opened again.
func testKey() -> Data {
    Data((0..<32).map { UInt8($0 * 7 + 1) })
}

func config(_ directory: URL, key: Data = testKey(), bootId: String? = nil, utcOffsetMin: Int16? = 480) -> SatchelConfig {
    SatchelConfig(directory: directory.path, key: key, bootId: bootId, utcOffsetMin: utcOffsetMin)
}

/// Two strokes as a pad gives them.
func signature(seed: Double = 0) -> Signature {
    var wave: [InkPoint] = []
    for at in 0..<80 {
        let height: Double = 150 + 60 * sin(Double(at) / 6 + seed)
        wave.append(InkPoint(x: Float(40 + at * 5), y: Float(height), tMs: UInt32(at * 8), pressure: nil))
    }
    var bar: [InkPoint] = []
    for at in 0..<30 {
        bar.append(InkPoint(x: Float(120 + at * 6), y: Float(230 - at * 2), tMs: UInt32(900 + at * 8), pressure: nil))
    }
    return Signature(strokes: [wave, bar], canvasWidth: 600, canvasHeight: 300)
}

/// Every parcel of the stop delivered into the recipient's hands.
func handedOver(_ stop: Stop, signature: Signature? = signature(), skips: [Skip] = []) -> Completion {
    Completion(
        handoff: .recipient,
        parcels: stop.parcels.map { ParcelResult(parcelId: $0.parcelId, outcome: .delivered, scan: $0.waybill) },
        relation: .oneself,
        identity: RecipientCheck(method: .phoneLast4, matched: true),
        inspection: .declined,
        skips: skips,
        signature: signature,
        position: Position(lat: stop.lat, lng: stop.lng, accuracyM: 8, ageMs: 1_500, mock: false))
}

/// What a call throws, as the library's error.
func refused<Value>(_ call: () throws -> Value) -> SatchelError? {
    do {
        _ = try call()
        return nil
    } catch {
        return error as? SatchelError
    }
}
