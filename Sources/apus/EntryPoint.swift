internal import CInit
internal import JSON
internal import Linux

/// The entry point: SwiftPM names an executable's main function after its module.
@_cdecl("apus_main")
public func main(_ count: Int32, _ values: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
    say("hello \(count) \(lookup("e\u{301}"))\n")
    return 0
}
