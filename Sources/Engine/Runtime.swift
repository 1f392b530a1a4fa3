package import OCI
package import Plan

// The verbs. Each is a method of Runtime in the file of its name:
//
//   init(_ settings: Settings) throws(Failure)
//   create(_ request: CreateRequest) throws(Failure)
//   start(_ id: String) throws(Failure)
//   run(_ request: RunRequest) throws(Failure) -> Int32            exit code of the process
//   exec(_ request: ExecRequest) throws(Failure) -> Int32          exit code; 0 when detached
//   state(_ id: String) throws(Failure) -> ContainerState          all that `state` and `list` show
//   list() throws(Failure) -> [ContainerState]                     sorted by id
//   kill(_ id: String, signal: Int32, all: Bool) throws(Failure)
//   delete(_ id: String, force: Bool) throws(Failure)
//   pause(_ id: String), resume(_ id: String) throws(Failure)
//   processes(_ id: String) throws(Failure) -> [Int32]             host pids, sorted
//   update(_ request: UpdateRequest) throws(Failure) -> [String]   dry run: "file = value" lines
//   explain(_ request: CreateRequest) throws(Failure) -> Plan
//
// Failure renders as one line by `message`; `exitCode` is the command's.
