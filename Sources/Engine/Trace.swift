internal import Linux
internal import Plan

// What --debug tells: every step, before any is done.

extension Runtime {
    /// Tells what a plan will do.
    func trace(_ plan: Plan) {
        guard let trace = settings.trace else { return }
        for step in plan.steps {
            trace("\(step.origin): \(step.operation.summary)")
            if case .seccomp(let filter) = step.operation {
                trace("seccomp filter flags: \(filter.flags)")
            }
        }
    }

    /// Tells the CPUs on which a process of `exec` begins, as a mask.
    func trace(_ affinity: Affinity) {
        settings.trace?("process.execCPUAffinity.initial: affinity: 0x\(affinity.mask)")
    }
}
