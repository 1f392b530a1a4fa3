internal import Linux

/// Handles passed to the engine over a Unix socket: the terminal's master, a pidfd.
enum HandleSocket {
    /// Connects and sends one handle with a payload, as conmon and containerd's shim read it: at
    /// least one byte, and less than 4096.
    ///
    /// - Parameters:
    ///   - origin: the option that named the socket, for the message.
    ///   - peer: who listens there, for the message.
    static func send(
        _ handle: borrowing some Handle & ~Copyable, payload: [UInt8], to path: String,
        origin: String, peer: String = "the engine"
    ) throws(Failure) {
        let socket: FileDescriptor
        do throws(Errno) {
            socket = try connect(path)
        } catch {
            throw Failure("failed to connect with \(peer)", error, path: path).at(origin)
        }
        do throws(Errno) {
            guard try socket.send(payload, handles: [handle.borrowed]) == payload.count else {
                throw .eio
            }
        } catch {
            throw Failure("send a handle", error, path: path).at(origin)
        }
    }

    /// connect(2) takes 107 bytes of path; a longer one is reached through its directory's handle.
    private static func connect(_ path: String) throws(Errno) -> FileDescriptor {
        guard path.utf8.count > 107 else { return try FileDescriptor.connect(path) }
        let (directory, name) = PidFile.split(path)
        let handle = try FileDescriptor.open(directory, [.path, .directory])
        return try FileDescriptor.connect(handle.procPath + "/" + name)
    }
}
