import Foundation

#if canImport(Glibc)
import Glibc
private let stream = Int32(SOCK_STREAM.rawValue)
#else
import Darwin
private let stream = SOCK_STREAM
#endif

/// A server on 127.0.0.1 that reads one request per connection and writes what the test wants, broken or not.
final class RawServer: Sendable {
    /// The request as it came, and the connection to write to.
    typealias Talk = @Sendable (String, Connection) -> Void

    let port: UInt16
    private let listening: Int32

    struct Connection: Sendable {
        fileprivate let socket: Int32

        /// False once the client has hung up.
        @discardableResult
        func write(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            return send(socket, bytes, bytes.count, 0x4000 /* MSG_NOSIGNAL */) == bytes.count
        }
    }

    init(_ talk: @escaping Talk) {
        listening = socket(AF_INET, stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listening = listening
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = bind(listening, generic, size)
                _ = listen(listening, 16)
                _ = getsockname(listening, generic, &size)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread {
            while true {
                let client = accept(listening, nil, nil)
                guard client >= 0 else { return }
                Thread.detachNewThread {
                    talk(Self.read(client), Connection(socket: client))
                    shutdown(client, Int32(SHUT_RDWR))
                    close(client)
                }
            }
        }
    }

    deinit {
        shutdown(listening, Int32(SHUT_RDWR))
        close(listening)
    }

    var base: String { "http://127.0.0.1:\(port)" }

    /// Head and body of one request, by its Content-Length.
    private static func read(_ client: Int32) -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = recv(client, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            bytes += chunk[0..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            guard let end = text.range(of: "\r\n\r\n") else { continue }
            let head = text[..<end.lowerBound].lowercased()
            let length = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            let wanted = length.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
            if text[end.upperBound...].utf8.count >= wanted { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
