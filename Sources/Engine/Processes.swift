internal import Cgroups

extension Runtime {
    /// The processes of the container as the host numbers them, sorted; also those in cgroups below
    /// its own.
    package func processes(_ id: String) throws(Failure) -> [Int32] {
        let container = try find(id)
        do throws(CgroupFailure) {
            return try container.openCgroup(on: try CgroupHost()).processes()
        } catch {
            throw Failure(error)
        }
    }
}
