internal import CLinux

/// SOCK_* of a Unix socket.
package enum SocketType: Int32 {
    case stream = 1
    case datagram = 2
    case sequencedPacket = 5
}

/// Two connected Unix sockets, of socketpair(2).
package struct SocketPair: ~Copyable {
    package let first: FileDescriptor
    package let second: FileDescriptor

    package init(_ type: SocketType) throws(Errno) {
        var ends: [Int32] = [-1, -1]
        _ = try check(
            unsafe ends.withUnsafeMutableBufferPointer {
                unsafe apus_socketpair(type.rawValue, $0.baseAddress)
            })
        first = FileDescriptor(owning: ends[0])
        second = FileDescriptor(owning: ends[1])
    }
}

/// What one recvmsg(2) brought.
package struct ReceivedMessage: ~Copyable {
    /// Empty at the end of the connection.
    package let bytes: [UInt8]
    /// The first handle that came along; any others are closed.
    package var handle: FileDescriptor?
    /// Whether the packet was longer than the room for it.
    package let isTruncated: Bool

    /// Moves the handle out.
    package consuming func takeHandle() -> FileDescriptor? {
        handle
    }
}

/// Who is at the other end of a Unix socket (SO_PEERCRED).
package struct PeerCredentials: Equatable {
    package let pid: Int32
    package let uid: UInt32
    package let gid: UInt32
}

extension FileDescriptor {
    /// Connects to a Unix socket by path (107 bytes at most; "@..." is not special).
    ///
    /// A longer path is reached through a handle of its directory and `Handle.procPath`.
    package static func connect(
        _ path: String, _ type: SocketType = .stream
    ) throws(Errno) -> FileDescriptor {
        let size = path.utf8.count
        return FileDescriptor(
            owning: try retrying { unsafe apus_unix_connect(path, size, type.rawValue) })
    }

    /// Makes a Unix socket at `path`, and listens unless it is one of datagrams.
    package static func listen(
        _ path: String, _ type: SocketType = .stream, backlog: Int32 = 8
    ) throws(Errno) -> FileDescriptor {
        let size = path.utf8.count
        return FileDescriptor(
            owning: try check(unsafe apus_unix_listen(path, size, type.rawValue, backlog)))
    }
}

extension Handle where Self: ~Copyable {
    /// accept4(2).
    package func accept() throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try retrying { apus_accept(raw) })
    }

    /// sendmsg(2), without SIGPIPE; the number of bytes taken.
    ///
    /// - Parameter handles: at most 16, copied to the receiver (SCM_RIGHTS).
    package func send(_ bytes: [UInt8], handles: [BorrowedHandle] = []) throws(Errno) -> Int {
        var numbers: [Int32] = []
        for handle in handles { numbers.append(handle.raw) }
        return try retrying {
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe numbers.withUnsafeBufferPointer {
                    unsafe apus_send_message(
                        raw, bytes.baseAddress, bytes.count, $0.baseAddress, $0.count, 0)
                }
            }
        }
    }

    /// recvmsg(2) of up to `limit` bytes, and of a handle.
    package func receive(limit: Int) throws(Errno) -> ReceivedMessage {
        var bytes = [UInt8](repeating: 0, count: limit)
        var number: Int32 = -1
        var count = 1
        var isTruncated: Int32 = 0
        let size = try retrying {
            count = 1
            return unsafe bytes.withUnsafeMutableBytes {
                unsafe apus_receive_message(
                    raw, $0.baseAddress, $0.count, &number, &count, &isTruncated, 0)
            }
        }
        bytes.removeLast(limit - size)
        var handle: FileDescriptor?
        if count > 0 { handle = FileDescriptor(owning: number) }
        return ReceivedMessage(bytes: bytes, handle: handle, isTruncated: isTruncated != 0)
    }

    /// SO_PEERCRED of a connected Unix socket.
    package func peerCredentials() throws(Errno) -> PeerCredentials {
        var pid: Int32 = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        _ = try check(unsafe apus_peer(raw, &pid, &uid, &gid))
        return PeerCredentials(pid: pid, uid: uid, gid: gid)
    }

    /// shutdown(2) of the sending side: the peer reads an end.
    package func shutdownSending() throws(Errno) {
        _ = try check(apus_shutdown(raw, 1))
    }
}
