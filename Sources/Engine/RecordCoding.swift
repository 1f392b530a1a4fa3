internal import Cgroups
internal import JSON
internal import Plan

// A record's form: a line with its length and checksum, then JSON on one line.
//
//     apus-record 1 412 9f3c01ab
//     {"id":"x","generation":...}

/// Why bytes are no record.
struct DamagedRecord: Error, Equatable {
    let reason: String
}

extension Record {
    private static let magic = "apus-record"

    func encoded() -> [UInt8] {
        let body = encodedBody()
        let head = "\(Self.magic) \(Self.version) \(body.count) \(hexadecimal(checksum(of: body)))\n"
        return Array(head.utf8) + body
    }

    init(decoding bytes: [UInt8]) throws(DamagedRecord) {
        self.init(id: "")
        try decodeBody(try Self.body(of: bytes))
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
            throw DamagedRecord(reason: "version \(words[1]), this runtime writes \(version)")
        }
        let body = Array(bytes[(end + 1)...])
        guard let size = Int(words[2]), size == body.count else {
            throw DamagedRecord(reason: "cut at \(body.count) of \(words[2]) bytes")
        }
        guard words[3] == hexadecimal(checksum(of: body)) else {
            throw DamagedRecord(reason: "wrong checksum")
        }
        return body
    }
}

// MARK: - The fields

extension Record {
    private func encodedBody() -> [UInt8] {
        var writer = JSONWriter(indented: false)
        writer.beginObject()
        writer.member("id", id)
        writer.member("generation", generation)
        writer.key("pid")
        writer.integer(process.pid)
        writer.key("startTime")
        writer.integer(process.startTime)
        writer.member("bootID", process.bootID)
        writer.member("cgroupDriver", cgroup.driver.rawValue)
        writer.member("cgroup", cgroup.path)
        writer.member("unit", cgroup.unit)
        writer.key("isUserUnit")
        writer.bool(cgroup.isUserUnit)
        writer.key("sharesPIDNamespace")
        writer.bool(sharesPIDNamespace)
        writer.member("ociVersion", ociVersion)
        writer.member("bundle", bundle)
        writer.member("rootfs", rootfs)
        writer.member("created", created)
        writer.member("owner", owner)
        writer.member("resctrlGroup", resctrlGroup)
        writer.key("annotations")
        writer.beginObject()
        for name in annotations.keys.sorted() { writer.member(name, annotations[name] ?? "") }
        writer.endObject()
        writer.hooks("poststart", poststart)
        writer.hooks("poststop", poststop)
        writer.endObject()
        return writer.finish()
    }

    private mutating func decodeBody(_ body: [UInt8]) throws(DamagedRecord) {
        let fields = try RecordFields(parsing: body)
        id = try fields.string("id")
        generation = try fields.string("generation")
        process.pid = try fields.integer("pid")
        process.startTime = try fields.integer("startTime")
        process.bootID = try fields.string("bootID")
        guard let driver = CgroupDriver(rawValue: try fields.string("cgroupDriver")) else {
            throw DamagedRecord(reason: "unknown cgroupDriver")
        }
        cgroup = CgroupPlace(
            driver: driver, path: try fields.string("cgroup"), unit: try fields.string("unit"),
            isUserUnit: try fields.bool("isUserUnit"))
        sharesPIDNamespace = try fields.bool("sharesPIDNamespace")
        ociVersion = try fields.string("ociVersion")
        bundle = try fields.string("bundle")
        rootfs = try fields.string("rootfs")
        created = try fields.string("created")
        owner = try fields.string("owner")
        resctrlGroup = try fields.string("resctrlGroup")
        annotations = try fields.strings("annotations")
        poststart = try fields.hooks("poststart")
        poststop = try fields.hooks("poststop")
    }
}

/// The members of a record's object; all of them must be there.
private struct RecordFields {
    private let object: JSON.Object

    init(parsing body: [UInt8]) throws(DamagedRecord) {
        let value: JSON.Value
        do {
            value = try JSON.parse(body)
        } catch {
            throw DamagedRecord(reason: error.message)
        }
        try self.init(value)
    }

