#!/bin/sh
# try_package.sh FILE.deb: installs the package with apt into an empty tree of Debian 13, and there,
# without a network, has an ordinary user and root run the demonstration and the doctor, removes it
# and looks what is left. Root; needs mmdebstrap. The last line of standard output is JSON.
set -eu

package=$(realpath "${1:?which package}")
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d /var/tmp/zhidao-try.XXXXXX)
root=$work/root
say() { printf 'try: %s\n' "$*" >&2; }
leave() {
    for place in dev proc; do umount -R "$root/$place" 2>/dev/null || true; done
    # Nothing of this machine lies below once both are away.
    mountpoint -q "$root/dev" || mountpoint -q "$root/proc" || rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM

python3 "$here/image_sources.py" trixie >"$work/debian.sources"
say "making a tree of Debian 13"
mmdebstrap --quiet --variant=minbase trixie "$root" - <"$work/debian.sources" >"$work/log" 2>&1 ||
    { tail -n 20 "$work/log" >&2; exit 3; }
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp "$work/debian.sources" "$root/etc/apt/sources.list.d/debian.sources"
cp "$package" "$root/root/zhidao.deb"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
# offline USER HOME WORDS: as that user, with the loopback alone.
offline() {
    user=$1 home=$2
    shift 2
    unshare -n sh -c 'ip link set lo up; exec "$@"' sh chroot --userspec="$user" "$root" \
        env -i HOME="$home" LANG=C.UTF-8 PATH=/usr/bin:/bin sh -c 'cd && exec "$@"' sh "$@"
}
say "apt install ./zhidao.deb"
began=$(date +%s)
inside apt-get update -qq >"$work/log" 2>&1
inside apt-get install -y --no-install-recommends /root/zhidao.deb >"$work/log" 2>&1 ||
    { tail -n 20 "$work/log" >&2; exit 3; }
installed=$(($(date +%s) - began))
inside useradd -m anna
inside id zhidao >/dev/null
paid=0
for who in anna root; do
    home=/home/anna
    [ "$who" = anna ] || home=/root
    say "demonstration as $who, without a network"
    began=$(date +%s)
    offline "$who" "$home" zhidao demo --leave >"$work/told" 2>&1 || { cat "$work/told" >&2; exit 1; }
    grep -q '^PAID after' "$work/told"
    took=$(($(date +%s) - began))
    [ "$took" -le "$paid" ] || paid=$took
    offline "$who" "$home" zhidao doctor --json >"$work/told" 2>&1 || true
    if grep -q Traceback "$work/told"; then cat "$work/told" >&2; exit 1; fi
done
test -s "$root/usr/share/man/man1/zhidao-demo.1.gz"
bash -c '. "$0" && complete -p zhidao' "$root/usr/share/bash-completion/completions/zhidao" >/dev/null
used=$(du -sm "$root/usr/lib/zhidao" | cut -f1)
say "apt purge"
inside apt-get purge -y zhidao >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 3; }
left=$(find "$root/usr/lib/zhidao" "$root/usr/bin/zhidao" "$root/etc/zhidao" 2>/dev/null | wc -l)
[ "$left" = 0 ] || { find "$root/usr/lib/zhidao" | head >&2; exit 1; }
printf '{"install_s": %d, "paid_s": %d, "used_mb": %d, "left_files": %d}\n' \
    "$installed" "$paid" "$used" "$left"
