#if canImport(SwiftUI)
import CourierModels
import SwiftUI

/// The wishes of the plan, one change at a time.
struct WishesView: View {
    let app: AppModel
    @State private var model: WishesModel

    private static let kept = 0...3
    private static let pauses = 4

    init(app: AppModel) {
        self.app = app
        _model = State(initialValue: WishesModel(app: app))
    }

    var body: some View {
        Form {
            Section {
                stopPicker("wishes.first", model.first) { await model.wantFirst($0) }
                stopPicker("wishes.last", model.last) { await model.wantLast($0) }
                Picker("wishes.keep", selection: Binding { model.keepsNext } set: { count in Task { await model.keepNext(count) } }) {
                    ForEach(Array(Self.kept), id: \.self) { Text(verbatim: "\($0)").tag($0) }
                }
                Picker("wishes.pause", selection: Binding { model.pauseAtMs } set: { at in Task { await model.pause(atMs: at) } }) {
                    Text("wishes.no_pause").tag(Int64?.none)
                    ForEach(hours, id: \.self) { at in
                        Text(Date(timeIntervalSince1970: Double(at) / 1_000), format: .dateTime.hour().minute()).tag(Int64?.some(at))
                    }
                }
            } footer: {
                Text("wishes.note")
            }
            Section("wishes.aside") {
                ForEach(model.setAside, id: \.stopId) { stop in
                    LabeledContent {
                        Button("wishes.bring_back") { Task { await model.toggleAside(stop.stopId) } }
                    } label: {
                        Text(verbatim: stop.address)
                    }
                }
                Menu("wishes.choose") {
                    ForEach(model.open, id: \.stopId) { stop in
                        Button(stop.address) { Task { await model.toggleAside(stop.stopId) } }
                    }
                }
            }
        }
        .navigationTitle("wishes.title")
        .task { await model.refresh() }
    }

    private func stopPicker(_ title: LocalizedStringKey, _ chosen: Stop?, choose: @escaping (String?) async -> Void) -> some View {
        Picker(title, selection: Binding { chosen?.stopId } set: { id in Task { await choose(id) } }) {
            Text("wishes.any").tag(String?.none)
            ForEach(model.open, id: \.stopId) { Text(verbatim: $0.address).tag(String?.some($0.stopId)) }
        }
    }

    /// The next full hours; a wish from before stays among them.
    private var hours: [Int64] {
        let hour = Calendar.current.dateInterval(of: .hour, for: .now)?.start ?? .now
        let next = (1...Self.pauses).map { Int64(hour.addingTimeInterval(Double($0) * 3_600).timeIntervalSince1970 * 1_000) }
        guard let wished = model.pauseAtMs, !next.contains(wished) else { return next }
        return [wished] + next
    }
}
#endif
