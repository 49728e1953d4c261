from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.files import bounded
from zhidao.core.files.bounded import KEPT_BYTES_MAX, odd_files, open_given, read_bounded, read_kept


def test_a_file_is_read_to_its_bound_and_refused_past_it(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"x" * 60)
    assert read_bounded(file, bytes_max=60) == b"x" * 60
    with pytest.raises(MalformedInput, match="more than 59 bytes") as refusal:
        read_bounded(file, bytes_max=59)
    assert (refusal.value.code, refusal.value.where) == ("file_too_large", str(file))
    assert refusal.value.remedy


def test_of_what_has_no_end_no_more_than_the_bound_is_read(tmp_path: Path) -> None:
    # A device tells no size, and never ends.
    with pytest.raises(MalformedInput):
        read_bounded(Path("/dev/zero"), bytes_max=1_000)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"x" * 61), daemon=True)
    writer.start()
    with pytest.raises(MalformedInput):
        read_bounded(pipe, bytes_max=60)
    writer.join(5)


@pytest.fixture
def pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bounded, "WRITER_S", 0.5)
    place = tmp_path / "pipe"
    os.mkfifo(place)
    return place


def test_a_pipe_that_nobody_writes_to_is_told_by_its_name(pipe: Path) -> None:
    begun_s = time.monotonic()
    with pytest.raises(MalformedInput, match=f"{pipe} is a named pipe, not a file") as refusal:
        read_bounded(pipe, bytes_max=60)
    assert refusal.value.code == "nobody_writes"
    assert time.monotonic() - begun_s < 5


@pytest.mark.parametrize("said", [b"", b"half"])
def test_who_holds_a_pipe_and_says_nothing_is_not_waited_for_for_ever(
    said: bytes, pipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "SILENT_S", 0.5)
    # Open both ways, as a shell's `exec 3<>pipe`: it never ends.
    holding = os.open(pipe, os.O_RDWR)
    os.write(holding, said)
    reading, writing = os.pipe()
    os.write(writing, said)
    try:
        for place in (pipe, Path(f"/dev/fd/{reading}")):
            begun_s = time.monotonic()
            with pytest.raises(MalformedInput, match=f"{place} is .* wrote nothing") as refusal:
                read_bounded(place, bytes_max=60)
            assert refusal.value.code == "nobody_writes"
            assert time.monotonic() - begun_s < 5
    finally:
        for handle in (holding, reading, writing):
            os.close(handle)


def test_a_pipe_is_read_whole_without_a_bound_too(pipe: Path) -> None:
    def write() -> None:
        time.sleep(0.3)
        pipe.write_bytes(b"one two")

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    with open_given(pipe) as opened:
        assert opened.read() == b"one two"
    writer.join(5)


@pytest.mark.parametrize(("comes_s", "thinks_s"), [(0, 0), (0.3, 0), (0, 1.5), (0.3, 1.5)])
def test_who_writes_to_a_pipe_may_come_late_and_take_time(
    pipe: Path, comes_s: float, thinks_s: float
) -> None:
    said = bytes(range(256)) * 1_000

    def write() -> None:
        time.sleep(comes_s)
        with pipe.open("wb") as line:
            time.sleep(thinks_s)
            line.write(said)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    assert read_bounded(pipe, bytes_max=len(said)) == said
    writer.join(5)


def test_lines_of_a_pipe_come_whole(pipe: Path) -> None:
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"one\ntwo\n"), daemon=True)
    writer.start()
    with open_given(pipe) as lines:
        assert list(lines) == [b"one\n", b"two\n"]
    writer.join(5)


def test_what_a_writer_left_that_is_gone_is_read(tmp_path: Path) -> None:
    # As the shell's <(printf abc), which has often ended before it is opened.
    reading, writing = os.pipe()
    os.write(writing, b"abc")
    os.close(writing)
    assert read_bounded(Path(f"/dev/fd/{reading}"), bytes_max=60) == b"abc"
    assert read_bounded(Path(f"/dev/fd/{reading}"), bytes_max=60) == b""
    os.close(reading)


@pytest.mark.bound("core.files.bounded.KEPT_BYTES_MAX")
def test_a_kept_file_is_read_to_its_bound(tmp_path: Path) -> None:
    file = tmp_path / "kept"
    with file.open("wb") as made:
        made.truncate(KEPT_BYTES_MAX)
    assert len(read_kept(file)) == KEPT_BYTES_MAX
    with file.open("ab") as made:
        made.truncate(KEPT_BYTES_MAX + 1)
    with pytest.raises(OSError, match=f"more than {KEPT_BYTES_MAX} bytes"):
        read_kept(file)


def test_what_is_kept_is_a_file_and_anything_else_is_named(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "file").write_bytes(b"1")
    (inner / "link").symlink_to("file")
    (inner / "nowhere").symlink_to("missing")
    os.mkfifo(inner / "pipe")
    (inner / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    wanted = {
        inner / "pipe": "a named pipe",
        inner / "zero": "a device",
        tmp_path / "socket": "a socket",
    }
    assert dict(odd_files(tmp_path)) == wanted
    assert dict(odd_files(tmp_path, but=frozenset([inner]))) == {tmp_path / "socket": "a socket"}
    assert read_kept(inner / "link") == b"1"
    for place, kind in {**wanted, inner: "Is a directory"}.items():
        with pytest.raises(
            OSError, match="No such device" if kind == "a socket" else kind
        ) as refusal:
            read_kept(place)
        assert refusal.value.filename == str(place)
