internal import JSON
internal import OCI

extension Draft {
    /// The hooks in the runtime's own namespaces.
    mutating func planRuntimeHooks() {
        guard let hooks = spec.hooks else { return }
        plan.hooks.createRuntime =
            runtimeHooks(hooks.prestart, "prestart")
            + runtimeHooks(hooks.createRuntime, "createRuntime")
        plan.hooks.poststart = runtimeHooks(hooks.poststart, "poststart")
        plan.hooks.poststop = runtimeHooks(hooks.poststop, "poststop")
    }

    /// The runtime's moment between the mounts and the pivot, where it has something to do.
    mutating func awaitRuntime() {
        if !plan.hooks.createRuntime.isEmpty || !plan.networkDevices.isEmpty {
            add("hooks.createRuntime", .await(.createRuntime))
        }
    }

    /// Hooks that the init stage runs.
    mutating func addHooks(_ kind: HookRun.Kind) {
        let name = kind == .createContainer ? "createContainer" : "startContainer"
        let list =
            kind == .createContainer ? spec.hooks?.createContainer : spec.hooks?.startContainer
        guard let list, !list.isEmpty else { return }
        let state = hookState(kind == .createContainer ? .creating : .created)
        for (index, hook) in list.enumerated() {
            let origin = "hooks.\(name)[\(index)]"
            add(
                origin,
                .hook(
                    HookRun(
                        kind: kind, path: hook.path, arguments: Self.arguments(hook),
                        // It runs where the process will: the process's environment is its own.
                        environment: hook.env
                            ?? (kind == .startContainer ? nil : options.environment),
                        timeout: hook.timeout.map(Int.init), state: state)))
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
    ) -> [RuntimeHook] {
        var list: [RuntimeHook] = []
        for (index, hook) in hooks.enumerated() {
            let origin = "hooks.\(name)[\(index)]"
            list.append(
                RuntimeHook(
                    origin: origin, path: hook.path, arguments: Self.arguments(hook),
                    environment: hook.env ?? options.environment,
                    timeout: hook.timeout.map(Int.init)))
        }
        return list
    }

    private static func arguments(_ hook: Spec.Hook) -> [String] {
        hook.args.isEmpty ? [hook.path] : hook.args
    }
}
