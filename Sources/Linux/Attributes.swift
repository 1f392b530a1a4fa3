internal import CLinux

extension Handle where Self: ~Copyable {
    /// fsetxattr(2); the handle must not be one of O_PATH.
    package func setAttribute(_ name: String, _ value: [UInt8]) throws(Errno) {
        _ = try check(
            unsafe value.withUnsafeBytes {
                unsafe apus_set_attribute(raw, name, $0.baseAddress, $0.count)
            })
    }

    /// fgetxattr(2), of at most 255 bytes; ENODATA where there is none.
    package func attribute(_ name: String) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 255)
        let count = try check(
            unsafe bytes.withUnsafeMutableBytes {
                unsafe apus_get_attribute(raw, name, $0.baseAddress, $0.count)
            })
        return Array(bytes.prefix(count))
    }
}

extension ProcessHandle {
    /// Starts a child that does nothing, holds no file and ends with its parent.
    package static func placeholder() throws(Errno) -> ProcessHandle {
        var number: Int32 = -1
        let pid = try check(unsafe apus_placeholder(&number))
        return ProcessHandle(pid: pid, owning: FileDescriptor(owning: number))
    }
}
