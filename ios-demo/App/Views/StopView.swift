#if canImport(SwiftUI)
import CourierModels
import SwiftUI

/// One door: contact, what this handoff needs, and the ways out when it does not work.
struct StopView: View {
    let app: AppModel
    @State private var model: StopModel
    @State private var sheet: Sheet?
    @Environment(\.dismiss) private var dismiss

    private enum Sheet: String, Identifiable {
        case camera, handoffs, fail, report, rating
        var id: String { rawValue }
    }

    init(app: AppModel, stop: Stop) {
        self.app = app
        _model = State(initialValue: StopModel(app: app, stop: stop))
    }

    var body: some View {
        Form {
            contact
            ForEach(model.stop.parcels.filter(\.isPickup), id: \.parcelId) { parcel in
                NavigationLink { PickupView(app: app, parcel: parcel) } label: { Text("pickup.title \(parcel.waybill)") }
            }
            if !model.requirements.isEmpty {
                if model.parcels.count > 1 { GroupSection(app: app, model: model) }
                ChecklistSection(app: app, model: model) { sheet = .camera }
                Section {
                    Button("stop.complete") { complete() }.font(.headline).frame(maxWidth: .infinity)
                }
            }
            Section {
                Button("stop.other_ways") { sheet = .handoffs }
                Button("stop.cannot_deliver", role: .destructive) { sheet = .fail }
                Button("report.title") { sheet = .report }
                if model.stop.parcels.contains(where: { $0.attempts > 0 }) {
                    NavigationLink("history.title") { HistoryView(app: app, stop: model.stop) }
                }
            }
        }
        .navigationTitle(Text(verbatim: model.stop.address))
        .task { await model.begin() }
        .sheet(item: $sheet) { sheet in
            switch sheet {
            case .camera: CameraView { file in Task { await model.addPhoto(file) } }
            case .handoffs: HandoffsView(app: app, model: model)
            case .fail: FailView(app: app, model: model) { complete() }
            case .report: ReportView(app: app, model: model)
            case .rating: RatingView(app: app, parcelIds: rated) { dismiss() }
            }
        }
    }

    private var contact: some View {
        Section {
            if let contact = model.contact {
                Text(verbatim: contact.name)
                Text(verbatim: contact.address)
                if let url = URL(string: "tel:\(contact.phone)") { Link(contact.phone, destination: url) }
                Menu("stop.log_call") {
                    ForEach(app.labels.lists.callResults, id: \.code) { result in
                        Button(result.text(app.language)) { Task { _ = await model.logCall(result.result) } }
                    }
                }
            } else {
                Text(verbatim: model.stop.recipientName)
                Button("stop.show_contact") { Task { await model.reveal() } }
            }
        } footer: {
            Text("stop.contact_note")
        }
    }

    private var rated: [String] {
        model.recorded?.parcels.filter { $0.rating != nil }.map(\.parcelId) ?? []
    }

    private func complete() {
        Task {
            guard await model.complete() else { return }
            if rated.isEmpty { dismiss() } else { sheet = .rating }
            await app.sync()
        }
    }
}

/// Several parcels at one door, each with its own outcome.
struct GroupSection: View {
    let app: AppModel
    @Bindable var model: StopModel

    var body: some View {
        Section("stop.parcels") {
            ForEach(model.parcels, id: \.parcelId) { parcel in
                Picker(selection: outcome(parcel)) {
                    Text("stop.handed_over").tag(StopModel.Outcome.handedOver)
                    Text("stop.partly").tag(StopModel.Outcome.partly)
                    Text("stop.later").tag(StopModel.Outcome.later)
                    ForEach(model.reasons, id: \.code) { reason in
                        if let action = reason.actions.first {
                            Said(reason, app.language).tag(StopModel.Outcome.failed(reason.reason, action))
                        }
                    }
                } label: {
                    Text(verbatim: parcel.waybill)
                }
            }
        }
    }

    private func outcome(_ parcel: Parcel) -> Binding<StopModel.Outcome> {
        Binding {
            model.outcomes[parcel.parcelId] ?? .later
        } set: {
            model.outcomes[parcel.parcelId] = $0
        }
    }
}

/// Every way of handing over, why some are shut, and the call that may open one.
struct HandoffsView: View {
    let app: AppModel
    let model: StopModel
    @State private var place = ""
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        NavigationStack {
            List(model.handoffs, id: \.handoff) { option in
                VStack(alignment: .leading) {
                    Button(app.labels[option.handoff].text(app.language)) {
                        Task {
                            await model.begin(option.handoff)
                            dismiss()
                        }
                    }
                    .disabled(option.locked != nil)
                    if let lock = option.locked {
                        Said(lock, app.language).font(.footnote).foregroundStyle(.secondary)
                        if option.channels.contains(.call) {
                            TextField("stop.agreed_place", text: $place)
                            Button("stop.agreed_in_call") {
                                // The length is the phone's to know; the demo's courier says that he talked.
                                Task { await model.consentByCall(to: option.handoff, durationS: 30, place: place) }
                            }
                        }
                    }
                }
            }
            .navigationTitle("stop.other_ways")
            .task { await model.loadHandoffs() }
        }
    }
}

/// It did not work: a reason, what follows it, and the record.
struct FailView: View {
    let app: AppModel
    let model: StopModel
    let complete: () -> Void
    @State private var reason: Reason?
    @State private var action: Action?
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        NavigationStack {
            Form {
                Picker("fail.reason", selection: $reason) {
                    Text("fail.choose").tag(Reason?.none)
                    ForEach(model.reasons, id: \.code) { Said($0, app.language).tag(Reason?.some($0.reason)) }
                }
                if let reason, let label = app.labels.reason(reason) {
                    Picker("fail.next", selection: $action) {
                        ForEach(label.actions, id: \.self) { Said(app.labels[$0], app.language).tag(Action?.some($0)) }
                    }
                    if label.requiresNote { TextField("item.note", text: Bindable(model).note, axis: .vertical) }
                    Button("fail.record") {
                        model.fail(reason, action: action)
                        dismiss()
                        complete()
                    }
                }
            }
            .onChange(of: reason) { action = reason.flatMap { app.labels.reason($0)?.actions.first } }
            .navigationTitle("stop.cannot_deliver")
        }
    }
}

/// One tap: a reason is enough; what can be offered to the customer comes back at once.
struct ReportView: View {
    let app: AppModel
    let model: StopModel
    @State private var words = ""

    var body: some View {
        NavigationStack {
            List {
                if model.remedies.isEmpty {
                    TextField("item.note", text: $words, axis: .vertical)
                    ForEach(model.reasons, id: \.code) { reason in
                        Button(reason.text(app.language)) { Task { await model.report(reason.reason, words: words) } }
                    }
                } else {
                    Section("report.remedies") {
                        ForEach(model.remedies, id: \.action) { remedy in
                            VStack(alignment: .leading) {
                                Said(app.labels[remedy.action], app.language)
                                ForEach(remedy.needs, id: \.code) { need in
                                    Said(need, app.language).font(.footnote).foregroundStyle(.secondary)
                                }
                            }
                        }
                    }
                }
            }
            .navigationTitle("report.title")
        }
    }
}
#endif
