import Foundation

/// Sends one request for the library, which does no network of its own.
///
/// An implementation sends method, URL, headers and body exactly as given (the request is signed), does not
/// follow redirects, reads at most `maxAnswerBytes` of the answer, and ends in bounded time.
public protocol HttpTransport: Sendable {
    /// Returns the answer, whatever its status, or nil when no whole answer came. What it throws counts as no
    /// answer. A cancelled task is one of these.
    func send(_ task: HttpTask) async throws -> HttpAnswer?

    /// Which hub follows and which TLS keys it has to show; ``SyncHost`` says it before each run. From then on a
    /// connection on which the server does not prove to have one of them is no answer, whatever the system trusts.
    func trust(_ hub: HubAddress) throws
}

/// The transport knows no pins, and the hub named some.
public struct CannotPin: Error {}

extension HttpTransport {
    /// Knows no pins, and so refuses a hub that has some.
    public func trust(_ hub: HubAddress) throws {
        guard hub.spkiSha256.isEmpty else { throw CannotPin() }
    }
}

/// The TLS keys a session goes by; nobody shows one in the clear.
final class Pins: Sendable {
    private let named = Locked<Set<Data>>([])

    /// Takes the hub's keys; true when they are others than before.
    func take(_ hub: HubAddress) -> Bool {
        let new = Set(hub.spkiSha256)
        return named.with { old in
            defer { old = new }
            return old != new
        }
    }

    /// Whether a request to this URL cannot be pinned.
    func refuses(_ url: String) -> Bool {
        named.with { !$0.isEmpty } && !url.lowercased().hasPrefix("https://")
    }

    /// Whether the server whose own certificate this is may be talked to. Never of another in its chain: anybody can
    /// append those.
    func allow(_ certificate: Data?) -> Bool {
        named.with { pins in
            pins.isEmpty || certificate.flatMap { certificateKeySha256(certificate: $0) }.map(pins.contains) == true
        }
    }
}

/// How long a request may take. A proof of 250 KB on a poor link of 0.1 Mbit/s needs 20 s.
public struct HttpTimeouts: Sendable {
    /// Without a byte in either direction.
    public let idleMs: Int
    /// From the first byte out to the last byte in.
    public let totalMs: Int

    public init(idleMs: Int = 20_000, totalMs: Int = 60_000) {
        precondition(idleMs > 0 && totalMs >= idleMs, "timeouts must be positive and in order")
        self.idleMs = idleMs
        self.totalMs = totalMs
    }
}
