internal import Linux

/// A program of the host that was run to its end: a hook, a helper.
struct CompletedProgram {
    /// nil: it was killed at the end of its time.
    let status: ExitStatus?
    /// The beginning of what it wrote to stdout and stderr.
    let output: [UInt8]

    /// How much of the output is kept, bytes.
    private static let outputLimit = 1024

    /// Runs a program, with `input` to read and nothing else of ours: its environment is exactly
    /// `environment`, its handles are its stdio.
    ///
    /// It leads a process group, which is killed when the time is over, and dies with the runtime.
    ///
    /// - Parameters:
    ///   - directory: where it starts; empty: where the runtime is.
    ///   - deadline: of `MonotonicClock`; nil waits for ever.
    static func run(
        _ path: String, _ arguments: [String], environment: [String], input: [UInt8],
        directory: String = "", deadline: Int64? = nil
    ) throws(Errno) -> CompletedProgram {
        let file = try FileDescriptor.sealed(name: "input", input)
        let reading: FileDescriptor
        let process: ProcessHandle
        do {
            let pipe = try Pipe()
            var launch = ProgramLaunch(
                .path(path), arguments: arguments, environment: environment,
                handles: [file.borrowed, pipe.writing.borrowed, pipe.writing.borrowed])
            launch.directory = directory
            launch.leadsGroup = true
            launch.deathSignal = Signal.kill
            process = try launch.start()
            // Our writing end closes here: the reading one ends with the program.
            reading = try pipe.reading.duplicate()
        }
        try reading.setNonBlocking(true)
        var output: [UInt8] = []
        let status = try wait(for: process, reading: reading, into: &output, until: deadline)
        return CompletedProgram(status: status, output: output)
    }

    private static func wait(
        for process: borrowing ProcessHandle, reading: borrowing FileDescriptor,
        into output: inout [UInt8], until deadline: Int64?
    ) throws(Errno) -> ExitStatus? {
        var polled = PollSet()
        let end = polled.add(process.handle, .readable)
        let pipe = polled.add(reading, .readable)
        while true {
            let count = try polled.wait(until: deadline)
            if !polled[pipe].isEmpty, !read(reading, into: &output) {
                polled.set(pipe, reading, nil)
            }
            if polled[end].contains(.readable) {
                // What it wrote last; a daemon that it left behind is not waited for.
                _ = read(reading, into: &output)
                return try process.wait()
            }
            if count == 0 {
                try? kill(pid: -process.pid, signal: Signal.kill)
                _ = try process.wait()
                return nil
            }
        }
    }

    /// Reads what is there; false at the end.
    private static func read(
        _ source: borrowing FileDescriptor, into output: inout [UInt8]
    ) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            do throws(Errno) {
                let count = try source.read(into: &buffer)
                if count == 0 { return false }
                output.append(contentsOf: buffer[..<min(count, outputLimit - output.count)])
            } catch {
                return error == .eagain
            }
        }
    }
}
