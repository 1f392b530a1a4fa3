internal import Cgroups
internal import Linux
internal import Plan

/// Looks up what the planner must know of the host: a few files of procfs and sysfs, each once.
enum HostProbe {
    static func probe(
        cgroups: borrowing CgroupHost, settings: Settings
    ) throws(Failure) -> Host {
        var host = Host()
        host.uid = CurrentProcess.effectiveUID
        host.gid = CurrentProcess.effectiveGID
        do throws(Errno) {
            host.isInUserNamespace = try isInUserNamespace()
            if host.isInUserNamespace {
                let answer = try BorrowedHandle.workingDirectory.readText("/proc/self/setgroups")
                host.setgroupsDenied = answer == "deny"
            }
            host.capabilities = CapabilityMask(bits: try CapabilitySets().permitted)
            host.lastCapability = CurrentProcess.lastCapability
            if let kernel = try Machine().kernel {
                host.kernel = KernelVersion(kernel.major, kernel.minor)
            }
        } catch {
            throw Failure("look up the host", error)
        }
        if cgroups.facts.mountPoint == nil {
            host.cgroup = .none
        } else {
            host.cgroup = cgroups.facts.mountPoint == "/sys/fs/cgroup" ? .unified : .hybrid
        }
        host.hasAppArmor = exists("/sys/kernel/security/apparmor/profiles")
        host.hasSELinux = exists("/sys/fs/selinux/enforce")
        host.hasMapHelpers =
            host.uid == 0 || ProgramLaunch.find("newuidmap", in: settings.searchPath) != nil
        return host
    }

    /// Refuses a kernel that lacks what everything is built on, before anything is made that could not
    /// be removed there.
    static func requireCalls() throws(Failure) {
        guard let call = MissingCall.first else { return }
        var failure = Failure("\(call) cannot be used")
        failure.hint = Failure.kernelHint
        throw failure
    }

    private static func exists(_ path: String) -> Bool {
        BorrowedHandle.workingDirectory.canAccess(path)
    }
}
