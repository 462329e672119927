/// Sends one request for the library, which does no network of its own.
///
/// An implementation sends method, URL, headers and body exactly as given (the request is signed), does not
/// follow redirects, reads at most `maxAnswerBytes` of the answer, and ends in bounded time.
public protocol HttpTransport: Sendable {
    /// Returns the answer, whatever its status, or nil when no whole answer came. What it throws counts as no
    /// answer. A cancelled task is one of these.
    func send(_ task: HttpTask) async throws -> HttpAnswer?
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
