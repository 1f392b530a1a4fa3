internal import Linux
package import Plan

extension Cgroup {
    /// Puts new limits in force, all of them or none.
    ///
    /// When one is refused, those already written get their old values back.
    ///
    /// - Parameter changesDevices: whether the plan's device rules replace those in force. An
    ///   update that says nothing of devices must not touch them: a device that is in use, and
    ///   was allowed from elsewhere, would be lost.
    package func update(_ plan: CgroupPlan, changesDevices: Bool) throws(CgroupFailure) {
        try checkMemory(plan)
        var old: [CgroupWrite] = []
        do throws(CgroupFailure) {
            // systemd first: it writes the files its properties stand for.
            old = try inverse(of: plan.writes)
            try setUnitProperties(
                try SystemdProperties.settings(for: plan.writes)
                    + (changesDevices ? SystemdDevices.settings(for: plan.devices) : []))
            try apply(plan.writes)
            if changesDevices { try filterDevices(plan.devices) }
        } catch {
            for write in old.reversed() { try? directory.writeCgroup(write.file, write.value) }
            if let settings = try? SystemdProperties.settings(for: old) {
                try? setUnitProperties(settings)
            }
            throw error
        }
    }

    /// Refuses a memory limit that is used up already, where that was asked for
    /// (`memory.checkBeforeUpdate`): the kernel would kill processes to keep it.
    private func checkMemory(_ plan: CgroupPlan) throws(CgroupFailure) {
        guard let limit = plan.checkedMemoryLimit, limit >= 0,
            let current = parseNumber(try read("memory.current").utf8), current > UInt64(limit)
        else { return }
        throw CgroupFailure(
            "rejecting memory limit: \(limit) bytes are below the \(current) in use",
            origin: "linux.resources.memory.limit", path: path(of: "memory.current"))
    }

    /// The file that a write would go to on this kernel, and the value: the fallback's where only
    /// that file is there.
    package func target(
        of write: CgroupWrite
    ) throws(CgroupFailure) -> (file: String, value: String) {
        if let fallback = write.fallback, try readIfPresent(write.file) == nil,
            try readIfPresent(fallback.file) != nil
        {
            return (fallback.file, fallback.value)
        }
        return (write.file, write.value)
    }

    /// What to write to have the present state again, in the order of `writes`.
    private func inverse(of writes: [CgroupWrite]) throws(CgroupFailure) -> [CgroupWrite] {
        var old: [CgroupWrite] = []
        for write in writes {
            let (file, new) = try target(of: write)
            var text = try readIfPresent(file)
            // A cgroup with processes cannot go back to no set of its own (ENOSPC), only to all that
            // it had.
            if text?.isEmpty == true, let had = try readIfPresent(file + ".effective") {
                text = had
            }
            guard let text, let value = OldValue.restoring(file, text: text, after: new) else {
                continue
            }
            old.append(CgroupWrite(write.origin, file, value))
        }
        return old
    }
}

/// What restores a file's old contents; pure.
enum OldValue {
    /// Files with a line for each device, and what a device without a line has.
    private static let keyed: [(file: String, unset: String)] = [
        ("io.max", "rbps=max wbps=max riops=max wiops=max"),
        ("io.weight", "default"), ("io.bfq.weight", "default"), ("io.latency", "target=0"),
        ("rdma.max", "hca_handle=max hca_object=max"), ("misc.max", "max"),
    ]

    /// - Parameters:
    ///   - text: the file before.
    ///   - value: what is about to be written, whose first word names the line in a keyed file.
    /// - Returns: nil for a file that cannot be read back as it is written.
    static func restoring(_ file: String, text: String, after value: String) -> String? {
        for entry in keyed where entry.file == file {
            let lines = words(of: text)
            guard let key = words(of: value).first?.first else { return nil }
            for line in lines where line.first == key { return joined(line) }
            // "N" stands for "default N".
            if parseNumber(key) != nil {
                for line in lines where line.first == Array("default".utf8) { return joined(line) }
                return lines.first.map(joined)
            }
            return String(decoding: key, as: UTF8.self) + " " + entry.unset
        }
        // What triggers something has no state to go back to.
        if file == "memory.reclaim" || file == "cgroup.kill" || file == "cgroup.procs" {
            return nil
        }
        return trimmed(text)
    }

    private static func joined(_ line: [[UInt8]]) -> String {
        var text = ""
        for word in line {
            text += (text.isEmpty ? "" : " ") + String(decoding: word, as: UTF8.self)
        }
        return text
    }
}
