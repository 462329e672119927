#if canImport(SwiftUI)
import SwiftUI
#if canImport(VisionKit)
import VisionKit
#endif

/// A number that is typed, or scanned where the device can: a field with a button, never a button alone.
struct ScanField: View {
    let title: Text
    @Binding var text: String
    /// What follows a scan, or the return key; where the rest of a form follows, nothing.
    let submit: () -> Void
    @State private var isScanning = false

    init(_ title: LocalizedStringKey, text: Binding<String>, submit: @escaping () -> Void = {}) {
        self.title = Text(title)
        self.submit = submit
        _text = text
    }

    init(verbatim title: String, text: Binding<String>) {
        self.title = Text(verbatim: title)
        submit = {}
        _text = text
    }

    var body: some View {
        HStack {
            TextField(text: $text) { title }
                .textInputAutocapitalization(.characters)
                .autocorrectionDisabled()
                .onSubmit(submit)
            #if canImport(VisionKit)
            if DataScannerViewController.isSupported {
                Button("item.scan", systemImage: "barcode.viewfinder") { isScanning = true }
                    .labelStyle(.iconOnly)
                    .frame(minWidth: 44, minHeight: 44)
                    .sheet(isPresented: $isScanning) {
                        ScannerView { found in
                            text = found
                            isScanning = false
                            submit()
                        }
                        .ignoresSafeArea()
                    }
            }
            #endif
        }
    }
}

#if canImport(VisionKit)
/// The system's scanner; the first code it is sure of is the answer.
struct ScannerView: UIViewControllerRepresentable {
    let found: (String) -> Void

    func makeUIViewController(context: Context) -> DataScannerViewController {
        let scanner = DataScannerViewController(
            recognizedDataTypes: [.barcode()], qualityLevel: .balanced, recognizesMultipleItems: false,
            isHighFrameRateTrackingEnabled: false, isHighlightingEnabled: true)
        scanner.delegate = context.coordinator
        return scanner
    }

    func updateUIViewController(_ scanner: DataScannerViewController, context _: Context) {
        // Without the camera's permission it stays dark, and the field beside it takes the number.
        try? scanner.startScanning()
    }

    static func dismantleUIViewController(_ scanner: DataScannerViewController, coordinator _: Coordinator) {
        scanner.stopScanning()
    }

    func makeCoordinator() -> Coordinator {
        Coordinator(found)
    }

    final class Coordinator: NSObject, DataScannerViewControllerDelegate {
        private let found: (String) -> Void
        private var isDone = false

        init(_ found: @escaping (String) -> Void) {
            self.found = found
        }

        func dataScanner(_: DataScannerViewController, didAdd added: [RecognizedItem], allItems _: [RecognizedItem]) {
            for case .barcode(let code) in added {
                guard let text = code.payloadStringValue, !isDone else { continue }
                isDone = true
                found(text)
            }
        }
    }
}
#endif
#endif
