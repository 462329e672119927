#if canImport(SwiftUI)
import CourierModels
import SwiftUI

/// The four places of the app, or the enrolment while the phone belongs to no hub.
struct RootView: View {
    let app: AppModel

    var body: some View {
        Group {
            switch app.enrolment {
            case _ where app.isWiped:
                ContentUnavailableView("app.wiped", systemImage: "lock.slash", description: Text("app.wiped_note"))
            case .enrolled: tabs
            case .absent, .pending, .refused: EnrolView(app: app)
            }
        }
        .task { await app.follow() }
        .environment(\.locale, Locale(identifier: app.language.rawValue))
        .overlay(alignment: .bottom) { toast }
    }

    private var tabs: some View {
        TabView {
            RouteView(app: app).tabItem { Label("route.title", systemImage: "list.number") }
            DayView(app: app).tabItem { Label("day.title", systemImage: "chart.bar") }
            QueueView(app: app).tabItem { Label("queue.title", systemImage: "arrow.triangle.2.circlepath") }
                .badge(Int(app.queue?.unsentEntries ?? 0))
            SettingsView(app: app).tabItem { Label("settings.title", systemImage: "gearshape") }
        }
    }

    @ViewBuilder private var toast: some View {
        if let message = app.message {
            MessageText(message, language: app.language)
                .padding()
                .frame(maxWidth: .infinity)
                .background(.thinMaterial, in: RoundedRectangle(cornerRadius: 12))
                .padding()
                .onTapGesture { app.say(nil) }
                .accessibilityAddTraits(.isStaticText)
                .task(id: message) {
                    try? await Task.sleep(for: .seconds(6))
                    if !Task.isCancelled { app.say(nil) }
                }
        }
    }
}

/// A message in the app's language.
struct MessageText: View {
    private let message: Message
    private let language: Language

    init(_ message: Message, language: Language) {
        self.message = message
        self.language = language
    }

    var body: some View {
        switch message {
        case .words(let words): Text(verbatim: words.text(language))
        case .own(let key): Text(LocalizedStringKey(key.rawValue))
        }
    }
}

/// The library's own words in the app's language.
struct Said: View {
    private let words: any Bilingual
    private let language: Language

    init(_ words: any Bilingual, _ language: Language) {
        self.words = words
        self.language = language
    }

    var body: some View {
        Text(verbatim: words.text(language))
    }
}

/// The invite that the dispatcher shows, typed or pasted.
struct EnrolView: View {
    let app: AppModel
    @State private var invite = ""

    var body: some View {
        NavigationStack {
            Form {
                Section {
                    TextField("enrol.invite", text: $invite, axis: .vertical)
                        .textInputAutocapitalization(.characters)
                        .autocorrectionDisabled()
                    Button("enrol.go") {
                        Task { await app.enrol(invite: invite, label: UIDevice.current.model) }
                    }
                    .disabled(invite.isEmpty || app.isSyncing)
                } footer: {
                    switch app.enrolment {
                    case .refused: Text("enrol.refused")
                    case .pending: Text("enrol.pending")
                    case .absent, .enrolled: Text("enrol.note")
                    }
                }
            }
            .navigationTitle("enrol.title")
        }
    }
}
#endif
