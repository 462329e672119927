import Foundation

/// Wakes whoever waits for changes. It carries no news of its own: they are read from the store.
final class ChangeSignal: Sendable {
    private let waiting = Locked<[UUID: AsyncStream<Void>.Continuation]>([:])

    /// Says that something may have changed.
    func poke() {
        let all = waiting.with { Array($0.values) }
        for one in all { one.yield() }
    }

    /// Ticks after each poke; several before the reader looks are one.
    func ticks() -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let id = UUID()
            waiting.with { $0[id] = continuation }
            continuation.onTermination = { [waiting] _ in
                waiting.with { _ = $0.removeValue(forKey: id) }
            }
        }
    }
}

extension CourierPhone {
    /// What changes after `version`, as it happens: after a call that wrote and while a ``SyncHost`` reads.
    ///
    /// Each element is read from the store when the reader asks for it, so a slow reader misses nothing and
    /// keeps the version of the last element to go on from after a restart. The stream ends when the phone is
    /// shut down or the reading task is cancelled; while the phone is paused it waits.
    public func changes(since version: Int64 = 0) -> AsyncThrowingStream<Changes, any Error> {
        let reader = ChangeReader(phone: self, version: version)
        return AsyncThrowingStream { try await reader.next() }
    }
}

extension CourierPhone {
    /// Every stop of all rounds that is not past in their order, masked: one call for a round of up to 500.
    public func allStops() async throws -> [Stop] {
        try await read { satchel in
            var all: [Stop] = []
            var offset: UInt32? = 0
            while let from = offset {
                let page = try satchel.stops(offset: from, limit: 500)
                all += page.stops
                offset = page.nextOffset
            }
            return all
        }
    }

    /// The list of stops, now and after each change.
    public func watchStops() -> AsyncThrowingStream<[Stop], any Error> {
        let reader = ChangeReader(phone: self, version: 0)
        let known = Locked<[Stop]?>(nil)
        return AsyncThrowingStream {
            // The first list comes also when nothing has ever happened.
            if known.with({ $0 == nil }) {
                _ = try await reader.look()
            } else if try await reader.next() == nil {
                return nil
            }
            let stops = try await self.allStops()
            known.with { $0 = stops }
            return stops
        }
    }
}

private actor ChangeReader {
    private let phone: CourierPhone
    private let ticks: AsyncStream<Void>
    private var version: Int64

    init(phone: CourierPhone, version: Int64) {
        self.phone = phone
        self.version = version
        // Listening begins before the first look, so that nothing falls between the two.
        ticks = phone.signal.ticks()
    }

    func next() async throws -> Changes? {
        var tick = ticks.makeAsyncIterator()
        while !Task.isCancelled {
            if let changes = try await look() { return changes }
            if isClosed { return nil }
            guard await tick.next() != nil else { return nil }
        }
        return nil
    }

    private var isClosed = false

    func look() async throws -> Changes? {
        do {
            let seen = version
            let changes = try await phone.read { try $0.changesSince(version: seen) }
            version = changes.version
            return changes.version == seen ? nil : changes
        } catch SatchelError.Paused {
            return nil
        } catch SatchelError.Closed {
            isClosed = true
            return nil
        } catch is CancellationError {
            return nil
        }
    }
}
