// swift-tools-version: 6.0
// Satchel for Swift. What is generated comes from the library it belongs to: `scripts/bindings` (Linux) or
// `scripts/xcframework` (macOS) fills Generated/ and Sources/SatchelKit/Generated before anything compiles here.
import PackageDescription

/// The one switch between a library built on this machine (nil) and a published one.
let release: (url: String, checksum: String)? = nil

// On Linux there are no XCFrameworks; the shared library lies beside its header.
#if os(Linux)
let library: Target = .systemLibrary(name: "SatchelFFI", path: "Generated/SatchelFFI")
let linking: [LinkerSetting] = [
    .unsafeFlags([
        "-L\(Context.packageDirectory)/Generated/SatchelFFI",
        "-Xlinker", "-rpath", "-Xlinker", "\(Context.packageDirectory)/Generated/SatchelFFI",
    ])
]
#else
let library: Target =
    if let release {
        .binaryTarget(name: "SatchelFFI", url: release.url, checksum: release.checksum)
    } else {
        .binaryTarget(name: "SatchelFFI", path: "Generated/SatchelFFI.xcframework")
    }
let linking: [LinkerSetting] = []
#endif

let package = Package(
    name: "Satchel",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "SatchelKit", targets: ["SatchelKit"])],
    targets: [
        library,
        .target(
            name: "SatchelBindings",
            dependencies: ["SatchelFFI"],
            path: "Generated/SatchelBindings",
            // The generator's code is not written for Swift 6's checks; whoever imports it is unaffected.
            swiftSettings: [.swiftLanguageMode(.v5)],
            linkerSettings: linking),
        .target(name: "SatchelKit", dependencies: ["SatchelBindings"]),
        .testTarget(name: "SatchelKitTests", dependencies: ["SatchelKit"]),
    ]
)
