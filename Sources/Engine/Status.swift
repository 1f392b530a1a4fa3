internal import Cgroups
internal import OCI

typealias Status = State.Status

/// What a verb wants to do to a container.
enum Transition {
    case start
    case exec(ignoresPause: Bool)
    case kill
    case delete
    case pause
    case resume
    case update
    case checkpoint
}

/// Why a transition is refused: the text that engines and people look for, nil when it is legal.
///
/// OCI runtime.md: an operation that the status forbids is an error and has no effect.
func refusal(of transition: Transition, in status: Status) -> String? {
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

    case (.checkpoint, .running), (.checkpoint, .paused): nil
    case (.checkpoint, _): "cannot checkpoint a container that is \(status.rawValue)"

    case (.start, .creating), (.exec, .creating), (.pause, _), (.resume, _), (.update, _):
        "container is \(status.rawValue)"
    }
}

extension Container {
    /// The status as it is now: from the process, the gate and the cgroup.
    func status(_ cgroups: borrowing CgroupHost) throws(Failure) -> Status {
        let status = statusOfProcess()
        guard status == .running else { return status }
        return try status.refined(by: try cgroup(on: cgroups))
    }

    /// Its cgroup; nil where it has none, or that is gone.
    func cgroup(on cgroups: borrowing CgroupHost) throws(Failure) -> Cgroup? {
        guard record.cgroup.driver != .disabled else { return nil }
        do throws(CgroupFailure) {
            return try Cgroup.open(record.cgroup, on: cgroups)
        } catch {
            throw Failure(error)
        }
    }

    /// The status without a look at the cgroup: a paused container runs.
    func statusOfProcess() -> Status {
        if record.isIntent { return IDLock.isHeld(id, in: store) ? .creating : .stopped }
        guard record.process.isAlive else { return .stopped }
        return directory.hasGate ? .created : .running
    }
}

extension Status {
    /// The status of a process, with what its cgroup adds: a frozen one is paused.
    func refined(by cgroup: borrowing Cgroup?) throws(Failure) -> Status {
        guard self == .running else { return self }
        switch cgroup {
        case .some(let cgroup):
            do throws(CgroupFailure) {
                return try cgroup.isFrozen() ? .paused : .running
            } catch {
                throw Failure(error)
            }
        case .none: return .running
        }
    }
}
