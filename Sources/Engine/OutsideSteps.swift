internal import Linux
internal import Plan

/// What the runtime does to a process from outside: it has a privilege over the host that root of the
/// process's user namespace has not.
enum OutsideSteps {
    static func perform(_ steps: [Step], on pid: Int32) throws(Failure) {
        for step in steps {
            do throws(Errno) {
                switch step.operation {
                case .rlimit(let limit):
                    try ResourceLimit(soft: limit.soft, hard: limit.hard)
                        .set(pid: pid, resource: Int32(limit.resource))
                case .oomScoreAdjust(let value):
                    try BorrowedHandle.workingDirectory
                        .writeText("/proc/\(pid)/oom_score_adj", "\(value)")
                default:
                    // The planner puts nothing else there; to leave it out would be a silent hole.
                    throw .eopnotsupp
                }
            } catch {
                throw Failure(step, error, "")
            }
        }
    }
}
