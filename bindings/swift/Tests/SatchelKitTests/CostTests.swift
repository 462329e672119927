import Foundation
import SatchelKit
import Testing

/// What the border costs from Swift, to hold beside the same calls from Kotlin and Rust: printed, not asserted, because a
/// debug build on a busy machine says nothing about a phone. The calls are counted.
@Suite(.serialized, .enabled(if: Given.optional("SATCHEL_CYCLES") != nil, "they run alone, by scripts/test-swift"))
struct CostTests {
    @Test("what each call of the main path takes")
    func mainPath() async throws {
        let phone = try await SharedPhone.shared.phone()
        let satchel = phone.satchel
        let rounds = Given.optional("SATCHEL_CYCLES").flatMap { Int($0) } ?? 0 >= 10_000 ? 60 : 6
        let door = try await SharedPhone.shared.door()
        var times: [(name: String, ns: [UInt64])] = []
        func measured<Value>(_ name: String, _ call: () throws -> Value) rethrows -> Value {
            let start = DispatchTime.now().uptimeNanoseconds
            let value = try call()
            let ns = DispatchTime.now().uptimeNanoseconds - start
            if let at = times.firstIndex(where: { $0.name == name }) { times[at].ns.append(ns) } else { times.append((name, [ns])) }
            return value
        }
        var listed = 0
        for _ in 0..<rounds {
            listed = try measured("stops(200)") { try satchel.stops(offset: 0, limit: 200) }.stops.count
            _ = try measured("stop") { try satchel.stop(stopId: door.stopId) }
            _ = try measured("handoffs") { try satchel.handoffs(stopId: door.stopId) }
            let draft = try measured("beginAttempt") { try satchel.beginAttempt(stopId: door.stopId, handoff: .recipient) }
            _ = try measured("checkSignature") { try satchel.checkSignature(attemptId: draft.attemptId, signature: signature()) }
            _ = try measured("completeAttempt *") { try satchel.completeAttempt(attemptId: draft.attemptId, completion: shut(door)) }
            _ = try measured("changesSince") { try satchel.changesSince(version: 0) }
            _ = try measured("syncStatus") { try satchel.syncStatus() }
            _ = try measured("nextTask") { try satchel.nextTask(network: .offline) }
            _ = try await phone.stop(stopId: door.stopId)
        }
        #expect(listed > 0)
        #expect(try satchel.stop(stopId: door.stopId).parcels[0].attempts == UInt32(rounds))
        for (name, ns) in times {
            let sorted = ns.dropFirst(ns.count / 6).sorted()
            let at = { (share: Int) in sorted[(sorted.count - 1) * share / 100] / 1_000 }
            print("cost: \(name.padding(toLength: 18, withPad: " ", startingAt: 0)) p50 \(at(50)) µs  p99 \(at(99)) µs, \(listed) stops")
        }
    }
}
