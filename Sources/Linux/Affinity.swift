internal import CLinux

/// The CPUs that a process may run on, sched_setaffinity(2).
package struct Affinity: Equatable {
    /// Bit N of word W stands for CPU 64 * W + N.
    private var words: [UInt64]

    /// More than any kernel is built for (CONFIG_NR_CPUS).
    private static let limit = 8192

    /// The CPUs of this thread.
    package init() throws(Errno) {
        var words = [UInt64](repeating: 0, count: Affinity.limit / 64)
        _ = try check(
            unsafe words.withUnsafeMutableBytes {
                unsafe apus_get_affinity($0.baseAddress, $0.count)
            })
        self.words = words
    }

    /// Reads a list such as "0-3,7"; EINVAL for anything else.
    package init(list: String) throws(Errno) {
        words = [UInt64](repeating: 0, count: Affinity.limit / 64)
        for part in list.utf8.split(separator: UInt8(ascii: ",")) {
            let ends = part.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
            guard ends.count <= 2, let first = number(ends[0]),
                let last = number(ends[ends.count - 1]), first >= 0, first <= last,
                last < Affinity.limit
            else { throw .einval }
            for cpu in Int(first)...Int(last) { words[cpu / 64] |= 1 << UInt64(cpu % 64) }
        }
    }

    /// The numbers of the CPUs, ascending.
    package var cpus: [Int] {
        var cpus: [Int] = []
        for (index, word) in words.enumerated() where word != 0 {
            for bit in 0..<64 where word & 1 << UInt64(bit) != 0 { cpus.append(index * 64 + bit) }
        }
        return cpus
    }

    /// The set as one hexadecimal number, CPU 0 in its last bit.
    package var mask: String {
        var digits = ""
        for word in words.reversed() {
            let text = String(word, radix: 16)
            if digits.isEmpty {
                if word != 0 { digits = text }
            } else {
                digits += String(repeating: "0", count: 16 - text.utf8.count) + text
            }
        }
        return digits.isEmpty ? "0" : digits
    }

    /// Binds this thread, and what it starts from now on; EINVAL where no CPU of them is there.
    package func apply() throws(Errno) {
        _ = try check(
            unsafe words.withUnsafeBytes { unsafe apus_set_affinity($0.baseAddress, $0.count) })
    }
}
