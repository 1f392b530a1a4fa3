/// The network devices of one network namespace, by rtnetlink(7).
package struct NetworkLinks: ~Copyable {
    private var socket: NetlinkSocket

    private static let newLink: UInt16 = 16
    private static let getLink: UInt16 = 18
    private static let newAddress: UInt16 = 20
    private static let getAddress: UInt16 = 22
    /// IFLA_IFNAME, IFLA_NET_NS_FD.
    private static let name: UInt16 = 3
    private static let namespace: UInt16 = 28
    /// The sizes of struct ifinfomsg and struct ifaddrmsg.
    private static let linkSize = 16
    private static let addressSize = 8
    private static let up: UInt32 = 1

    /// The devices of this thread's namespace.
    package init() throws(Errno) {
        socket = try NetlinkSocket()
    }

    /// The devices of another namespace, a handle of /proc/PID/ns/net.
    ///
    /// This thread is in it for a moment. Where it cannot come back (never, for root) it ends: what
    /// it did next would happen in the wrong place.
    package init(in namespace: borrowing some Handle & ~Copyable) throws(Errno) {
        let own = try FileDescriptor.open("/proc/self/ns/net", .readOnly)
        try namespace.joinNamespaces(.network)
        do throws(Errno) {
            socket = try NetlinkSocket()
        } catch {
            Self.comeBack(to: own)
            throw error
        }
        Self.comeBack(to: own)
    }

    private static func comeBack(to own: borrowing FileDescriptor) {
        do throws(Errno) {
            try own.joinNamespaces(.network)
        } catch {
            CurrentProcess.exit(1)
        }
    }

    /// The number of a device; nil where none has the name.
    package mutating func index(of name: String) throws(Errno) -> Int32? {
        var message = Self.link(Self.getLink, 0)
        message.add(Self.name, text: name)
        do throws(Errno) {
            guard let answer = try socket.ask(message).first else { return nil }
            return Int32(truncatingIfNeeded: answer.number(at: 4, size: 4))
        } catch .enodev {
            return nil
        }
    }

    /// A name that is free: the one given, or the first that its `%d` yields.
    ///
    /// EEXIST where there is none.
    package mutating func freeName(_ template: String) throws(Errno) -> String {
        let bytes = Array(template.utf8)
        guard let place = bytes.firstIndex(of: UInt8(ascii: "%")) else {
            guard try index(of: template) == nil else { throw .eexist }
            return template
        }
        let tail = bytes[(place + 1)...]
        guard tail.first == UInt8(ascii: "d"), !tail.contains(UInt8(ascii: "%")) else {
            throw .einval
        }
        for number in 0..<32768 {
            let name =
                String(decoding: bytes[..<place], as: UTF8.self) + String(number)
                + String(decoding: tail.dropFirst(), as: UTF8.self)
            guard name.utf8.count < 16 else { break }
            if try index(of: name) == nil { return name }
        }
        throw .eexist
    }

    /// Moves a device, which goes down and loses its addresses, to another namespace.
    package mutating func move(
        _ index: Int32, to namespace: borrowing some Handle & ~Copyable, as name: String
    ) throws(Errno) {
        var message = Self.link(Self.newLink, index)
        message.add(Self.namespace, littleEndian(namespace.raw))
        message.add(Self.name, text: name)
        _ = try socket.ask(message)
    }

    /// Switches a device on or off.
    package mutating func setUp(_ index: Int32, _ isUp: Bool) throws(Errno) {
        _ = try socket.ask(Self.link(Self.newLink, index, flags: isUp ? Self.up : 0, of: Self.up))
    }

    /// The addresses that were given to a device for good, and hold everywhere.
    package mutating func addresses(of index: Int32) throws(Errno) -> [NetworkAddress] {
        let message = NetlinkMessage(
            Self.getAddress, NetlinkSocket.dump, body: [UInt8](repeating: 0, count: 8))
        var addresses: [NetworkAddress] = []
        for answer in try socket.ask(message) {
            guard answer.number(at: 4, size: 4) == UInt64(UInt32(bitPattern: index)),
                let address = NetworkAddress(
                    family: UInt8(answer.number(at: 0, size: 1)),
                    prefix: UInt8(answer.number(at: 1, size: 1)),
                    flags: UInt32(answer.number(at: 2, size: 1)),
                    scope: UInt8(answer.number(at: 3, size: 1)),
                    answer.attributes(from: Self.addressSize)), address.isGlobalAndPermanent
            else { continue }
            addresses.append(address)
        }
        return addresses
    }

    /// Gives an address to a device.
    package mutating func add(_ address: NetworkAddress, to index: Int32) throws(Errno) {
        let create: UInt16 = 0x400 | 0x200  // NLM_F_CREATE, NLM_F_EXCL
        let head = [address.family, address.prefix, 0, address.scope]
        var message = NetlinkMessage(
            Self.newAddress, create, body: head + littleEndian(index))
        for (type, value) in address.attributes { message.add(type, value) }
        message.add(NetworkAddress.flagsAttribute, littleEndian(address.settableFlags))
        _ = try socket.ask(message)
    }

    /// struct ifinfomsg: family, type, index, flags, and which of them change.
    private static func link(
        _ type: UInt16, _ index: Int32, flags: UInt32 = 0, of mask: UInt32 = 0
    ) -> NetlinkMessage {
        NetlinkMessage(
            type, 0,
            body: [0, 0, 0, 0] + littleEndian(index) + littleEndian(flags) + littleEndian(mask))
    }
}

/// An address of a network device, as the kernel describes it.
package struct NetworkAddress: Equatable {
    let family: UInt8
    let prefix: UInt8
    let flags: UInt32
    let scope: UInt8
    /// What of it can be given to another device: address, peer, broadcast and metric.
    let attributes: [(type: UInt16, value: [UInt8])]

    static let flagsAttribute: UInt16 = 8
    private static let kept: [UInt16] = [1, 2, 4, 9]
    private static let permanent: UInt32 = 0x80
    /// NODAD, HOMEADDRESS, MANAGETEMPADDR, NOPREFIXROUTE, MCAUTOJOIN: the rest says how it fares.
    private static let settable: UInt32 = 0x2 | 0x10 | 0x100 | 0x200 | 0x400

    var isGlobalAndPermanent: Bool { flags & Self.permanent != 0 && scope == 0 }
    var settableFlags: UInt32 { flags & Self.settable }

    /// nil where the kernel says nothing of an address.
    init?(
        family: UInt8, prefix: UInt8, flags: UInt32, scope: UInt8,
        _ attributes: [(type: UInt16, value: [UInt8])]
    ) {
        self.family = family
        self.prefix = prefix
        self.scope = scope
        var flags = flags
        var kept: [(type: UInt16, value: [UInt8])] = []
        for (type, value) in attributes {
            // The flags of the head have room for eight of them.
            if type == Self.flagsAttribute, value.count == 4 {
                flags = 0
                for index in 0..<4 { flags |= UInt32(value[index]) << (8 * UInt32(index)) }
            } else if Self.kept.contains(type) {
                kept.append((type, value))
            }
        }
        guard !kept.isEmpty else { return nil }
        self.flags = flags
        self.attributes = kept
    }

    package static func == (one: NetworkAddress, other: NetworkAddress) -> Bool {
        guard
            (one.family, one.prefix, one.flags, one.scope)
                == (other.family, other.prefix, other.flags, other.scope),
            one.attributes.count == other.attributes.count
        else { return false }
        for (index, attribute) in one.attributes.enumerated()
        where attribute != other.attributes[index] {
            return false
        }
        return true
    }
}
