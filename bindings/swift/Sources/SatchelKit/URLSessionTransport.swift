import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif
#if canImport(Security)
import Security
#endif

/// The transport over `URLSession`, for an app in the foreground and for background tasks that the system
/// gives some seconds. Uploads that go on while the app sleeps: `BackgroundTransport` (iOS).
public final class URLSessionTransport: HttpTransport {
    private let session: URLSession
    private let collector: AnswerCollector
    private let timeouts: HttpTimeouts
    private let pins = Pins()

    public init(timeouts: HttpTimeouts = HttpTimeouts()) {
        // Nothing of a courier's requests may lie in a cache or a cookie jar on the disk.
        let configuration = URLSessionConfiguration.ephemeral
        configuration.urlCache = nil
        configuration.httpCookieStorage = nil
        configuration.httpShouldSetCookies = false
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        configuration.timeoutIntervalForRequest = Double(timeouts.idleMs) / 1_000
        configuration.timeoutIntervalForResource = Double(timeouts.totalMs) / 1_000
        self.timeouts = timeouts
        collector = AnswerCollector(pins)
        session = URLSession(configuration: configuration, delegate: collector, delegateQueue: nil)
    }

    deinit {
        // A session keeps its delegate until it is told that it is over.
        session.invalidateAndCancel()
    }

    /// On Linux the system's session shows nobody's certificate: there a hub with pins is refused.
    public func trust(_ hub: HubAddress) throws {
        #if canImport(Security)
        // Connections made under other pins are not used again.
        if pins.take(hub) { session.flush {} }
        #else
        guard hub.spkiSha256.isEmpty else { throw CannotPin() }
        #endif
    }

    public func send(_ task: HttpTask) async throws -> HttpAnswer? {
        guard !pins.refuses(task.url), let request = URLRequest(satchel: task) else { return nil }
        let running = session.dataTask(with: request)
        // Foundation on Linux does not keep the limit for the whole resource.
        let deadline = Task {
            try await Task.sleep(nanoseconds: UInt64(timeouts.totalMs) * 1_000_000)
            running.cancel()
        }
        defer { deadline.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                collector.expect(running, maxBytes: Int(task.maxAnswerBytes)) {
                    continuation.resume(returning: $0)
                }
                running.resume()
                // Cancelled before it was resumed, a task on Linux never ends by itself.
                if Task.isCancelled { running.cancel() }
            }
        } onCancel: {
            running.cancel()
        }
    }
}

extension URLRequest {
    /// The library's request as it is; nil for a URL the platform does not take.
    init?(satchel task: HttpTask) {
        guard let url = URL(string: task.url) else { return nil }
        self.init(url: url)
        httpMethod = task.method
        httpShouldHandleCookies = false
        for header in task.headers { setValue(header.value, forHTTPHeaderField: header.name) }
        if !task.body.isEmpty { httpBody = task.body }
    }
}

extension HttpAnswer {
    init?(_ response: URLResponse?, body: Data) {
        guard let response = response as? HTTPURLResponse, let status = UInt16(exactly: response.statusCode) else {
            return nil
        }
        let headers = response.allHeaderFields.compactMap { name, value in
            (name as? String).map { HttpHeader(name: $0, value: "\(value)") }
        }
        self.init(status: status, headers: headers, body: body)
    }
}

/// Collects the answers of one session, each up to its limit.
final class AnswerCollector: NSObject, URLSessionDataDelegate {
    private struct Expected {
        let maxBytes: Int
        let done: @Sendable (HttpAnswer?) -> Void
        var body = Data()
    }

    private let expected = Locked<[Int: Expected]>([:])
    private let pins: Pins

    init(_ pins: Pins) {
        self.pins = pins
    }

    #if canImport(Security)
    /// What the system trusts, and of that only what the hub named.
    func urlSession(
        _: URLSession, didReceive challenge: URLAuthenticationChallenge,
        completionHandler: @escaping (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        guard challenge.protectionSpace.authenticationMethod == NSURLAuthenticationMethodServerTrust else {
            return completionHandler(.performDefaultHandling, nil)
        }
        let trust = challenge.protectionSpace.serverTrust
        let isTrusted = trust.map { SecTrustEvaluateWithError($0, nil) } == true
        let chain = trust.flatMap { SecTrustCopyCertificateChain($0) as? [SecCertificate] }
        let isHub = isTrusted && pins.allow(chain?.first.map { SecCertificateCopyData($0) as Data })
        completionHandler(isHub ? .performDefaultHandling : .cancelAuthenticationChallenge, nil)
    }
    #endif

    func expect(_ task: URLSessionTask, maxBytes: Int, done: @escaping @Sendable (HttpAnswer?) -> Void) {
        expected.with { $0[task.taskIdentifier] = Expected(maxBytes: maxBytes, done: done) }
    }

    /// The redirect is the answer; who follows it would send a signed request elsewhere.
    func urlSession(
        _: URLSession, task _: URLSessionTask, willPerformHTTPRedirection _: HTTPURLResponse,
        newRequest _: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(_: URLSession, dataTask task: URLSessionDataTask, didReceive data: Data) {
        take(task, body: data)
    }

    /// Takes a piece of an answer, and hangs up when that is all there is room for.
    func take(_ task: URLSessionTask, body data: Data) {
        let isFull = expected.with { all in
            guard let one = all[task.taskIdentifier] else { return false }
            let body = one.body + data.prefix(one.maxBytes - one.body.count)
            all[task.taskIdentifier]?.body = body
            return body.count >= one.maxBytes
        }
        if isFull {
            // What was read so far is the answer; the rest is hung up on.
            finish(task, failed: false)
            task.cancel()
        }
    }

    func urlSession(_: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        finish(task, failed: error != nil)
    }

    private func finish(_ task: URLSessionTask, failed: Bool) {
        let one = expected.with { $0.removeValue(forKey: task.taskIdentifier) }
        one?.done(failed ? nil : HttpAnswer(task.response, body: one?.body ?? Data()))
    }
}
