#if canImport(SwiftUI)
import CourierModels
import SwiftUI

/// What this handoff needs, line by line in the library's order and words; what it named as missing is marked.
struct ChecklistSection: View {
    let app: AppModel
    @Bindable var model: StopModel
    let takePhoto: () -> Void

    var body: some View {
        Section("item.checklist") {
            ForEach(shown, id: \.item) { requirement in
                VStack(alignment: .leading, spacing: 8) {
                    HStack {
                        Said(requirement, app.language).bold()
                        if requirement.count > 1 { Text(verbatim: "× \(requirement.count)") }
                        Spacer()
                        if model.missing.contains(requirement.item) {
                            Label("item.missing", systemImage: "exclamationmark.circle").foregroundStyle(.red)
                        }
                    }
                    control(requirement.item)
                    if requirement.level == .requiredWithReason { skip(requirement.item) }
                }
            }
        }
    }

    private var shown: [Requirement] {
        model.requirements.filter { $0.level == .required || $0.level == .requiredWithReason }
    }

    @ViewBuilder private func control(_ item: RequirementItem) -> some View {
        switch item {
        case .photo: photos
        case .signature: PadView(app: app, model: model)
        case .identityCheck:
            choice("item.identity", app.labels.lists.identityMethods, identity) { $0.method }
        case .inspectionPrompt:
            choice("item.inspection", app.labels.lists.inspections, $model.inspection) { $0.inspection }
        case .relation: choice("item.relation", app.labels.lists.relations, $model.relation) { $0.relation }
        case .signerName: TextField("item.signer", text: $model.signerName)
        case .parcelScan: scans
        case .ageCheck: Toggle("item.age", isOn: isAgeChecked)
        case .lockerId: TextField("item.place", text: $model.place)
        case .slotCode: TextField("item.slot", text: $model.slot)
        case .stationReceipt: TextField("item.receipt", text: $model.receipt)
        case .code: CodeField(model: model)
        case .note: TextField("item.note", text: $model.note, axis: .vertical)
        case .temperature: ReadingField(model: model)
        case .itemCounts: ItemsField(model: model)
        // Consents and positions come from elsewhere than this form.
        case .consent, .position: EmptyView()
        }
    }

    private var photos: some View {
        VStack(alignment: .leading) {
            Button("item.take_photo", systemImage: "camera", action: takePhoto)
            ForEach(model.photos, id: \.hash) { photo in
                Label("item.photo_kept", systemImage: "checkmark")
                ForEach(photo.warnings, id: \.self) { Said(app.labels[$0], app.language).foregroundStyle(.orange) }
            }
            if let kept = model.draft?.photos.count, kept > 0 { Text("item.photos_from_before \(kept)") }
        }
    }

    private var scans: some View {
        ForEach(model.parcels, id: \.parcelId) { parcel in
            ScanField(verbatim: parcel.waybill, text: scan(parcel))
        }
    }

    private func choice<Label: Bilingual, Value: Hashable>(
        _ title: LocalizedStringKey, _ labels: [Label], _ selection: Binding<Value?>, _ value: @escaping (Label) -> Value
    ) -> some View {
        Picker(title, selection: selection) {
            Text("item.choose").tag(Value?.none)
            ForEach(labels, id: \.textEn) { label in
                Said(label, app.language).tag(Value?.some(value(label)))
            }
        }
    }

    private func skip(_ item: RequirementItem) -> some View {
        Picker("item.skip", selection: skipReason(item)) {
            Text("item.not_skipped").tag(SkipReason?.none)
            ForEach(app.labels.lists.skipReasons, id: \.code) { Said($0, app.language).tag(SkipReason?.some($0.reason)) }
        }
        .font(.footnote)
    }

    private func scan(_ parcel: Parcel) -> Binding<String> {
        Binding { model.scans[parcel.parcelId] ?? "" } set: { model.scans[parcel.parcelId] = $0.isEmpty ? nil : $0 }
    }

