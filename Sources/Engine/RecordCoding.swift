internal import Cgroups
internal import OCI

// A record's form: a line with its version, length and checksum, then JSON on one line.
//
//     apus-record 1 412 9f3c01ab
//     {"id":"x","generation":...}

/// Why bytes are no record.
struct DamagedRecord: Error, Equatable {
    let reason: String
}

extension Record {
    private static let magic = "apus-record"
    /// A record of another version is refused, never guessed at.
    private static let version = 1

    func encoded() -> [UInt8] {
        let body = json()
        let sum = hexadecimal(checksum(of: body))
        return Array("\(Self.magic) \(Self.version) \(body.count) \(sum)\n".utf8) + body
    }

    init(decoding bytes: [UInt8]) throws(DamagedRecord) {
        let body = try Self.body(of: bytes)
        do throws(ConfigError) {
            self = try Record.decode(body)
        } catch {
            throw DamagedRecord(reason: error.description)
        }
    }

    /// The body, once its head has vouched for it.
    private static func body(of bytes: [UInt8]) throws(DamagedRecord) -> [UInt8] {
        guard !bytes.isEmpty else { throw DamagedRecord(reason: "empty") }
        guard let end = bytes.prefix(80).firstIndex(of: UInt8(ascii: "\n")) else {
            throw DamagedRecord(reason: "it has no head")
        }
        let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ")
        guard words.count == 4, words[0] == magic else {
            throw DamagedRecord(reason: "it has no head")
        }
        guard words[1] == String(version) else {
            throw DamagedRecord(reason: "version \(words[1]); this runtime writes \(version)")
        }
        let body = Array(bytes[(end + 1)...])
        guard let size = Int(words[2]), size == body.count else {
            throw DamagedRecord(reason: "\(body.count) bytes instead of \(words[2])")
        }
        guard words[3] == hexadecimal(checksum(of: body)) else {
            throw DamagedRecord(reason: "wrong checksum")
        }
        return body
    }
}

/// CRC-32 (IEEE 802.3) of the bytes, half a byte at a time: records are short.
func checksum(of bytes: [UInt8]) -> UInt32 {
    // What each half byte does to the rest: the polynomial 0xedb88320.
    let table: InlineArray<16, UInt32> = [
        0x0000_0000, 0x1db7_1064, 0x3b6e_20c8, 0x26d9_30ac, 0x76dc_4190, 0x6b6b_51f4, 0x4db2_6158,
        0x5005_713c, 0xedb8_8320, 0xf00f_9344, 0xd6d6_a3e8, 0xcb61_b38c, 0x9b64_c2b0, 0x86d3_d2d4,
        0xa00a_e278, 0xbdbd_f21c,
    ]
    var crc = ~UInt32(0)
    for byte in bytes {
        crc ^= UInt32(byte)
        crc = crc >> 4 ^ table[Int(crc & 15)]
        crc = crc >> 4 ^ table[Int(crc & 15)]
    }
    return ~crc
}

/// Eight digits.
func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.utf8.count) + digits
}

// MARK: - What survives a damaged record

extension CgroupPlace {
    /// The place in one line, "cgroupfs||x 81f3|/apus-x"; only the path may hold a "|" itself.
    var journalText: String {
        "\(driver.rawValue)|\(isUserUnit ? "user/" : "")\(unit)|\(stamp)|\(path)"
    }

    init?(journalText text: String) {
        let parts = text.split(separator: "|", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let driver = CgroupDriver(rawValue: String(parts[0])) else {
            return nil
        }
        let isUserUnit = parts[1].hasPrefix("user/")
        self.init(
            driver: driver, path: String(parts[3]),
            unit: String(isUserUnit ? parts[1].dropFirst(5) : parts[1]), isUserUnit: isUserUnit,
            stamp: String(parts[2]))
    }
}

extension ProcessIdentity {
    /// The process in one line: "PID:START:BOOT".
    var journalText: String { "\(pid):\(startTime):\(bootID)" }

    init?(journalText text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let pid = Int32(parts[0]), let start = UInt64(parts[1]) else {
            return nil
        }
        self.init(pid: pid, startTime: start, bootID: String(parts[2]))
    }
}
