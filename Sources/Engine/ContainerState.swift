/// What `state` and `list` show of a container.
package struct ContainerState {
    package var ociVersion: String
    package var id: String
    /// The init process as the runtime's pid namespace numbers it; 0 when stopped.
    package var pid: Int32
    package var status: Status
    package var bundle: String
    package var rootfs: String
    /// RFC 3339 with nanoseconds, UTC.
    package var created: String
    /// The name or number of the user who created it.
    package var owner: String
    /// Sorted by name.
    package var annotations: [(name: String, value: String)]

}
