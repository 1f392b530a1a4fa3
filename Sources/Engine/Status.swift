/// A container's life as OCI numbers it, and `paused`, which every engine knows.
package enum Status: String {
    case creating
    case created
    case running
    case paused
    case stopped
}

/// What a verb wants to do to a container.
package enum Transition {
    case start
    case exec(ignoresPause: Bool)
    case kill
    case delete
    case pause
    case resume
    case update
}

/// Why a transition is refused: the text that engines and people look for, nil when it is legal.
///
/// OCI runtime.md: an operation that the status forbids is an error and has no effect.
package func refusal(of transition: Transition, in status: Status) -> String? {
    switch (transition, status) {
    case (.start, .created): nil
    case (.start, .running), (.start, .paused): "cannot start an already running container"
    case (.start, .stopped): "cannot start a container that has stopped"

    case (.exec, .running), (.exec(ignoresPause: true), .paused), (.exec, .created): nil
    case (.exec, .paused):
        "cannot exec in a paused container (use --ignore-paused to override)"
    case (.exec, .stopped): "cannot exec in a stopped container"

    case (.kill, .created), (.kill, .running), (.kill, .paused): nil
    case (.kill, .stopped), (.kill, .creating): "container not running"

    case (.delete, .stopped), (.delete, .created): nil
    case (.delete, _): "cannot delete container that is not stopped: \(status.rawValue)"

    case (.pause, .running), (.pause, .created): nil
    case (.resume, .paused): nil
    case (.update, .created), (.update, .running), (.update, .paused): nil

    case (.start, .creating), (.exec, .creating), (.pause, _), (.resume, _), (.update, _):
        "container is \(status.rawValue)"
    }
}
