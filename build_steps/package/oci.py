"""`./run package oci`: an OCI image of the program in a root of Debian 13, as a layout in a folder.

One layer, made by mmdebstrap from the Debian package. The image asks for nothing that a read-only
root forbids: data lies in /data, sockets in /tmp, the program runs as user 65532.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import deb
import sbom
from common import ROOT, BuildFailed, epoch, needs, run, say, version

USER: Final = 65532
SUITE: Final = "trixie"
_INCLUDED: Final = (
    *("ca-certificates", "media-types", "python3", "systemd-standalone-sysusers", "tzdata"),
)
# Written when a root is made, read by nobody in a container, or telling the hour of the build.
_LEFT_OUT: Final = (
    *("/etc/apt/*", "/etc/machine-id", "/etc/resolv.conf", "/etc/hostname", "/var/cache/*"),
    *("/var/log/*", "/var/lib/apt/*", "/usr/share/info/*"),
    *("/usr/share/locale/*", "/usr/share/man/*", "/usr/share/lintian/*", "/var/lib/dpkg/*-old"),
    *("/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/.pwd.lock"),
    *("/usr/lib/systemd/*", "/usr/lib/zhidao/make-passphrase"),
)
_TYPE: Final = "application/vnd.oci.image"


def make(keep: Path) -> dict[str, object]:
    """Builds the folder zhidao-oci (oci-layout, index.json, blobs) and its list of contents."""
    if os.geteuid() != 0:
        raise BuildFailed("needs root (a root of Debian is made); run: sudo ./run package oci")
    needs("mmdebstrap")
    with tempfile.TemporaryDirectory(prefix="zhidao-oci.", dir="/var/tmp") as scratch:
        work = Path(scratch)
        package = work / "zhidao.deb"
        site_list = deb.build(package, work, compression="none")
        root = _root(package, work)
        with tarfile.open(root) as archive:
            status = archive.extractfile("./var/lib/dpkg/status")
            debian = sbom.of_debian(status.read().decode()) if status else []
        layout = keep / "zhidao-oci"
        shutil.rmtree(layout, ignore_errors=True)
        (layout / "blobs" / "sha256").mkdir(parents=True)
        manifest = _layout(layout, root)
    listed = keep / f"zhidao-oci-{version()}.cdx.json"
    listed.write_bytes(sbom.with_further("oci", site_list, debian))
    size = sum(file.stat().st_size for file in layout.rglob("*") if file.is_file())
    return {"oci": str(layout), "manifest": manifest, "bytes": size, "sbom": str(listed)}


def _root(package: Path, work: Path) -> Path:
    say("making a root of Debian 13 with the program in it")
    sources = run(["python3", str(ROOT / "build_steps" / "image_sources.py"), SUITE])
    (work / "debian.sources").write_text(sources)
    depends = deb.control_of(package)["Depends"]
    wanted = [word.split()[0] for word in depends.split(",") if "|" not in word]
    root = work / "root.tar"
    account = f"zhidao:x:{USER}:{USER}:Zhidao node:/data:/usr/sbin/nologin"
    hooks = [
        f'echo "{account}" >>"$1/etc/passwd"; echo "zhidao:x:{USER}:" >>"$1/etc/group"',
        f'echo "zhidao:!*:19000::::::" >>"$1/etc/shadow"; cp {package} "$1/zhidao.deb"',
        'chroot "$1" dpkg --install /zhidao.deb && rm "$1/zhidao.deb"',
        'echo oci >"$1/usr/lib/zhidao/share/zhidao/packaged"',
        f'mkdir -p "$1/data" && chown {USER}:{USER} "$1/data" && chmod 0700 "$1/data"',
        f'cd "$1" && rm -rf {" ".join("." + name for name in _LEFT_OUT)}',
        # Licences stay.
        """find "$1/usr/share/doc" -type f ! -name copyright ! -path "*/zhidao/*" -delete""",
        # The day of the build stands in it.
        r'sed -i -E "s/^([^:]*:[^:]*):[0-9]+:/\1:19000:/" "$1/etc/shadow"',
    ]
    words = ["mmdebstrap", "--quiet", "--variant=essential", "--mode=root"]
    words += [f"--include={','.join(sorted({*_INCLUDED, *wanted}))}"]
    words += [f"--customize-hook={hook}" for hook in hooks]
    run([*words, SUITE, str(root), str(work / "debian.sources")], seconds=900)
    return root


def _layout(layout: Path, root: Path) -> str:
    """Writes the blobs and what names them; gives the digest of the manifest."""
    say("writing the layer")
    with root.open("rb") as source:
        whole = hashlib.file_digest(source, "sha256").hexdigest()
    packed = layout / "layer"
    with (
        root.open("rb") as source,
        packed.open("wb") as target,
        gzip.GzipFile("", "wb", 6, target, mtime=0) as stream,
    ):
        shutil.copyfileobj(source, stream, 1 << 20)
    layer = _blob(layout, packed, f"{_TYPE}.layer.v1.tar+gzip")
    config = _json(layout, _config(whole), f"{_TYPE}.config.v1+json")
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_TYPE}.manifest.v1+json",
        "config": config,
        "layers": [layer],
        "annotations": {"org.opencontainers.image.version": version()},
    }
    named = _json(layout, manifest, f"{_TYPE}.manifest.v1+json")
    named["annotations"] = {"org.opencontainers.image.ref.name": version()}
    index = {"schemaVersion": 2, "mediaType": f"{_TYPE}.index.v1+json", "manifests": [named]}
    (layout / "index.json").write_text(json.dumps(index))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return str(named["digest"])


def _config(layer: str) -> dict[str, Any]:
    at = datetime.fromtimestamp(epoch(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "created": at,
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "ExposedPorts": {"8443/tcp": {}, "7611/tcp": {}},
            "Env": [
                "PATH=/usr/bin:/bin",
                "LANG=C.UTF-8",
                "HOME=/data",
                "ZHIDAO_HTTP_HOST=0.0.0.0",
                "ZHIDAO_DEVICES_HOST=0.0.0.0",
                "ZHIDAO_DEVICES_PORT=7611",
            ],
            "Entrypoint": ["/usr/bin/zhidao"],
            "Cmd": ["serve", "--data", "/data/node"],
            "Volumes": {"/data": {}},
            "WorkingDir": "/data",
            "StopSignal": "SIGTERM",
            "Labels": {
                "org.opencontainers.image.title": "zhidao",
                "org.opencontainers.image.version": version(),
                "org.opencontainers.image.licenses": "Apache-2.0",
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]},
        "history": [{"created": at, "created_by": "./run package oci"}],
    }


def _json(layout: Path, document: dict[str, Any], kind: str) -> dict[str, Any]:
    file = layout / "document"
    file.write_text(json.dumps(document, sort_keys=True))
    return _blob(layout, file, kind)


def _blob(layout: Path, file: Path, kind: str) -> dict[str, Any]:
    with file.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    size = file.stat().st_size
    file.rename(layout / "blobs" / "sha256" / digest)
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}
