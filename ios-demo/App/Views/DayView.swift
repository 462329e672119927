#if canImport(SwiftUI)
import CourierModels
import SwiftUI

/// The courier's own day: shift, load check, promises, figures, what was earned.
struct DayView: View {
    let app: AppModel
    @State private var model: DayModel
    @State private var scan = ""

    init(app: AppModel) {
        self.app = app
        _model = State(initialValue: DayModel(app: app))
    }

    var body: some View {
        NavigationStack {
            Form {
                shift
                NavigationLink("doubts.title") { DoubtsView(app: app) }
                load
                Section("day.figures") {
                    ForEach(model.figures, id: \.kpi.code) { figure in FigureLine(figure: figure, language: app.language) }
                }
                earned
                Section("day.reports") {
                    ForEach(model.reports, id: \.reportId) { report in
                        VStack(alignment: .leading) {
                            Said(app.labels[report.reason], app.language)
                            Text(verbatim: report.answer ?? report.text.text(app.language)).font(.footnote)
                        }
                    }
                }
            }
            .navigationTitle("day.title")
            .refreshable { await refresh() }
            .task { await refresh() }
        }
    }

    private var shift: some View {
        Section("day.shift") {
            Button(model.shift?.on == true ? "day.end_shift" : "day.start_shift") {
                Task {
                    await model.toggleShift()
                    await refresh()
                }
            }
            if let unsent = model.shift?.unsent { Said(unsent, app.language) }
        }
    }

    private var load: some View {
        Section("day.load_check") {
            ScanField("day.scan", text: $scan) {
                Task {
                    await model.scan(scan)
                    scan = ""
                }
            }
            if let last = model.lastScan {
                Said(last.result, app.language)
                Text("day.loaded \(Int(last.loaded)) \(Int(last.expected))")
            }
        }
    }

    private var earned: some View {
        Section {
            if let earnings = model.earnings {
                let sum = Decimal(earnings.totalMinor) / 100
                Text(sum, format: .currency(code: earnings.currency))
            }
            if let points = model.points { Text("day.points \(points)") }
            if let level = model.stars?.levelByHub { Text("day.stars \(Int(level))") }
        } header: {
            Text("day.earned")
        } footer: {
            Text("day.estimate")
        }
    }

    private func refresh() async {
        let start = Calendar.current.startOfDay(for: .now)
        let end = start.addingTimeInterval(86_400)
        await model.refresh(
            fromMs: Int64(start.timeIntervalSince1970 * 1_000), untilMs: Int64(end.timeIntervalSince1970 * 1_000))
    }
}

/// One figure with what it is counted from.
struct FigureLine: View {
    let figure: Figure
    let language: Language

    var body: some View {
        LabeledContent {
            VStack(alignment: .trailing) {
                if let value = DayModel.value(figure) {
                    Text(verbatim: figure.isShare ? String(format: "%.2f %%", value) : String(format: "%.2f", value))
                        .foregroundStyle(figure.overLine ? .red : .primary)
                } else {
                    Text(verbatim: "–")
                }
                Text(verbatim: "\(figure.numerator) / \(figure.denominator)").font(.caption)
            }
        } label: {
            Said(figure.kpi, language)
        }
    }
}
#endif
