// swift-tools-version: 6.0
// The demo's view models: plain Swift, compiled and tested on Linux too. The app around them is project.yml.
import PackageDescription

let package = Package(
    name: "CourierModels",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [.library(name: "CourierModels", targets: ["CourierModels"])],
    dependencies: [.package(name: "Satchel", path: "../bindings/swift")],
    targets: [
        .target(name: "CourierModels", dependencies: [.product(name: "SatchelKit", package: "Satchel")]),
        .testTarget(name: "CourierModelsTests", dependencies: ["CourierModels"]),
    ]
)
