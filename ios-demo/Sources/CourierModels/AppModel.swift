import Foundation
import Observation

/// The app: one phone, its stops as they change, the state of the queue and what to tell the courier.
///
/// It holds no rule. What a handoff needs, whether it may be left out, what follows a failure and whether a
/// record is synced are the library's answers; the app asks, shows and hands in.
@MainActor @Observable
public final class AppModel {
    public let phone: CourierPhone
    public let labels = Labels()
    public var language: Language

    public private(set) var enrolment = Enrolment.absent
    public private(set) var stops: [Stop] = []
    public private(set) var plan: RoutePlan?
    public private(set) var queue: SyncStatus?
    public private(set) var message: Message?
    public private(set) var isSyncing = false
    /// The hub ordered this phone to be wiped; the next start of the app begins anew.
    public private(set) var isWiped = false

    private let transport: any HttpTransport
    private let polls: any HttpTransport
    private let keys: PhoneKeys?
    private var inFront: Task<Void, Never>?
    private let network: @Sendable () -> NetworkState

    /// - Parameters:
    ///   - polls: waits at the hub for news while the app is in front.
    ///   - keys: those the platform keeps for this phone.
    ///   - network: says what network there is, as `NWPathMonitor` knows it.
    public init(
        phone: CourierPhone,
        language: Language,
        transport: any HttpTransport = URLSessionTransport(),
        polls: any HttpTransport = URLSessionTransport(timeouts: HttpTimeouts(idleMs: 60_000)),
        keys: PhoneKeys? = nil,
        network: @escaping @Sendable () -> NetworkState
    ) {
        self.phone = phone
        self.language = language
        self.transport = transport
        self.polls = polls
        self.keys = keys
        self.network = network
    }

    private func host() -> SyncHost {
        SyncHost(phone, transport: transport, keys: keys, network: network)
    }

    /// While the app is in front: records go up as they are made, and the hub tells its news.
    private func workInFront() {
        inFront?.cancel()
        inFront = Task {
            let host = host()
            if let end = await attempt({ try await host.follow(polls: self.polls) }) { settle(end) }
        }
    }

    private func settle(_ end: SyncEnd) {
        if case .wiped = end { isWiped = true }
    }

    /// Follows the store until the phone is shut down or the task is cancelled; the app's root view runs it.
    public func follow() async {
        await attempt {
            for try await stops in self.phone.watchStops() {
                self.stops = stops
                self.plan = try await self.phone.currentPlan()
                self.queue = try await self.phone.syncStatus()
                self.enrolment = try await self.phone.enrolment()
            }
        }
    }

    /// Takes the invite the dispatcher shows and gets the round.
    public func enrol(invite: String, label: String) async {
        await attempt { try await self.phone.enrol(invite: invite, label: label) }
        await sync()
    }

    /// Sends and reads what there is; the library says when to come again.
    @discardableResult
    public func sync() async -> SyncEnd? {
        guard !isSyncing else { return nil }
        isSyncing = true
        defer { isSyncing = false }
        let host = host()
        let end = await attempt { try await host.run() }
        if let end { settle(end) }
        await refreshQueue()
        return end
    }

    /// The courier asks, or the network is back.
    public func syncNow() async {
        await phone.requestSync()
        await sync()
    }

    /// Reads the state of the queue again, which also changes while nothing is recorded.
    public func refreshQueue() async {
        await attempt {
            self.queue = try await self.phone.syncStatus()
            self.enrolment = try await self.phone.enrolment()
        }
    }

    /// Before the system suspends the app, and after.
    public func suspend() async {
        inFront?.cancel()
        await inFront?.value
        await phone.pause()
    }

    public func wake() async {
        await attempt { try await self.phone.resume() }
        workInFront()
        await sync()
    }

    public func say(_ message: Message?) {
        self.message = message
    }

    /// Runs a step of a screen; what goes wrong is said and nothing else happens.
    @discardableResult
    public func attempt<Value: Sendable>(_ step: () async throws -> Value) async -> Value? {
        do {
            return try await step()
        } catch {
            if let message = Message(error) { say(message) }
            return nil
        }
    }
}
