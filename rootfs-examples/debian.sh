# Sourced by the recipes that build a Debian: `debian NAME PACKAGES` makes rootfs/ in $here.
#
# SUITE: the release (default: trixie, Debian 13). MIRROR: where packages come from, when that is
# not where mmdebstrap looks.
suite=${SUITE:-trixie}

skip() {
    echo "$name: skipped: $1" >&2
    exit 77
}

debian() {
    name=$1
    command -v mmdebstrap >/dev/null ||
        skip "there is no mmdebstrap (Debian: apt install mmdebstrap)"
    # Made aside and moved at the end: a rootfs that is there is whole.
    new=$(mktemp -d "$here/.rootfs.XXXXXX")
    log=$new.log
    trap 'rm -rf "$new" "$log"' EXIT
    mode=root
    [ "$(id -u)" -eq 0 ] || mode=unshare
    if ! mmdebstrap --mode=$mode --variant=apt --format=directory \
        --include="$2" "$suite" "$new" ${MIRROR:+"$MIRROR"} >"$log" 2>&1; then
        if grep -qE 'Temporary failure resolving|Could not (resolve|connect)' "$log"; then
            skip "the mirror cannot be reached: no network"
        fi
        tail -n 20 "$log" >&2
        echo "$name: mmdebstrap failed" >&2
        exit 1
    fi
    chmod 755 "$new"
    rm -rf "$here/rootfs"
    mv "$new" "$here/rootfs"
    trap 'rm -f "$log"' EXIT
    echo "$here/rootfs"
}
