// swift-tools-version:5.9
// The core in Swift. ./make.sh comes first: it makes Sources/Zhibu/Calls.swift and, on a Mac with the
// library built for each platform, ZhibuCore.xcframework.
import PackageDescription

let package = Package(
  name: "Zhibu",
  platforms: [.iOS(.v15), .macOS(.v12)],
  products: [.library(name: "Zhibu", targets: ["Zhibu"])],
  targets: [
    .systemLibrary(name: "CZhibu"),
    .target(name: "Zhibu", dependencies: ["CZhibu"],
            swiftSettings: [.enableExperimentalFeature("StrictConcurrency")]),
  ]
)
