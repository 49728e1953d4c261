# ruff: noqa: INP001, S603, S607, T201 (a script of the build that runs qemu and speaks to a terminal)
"""Boots a built image in qemu under software emulation and waits for the node's /readyz.

`python build_steps/boot_image.py FOLDER --scratch DIR` takes FOLDER/zhidao.{raw,efi,vmlinuz,initrd}
as `./run image` leaves them, never writes to them (each boot has a disk of its own), and prints
one JSON object: image, size_bytes, root_hash, boot_s, readyz. Status 0 if everything asked for
held, 1 if not.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

BOOT_S_MAX: Final = 300.0
_DISK_BYTES: Final = 8 * 1024**3  # What is beyond the image becomes the data partition.
_POLL_S: Final = 0.5
_SECTOR_BYTES: Final = 512
_TYPE_ROOT: Final = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"  # UAPI.1: root, x86-64.
_FIRMWARE: Final = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
_FIRMWARE_VARIABLES: Final = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
_MACHINE: Final = "5f1c9a34-6d0e-4c55-8f5a-3b8b1f9a7e10"


@dataclass(frozen=True, slots=True)
class Boot:
    """How one boot went: seconds until /readyz answered 200, or why it never did.

    `certificate`: SHA-256 of what the node showed, made at its first boot and kept after.
    """

    ready_s: float | None
    console: str
    ended: str
    certificate: str = ""

    @property
    def failed_units(self) -> list[str]:
        """Units that the console says did not start."""
        return sorted(set(re.findall(r"\[FAILED\] Failed to (.+)", _plain(self.console))))


def say(words: str) -> None:
    """A line of progress."""
    print(f"image: {words}", file=sys.stderr, flush=True)


def root_hash_of(uki: Path) -> str:
    """The dm-verity root hash that the unified kernel image passes to its kernel."""
    found = re.search(rb"roothash=([0-9a-f]{64})", uki.read_bytes())
    if not found:
        raise SystemExit(f"image: {uki} names no roothash: its root is not protected")
    return found[1].decode()


def command_line_of(uki: Path) -> str:
    """The kernel command line inside the unified kernel image."""
    found = re.search(rb"[\x20-\x7e]*roothash=[0-9a-f]{64}[\x20-\x7e]*", uki.read_bytes())
    assert found
    return found[0].decode().strip()


def root_extent(image: Path) -> tuple[int, int]:
    """First byte and length of the root partition."""
    told = subprocess.run(
        ["sfdisk", "--json", str(image)], check=True, capture_output=True, text=True
    )
    for part in json.loads(told.stdout)["partitiontable"]["partitions"]:
        if part["type"].upper() == _TYPE_ROOT:
            return part["start"] * _SECTOR_BYTES, part["size"] * _SECTOR_BYTES
    raise SystemExit(f"image: {image} has no root partition")


def tampered(image: Path, scratch: Path) -> Path:
    """A copy with one bit changed in every 160 KiB of the root, the superblock left whole."""
    copy = scratch / "tampered.raw"
    _copy(image, copy)
    start, length = root_extent(copy)
    with copy.open("r+b") as file:
        for place in range(start + 8192, start + length, 160 * 1024):
            file.seek(place)
            byte = file.read(1)
            file.seek(place)
            file.write(bytes([byte[0] ^ 0x10]))
    return copy


def boot(
    image: Path, folder: Path, scratch: Path, *, uefi: bool, again: bool = False, timeout_s: float
) -> Boot:
    """One boot, ended by a power cut as soon as the node is ready or the patience is over.

    `again`: on the disk of the boot before; else on a new one.
    """
    disk, console = scratch / "disk.raw", scratch / "console.log"
    console.unlink(missing_ok=True)
    if not again:
        _copy(image, disk)
        os.truncate(disk, _DISK_BYTES)
    port = _free_port()
    words = _machine(disk, console, port) + (_by_firmware(scratch) if uefi else _by_kernel(folder))
    started = time.monotonic()
    with _running(words, scratch) as machine:
        while time.monotonic() - started < timeout_s:
            if _ready(port):
                ready_s = time.monotonic() - started
                return Boot(ready_s, _text(console), "ready", _certificate(port))
            if machine.poll() is not None:
                return Boot(None, _text(console), "the machine stopped")
            if "Kernel panic" in _text(console):
                return Boot(None, _text(console), "the kernel stopped")
            time.sleep(_POLL_S)
    return Boot(None, _text(console), f"no answer within {timeout_s:.0f} s")


def _machine(disk: Path, console: Path, port: int) -> list[str]:
    return [
        *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-machine", "q35"),
        *("-smp", "2", "-m", "2048", "-nodefaults", "-display", "none", "-no-reboot"),
        *("-uuid", _MACHINE, "-serial", f"file:{console}", "-device", "virtio-rng-pci"),
        *("-drive", f"file={disk},if=virtio,format=raw,cache=unsafe"),
        *("-netdev", f"user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:8443"),
        *("-device", "virtio-net-pci,netdev=n0"),
    ]


def _by_kernel(folder: Path) -> list[str]:
    return [
        *("-kernel", str(folder / "zhidao.vmlinuz"), "-initrd", str(folder / "zhidao.initrd")),
        *("-append", command_line_of(folder / "zhidao.efi")),
    ]


def _by_firmware(scratch: Path) -> list[str]:
    variables = scratch / "variables.fd"
    shutil.copy(_FIRMWARE_VARIABLES, variables)
    return [
        *("-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={_FIRMWARE}"),
        *("-drive", f"if=pflash,format=raw,unit=1,file={variables}"),
    ]


@contextlib.contextmanager
def _running(words: list[str], scratch: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (scratch / "qemu.log").open("wb") as log:
        machine = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            yield machine
        finally:
            machine.kill()
            machine.wait()
    said = _text(scratch / "qemu.log").strip()
    if said:
        say(f"qemu said: {said[-500:]}")


def _ready(port: int) -> bool:
    # The node made this certificate at its first boot, so nobody can have vouched for it yet.
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(
            f"https://127.0.0.1:{port}/readyz", context=trusting, timeout=10
        ) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, TimeoutError):
        return False


def _certificate(port: int) -> str:
    shown = ssl.get_server_certificate(("127.0.0.1", port), timeout=10)
    return hashlib.sha256(shown.encode()).hexdigest()


def _copy(image: Path, to: Path) -> None:
    # Holes stay holes: most of the image's ESP is empty.
    subprocess.run(["cp", "--sparse=always", str(image), str(to)], check=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace") if path.exists() else ""


def _plain(console: str) -> str:
    # Control sequences of the console would redraw the reader's terminal.
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", console)


def _tail(console: str) -> str:
    return _plain(console)[-3000:]


def _summary(options: argparse.Namespace) -> dict[str, Any]:
    folder, scratch = options.folder, options.scratch
    image = folder / "zhidao.raw"
    told: dict[str, Any] = {
        "image": str(image),
        "size_bytes": image.stat().st_size,
        "used_bytes": image.stat().st_blocks * 512,
        "sha256": hashlib.sha256(image.read_bytes()).hexdigest(),
        "root_hash": root_hash_of(folder / "zhidao.efi"),
        "root_bytes": root_extent(image)[1],
        "kernel_image_bytes": (folder / "zhidao.efi").stat().st_size,
        "build_s": options.build_seconds,
        "two_builds_identical": json.loads(options.identical),
    }
    first = boot(image, folder, scratch, uefi=False, timeout_s=options.patience)
    told |= {"boot_s": _rounded(first.ready_s), "readyz": first.ready_s is not None}
    told["failed_units"] = first.failed_units
    _tell("the kernel's boot", first)
    if options.uefi:
        # On the same disk, after the power cut that ended the first: nothing written may be lost.
        second = boot(image, folder, scratch, uefi=True, again=True, timeout_s=options.patience)
        told |= {"uefi_boot_s": _rounded(second.ready_s), "uefi_readyz": second.ready_s is not None}
        told["data_kept"] = second.certificate == first.certificate != ""
        _tell("the firmware's boot after a power cut", second)
    if options.tamper:
        changed = tampered(image, scratch)
        timeout_s = min(options.patience, 3 * (first.ready_s or options.patience))
        third = boot(changed, folder, scratch, uefi=False, timeout_s=timeout_s)
        noticed = re.search(r"data block \d+ is corrupted", third.console)
        told["tampered_refused"] = third.ready_s is None and noticed is not None
        say(f"with changed bytes in its root: {third.ended}; {noticed and noticed[0]}")
        changed.unlink()
    return told


def _tell(which: str, how: Boot) -> None:
    say(f"{which}: {how.ended}, {_rounded(how.ready_s)} s")
    if how.ready_s is None:
        say(f"the console ended:\n{_tail(how.console)}")


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def main() -> int:
    """Boots as asked and prints the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--uefi", action="store_true")
    parser.add_argument("--tamper", action="store_true")
    parser.add_argument("--patience", type=float, default=BOOT_S_MAX)
    parser.add_argument("--build-seconds", type=int, default=None)
    parser.add_argument("--identical", default="null")
    told = _summary(parser.parse_args())
    print(json.dumps(told), flush=True)
    asked = ("readyz", "uefi_readyz", "data_kept", "tampered_refused", "two_builds_identical")
    held = all(told.get(name) is not False for name in asked) and not told["failed_units"]
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main())
