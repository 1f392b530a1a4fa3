// Effects on cgroups. What is written into which file is decided in Plan.
//
//   CgroupHost: ~Copyable                    the cgroup2 mount, as a handle
//     init() throws(CgroupFailure)           finds it; not an error when there is none
//     facts: CgroupFacts                     pure copy, for Plan and CgroupPlace.decide
//
//   CgroupPlace                              driver, path, unit, isUserUnit: what the record keeps
//     static decide(cgroupsPath:id:driver:facts:needsCgroup:managerRoot:) throws -> CgroupPlace
//   host.place(cgroupsPath:id:driver:needsCgroup:) throws -> CgroupPlace      decide, asking systemd
//
//   CgroupRequest                            place, writes [CgroupWrite], devices [DeviceRule],
//                                            owner (uid, gid)?, properties (org.systemd.property.*),
//                                            description
//   Cgroup: ~Copyable                        an existing cgroup, held by its directory's handle
//     static create(_ request, on host) throws(CgroupFailure) -> Cgroup   limits are in force after it;
//                                            removes what it made when it fails
//     static open(_ place, on host) throws(CgroupFailure) -> Cgroup?      nil: it is gone
//     static ofProcess(_ pid, on host) throws(CgroupFailure) -> Cgroup?
//     handle: CInt                           for clone3(CLONE_INTO_CGROUP)
//     mutating settle() throws               call after that clone (ends systemd's placeholder)
//     child(_ path) throws -> Cgroup         exec --cgroup
//     apply(_ writes) throws                 as they are, in order
//     update(_ writes, devices: [DeviceRule]?) throws      all or nothing: old values are put back
//     kill() throws                          every process of the subtree, SIGKILL
//     waitUntilEmpty(milliseconds:) throws -> Bool
//     remove() throws                        rmdir of the tree, and of parents made by `create`
//     freeze(), thaw() throws; isFrozen() throws -> Bool
//     processes() throws -> [Int32]          of the whole subtree, sorted
//     isPopulated() throws -> Bool
//     statistics() throws -> CgroupStatistics
//     memoryEvents() throws -> MemoryEvents  oomKills and the rest
//     watchOOM() throws -> CgroupWatch       a handle to poll, `.read()` -> MemoryEvents
//
//   Cgroup.destroy(_ place, on host) throws(CgroupFailure)     kill, wait, remove, stop the unit;
//                                            idempotent, for delete and for failed creates
