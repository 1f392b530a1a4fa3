# Sourced by the recipes that build a Debian: `debian NAME PACKAGES` makes rootfs/ in $here.
#
# SUITE: the release (default: bookworm). MIRROR: where packages come from (default:
# the default).
suite=${SUITE:-bookworm}
mirror=${MIRROR:-the-default}

skip() {
    echo "$name: skipped: $1" >&2
    exit 77
}

# A question to the mirror first: a download that fails half way takes minutes to say so.
reachable() {
    if command -v curl >/dev/null; then
        curl --silent --fail --head --location --max-time 20 "$1" >/dev/null
    elif command -v wget >/dev/null; then
        wget --quiet --spider --timeout=20 --tries=1 "$1"
    fi
}

debian() {
    name=$1
    command -v mmdebstrap >/dev/null ||
        skip "there is no mmdebstrap (Debian: apt install mmdebstrap)"
    reachable "$mirror/dists/$suite/Release" || skip "$mirror cannot be reached: no network"
    # Made aside and moved at the end: a rootfs that is there is whole.
    new=$(mktemp -d "$here/.rootfs.XXXXXX")
    log=$new.log
    trap 'rm -rf "$new" "$log"' EXIT
    mode=root
    [ "$(id -u)" -eq 0 ] || mode=unshare
    if ! mmdebstrap --mode=$mode --variant=apt --format=directory \
        --include="$2" "$suite" "$new" "$mirror" >"$log" 2>&1; then
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
