internal import JSON
internal import OCI

extension Draft {
    /// The hooks in the runtime's own namespaces.
    mutating func planRuntimeHooks() throws(ConfigError) {
        guard let hooks = spec.hooks else { return }
        plan.hooks.createRuntime =
            try runtimeHooks(hooks.prestart, "prestart")
            + runtimeHooks(hooks.createRuntime, "createRuntime")
        plan.hooks.poststart = try runtimeHooks(hooks.poststart, "poststart")
        plan.hooks.poststop = try runtimeHooks(hooks.poststop, "poststop")
    }

    /// The runtime's moment between the mounts and the pivot, where it has something to do.
    mutating func awaitRuntime() {
        if !plan.hooks.createRuntime.isEmpty || !plan.networkDevices.isEmpty {
            add("hooks.createRuntime", .await(.createRuntime))
        }
    }

    /// Hooks that the init stage runs.
    mutating func addHooks(_ kind: HookRun.Kind) throws(ConfigError) {
        let name = kind == .createContainer ? "createContainer" : "startContainer"
        let list =
            kind == .createContainer ? spec.hooks?.createContainer : spec.hooks?.startContainer
        let state = hookState(kind == .createContainer ? .creating : .created)
        for (index, hook) in (list ?? []).enumerated() {
            let origin = "hooks.\(name)[\(index)]"
            try Self.check(hook, origin)
            add(
                origin,
                .hook(
                    HookRun(
                        kind: kind, path: hook.path, arguments: Self.arguments(hook),
                        environment: hook.env, timeout: hook.timeout.map(Int.init), state: state)))
        }
    }

    /// The state that such a hook reads.
    private func hookState(_ status: State.Status) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("ociVersion")
        writer.string(spec.ociVersion)
        writer.key("id")
        writer.string(options.id)
        writer.key("status")
        writer.string(status.rawValue)
        writer.key("pid")
        writer.integer(0)
        writer.key("bundle")
        writer.string(options.bundle)
        if !spec.annotations.isEmpty {
            writer.key("annotations")
            writer.beginObject()
            for key in spec.annotations.keys.sorted() {
                writer.key(key)
                writer.string(spec.annotations[key] ?? "")
            }
            writer.endObject()
        }
        writer.endObject()
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    private func runtimeHooks(
        _ hooks: [Spec.Hook], _ name: String
    ) throws(ConfigError) -> [RuntimeHook] {
        var list: [RuntimeHook] = []
        for (index, hook) in hooks.enumerated() {
            let origin = "hooks.\(name)[\(index)]"
            try Self.check(hook, origin)
            list.append(
                RuntimeHook(
                    origin: origin, path: hook.path, arguments: Self.arguments(hook),
                    environment: hook.env, timeout: hook.timeout.map(Int.init)))
        }
        return list
    }

    private static func arguments(_ hook: Spec.Hook) -> [String] {
        hook.args.isEmpty ? [hook.path] : hook.args
    }

    private static func check(_ hook: Spec.Hook, _ origin: String) throws(ConfigError) {
        guard hook.path.isAbsolutePath else {
            throw ConfigError(path: origin + ".path", message: "must be an absolute path")
        }
        if let timeout = hook.timeout, timeout <= 0 {
            throw ConfigError(path: origin + ".timeout", message: "must be greater than 0")
        }
        for (index, entry) in hook.env.enumerated() {
            try Environment.check(entry, "\(origin).env[\(index)]")
        }
    }
}
