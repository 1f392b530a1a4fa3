import OCI
import Testing

@testable import Engine

@Suite("Status")
struct StatusTests {
    /// The verbs that are legal in a status; all others are refused.
    private static let legal: [(status: Status, verbs: Set<String>)] = [
        (.creating, []),
        (.created, ["start", "exec", "exec!", "kill", "delete", "pause", "update"]),
        (.running, ["exec", "exec!", "kill", "pause", "update"]),
        (.paused, ["exec!", "kill", "resume", "update"]),
        (.stopped, ["delete"]),
    ]

    private static let verbs: [(name: String, transition: Transition)] = [
        ("start", .start), ("exec", .exec(ignoresPause: false)),
        ("exec!", .exec(ignoresPause: true)), ("kill", .kill), ("delete", .delete),
        ("pause", .pause), ("resume", .resume), ("update", .update),
    ]

    @Test("allows exactly the legal transitions")
    func table() {
        for (status, legal) in Self.legal {
            for (name, transition) in Self.verbs {
                let isLegal = refusal(of: transition, in: status) == nil
                #expect(isLegal == legal.contains(name), "\(name) of \(status.rawValue)")
            }
        }
    }

    @Test("refuses in the words that engines look for")
    func words() {
        #expect(
            refusal(of: .start, in: .running) == "cannot start an already running container")
        #expect(
            refusal(of: .exec(ignoresPause: false), in: .paused)
                == "cannot exec in a paused container (use --ignore-paused to override)")
        #expect(
            refusal(of: .exec(ignoresPause: false), in: .stopped)
                == "cannot exec in a stopped container")
        #expect(refusal(of: .kill, in: .stopped) == "container not running")
        #expect(
            refusal(of: .delete, in: .running)
                == "cannot delete container that is not stopped: running")
    }
}