    private init(_ value: JSON.Value) throws(DamagedRecord) {
        guard let object = value.object else { throw DamagedRecord(reason: "no object") }
        self.object = object
    }

    func string(_ key: StaticString) throws(DamagedRecord) -> String {
        guard let string = object[key]?.string else { throw Self.wrong(key) }
        return string
    }

    func bool(_ key: StaticString) throws(DamagedRecord) -> Bool {
        guard let bool = object[key]?.bool else { throw Self.wrong(key) }
        return bool
    }

    func integer<Number: FixedWidthInteger>(
        _ key: StaticString
    ) throws(DamagedRecord) -> Number {
        guard let number = object[key]?.integer(as: Number.self) else { throw Self.wrong(key) }
        return number
    }

    func strings(_ key: StaticString) throws(DamagedRecord) -> [String: String] {
        guard let members = object[key]?.object else { throw Self.wrong(key) }
        var strings: [String: String] = [:]
        for (name, value) in members {
            guard let string = value.string else { throw Self.wrong(key) }
            strings[name] = string
        }
        return strings
    }

    func list(_ key: StaticString) throws(DamagedRecord) -> [String] {
        guard let elements = object[key]?.array else { throw Self.wrong(key) }
        var list: [String] = []
        for element in elements {
            guard let string = element.string else { throw Self.wrong(key) }
            list.append(string)
        }
        return list
    }

    func hooks(_ key: StaticString) throws(DamagedRecord) -> [RuntimeHook] {
        guard let elements = object[key]?.array else { throw Self.wrong(key) }
        var hooks: [RuntimeHook] = []
        for element in elements {
            let fields = try RecordFields(element)
            let timeout: Int = try fields.integer("timeout")
            hooks.append(
                RuntimeHook(
                    origin: try fields.string("origin"), path: try fields.string("path"),
                    arguments: try fields.list("arguments"),
                    environment: try fields.list("environment"),
                    timeout: timeout == 0 ? nil : timeout))
        }
        return hooks
    }

    private static func wrong(_ key: StaticString) -> DamagedRecord {
        DamagedRecord(reason: "\(key) is missing or of the wrong type")
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ key: String, _ value: String) {
        self.key(key)
        string(value)
    }

    fileprivate mutating func list(_ key: String, _ values: [String]) {
        self.key(key)
        beginArray()
        for value in values { string(value) }
        endArray()
    }

    fileprivate mutating func hooks(_ key: String, _ hooks: [RuntimeHook]) {
        self.key(key)
        beginArray()
        for hook in hooks {
            beginObject()
            member("origin", hook.origin)
            member("path", hook.path)
            list("arguments", hook.arguments)
            list("environment", hook.environment)
            self.key("timeout")
            integer(hook.timeout ?? 0)
            endObject()
        }
        endArray()
    }
}

// MARK: - The checksum

/// CRC-32 (IEEE 802.3) of the bytes, without a table: records are short.
func checksum(of bytes: [UInt8]) -> UInt32 {
    var crc = ~UInt32(0)
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
    }
    return ~crc
}

func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.utf8.count) + digits
}

// MARK: - What survives a damaged record

extension CgroupPlace {
    /// The place in one line of text: "cgroupfs::/apus-x", "systemd:apus-x.scope:/system.slice/...".
    var journalText: String {
        "\(driver.rawValue):\(isUserUnit ? "user/" : "")\(unit):\(path)"
    }

    init?(journalText text: String) {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let driver = CgroupDriver(rawValue: String(parts[0])) else {
            return nil
        }
        let isUserUnit = parts[1].hasPrefix("user/")
        self.init(
            driver: driver, path: String(parts[2]),
            unit: String(isUserUnit ? parts[1].dropFirst(5) : parts[1]), isUserUnit: isUserUnit)
    }
}

extension ProcessIdentity {
    /// The process in one line of text: "PID:START:BOOT".
    var journalText: String { "\(pid):\(startTime):\(bootID)" }

    init?(journalText text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let pid = Int32(parts[0]), let start = UInt64(parts[1]) else {
            return nil
        }
        self.init(pid: pid, startTime: start, bootID: String(parts[2]))
    }
}
