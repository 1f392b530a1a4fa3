# bash completion for apus; generated from the option tables (make share)
_apus() {
    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD - 1]}" verb="" i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "${COMP_WORDS[i]}" in
            --log|--log-format|--root|-r|--cgroup-manager|--rootless|--log-level) ((i++)) ;;
            -*) ;;
            *) verb="${COMP_WORDS[i]}"; break ;;
        esac
    done
    case "$verb:$prev" in
        :--log) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        :--log-format) _apus_words "text json"; return ;;
        :--root|:-r) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        :--cgroup-manager) _apus_words "cgroupfs systemd disabled"; return ;;
        :--rootless) _apus_words "true false auto"; return ;;
        create:--bundle|create:-b) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        create:--config|create:-f) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        create:--console-socket) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        create:--pidfd-socket) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        create:--pid-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        create:--preserve-fds) :; return ;;
        run:--bundle|run:-b) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        run:--config|run:-f) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        run:--console-socket) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        run:--pidfd-socket) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        run:--pid-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        run:--preserve-fds) :; return ;;
        exec:--process|exec:-p) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        exec:--pid-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        exec:--console-socket) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        exec:--pidfd-socket) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        exec:--cwd) :; return ;;
        exec:--env|exec:-e) :; return ;;
        exec:--user|exec:-u) :; return ;;
        exec:--additional-gids|exec:-g) :; return ;;
        exec:--process-label) :; return ;;
        exec:--apparmor) :; return ;;
        exec:--cap|exec:-c) :; return ;;
        exec:--preserve-fds) :; return ;;
        exec:--cgroup) :; return ;;
        list:--format|list:-f) _apus_words "table json"; return ;;
        ps:--format|ps:-f) _apus_words "table json"; return ;;
        update:--resources|update:-r) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        update:--blkio-weight) :; return ;;
        update:--cpu-period) :; return ;;
        update:--cpu-quota) :; return ;;
        update:--cpu-burst) :; return ;;
        update:--cpu-share) :; return ;;
        update:--cpu-rt-period) :; return ;;
        update:--cpu-rt-runtime) :; return ;;
        update:--cpuset-cpus) :; return ;;
        update:--cpuset-mems) :; return ;;
        update:--cpu-idle) _apus_words "0 1"; return ;;
        update:--memory) :; return ;;
        update:--memory-reservation) :; return ;;
        update:--memory-swap) :; return ;;
        update:--pids-limit) :; return ;;
        update:--l3-cache-schema) :; return ;;
        update:--mem-bw-schema) :; return ;;
        events:--interval) :; return ;;
        checkpoint:--image-path) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        checkpoint:--work-path) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        checkpoint:--manage-cgroups-mode) _apus_words "soft full strict ignore"; return ;;
        checkpoint:--empty-ns) :; return ;;
        checkpoint:--parent-path) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        checkpoint:--status-fd) :; return ;;
        checkpoint:--page-server) :; return ;;
        restore:--image-path) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        restore:--work-path) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        restore:--manage-cgroups-mode) _apus_words "soft full strict ignore"; return ;;
        restore:--empty-ns) :; return ;;
        restore:--bundle|restore:-b) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        restore:--pid-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        restore:--console-socket) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        restore:--lsm-profile) :; return ;;
        restore:--lsm-mount-context) :; return ;;
        shell:--memory|shell:-m) :; return ;;
        shell:--cpus) :; return ;;
        shell:--pids) :; return ;;
        shell:--hostname) :; return ;;
        shell:--user|shell:-u) :; return ;;
        shell:--workdir|shell:-w) :; return ;;
        shell:--env|shell:-e) :; return ;;
        shell:--bind|shell:-b) :; return ;;
        shell:--tmpfs) :; return ;;
        shell:--net) _apus_words "none host"; return ;;
        shell:--cap-add) :; return ;;
        shell:--cap-drop) :; return ;;
        shell:--name) :; return ;;
        explain:--bundle|explain:-b) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        explain:--config|explain:-f) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        spec:--bundle|spec:-b) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    esac
    case "$verb" in
        "") _apus_words "--debug --log --log-format --root --systemd-cgroup --cgroup-manager --rootless --version create run start exec state kill delete list ps pause resume update events stats checkpoint restore shell explain spec features help" ;;
        create)
            if [[ $cur == -* ]]; then
                _apus_words "--bundle --config --console-socket --pidfd-socket --pid-file --no-pivot --no-new-keyring --preserve-fds --dry-run --help"
            else
                _apus_containers
            fi ;;
        run)
            if [[ $cur == -* ]]; then
                _apus_words "--bundle --config --console-socket --pidfd-socket --pid-file --no-pivot --no-new-keyring --preserve-fds --detach --keep --no-subreaper --help"
            else
                _apus_containers
            fi ;;
        start)
            if [[ $cur == -* ]]; then
                _apus_words " --help"
            else
                _apus_containers
            fi ;;
        exec)
            if [[ $cur == -* ]]; then
                _apus_words "--process --detach --pid-file --console-socket --pidfd-socket --cwd --env --tty --user --additional-gids --process-label --apparmor --no-new-privs --cap --preserve-fds --cgroup --ignore-paused --help"
            else
                _apus_containers
            fi ;;
        state)
            if [[ $cur == -* ]]; then
                _apus_words " --help"
            else
                _apus_containers
            fi ;;
        kill)
            if [[ $cur == -* ]]; then
                _apus_words "--all --help"
            else
                _apus_containers
            fi ;;
        delete)
            if [[ $cur == -* ]]; then
                _apus_words "--force --help"
            else
                _apus_containers
            fi ;;
        list)
            if [[ $cur == -* ]]; then
                _apus_words "--format --quiet --help"
            else
                :
            fi ;;
        ps)
            if [[ $cur == -* ]]; then
                _apus_words "--format --help"
            else
                _apus_containers
            fi ;;
        pause)
            if [[ $cur == -* ]]; then
                _apus_words " --help"
            else
                _apus_containers
            fi ;;
        resume)
            if [[ $cur == -* ]]; then
                _apus_words " --help"
            else
                _apus_containers
            fi ;;
        update)
            if [[ $cur == -* ]]; then
                _apus_words "--resources --blkio-weight --cpu-period --cpu-quota --cpu-burst --cpu-share --cpu-rt-period --cpu-rt-runtime --cpuset-cpus --cpuset-mems --cpu-idle --memory --memory-reservation --memory-swap --pids-limit --l3-cache-schema --mem-bw-schema --dry-run --help"
            else
                _apus_containers
            fi ;;
        events)
            if [[ $cur == -* ]]; then
                _apus_words "--interval --stats --help"
            else
                _apus_containers
            fi ;;
        stats)
            if [[ $cur == -* ]]; then
                _apus_words "--json --help"
            else
                _apus_containers
            fi ;;
        checkpoint)
            if [[ $cur == -* ]]; then
                _apus_words "--image-path --work-path --tcp-established --ext-unix-sk --shell-job --file-locks --lazy-pages --manage-cgroups-mode --empty-ns --auto-dedup --parent-path --leave-running --tcp-skip-in-flight --link-remap --status-fd --page-server --pre-dump --help"
            else
                _apus_containers
            fi ;;
        restore)
            if [[ $cur == -* ]]; then
                _apus_words "--image-path --work-path --tcp-established --ext-unix-sk --shell-job --file-locks --lazy-pages --manage-cgroups-mode --empty-ns --auto-dedup --bundle --detach --pid-file --console-socket --no-subreaper --no-pivot --lsm-profile --lsm-mount-context --help"
            else
                _apus_containers
            fi ;;
        shell)
            if [[ $cur == -* ]]; then
                _apus_words "--memory --cpus --pids --hostname --user --workdir --env --bind --tmpfs --read-only --ephemeral --net --cap-add --cap-drop --name --dry-run --help"
            else
                COMPREPLY=($(compgen -d -- "$cur"))
            fi ;;
        explain)
            if [[ $cur == -* ]]; then
                _apus_words "--bundle --config --json --help"
            else
                :
            fi ;;
        spec)
            if [[ $cur == -* ]]; then
                _apus_words "--bundle --rootless --help"
            else
                :
            fi ;;
        features)
            if [[ $cur == -* ]]; then
                _apus_words " --help"
            else
                :
            fi ;;
        help)
            if [[ $cur == -* ]]; then
                _apus_words " --help"
            else
                _apus_words "create run start exec state kill delete list ps pause resume update events stats checkpoint restore shell explain spec features help"
            fi ;;
    esac
}
_apus_words() { COMPREPLY=($(compgen -W "$1" -- "$cur")); }
_apus_containers() { _apus_words "$(apus list -q 2>/dev/null)"; }
complete -F _apus apus
