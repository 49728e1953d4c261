from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import uvloop.loop
from hypothesis import example, given
from hypothesis import strategies as st

from zhidao.store.binaries import find_source
from zhidao.store.libraries import (
    is_loadable,
    missing_libraries,
    needed_libraries,
    packages_of,
)

# Two real ELF files of this machine: a program, and a library of Python that it does not need.
PROGRAM = Path(os.path.realpath(sys.executable)).read_bytes()
LIBRARY = Path(uvloop.loop.__file__).read_bytes()


def packed(folder: Path, **files: bytes) -> Path:
    """An archive as the packed wheel has it; a link `libown.so.1` leads to a library of its own."""
    archive = folder / "postgresql-18.0.0.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"postgresql-18.0.0/bin/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return archive


def test_what_a_program_needs_is_what_the_dynamic_linker_says() -> None:
    listed = subprocess.run(
        ["ldd", os.path.realpath(sys.executable)], capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("no ldd on this machine")
    needed = needed_libraries(PROGRAM)
    assert "libc.so.6" in needed
    assert all(name in listed.stdout for name in needed)


def test_the_programs_of_the_wheel_here_find_all_they_need() -> None:
    assert missing_libraries(find_source()) == ()


def test_missing_libraries_of_packed_programs_are_named_with_their_packages(
    tmp_path: Path,
) -> None:
    source = packed(tmp_path, postgres=PROGRAM, other=b"no program")
    assert missing_libraries(source) == ()
    assert missing_libraries(source, lambda _: False) == tuple(sorted(needed_libraries(PROGRAM)))
    assert packages_of(("libgssapi_krb5.so.2", "liblz4.so.1", "libxml2.so.2", "libnone.so.9")) == (
        "libgssapi-krb5-2",
        "liblz4-1",
        "libxml2",
    )


def test_a_library_that_comes_along_is_not_missing_and_its_own_needs_count(tmp_path: Path) -> None:
    folder = tmp_path / "wheel" / "pginstall" / "bin"
    folder.mkdir(parents=True)
    (folder / "postgres").write_bytes(PROGRAM)
    (folder.parent / "lib").mkdir()
    (folder.parent / "lib" / "libc.so.6").write_bytes(LIBRARY)
    missing = missing_libraries(folder, lambda _: False)
    assert "libc.so.6" not in missing
    assert set(needed_libraries(LIBRARY)) - {"libc.so.6"} <= set(missing)


def test_a_library_that_nobody_has_cannot_be_loaded() -> None:
    assert is_loadable("libc.so.6")
    assert not is_loadable("libzhidao-none.so.9")


@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 255))
@example(b"", 39, 255)  # the table of segments stands further off than any file reaches
def test_broken_programs_need_nothing_rather_than_fail(tail: bytes, at: int, value: int) -> None:
    needed_libraries(b"\x7fELF\x02\x01" + tail)
    changed = bytearray(PROGRAM[:2000])
    changed[at] = value
    needed_libraries(bytes(changed))
