import Foundation
import OCI

/// libseccomp, loaded when a test runs: the judge of what a profile means.
@safe struct Oracle {
    typealias Context = OpaquePointer
    typealias Resolve = @convention(c) (UInt32, UnsafePointer<CChar>) -> CInt
    typealias Add = @convention(c) (Context, UInt32, CInt, UInt32, UnsafeRawPointer) -> CInt

    static let amd64: UInt32 = 0xC000_003E
    static let x86: UInt32 = 0x4000_0003
    static let x32: UInt32 = 0x4000_003E
    static let archs: [Spec.Seccomp.Architecture: UInt32] = [
        .amd64: amd64, .x86: x86, .x32: x32,
    ]

    private let library: UnsafeMutableRawPointer

    init?() {
        guard let library = unsafe dlopen("libseccomp.so.2", RTLD_NOW) else { return nil }
        unsafe self.library = unsafe library
    }

    private func symbol<T>(_ name: String, as type: T.Type) -> T {
        unsafe unsafeBitCast(dlsym(library, name), to: type)
    }

    /// The number of a name, negative for none or a multiplexed one.
    func number(of name: String, _ arch: UInt32) -> Int32 {
        let resolve = unsafe symbol("seccomp_syscall_resolve_name_arch", as: Resolve.self)
        return unsafe resolve(arch, name)
    }

    /// The program libseccomp makes of a profile; nil when it refuses a rule.
    func compile(_ profile: Spec.Seccomp) -> BPF? {
        typealias Init = @convention(c) (UInt32) -> Context?
        typealias Arch = @convention(c) (Context, UInt32) -> CInt
        typealias Export = @convention(c) (Context, CInt) -> CInt
        typealias Release = @convention(c) (Context) -> Void
        let fallback = Self.action(profile.defaultAction, profile.defaultErrnoRet)
        guard let context = unsafe symbol("seccomp_init", as: Init.self)(fallback) else {
            return nil
        }
        defer { unsafe symbol("seccomp_release", as: Release.self)(context) }
        for arch in profile.architectures {
            guard let token = Self.archs[arch] else { continue }
            _ = unsafe symbol("seccomp_arch_add", as: Arch.self)(context, token)
        }
        for rule in profile.syscalls {
            let action = Self.action(rule.action, rule.errnoRet)
            guard action != fallback else { continue }
            for name in rule.names {
                guard unsafe add(rule, name, action, to: context) else { return nil }
            }
        }
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("oracle-\(UUID().uuidString)")
        guard FileManager.default.createFile(atPath: file.path, contents: nil),
            let handle = try? FileHandle(forWritingTo: file)
        else { return nil }
        defer { try? FileManager.default.removeItem(at: file) }
        let export = unsafe symbol("seccomp_export_bpf", as: Export.self)
        guard unsafe export(context, handle.fileDescriptor) == 0,
            let data = try? Data(contentsOf: file)
        else { return nil }
        return BPF([UInt8](data))
    }

    private func add(
        _ rule: Spec.Seccomp.Rule, _ name: String, _ action: UInt32, to context: Context
    ) -> Bool {
        let add = unsafe symbol("seccomp_rule_add_array", as: Add.self)
        let number = number(of: name, Self.amd64)
        guard number != -1 else { return true }
        let conditions = rule.args.map(Self.words)
        // runc's way with an argument that is named twice.
        let isRepeated = Set(rule.args.map(\.index)).count < rule.args.count
        let groups = isRepeated ? conditions.map { [$0] } : [conditions]
        for group in groups {
            let words = group.flatMap { $0 }
            let result = unsafe words.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else {
                    return unsafe withUnsafeBytes(of: 0) { zero in
                        guard let zero = zero.baseAddress else { return CInt(-1) }
                        return unsafe add(context, action, number, 0, zero)
                    }
                }
                return unsafe add(context, action, number, UInt32(group.count), base)
            }
            guard result == 0 else { return false }
        }
        return true
    }

    /// `struct scmp_arg_cmp`: two words of 32 bits, two of 64.
    private static func words(_ argument: Spec.Seccomp.Argument) -> [UInt64] {
        let operators: [Spec.Seccomp.Operator] = [
            .notEqual, .less, .lessOrEqual, .equal, .greaterOrEqual, .greater, .maskedEqual,
        ]
        let op = UInt64((operators.firstIndex(of: argument.op) ?? 0) + 1)
        return [UInt64(argument.index) | op << 32, argument.value, argument.valueTwo ?? 0]
    }

    static func action(_ action: Spec.Seccomp.Action, _ errno: UInt32?) -> UInt32 {
        switch action {
        case .kill, .killThread: 0
        case .killProcess: 0x8000_0000
        case .trap: 0x0003_0000
        case .errno: 0x0005_0000 | (errno ?? 1)
        case .trace: 0x7FF0_0000 | (errno ?? 1)
        case .log: 0x7FFC_0000
        case .notify: 0x7FC0_0000
        case .allow: 0x7FFF_0000
        }
    }
}
