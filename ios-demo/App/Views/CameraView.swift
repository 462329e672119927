#if canImport(SwiftUI) && canImport(UIKit)
import CourierModels
import SwiftUI
import UIKit

/// The system's camera, to a JPEG file that the library takes over and the model deletes.
struct CameraView: UIViewControllerRepresentable {
    let taken: (URL) -> Void
    @Environment(\.dismiss) private var dismiss

    func makeUIViewController(context: Context) -> UIImagePickerController {
        let camera = UIImagePickerController()
        // The simulator has no camera; a picture is then marked as what it is by the library's checks.
        camera.sourceType = UIImagePickerController.isSourceTypeAvailable(.camera) ? .camera : .photoLibrary
        camera.delegate = context.coordinator
        return camera
    }

    func updateUIViewController(_: UIImagePickerController, context _: Context) {}

    func makeCoordinator() -> Coordinator {
        Coordinator { image in
            dismiss()
            // A full-size JPEG; scaling and what it weighs are the library's.
            guard let data = image?.jpegData(compressionQuality: 0.95) else { return }
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).jpg")
            if (try? data.write(to: file, options: .completeFileProtection)) != nil { taken(file) }
        }
    }

    final class Coordinator: NSObject, UIImagePickerControllerDelegate, UINavigationControllerDelegate {
        private let done: (UIImage?) -> Void

        init(_ done: @escaping (UIImage?) -> Void) {
            self.done = done
        }

        func imagePickerController(
            _: UIImagePickerController, didFinishPickingMediaWithInfo info: [UIImagePickerController.InfoKey: Any]
        ) {
            done(info[.originalImage] as? UIImage)
        }

        func imagePickerControllerDidCancel(_: UIImagePickerController) {
            done(nil)
        }
    }
}
#endif
