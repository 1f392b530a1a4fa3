// Effects on cgroups. What is written into which file is decided in Plan (CgroupPlan).
//
//   let host = try CgroupHost()              finds cgroup2; no error where there is none
//   host.facts                               a pure copy: mount point, controllers, own cgroup
//
//   try CgroupPlace.decide(cgroupsPath:id:driver:on:needsCgroup:) -> CgroupPlace
//                                            driver, path, unit, isUserUnit, stamp: what the record
//                                            keeps. The caller sets `stamp` (id and generation)
//
//   try Cgroup.create(place, plan.cgroup, description:, on: host) -> Cgroup?
//                                            limits are in force; nil: it does without a cgroup.
//                                            `cgroup.place` may be another path than predicted
//   try Cgroup.open(place, on: host) -> Cgroup?         nil: it is gone
//   try Cgroup.ofProcess(pid, on: host) -> Cgroup?
//   try Cgroup.destroy(place, isCommitted:, on: host)
//                                            kills, waits, removes, stops the unit; idempotent
//
//   cgroup.handle                            for clone3(CLONE_INTO_CGROUP)
//   try cgroup.settle()                      after that clone: ends systemd's placeholder
//   try cgroup.adopt(pid)                    instead of both, where that clone is EACCES and systemd
//                                            can move the process
//   try cgroup.child("a/b") -> Cgroup        exec --cgroup
//   try cgroup.update(plan, changesDevices:) all or nothing
//   try cgroup.kill(), .waitForEnd(milliseconds:), .remove(on:)
//   try cgroup.freeze(), .thaw(), .isFrozen(), .isPopulated(), .processes()
//   try cgroup.statistics().write(to: &writer), .memoryEvents(), .watchMemoryEvents()
