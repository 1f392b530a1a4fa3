internal import CLinux

/// BPF_F_* of an attachment to a cgroup.
package struct BPFAttachFlags: OptionSet {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Programs of cgroups below run as well (Linux 4.15).
    package static let allowMultiple = BPFAttachFlags(rawValue: 2)
    /// Takes the place of `replacing` (Linux 5.6).
    package static let replace = BPFAttachFlags(rawValue: 4)
}

/// A program of type BPF_PROG_TYPE_CGROUP_DEVICE, the device controller of cgroup2 (Linux 4.15).
package struct DeviceProgram: ~Copyable {
    private static let programType: UInt32 = 15
    private static let attachType: UInt32 = 6

    package let handle: FileDescriptor

    /// BPF_PROG_LOAD of instructions, each a struct bpf_insn in the machine's byte order.
    package init(instructions: [UInt64], name: String = "apus_devices") throws(Errno) {
        handle = FileDescriptor(
            owning: try check(
                unsafe instructions.withUnsafeBufferPointer {
                    unsafe apus_bpf_load(
                        DeviceProgram.programType, $0.baseAddress, UInt32($0.count), name)
                }))
    }

    /// BPF_PROG_GET_FD_BY_ID: a program that is loaded already.
    package init(id: UInt32) throws(Errno) {
        handle = FileDescriptor(owning: try check(apus_bpf_program(id)))
    }

    /// BPF_PROG_ATTACH to a cgroup directory.
    package func attach(
        to cgroup: borrowing some Handle & ~Copyable, _ flags: BPFAttachFlags,
        replacing: BorrowedHandle? = nil
    ) throws(Errno) {
        _ = try check(
            apus_bpf_attach(
                cgroup.raw, handle.raw, DeviceProgram.attachType, flags.rawValue,
                replacing?.raw ?? 0))
    }

    /// BPF_PROG_DETACH.
    package func detach(from cgroup: borrowing some Handle & ~Copyable) throws(Errno) {
        _ = try check(apus_bpf_detach(cgroup.raw, handle.raw, DeviceProgram.attachType))
    }

    /// BPF_LINK_CREATE (Linux 5.7): attached as long as the returned handle is open.
    package func link(to cgroup: borrowing some Handle & ~Copyable) throws(Errno) -> FileDescriptor
    {
        FileDescriptor(
            owning: try check(apus_bpf_link(cgroup.raw, handle.raw, DeviceProgram.attachType)))
    }

    /// BPF_OBJ_GET_INFO_BY_FD: the name it was loaded under (Linux 4.15).
    package func name() throws(Errno) -> String {
        var bytes = [CChar](repeating: 0, count: 16)
        _ = try check(
            unsafe bytes.withUnsafeMutableBufferPointer {
                unsafe apus_bpf_name(handle.raw, $0.baseAddress)
            })
        let text = bytes.prefix { $0 != 0 }
        return String(decoding: text.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// BPF_PROG_QUERY: the programs attached to a cgroup itself, in order.
    package static func attached(
        to cgroup: borrowing some Handle & ~Copyable
    ) throws(Errno) -> (ids: [UInt32], flags: BPFAttachFlags) {
        var ids = [UInt32](repeating: 0, count: 64)
        var count = UInt32(ids.count)
        var flags: UInt32 = 0
        let target = cgroup.raw
        _ = try check(
            unsafe ids.withUnsafeMutableBufferPointer {
                unsafe apus_bpf_query(target, attachType, $0.baseAddress, &count, &flags)
            })
        return ([UInt32](ids.prefix(Int(count))), BPFAttachFlags(rawValue: flags))
    }
}
