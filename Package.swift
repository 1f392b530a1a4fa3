// swift-tools-version: 6.2
import PackageDescription

// Two builds of the same sources: the ordinary one for development and tests, and with
// APUS_EMBEDDED=1 the release, an Embedded Swift static executable (see the Makefile).
let isEmbedded = Context.environment["APUS_EMBEDDED"] != nil

// The flat image of the init stage, built by the Makefile for a release. Without it the
// runtime uses its own executable as the image (see Sources/CInit/image.S).
let initImage = Context.environment["APUS_INIT_IMAGE"]

// Set by the Makefile where musl is installed: the release is linked with it then, which halves the
// time to start; otherwise with glibc, statically too.
let muslSettings: [CSetting] =
    Context.environment["APUS_MUSL"] == nil ? [] : [.define("APUS_MUSL")]

let commonSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// DeferredCodeGen: without it Embedded Swift emits constant arrays as weak symbols numbered by
// module, and the linker merges arrays of one number and different contents.
let embeddedSettings: [SwiftSetting] = [
    .enableExperimentalFeature("Embedded"),
    .enableExperimentalFeature("DeferredCodeGen"),
    .unsafeFlags(["-wmo", "-Osize", "-Xfrontend", "-function-sections"]),
]
let swiftSettings = commonSettings + (isEmbedded ? embeddedSettings : [])

let imageSettings: [CSetting] =
    initImage.map {
        [.define("APUS_INIT_IMAGE", to: "\"\($0)\"")]
    } ?? []

/// A Swift target of the runtime; the names it may import are its dependencies.
func module(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

/// The unit tests of a module, and the modules below it that they use.
func tests(of name: String, _ others: Target.Dependency...) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + others,
        exclude: name == "Plan" ? ["Snapshots"] : [], swiftSettings: commonSettings)
}

let package = Package(
    name: "apus",
    products: [.executable(name: "apus", targets: ["apus"])],
    targets: [
        .target(name: "CLinux"),
        .target(name: "CInit", cSettings: imageSettings),
        .target(name: "CMusl", cSettings: muslSettings),
        .target(name: "CSeccomp"),
        module("Linux", "CLinux", "CMusl"),
        module("JSON"),
        module("OCI", "JSON"),
        module("Plan", "OCI", "JSON"),
        module("Seccomp", "CSeccomp", "OCI"),
        module("DBus"),
        module("Cgroups", "Linux", "DBus", "Plan", "OCI", "JSON"),
        module("Engine", "Plan", "OCI", "JSON", "Cgroups", "Seccomp", "Linux", "CInit"),
        module("Options", "OCI", "JSON"),
        .executableTarget(
            name: "apus",
            dependencies: [
                "Engine", "Options", "Plan", "OCI", "JSON", "Cgroups", "Seccomp", "Linux", "CInit",
            ],
            swiftSettings: swiftSettings),
        tests(of: "JSON"),
        tests(of: "OCI", "JSON"),
        tests(of: "Plan", "OCI", "JSON"),
        tests(of: "Linux"),
        tests(of: "Seccomp", "CSeccomp", "OCI", "JSON"),
        tests(of: "DBus"),
        tests(of: "Cgroups", "Linux", "DBus", "Plan", "OCI", "JSON"),
        tests(of: "Engine", "Plan", "OCI", "JSON", "Cgroups", "Seccomp", "Linux", "CInit"),
        tests(of: "Options", "OCI", "JSON"),
    ]
)
