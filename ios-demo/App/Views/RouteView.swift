#if canImport(SwiftUI)
import CourierModels
import SwiftUI

/// The round: next stop on top, each with its promise clock and how far its record has got.
struct RouteView: View {
    let app: AppModel
    @State private var route: RouteModel
    @State private var showsMap = false

    init(app: AppModel) {
        self.app = app
        _route = State(initialValue: RouteModel(app: app))
    }

    var body: some View {
        NavigationStack {
            // Once a minute, so that the clocks are true.
            TimelineView(.everyMinute) { timeline in
                let now = Int64(timeline.date.timeIntervalSince1970 * 1_000)
                List {
                    if showsMap { Section { MapCanvas(dots: route.map()).frame(height: 280) } }
                    Section("route.next") { lines(route.open(nowMs: now)) }
                    Section("route.done") { lines(route.done(nowMs: now)) }
                }
            }
            .navigationTitle("route.title")
            .navigationDestination(for: String.self) { stopId in
                if let stop = app.stops.first(where: { $0.stopId == stopId }) {
                    if stop.state == .done { HistoryView(app: app, stop: stop) } else { StopView(app: app, stop: stop) }
                }
            }
            .refreshable { await app.syncNow() }
            .overlay { if app.stops.isEmpty { ContentUnavailableView("route.empty", systemImage: "tray") } }
            .toolbar {
                Button("route.plan") { Task { await route.makePlan(from: nil) } }
                Toggle("route.map", isOn: $showsMap)
                NavigationLink("wishes.title") { WishesView(app: app) }
            }
        }
    }

    private func lines(_ lines: [RouteModel.Line]) -> some View {
        ForEach(lines) { line in
            NavigationLink(value: line.id) { StopLine(line: line, app: app) }
                .swipeActions {
                    Button("route.first") { Task { await route.wantFirst(line.id) } }
                    Button("route.why") {
                        Task { if let why = await route.why(line.id) { app.say(.words(why)) } }
                    }
                }
        }
    }
}

/// One stop in the list.
struct StopLine: View {
    let line: RouteModel.Line
    let app: AppModel

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            Text(verbatim: line.stop.address).font(.headline)
            HStack {
                Text(verbatim: line.stop.recipientName)
                Text("route.parcels \(line.stop.parcels.count)")
                if line.stop.parcels.contains(where: \.doorRequired) {
                    Text("route.door").bold()
                }
            }
            .font(.subheadline)
            // Side by side as long as it fits; large text gets a line for each.
            ViewThatFits {
                HStack { facts }
                VStack(alignment: .leading) { facts }
            }
            .font(.footnote)
        }
        .accessibilityElement(children: .combine)
    }

    @ViewBuilder private var facts: some View {
        switch line.clock {
        case .left(let span, let isSoon):
            Text("route.left \(span.hours) \(span.minutes)").foregroundStyle(isSoon ? .orange : .secondary)
        case .late(let span):
            Text("route.late \(span.hours) \(span.minutes)").foregroundStyle(.red).bold()
        case nil: EmptyView()
        }
        if let planned = line.planned {
            let from = Date(timeIntervalSince1970: Double(planned.etaFromMs) / 1_000)
            let to = Date(timeIntervalSince1970: Double(planned.etaToMs) / 1_000)
            Text(from...to).foregroundStyle(planned.predictedLate ? .red : .secondary)
        }
        Said(app.labels[line.stop.sync], app.language)
            .foregroundStyle(line.stop.sync == .proofComplete ? .green : .secondary)
    }
}

/// The order as a drawing: places and numbers, no tiles and no network.
struct MapCanvas: View {
    let dots: [RouteModel.Dot]
    /// More numbers than this cover each other.
    private static let mostNumbers = 30

    var body: some View {
        Canvas { context, size in
            let edge = 16.0
            let side = min(size.width, size.height) - 2 * edge
            func at(_ dot: RouteModel.Dot) -> CGPoint {
                CGPoint(x: (size.width - side) / 2 + dot.x * side, y: (size.height - side) / 2 + dot.y * side)
            }
            var way = Path()
            way.addLines(dots.map(at))
            context.stroke(way, with: .color(.accentColor), lineWidth: 2)
            for dot in dots {
                let radius = dots.count > Self.mostNumbers ? 4.0 : 10
                let box = CGRect(x: at(dot).x - radius, y: at(dot).y - radius, width: 2 * radius, height: 2 * radius)
                context.fill(Path(ellipseIn: box), with: .color(dot.isLate ? .red : .accentColor))
                if dots.count <= Self.mostNumbers {
                    let number = Text(verbatim: "\(dot.order)").font(.caption2).foregroundStyle(.white)
                    context.draw(number, at: at(dot))
                }
            }
        }
        .accessibilityElement()
        .accessibilityLabel(Text("route.map_of \(dots.count)"))
    }
}
#endif
