import Foundation
@testable import SatchelKit
import Testing

/// The transport sends a request as it is and tells an answer from none.
@Suite struct TransportTests {
    private let transport = URLSessionTransport(timeouts: HttpTimeouts(idleMs: 1_000, totalMs: 1_500))

    private func task(_ method: String, _ url: String, body: String = "", limit: UInt32 = 1_000) -> HttpTask {
        HttpTask(
            id: "1", purpose: .proof, method: method, url: url,
            headers: [
                HttpHeader(name: "content-type", value: "application/test"),
                HttpHeader(name: "Signature", value: "sig=:AA==:"),
            ],
            body: Data(body.utf8), maxAnswerBytes: limit)
    }

    private func header(_ answer: HttpAnswer, _ name: String) -> String? {
        answer.headers.first { $0.name.lowercased() == name }?.value
    }

    @Test("method, path, headers and body arrive as given", arguments: ["POST", "PATCH"])
    func asGiven(method: String) async throws {
        let seen = Locked("")
        let server = RawServer { request, connection in
            seen.with { $0 = request }
            connection.write("HTTP/1.1 201 Created\r\nUpload-Offset: 7\r\nContent-Length: 4\r\n\r\nmade")
        }
        let answer = try #require(try await transport.send(task(method, server.base + "/v1/log?after=-1&x=%E7%94%B2", body: "four")))
        let request = seen.with { $0 }
        let lines = request.lowercased().components(separatedBy: "\r\n")
        #expect(request.hasPrefix("\(method) /v1/log?after=-1&x=%E7%94%B2 HTTP/1.1\r\n"))
        #expect(lines.filter { $0 == "content-type: application/test" }.count == 1)
        #expect(lines.contains("signature: sig=:aa==:"))
        #expect(lines.last == "four")
        #expect(answer.status == 201)
        #expect(answer.body == Data("made".utf8))
        #expect(header(answer, "upload-offset") == "7")
    }

    @Test("errors are answers", arguments: [401, 404, 460, 500])
    func errors(status: Int) async throws {
        let server = RawServer { _, connection in
            connection.write("HTTP/1.1 \(status) Why\r\nContent-Length: 3\r\n\r\nwhy")
        }
        let answer = try #require(try await transport.send(task("POST", server.base, body: "body")))
        #expect(answer.status == UInt16(status))
        #expect(answer.body == Data("why".utf8))
    }

    @Test("a redirect is the answer and is not followed", arguments: ["/elsewhere", "http://127.0.0.1:1/elsewhere", ""])
    func redirects(to location: String) async throws {
        let asked = Locked(0)
        let server = RawServer { _, connection in
            asked.with { $0 += 1 }
            connection.write("HTTP/1.1 303 See Other\r\nLocation: \(location)\r\nContent-Length: 0\r\n\r\n")
        }
        let answer = try #require(try await transport.send(task("POST", server.base, body: "body")))
        #expect(answer.status == 303)
        #expect(asked.with { $0 } == 1)
    }

    @Test("HEAD has headers and no body")
    func head() async throws {
        let server = RawServer { _, connection in
            connection.write("HTTP/1.1 200 OK\r\nUpload-Offset: 42\r\nContent-Length: 9000\r\n\r\n")
        }
        let answer = try #require(try await transport.send(task("HEAD", server.base)))
        #expect(header(answer, "upload-offset") == "42")
        #expect(answer.body.isEmpty)
    }

    @Test("an endless answer is read up to the limit")
    func endless() async throws {
        let server = RawServer { _, connection in
            connection.write("HTTP/1.1 200 OK\r\n\r\n")
            let part = String(repeating: "x", count: 1_000)
            for _ in 0..<100_000 where !connection.write(part) { return }
        }
        let answer = try #require(try await transport.send(task("GET", server.base, limit: 2_500)))
        #expect(answer.body == Data(repeating: UInt8(ascii: "x"), count: 2_500))
    }

    private func isNoAnswer(_ talk: @escaping RawServer.Talk) async throws -> Bool {
        let server = RawServer(talk)
        let started = Date()
        let answer = try? await transport.send(task("GET", server.base))
        // Bounded time, on a loaded machine too.
        #expect(Date().timeIntervalSince(started) < 4)
        return answer == nil
    }

    @Test("half a body, silence, a drip and a port nobody listens on are no answer")
    func broken() async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
        #expect(try await isNoAnswer { _, connection in connection.write(head + "half") })
        #expect(try await isNoAnswer { _, _ in Thread.sleep(forTimeInterval: 5) })
        #expect(try await isNoAnswer { _, connection in
            connection.write(head)
            for _ in 0..<40 where connection.write("x") { Thread.sleep(forTimeInterval: 0.1) }
        })
        #expect(try await isNoAnswer { _, connection in connection.write("220 mail.example ESMTP\r\n") })
        let gone = { RawServer { _, _ in }.base }()
        #expect((try? await transport.send(task("GET", gone))) == nil)
        #expect(try await transport.send(task("GET", "not a url at all")) == nil)
    }

    @Test("cancelling hangs up")
    func cancelled() async throws {
        let server = RawServer { _, _ in Thread.sleep(forTimeInterval: 5) }
        let patient = URLSessionTransport()
        let sending = Task { try await patient.send(self.task("GET", server.base)) }
        try await Task.sleep(nanoseconds: 200_000_000)
        let started = Date()
        sending.cancel()
        #expect(try await sending.value == nil)
        #expect(Date().timeIntervalSince(started) < 2)
    }
}
