#if canImport(SwiftUI)
import CourierModels
import SwiftUI

/// What was recorded about each parcel, how to put it right, and the customer's rating with the courier's word.
struct HistoryView: View {
    let app: AppModel
    @State private var model: HistoryModel
    @State private var reason: Reason?
    @State private var words = ""

    init(app: AppModel, stop: Stop) {
        self.app = app
        _model = State(initialValue: HistoryModel(app: app, stop: stop))
    }

    var body: some View {
        List {
            ForEach(model.parcels, id: \.parcel.parcelId) { parcel, history in
                Section {
                    Said(history.state, app.language).font(.headline)
                    ForEach(history.flags, id: \.textEn) { Said($0, app.language).foregroundStyle(.orange) }
                    ForEach(history.lines, id: \.eventId) { HistoryLineView(line: $0, language: app.language) }
                    if let rating = parcel.rating { RatingLines(app: app, model: model, parcelId: parcel.parcelId, rating: rating) }
                    if model.canUndo(history) {
                        Button("history.undo", role: .destructive) { Task { await model.undo(parcel.parcelId) } }
                        if parcel.outcome == .failed { wrongReason(parcel) }
                    }
                } header: {
                    Text(verbatim: parcel.waybill)
                }
            }
        }
        .navigationTitle("history.title")
        .task { await model.refresh() }
        .refreshable { await model.refresh() }
    }

    @ViewBuilder private func wrongReason(_ parcel: Parcel) -> some View {
        Picker("history.true_reason", selection: $reason) {
            Text("fail.choose").tag(Reason?.none)
            ForEach(app.labels.lists.reasons, id: \.code) { Said($0, app.language).tag(Reason?.some($0.reason)) }
        }
        if let reason {
            TextField("history.why", text: $words, axis: .vertical)
            Button("history.correct") { Task { await model.wrongReason(parcel.parcelId, reason, words: words) } }
                .disabled(words.isEmpty)
        }
    }
}

/// One event; what was taken back stays to be seen.
private struct HistoryLineView: View {
    let line: HistoryLine
    let language: Language

    var body: some View {
        VStack(alignment: .leading) {
            HStack {
                Said(line.what, language).strikethrough(line.takenBack)
                Spacer()
                Text(Date(timeIntervalSince1970: Double(line.atMs) / 1_000), style: .time).foregroundStyle(.secondary)
            }
            if let words = line.words { Text(verbatim: words).font(.footnote) }
            if line.takenBack {
                Text("history.taken_back").font(.footnote).foregroundStyle(.secondary)
            } else if !line.counts {
                Text("history.no_effect").font(.footnote).foregroundStyle(.secondary)
            }
            if !line.proofs.isEmpty { Text("history.proofs \(line.proofs.count)").font(.footnote).foregroundStyle(.secondary) }
        }
        .accessibilityElement(children: .combine)
    }
}

/// The rating: what it counts for, and the one word the courier has against it.
private struct RatingLines: View {
    let app: AppModel
    let model: HistoryModel
    let parcelId: String
    let rating: Rating
    @State private var words = ""

    var body: some View {
        VStack(alignment: .leading) {
            Text(verbatim: String(repeating: "★", count: Int(rating.stars))).font(.title2).foregroundStyle(.orange)
                .accessibilityLabel(Text("history.stars \(Int(rating.stars))"))
            if let comment = rating.comment { Text(verbatim: comment) }
            if let standing = rating.standing { Said(standing, app.language).font(.footnote) }
            ForEach(rating.flags, id: \.textEn) { Said($0, app.language).font(.footnote).foregroundStyle(.orange) }
        }
        if let appeal = rating.appeal {
            VStack(alignment: .leading) {
                Text("history.your_appeal").font(.headline)
                Text(verbatim: appeal.words)
                if let number = appeal.caseNumber { Text("history.case \(number)").font(.footnote) }
                if let answer = appeal.answer { Text(verbatim: answer) }
            }
        } else {
            TextField("history.appeal_words", text: $words, axis: .vertical)
            Button("history.appeal") {
                Task {
                    await model.appeal(parcelId, words: words)
                    await app.sync()
                }
            }
        }
    }
}
#endif
