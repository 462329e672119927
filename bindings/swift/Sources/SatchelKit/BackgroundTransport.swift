#if os(iOS)
import Foundation

/// The transport over a background session: the system goes on with a request while the app is suspended, and
/// starts it when there is a network. Made for photos; for the rest ``URLSessionTransport`` is quicker.
///
/// When the app is killed meanwhile, the request still reaches the hub but its answer reaches nobody. Nothing
/// is lost by that: at the next start the library asks the hub how much has arrived. So nothing is kept here
/// between two runs of the app but the session's name.
///
/// Give the completion handler of `application(_:handleEventsForBackgroundURLSession:completionHandler:)` to
/// ``finishEvents(_:)`` and run a ``SyncHost`` then.
public final class BackgroundTransport: HttpTransport {
    private let session: URLSession
    private let events: BackgroundEvents
    private let pins = Pins()

    /// - Parameter identifier: the app's own, the same at every start; one transport at a time may use it.
    public init(identifier: String, timeouts: HttpTimeouts = HttpTimeouts(totalMs: 15 * 60_000)) {
        let configuration = URLSessionConfiguration.background(withIdentifier: identifier)
        configuration.sessionSendsLaunchEvents = true
        configuration.isDiscretionary = false
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        configuration.timeoutIntervalForResource = Double(timeouts.totalMs) / 1_000
        events = BackgroundEvents(pins)
        session = URLSession(configuration: configuration, delegate: events, delegateQueue: nil)
    }

    deinit {
        // What is on its way goes on; the session lets go of its delegate afterwards.
        session.finishTasksAndInvalidate()
    }

    public func trust(_ hub: HubAddress) throws {
        if pins.take(hub) { session.flush {} }
    }

    public func send(_ task: HttpTask) async throws -> HttpAnswer? {
        guard !pins.refuses(task.url), var request = URLRequest(satchel: task) else { return nil }
        // A background session sends bodies from files only.
        request.httpBody = nil
        let body = FileManager.default.temporaryDirectory.appendingPathComponent("satchel-\(UUID().uuidString)")
        if !task.body.isEmpty {
            try task.body.write(to: body, options: [.completeFileProtectionUntilFirstUserAuthentication])
        }
        defer { try? FileManager.default.removeItem(at: body) }
        let running: URLSessionTask =
            task.body.isEmpty
            ? session.downloadTask(with: request) : session.uploadTask(with: request, fromFile: body)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                events.expect(running, maxBytes: Int(task.maxAnswerBytes)) { continuation.resume(returning: $0) }
                running.resume()
            }
        } onCancel: {
            running.cancel()
        }
    }

    /// Keeps what the system wants called once it has been told of everything that happened meanwhile.
    public func finishEvents(_ completionHandler: @escaping @Sendable () -> Void) {
        events.whenFinished(completionHandler)
    }
}

/// Answers of a background session: uploads bring theirs in pieces, downloads in a file.
private final class BackgroundEvents: NSObject, URLSessionDataDelegate, URLSessionDownloadDelegate {
    private let collector: AnswerCollector
    private let finished = Locked<(@Sendable () -> Void)?>(nil)

    init(_ pins: Pins) {
        collector = AnswerCollector(pins)
    }

    func urlSession(
        _ session: URLSession, didReceive challenge: URLAuthenticationChallenge,
        completionHandler: @escaping (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        collector.urlSession(session, didReceive: challenge, completionHandler: completionHandler)
    }

    func expect(_ task: URLSessionTask, maxBytes: Int, done: @escaping @Sendable (HttpAnswer?) -> Void) {
        collector.expect(task, maxBytes: maxBytes, done: done)
    }

    func whenFinished(_ handler: @escaping @Sendable () -> Void) {
        finished.with { $0 = handler }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        collector.urlSession(session, dataTask: dataTask, didReceive: data)
    }

    func urlSession(_: URLSession, downloadTask: URLSessionDownloadTask, didFinishDownloadingTo location: URL) {
        // The file is gone when this returns.
        collector.take(downloadTask, body: (try? Data(contentsOf: location, options: .mappedIfSafe)) ?? Data())
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        collector.urlSession(session, task: task, didCompleteWithError: error)
    }

    func urlSessionDidFinishEvents(forBackgroundURLSession _: URLSession) {
        let handler = finished.with { waiting in
            defer { waiting = nil }
            return waiting
        }
        // UIKit wants its handlers on the main thread.
        if let handler { DispatchQueue.main.async(execute: handler) }
    }
}
#endif
