#if canImport(SwiftUI)
import CourierModels
import SwiftUI

/// What the hub wonders about, and the courier's answer to each. Nothing follows from a question by itself.
struct DoubtsView: View {
    let app: AppModel
    @State private var model: DoubtsModel

    init(app: AppModel) {
        self.app = app
        _model = State(initialValue: DoubtsModel(app: app))
    }

    var body: some View {
        List {
            Section { ForEach(model.doubts, id: \.doubtId) { DoubtLines(app: app, model: model, doubt: $0) } } footer: {
                Text("doubts.note")
            }
        }
        .overlay { if model.doubts.isEmpty { ContentUnavailableView("doubts.none", systemImage: "checkmark.seal") } }
        .navigationTitle("doubts.title")
        .task { await model.refresh() }
        .refreshable {
            await app.syncNow()
            await model.refresh()
        }
    }
}

private struct DoubtLines: View {
    let app: AppModel
    let model: DoubtsModel
    let doubt: Doubt
    @State private var words = ""

    var body: some View {
        VStack(alignment: .leading, spacing: 6) {
            if let question = doubt.question { Said(question, app.language).font(.headline) } else { Text("doubts.newer_hub").font(.headline) }
            Text(Date(timeIntervalSince1970: Double(doubt.occurredAtMs) / 1_000), format: .dateTime).font(.footnote)
            if let metres = doubt.apartM { Text("doubts.apart \(Int(metres))").font(.footnote) }
            if let answer = doubt.answer {
                Text(verbatim: answer)
            } else if doubt.verdict == nil {
                TextField("doubts.words", text: $words, axis: .vertical)
                Button("doubts.answer") {
                    Task {
                        await model.answer(doubt.doubtId, words: words)
                        await app.sync()
                    }
                }
            }
            if let verdict = doubt.verdict { Said(verdict, app.language).bold() }
            if let why = doubt.why { Text(verbatim: why).font(.footnote) }
        }
    }
}
#endif
