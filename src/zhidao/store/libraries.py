"""Which shared libraries PostgreSQL's programs need that this machine does not have.

The wheel for Python 3.12 and later links libraries that a minimal Debian leaves out. Its programs
then end with a line of the dynamic linker; this says beforehand what to install. The programs are
read, not run: they may still be packed.
"""

from __future__ import annotations

import ctypes
import struct
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

# What a node runs: the server, its set-up, and the two that back up and restore.
PROGRAMS: Final = ("postgres", "initdb", "pg_dump", "pg_restore")
# Debian 12 and 13, for what the two wheels of PostgreSQL 18 link.
DEBIAN_PACKAGES: Final = {
    "libcrypto.so.3": "libssl3",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "liblz4.so.1": "liblz4-1",
    "libssl.so.3": "libssl3",
    "libxml2.so.2": "libxml2",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
}
_FILE_BYTES_MAX: Final = 64 * 1024 * 1024
# ELF-64, little-endian (System V ABI, gABI 4.1 chapters 4 and 5).
_MAGIC: Final = b"\x7fELF\x02\x01"
_HEADER: Final = struct.Struct("<32xQ14xHH")
_SEGMENT: Final = struct.Struct("<IIQQQQQQ")
_ENTRY: Final = struct.Struct("<qQ")
_PT_LOAD: Final = 1
_PT_DYNAMIC: Final = 2
_DT_NULL: Final = 0
_DT_NEEDED: Final = 1
_DT_STRTAB: Final = 5
_ENTRIES_MAX: Final = 4096


def missing_libraries(source: Path, has: Callable[[str], bool] | None = None) -> tuple[str, ...]:
    """Names of libraries that the programs at `source` need and that are not here, in order.

    `source` as `binaries.find_source` gives it. `has` says whether a library can be loaded.
    """
    files = dict(_files(source))
    known: set[str] = {name for name in PROGRAMS if name in files}
    fresh = known
    while fresh:
        # What comes along with the programs has needs of its own.
        fresh = {n for name in fresh for n in needed_libraries(files.get(name, b""))} - known
        known = known | fresh
    has = has or is_loadable
    return tuple(sorted(name for name in known if name not in files and not has(name)))


def packages_of(libraries: tuple[str, ...]) -> tuple[str, ...]:
    """Debian's packages for those libraries that are known here, each once."""
    return tuple(sorted({DEBIAN_PACKAGES[name] for name in libraries if name in DEBIAN_PACKAGES}))


def is_loadable(library: str) -> bool:
    """Whether the dynamic linker finds the library and all that it needs."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def needed_libraries(data: bytes) -> tuple[str, ...]:
    """What an ELF file names as needed (DT_NEEDED); nothing for other or broken files."""
    if not data.startswith(_MAGIC):
        return ()
    try:
        return _needed(data)
    except (struct.error, UnicodeDecodeError, ValueError, OverflowError):
        return ()


def _needed(data: bytes) -> tuple[str, ...]:
    table, size, count = _HEADER.unpack_from(data)
    segments = [_SEGMENT.unpack_from(data, table + size * index) for index in range(count)]
    dynamic = next((s for s in segments if s[0] == _PT_DYNAMIC), None)
    if dynamic is None:
        return ()
    offsets, strings = [], 0
    for index in range(_ENTRIES_MAX):
        tag, value = _ENTRY.unpack_from(data, dynamic[2] + _ENTRY.size * index)
        if tag == _DT_NULL:
            break
        if tag == _DT_NEEDED:
            offsets.append(value)
        elif tag == _DT_STRTAB:
            strings = _in_file(segments, value)
    names = []
    for offset in offsets:
        start = strings + offset
        names.append(data[start : data.index(b"\0", start)].decode("ascii"))
    return tuple(names)


def _in_file(segments: list[tuple[int, ...]], address: int) -> int:
    """Where a virtual address stands in the file. Raises ValueError."""
    for kind, _, offset, start, _, length, *_ in segments:
        if kind == _PT_LOAD and start <= address < start + length:
            return offset + address - start
    raise ValueError("no segment holds this address")


def _files(source: Path) -> Iterator[tuple[str, bytes]]:
    """The programs and the libraries that come with them: name and bytes."""
    if source.is_file():
        yield from _packed(source)
        return
    # The wheel's own libraries stand beside the programs and, renamed, beside the package.
    libraries = [*source.parent.glob("lib/lib*.so*"), *source.parents[2].glob("*postgres.libs/*")]
    for file in [*(source / name for name in PROGRAMS), *libraries]:
        if file.is_file() and file.stat().st_size <= _FILE_BYTES_MAX:
            yield file.name, file.read_bytes()


def _packed(source: Path) -> Iterator[tuple[str, bytes]]:
    links: dict[str, str] = {}
    found: dict[str, bytes] = {}
    with tarfile.open(source, "r:gz") as archive:
        for member in archive:
            path = Path(member.name)
            library = path.parent.name == "lib" and path.name.startswith("lib")
            if not library and not (path.parent.name == "bin" and path.name in PROGRAMS):
                continue
            if member.issym():
                links[path.name] = Path(member.linkname).name
            elif member.isfile() and member.size <= _FILE_BYTES_MAX:
                content = archive.extractfile(member)
                found[path.name] = content.read() if content else b""
    yield from found.items()
    yield from ((name, found.get(target, b"")) for name, target in links.items())
