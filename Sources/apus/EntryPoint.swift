internal import CInit
internal import Linux

/// The entry point: SwiftPM names an executable's main function after its module.
///
/// Under the name `apus-init` the process is the init stage of a container, and no line of Swift
/// runs in it (a debug build has no other image of it).
@_cdecl("apus_main")
public func main(
    _ count: Int32, _ values: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
    _ environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> Int32 {
    let words = unsafe strings(values)
    if words.first == APUS_INIT_NAME { return unsafe apus_init_main(count, values) }
    // Where nothing can be opened, nothing will work either, and that says why.
    try? reopenStandardHandles()
    return Command.main(
        words: Array(words.dropFirst()), environment: Environment(unsafe strings(environment)))
}

/// The strings of a list that ends in NULL.
private func strings(_ list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> [String] {
    var strings: [String] = []
    var next = unsafe list
    while let text = unsafe next.pointee {
        strings.append(unsafe String(cString: text))
        unsafe next += 1
    }
    return strings
}

/// The environment the runtime was started with.
struct Environment {
    private let entries: [String]

    init(_ entries: [String]) { self.entries = entries }

    /// The value of a variable; nil where it is not set.
    subscript(name: String) -> String? {
        for entry in entries {
            let bytes = entry.utf8
            guard bytes.first == name.utf8.first, bytes.starts(with: name.utf8) else { continue }
            let rest = bytes.dropFirst(name.utf8.count)
            if rest.first == UInt8(ascii: "=") { return String(Substring(rest.dropFirst())) }
        }
        return nil
    }

    /// All of it, "NAME=value".
    var all: [String] { entries }
}
