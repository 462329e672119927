#if canImport(SwiftUI)
import BackgroundTasks
import CourierModels
import Network
import SwiftUI

/// The app: opens the store, follows the network and the system's suspensions, and shows the screens.
@main
struct CourierApp: App {
    @State private var opened: Result<AppModel, any Error>?
    @Environment(\.scenePhase) private var phase
    private let network = NetworkWatch()

    nonisolated private static let refreshTask = "org.satchel.demo.sync"

    var body: some Scene {
        WindowGroup {
            Group {
                switch opened {
                case .success(let app): RootView(app: app)
                case .failure(let error): OpenFailedView(message: Message(error))
                case nil: ProgressView()
                }
            }
            .task { await open() }
            .onReceive(network.isBack) { _ in
                if case .success(let app) = opened { Task { await app.syncNow() } }
            }
        }
        .onChange(of: phase) { before, now in
            guard case .success(let app) = opened else { return }
            // A store that is open while the system suspends the app gets the app killed.
            if now == .background {
                Self.askForRefresh()
                Task { await app.suspend() }
            } else if before == .background {
                Task { await app.wake() }
            }
        }
        .backgroundTask(.appRefresh(Self.refreshTask)) {
            Self.askForRefresh()
            guard case .success(let app) = await opened else { return }
            await app.wake()
            await app.suspend()
        }
    }

    private func open() async {
        guard opened == nil else { return }
        do {
            let folder = try FileManager.default.url(
                for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true
            ).appendingPathComponent("satchel")
            let store = KeychainKeyStore(service: "org.satchel.demo")
            let keys = PhoneKeys(store: store, directory: folder, signing: SecureEnclaveSigningKey())
            // A wipe that a kill cut off: what is left of that store goes before a new one is made.
            _ = try keys.finishWipe()
            let phone = try await CourierPhone.open(config: .forThisDevice(directory: folder, keys: store))
            let network = network
            let app = AppModel(phone: phone, language: Language(.current), keys: keys) { network.state }
            opened = .success(app)
            await app.wake()
        } catch {
            opened = .failure(error)
        }
    }

    nonisolated private static func askForRefresh() {
        let request = BGAppRefreshTaskRequest(identifier: refreshTask)
        request.earliestBeginDate = Date(timeIntervalSinceNow: 15 * 60)
        // Refused in the simulator and when the courier has switched refreshes off: the foreground syncs anyway.
        try? BGTaskScheduler.shared.submit(request)
    }
}

/// What network there is, by the system's monitor.
final class NetworkWatch: @unchecked Sendable {
    let isBack = NotificationCenter.default.publisher(for: .satchelNetworkIsBack)
    private let monitor = NWPathMonitor()
    private let lock = NSLock()
    private var path: NWPath?

    init() {
        monitor.pathUpdateHandler = { [weak self] path in self?.take(path) }
        monitor.start(queue: DispatchQueue(label: "network"))
    }

    var state: NetworkState {
        guard let path = lock.withLock({ path }), path.status == .satisfied else { return .offline }
        return path.isExpensive || path.isConstrained ? .metered : .unmetered
    }

    private func take(_ path: NWPath) {
        let wasThere = lock.withLock {
            defer { self.path = path }
            return self.path?.status == .satisfied
        }
        if !wasThere && path.status == .satisfied {
            DispatchQueue.main.async { NotificationCenter.default.post(name: .satchelNetworkIsBack, object: nil) }
        }
    }
}

extension Notification.Name {
    static let satchelNetworkIsBack = Notification.Name("satchel.network-is-back")
}

/// The store cannot be opened: what to do about it, and nothing that could make it worse.
struct OpenFailedView: View {
    let message: Message?

    var body: some View {
        ContentUnavailableView {
            Label("app.cannot_open", systemImage: "exclamationmark.triangle")
        } description: {
            MessageText(message ?? .own(.tryLater), language: Language(.current))
        }
    }
}
#endif
