import Foundation
import SatchelKit

/// One phone with a long round for all tests that need one; each test takes doors of its own.
actor SharedPhone {
    static let shared = SharedPhone()

    static let folder = Folder()
    static var store: URL { folder("store") }

    private var opening: Task<(CourierPhone, [Stop]), any Error>?
    private var taken = 0

    func phone() async throws -> CourierPhone {
        try await opened().0
    }

    /// A door no other test touches.
    func door() async throws -> Stop {
        let doors = try await opened().1
        taken += 1
        return doors[taken - 1]
    }

    private func opened() async throws -> (CourierPhone, [Stop]) {
        if let opening { return try await opening.value }
        let task = Task {
            let phone = try await CourierPhone.open(config: config(Self.store))
            try await phone.enrol(invite: Given.invite("Swift_More"), label: "shared test phone")
            let end = try await SyncHost(phone) { .unmetered }.runUntilDone(timeoutMs: 60_000)
            guard end == .done else { throw CocoaError(.fileReadUnknown) }
            return (phone, try await phone.allStops())
        }
        opening = task
        return try await task.value
    }
}

/// The door stayed shut: a record that needs neither photo nor call.
func shut(_ stop: Stop) -> Completion {
    let outcome = ParcelOutcome.failed(reason: .noParking, action: .retryOnFoot)
    return Completion(
        handoff: .recipient,
        parcels: stop.parcels.map { ParcelResult(parcelId: $0.parcelId, outcome: outcome) })
}