    private func skipReason(_ item: RequirementItem) -> Binding<SkipReason?> {
        Binding { model.skips[item] } set: { model.skips[item] = $0 }
    }

    private var identity: Binding<IdentityMethod?> {
        Binding { model.identity?.method } set: { method in
            model.identity = method.map { RecipientCheck(method: $0, matched: true) }
        }
    }

    private var isAgeChecked: Binding<Bool> {
        Binding { model.ageChecked ?? false } set: { model.ageChecked = $0 }
    }
}

/// The recipient's code; three tries are the library's to count.
private struct CodeField: View {
    let model: StopModel
    @State private var typed = ""

    var body: some View {
        HStack {
            TextField("item.code", text: $typed).keyboardType(.numberPad)
            Button("item.try_code") {
                Task {
                    for parcel in model.parcels { await model.enterCode(typed, parcelId: parcel.parcelId) }
                }
            }
        }
    }
}

/// The thermometer of what is kept cold; whether a reading is beyond its limits is the library's to say.
private struct ReadingField: View {
    let model: StopModel
    @State private var typed = ""

    var body: some View {
        ForEach(model.parcels.filter { $0.tags.contains(.fresh) }, id: \.parcelId) { parcel in
            HStack {
                TextField("item.degrees", text: $typed).keyboardType(.numbersAndPunctuation)
                Button("item.take_reading") {
                    Task {
                        let now = Int64(Date().timeIntervalSince1970 * 1_000)
                        if await model.takeReading(typed, parcelId: parcel.parcelId, atMs: now) != nil { typed = "" }
                    }
                }
            }
        }
    }
}

/// What the customer keeps of a parcel that is handed over in part.
private struct ItemsField: View {
    @Bindable var model: StopModel

    var body: some View {
        ForEach($model.items) { $item in
            VStack(alignment: .leading) {
                TextField("item.label", text: $item.label)
                Stepper("item.accepted \(Int(item.accepted))", value: $item.accepted, in: 0...item.of)
                Stepper("item.of \(Int(item.of))", value: $item.of, in: 1...999)
            }
        }
        Button("item.add", systemImage: "plus") { model.items.append(CountedItem()) }
    }
}

/// The signature pad; whether it is a signature is the library's to say.
struct PadView: View {
    let app: AppModel
    let model: StopModel

    var body: some View {
        VStack(alignment: .leading) {
            Text("item.sign_here").font(.footnote)
            Canvas { context, _ in
                for stroke in model.ink.strokes {
                    var line = Path()
                    line.addLines(stroke.map { CGPoint(x: Double($0.x), y: Double($0.y)) })
                    context.stroke(line, with: .color(.black), style: StrokeStyle(lineWidth: 2.6, lineCap: .round, lineJoin: .round))
                }
            }
            // White in every theme: so it is stored and so the hub shows it.
            .background(.white, in: RoundedRectangle(cornerRadius: 8))
            .frame(height: 180)
            .onGeometryChange(for: CGSize.self) { $0.size } action: { size in
                model.ink.resize(width: size.width, height: size.height)
            }
            .gesture(drawing)
            .accessibilityLabel(Text("item.sign_here"))
            ForEach(model.doubts, id: \.doubt) { Said($0, app.language).foregroundStyle(.orange) }
            Button("item.sign_again") { model.clearSignature() }
        }
    }

    @State private var isDown = false

    private var drawing: some Gesture {
        DragGesture(minimumDistance: 0)
            .onChanged { touch in
                if !isDown {
                    isDown = true
                    model.ink.begin()
                }
                model.ink.add(
                    x: touch.location.x, y: touch.location.y,
                    atMs: Int64(touch.time.timeIntervalSince1970 * 1_000))
            }
            .onEnded { _ in
                isDown = false
                Task { await model.checkSignature() }
            }
    }
}
#endif
