#if canImport(SwiftUI)
import CourierModels
import SwiftUI

/// The codes for the customer, full screen, black on white in every theme, as bright as the screen goes.
struct RatingView: View {
    let parcelIds: [String]
    let done: () -> Void
    @State private var model: RatingModel
    @State private var brightness: CGFloat?

    init(app: AppModel, parcelIds: [String], done: @escaping () -> Void) {
        self.parcelIds = parcelIds
        self.done = done
        _model = State(initialValue: RatingModel(app: app))
    }

    var body: some View {
        VStack {
            Text("rating.title").font(.title2).foregroundStyle(.black)
            TabView {
                ForEach(model.codes, id: \.url) { QrView(code: $0).padding() }
            }
            .tabViewStyle(.page(indexDisplayMode: model.codes.count > 1 ? .always : .never))
            Text("rating.note").font(.footnote).foregroundStyle(.black)
            Button("rating.done", action: done).buttonStyle(.borderedProminent)
        }
        .padding()
        .frame(maxWidth: .infinity, maxHeight: .infinity)
        .background(.white)
        .task { await model.show(parcelIds) }
        .onAppear {
            brightness = UIScreen.main.brightness
            UIScreen.main.brightness = 1
        }
        .onDisappear { if let brightness { UIScreen.main.brightness = brightness } }
        .interactiveDismissDisabled()
    }
}

/// The modules as they come, with the margin that scanners want.
struct QrView: View {
    let code: QrCode
    private static let margin = 4

    var body: some View {
        Canvas { context, size in
            let modules = Int(code.sizeModules)
            // Whole pixels to a module, or some lines come out thicker than others.
            let side = (min(size.width, size.height) / Double(modules + 2 * Self.margin)).rounded(.down)
            let left = (size.width - side * Double(modules)) / 2
            let top = (size.height - side * Double(modules)) / 2
            for (at, module) in code.modules.enumerated() where module == 1 {
                let box = CGRect(
                    x: left + Double(at % modules) * side, y: top + Double(at / modules) * side, width: side, height: side)
                context.fill(Path(box), with: .color(.black))
            }
        }
        .background(.white)
        .aspectRatio(1, contentMode: .fit)
        .accessibilityElement()
        .accessibilityLabel(Text("rating.title"))
    }
}
#endif
