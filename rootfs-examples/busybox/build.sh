#!/bin/sh
# Makes rootfs/ beside this script: busybox, its links, and the few files that programs expect.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
busybox=${BUSYBOX:-$(command -v busybox || true)}

skip() {
    echo "busybox: skipped: $1" >&2
    exit 77
}

[ -n "$busybox" ] || skip "there is no busybox (Debian: apt install busybox-static)"
# A program with an interpreter would need libraries that the rootfs does not have.
if ldd "$busybox" >/dev/null 2>&1; then
    skip "$busybox is not linked statically (Debian: apt install busybox-static)"
fi

# Made aside and moved at the end: a rootfs that is there is whole.
new=$(mktemp -d "$here/.rootfs.XXXXXX")
trap 'rm -rf "$new"' EXIT
chmod 755 "$new"
cd "$new"
mkdir -p bin dev etc home proc root sbin sys tmp usr/bin usr/sbin var/run var/tmp
chmod 700 root
chmod 1777 tmp var/tmp
cp "$busybox" bin/busybox
chmod 755 bin/busybox

# Every applet gets a link, by the directory it wants to be in.
for path in $(bin/busybox --list-full); do
    mkdir -p "$(dirname "$path")"
    [ -e "$path" ] || ln -s /bin/busybox "$path"
done

cat >etc/passwd <<'END'
root:x:0:0:root:/root:/bin/sh
user:x:1000:1000:A user:/home/user:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
END
cat >etc/group <<'END'
root:x:0:
user:x:1000:
nogroup:x:65534:
END
echo 'hosts: files dns' >etc/nsswitch.conf
echo '127.0.0.1 localhost' >etc/hosts
: >etc/resolv.conf
mkdir -p home/user
[ "$(id -u)" -ne 0 ] || chown 1000:1000 home/user

rm -rf "$here/rootfs"
mv "$new" "$here/rootfs"
trap - EXIT
echo "$here/rootfs"
