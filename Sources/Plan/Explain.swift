internal import JSON
internal import OCI

/// Shows a plan: what will be done, in which order, and what asked for it.
package enum Explain {
    /// For people: a line a step, with the place of the configuration before it.
    package static func text(_ plan: Plan) -> String {
        var text = ""
        for section in sections(plan) where !section.lines.isEmpty {
            text += (text.isEmpty ? "" : "\n") + section.title + "\n"
            var width = 0
            for line in section.lines { width = max(width, min(line.origin.utf8.count, 34)) }
            for line in section.lines {
                let gap = max(0, width - line.origin.utf8.count)
                text += "  " + line.origin + String(repeating: " ", count: gap + 2) + line.text
                text += "\n"
            }
        }
        return text
    }

    /// For programs: the same sections, each a list of objects with "origin" and "text".
    package static func json(_ plan: Plan) -> String {
        var writer = JSONWriter(indented: true)
        writer.beginObject()
        for section in sections(plan) {
            writer.key(section.key)
            writer.beginArray()
            for line in section.lines {
                writer.beginObject()
                writer.key("origin")
                writer.string(line.origin)
                writer.key("text")
                writer.string(line.text)
                writer.endObject()
            }
            writer.endArray()
        }
        writer.endObject()
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    struct Line: Equatable {
        let origin: String
        let text: String
    }

    struct Section: Equatable {
        let key: String
        let title: String
        let lines: [Line]
    }

    static func sections(_ plan: Plan) -> [Section] {
        [
            Section(key: "cgroup", title: "Cgroup", lines: cgroup(plan)),
            Section(key: "handles", title: "Opened for the init stage", lines: handles(plan)),
            Section(key: "clone", title: "First process", lines: clone(plan)),
            Section(key: "init", title: "Init stage", lines: steps(plan.steps)),
            Section(
                key: "outside", title: "From outside, before it is ready",
                lines: steps(plan.outsideSteps)),
            Section(key: "hooks", title: "Hooks of the runtime", lines: hooks(plan)),
            Section(
                key: "warnings", title: "Left out",
                lines: plan.warnings.map { Line(origin: $0.path, text: $0.message) }),
        ]
    }

    private static func steps(_ steps: [Step]) -> [Line] {
        steps.map { Line(origin: $0.origin, text: $0.operation.summary) }
    }

    private static func cgroup(_ plan: Plan) -> [Line] {
        let cgroup = plan.cgroup
        var lines: [Line] = []
        if !cgroup.path.isEmpty {
            lines.append(Line(origin: "linux.cgroupsPath", text: "make " + cgroup.path))
        }
        for write in cgroup.writes {
            var text = "write \(write.file) = \(write.value)"
            if let other = write.fallback { text += ", or \(other.file) = \(other.value)" }
            if write.isOptional { text += " (where it exists)" }
            lines.append(Line(origin: write.origin, text: text))
        }
        for rule in cgroup.devices {
            lines.append(Line(origin: "linux.resources.devices", text: rule.text))
        }
        for property in cgroup.unitProperties {
            lines.append(
                Line(
                    origin: "annotations",
                    text: "set unit property \(property.name) = \(property.value)"))
        }
        if let resctrl = plan.resctrl {
            lines.append(Line(origin: "linux.intelRdt", text: resctrl.text))
        }
        if let uid = cgroup.ownerUID {
            lines.append(Line(origin: "process.user", text: "give the cgroup to user \(uid)"))
        }
        return lines
    }

    private static func handles(_ plan: Plan) -> [Line] {
        var lines: [Line] = []
        for (index, request) in plan.handles.enumerated() {
            let text =
                switch request.kind {
                case .namespace(let path, let type): "\(type.text) \(path)"
                case .process: "the container's init"
                case .tree(let path, let isRecursive, _):
                    "tree \(path)" + (isRecursive ? ", recursive" : "")
                case .mappedTree(let tree) where tree.namespace != nil:
                    "tree \(tree.path), ids as in \(tree.namespace ?? "")"
                case .mappedTree(let tree):
                    "tree \(tree.path), uids \(ranges(tree.uids)), gids \(ranges(tree.gids))"
                }
            lines.append(Line(origin: request.origin, text: "handle \(index): " + text))
        }
        return lines
    }

    private static func clone(_ plan: Plan) -> [Line] {
        var text = plan.clone.intoCgroup ? "clone into the cgroup" : "clone"
        if !plan.clone.new.isEmpty { text += " with new \(plan.clone.new.text)" }
        if plan.clone.needsIntermediate { text += "; a child of it goes on" }
        var lines = [Line(origin: "linux.namespaces", text: text)]
        if let cpus = plan.initialAffinity {
            lines.append(
                Line(origin: "process.execCPUAffinity.initial", text: "start on CPUs " + cpus))
        }
        if let identity = plan.identity {
            let how = identity.method == .direct ? "map" : "map with newuidmap and newgidmap"
            lines.append(
                Line(origin: "linux.uidMappings", text: "\(how) uids \(ranges(identity.uids))"))
            lines.append(
                Line(
                    origin: "linux.gidMappings",
                    text: "\(how) gids \(ranges(identity.gids))"
                        + (identity.deniesSetgroups ? ", deny setgroups" : "")))
        }
        return lines
    }

    private static func ranges(_ ranges: [IDRange]) -> String {
        ranges.map { "\($0.inside)->\($0.outside)+\($0.count)" }.joined(with: " ")
    }

    private static func hooks(_ plan: Plan) -> [Line] {
        var lines: [Line] = []
        for device in plan.networkDevices {
            lines.append(
                Line(
                    origin: "linux.netDevices[\(device.name)]",
                    text: "move to the container as \(device.newName)"))
        }
        for hook in plan.hooks.createRuntime + plan.hooks.poststart + plan.hooks.poststop {
            lines.append(Line(origin: hook.origin, text: "run " + hook.path))
        }
        return lines
    }
}

extension DeviceRule {
    /// As cgroup v1's devices.allow and devices.deny had it: "allow c 1:3 rwm".
    var text: String {
        let letter =
            switch kind {
            case .all: "a"
            case .character: "c"
            case .block: "b"
            }
        let numbers = "\(major.map { String($0) } ?? "*"):\(minor.map { String($0) } ?? "*")"
        let access = (reads ? "r" : "") + (writes ? "w" : "") + (makes ? "m" : "")
        return "\(isAllowed ? "allow" : "deny") \(letter) \(numbers) \(access)"
    }
}
