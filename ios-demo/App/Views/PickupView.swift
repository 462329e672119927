#if canImport(SwiftUI)
import CourierModels
import SwiftUI

/// A parcel at its sender's: the check, the two questions, the three labels, in the order they are done.
struct PickupView: View {
    let app: AppModel
    @State private var model: PickupModel
    @Environment(\.dismiss) private var dismiss

    init(app: AppModel, parcel: Parcel) {
        self.app = app
        let now = Int64(Date.now.timeIntervalSince1970 * 1_000)
        _model = State(initialValue: PickupModel(app: app, parcel: parcel, arrivedAtMs: now))
    }

    var body: some View {
        Form {
            if !model.missing.isEmpty {
                Section("pickup.missing") {
                    ForEach(model.missing, id: \.code) { Said($0, app.language).foregroundStyle(.red) }
                }
            }
            asked
            labels
            Section("pickup.scan") {
                ScanField("pickup.scan", text: $model.scanned) {}
                if model.isScanned { Label("pickup.scanned", systemImage: "checkmark.circle") }
            }
            Button("pickup.record") { record() }.font(.headline).frame(maxWidth: .infinity)
        }
        .navigationTitle(Text(verbatim: model.parcel.waybill))
    }

    private var asked: some View {
        Section {
            Picker("pickup.sender_check", selection: $model.isSenderChecked) {
                Text("pickup.not_yet").tag(Bool?.none)
                Text("pickup.yes").tag(Bool?.some(true))
                Text("pickup.no").tag(Bool?.some(false))
            }
            Picker("pickup.contents", selection: $model.contents) {
                Text("pickup.not_yet").tag(PickupContents?.none)
                Text("pickup.contents_fine").tag(PickupContents?.some(.compliant))
                Text("pickup.contents_prohibited").tag(PickupContents?.some(.prohibited))
                Text("pickup.contents_undeclared").tag(PickupContents?.some(.undeclared))
                Text("pickup.contents_not_shown").tag(PickupContents?.some(.notShown))
            }
            Picker("pickup.time_need", selection: $model.timeNeed) {
                Text("pickup.not_yet").tag(PromiseClass?.none)
                ForEach(app.labels.lists.promises, id: \.code) { one in
                    Said(one, app.language).tag(PromiseClass?.some(one.promise))
                }
            }
            TextField("pickup.wish", text: Binding { model.wishes ?? "" } set: { model.wishes = $0 }, axis: .vertical)
            Toggle("pickup.no_wish", isOn: Binding { model.wishes == "" } set: { model.wishes = $0 ? "" : nil })
        } footer: {
            Text("pickup.note")
        }
    }

    private var labels: some View {
        Section("pickup.labels") {
            Toggle("pickup.waybill_label", isOn: $model.hasWaybill)
            Toggle("pickup.inspection_label", isOn: $model.hasInspectionLabel)
            ForEach(app.labels.lists.tags, id: \.code) { one in
                Toggle(isOn: Binding { model.tags.contains(one.tag) } set: { isOn in
                    if isOn { model.tags.insert(one.tag) } else { model.tags.remove(one.tag) }
                }) { Said(one, app.language) }
            }
        }
    }

    private func record() {
        Task {
            guard let outcome = await model.record() else { return }
            switch outcome {
            case .accepted(let promised): app.say(.words(app.labels[promised]))
            case .notAccepted(let reason): app.say(.words(app.labels[reason]))
            case .incomplete: return
            }
            dismiss()
            await app.sync()
        }
    }
}
#endif
