#if canImport(SwiftUI)
import CourierModels
import SwiftUI

/// The honest queue: what is only on this phone, since when, and what holds it. Every figure is the store's.
struct QueueView: View {
    let app: AppModel

    var body: some View {
        NavigationStack {
            List {
                if let queue = app.queue {
                    Section {
                        if queue.unsentEntries == 0 && queue.unsentProofs == 0 {
                            Label("queue.all_synced", systemImage: "checkmark.circle")
                        } else {
                            Text("queue.records \(queue.unsentEntries)")
                            Text("queue.proofs \(queue.unsentProofs)")
                            Text(Int64(clamping: queue.unsentBytes), format: .byteCount(style: .file))
                        }
                        time("queue.oldest", queue.oldestUnsentMs)
                        time("queue.contact", queue.lastContactMs)
                        time("queue.retry", queue.nextRetryMs)
                        if let blocking = queue.blocking {
                            Said(app.labels[blocking], app.language).foregroundStyle(.orange)
                        }
                        if queue.lostProofs > 0 {
                            Text("queue.lost \(queue.lostProofs)").foregroundStyle(.orange)
                        }
                        if queue.receiptAlarms + queue.hubContradictions > 0 {
                            Text("queue.alarms \(queue.receiptAlarms + queue.hubContradictions)").foregroundStyle(.red)
                        }
                    }
                }
                Button("queue.sync_now") { Task { await app.syncNow() } }.disabled(app.isSyncing)
            }
            .navigationTitle("queue.title")
            .refreshable { await app.syncNow() }
            .task {
                while !Task.isCancelled {
                    await app.refreshQueue()
                    try? await Task.sleep(for: .seconds(5))
                }
            }
        }
    }

    @ViewBuilder private func time(_ title: LocalizedStringKey, _ atMs: Int64?) -> some View {
        if let atMs {
            LabeledContent(title) {
                Text(Date(timeIntervalSince1970: Double(atMs) / 1_000), format: .relative(presentation: .named))
            }
        }
    }
}

/// Language, what the store takes, how photos are made.
struct SettingsView: View {
    @Bindable var app: AppModel
    @State private var usage: StorageUsage?
    @State private var isLowData = false

    var body: some View {
        NavigationStack {
            Form {
                Picker("settings.language", selection: $app.language) {
                    Text(verbatim: "简体中文").tag(Language.chinese)
                    Text(verbatim: "English").tag(Language.english)
                }
                Toggle("settings.low_data", isOn: $isLowData)
                    .onChange(of: isLowData) { _, isOn in
                        Task {
                            await app.attempt {
                                let targets = isOn ? lowDataPhotoTargets() : standardPhotoTargets()
                                try await app.phone.setPhotoTargets(targets: targets)
                            }
                        }
                    }
                if let usage {
                    Section("settings.storage") {
                        bytes("settings.waiting", usage.waitingBytes)
                        bytes("settings.evictable", usage.evictableBytes)
                        bytes("settings.database", usage.databaseBytes)
                        bytes("settings.free", usage.diskFreeBytes)
                    }
                }
                if case .enrolled(let device, let courier) = app.enrolment {
                    Section("settings.phone") {
                        Text(verbatim: courier)
                        Text(verbatim: device).font(.caption).textSelection(.enabled)
                    }
                }
            }
            .navigationTitle("settings.title")
            .task {
                usage = await app.attempt { try await app.phone.storageUsage() }
                isLowData = await app.attempt { try await app.phone.photoTargets() } == lowDataPhotoTargets()
            }
        }
    }

    private func bytes(_ title: LocalizedStringKey, _ count: UInt64) -> some View {
        LabeledContent(title) { Text(Int64(clamping: count), format: .byteCount(style: .file)) }
    }
}
#endif
