internal import Cgroups

extension Runtime {
    /// The processes of the container as the host numbers them, sorted; also those in cgroups below
    /// its own.
    package func processes(_ id: String) throws(Failure) -> [Int32] {
        try processes(of: find(id))
    }

    func processes(of container: borrowing Container) throws(Failure) -> [Int32] {
        do throws(CgroupFailure) {
            return try container.openCgroup(on: try CgroupHost()).processes()
        } catch {
            throw Failure(error)
        }
    }
}
