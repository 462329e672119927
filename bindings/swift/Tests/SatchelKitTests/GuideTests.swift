import Foundation
import Testing

/// The blocks of docs/guides/swift.md, which `scripts/bindings` strings together as they stand.
@Suite struct GuideTests {
    @Test("the guide does what it says")
    func guide() async throws {
        let folder = Folder()
        let photo = folder("guide.png")
        try photograph(photo, seed: 7)
        try await fiveMinutes(folder: folder.url, inviteText: Given.invite("Guide"), photo: photo, drawn: signature())
    }
}
