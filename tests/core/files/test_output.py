"""A result replaces files, goes into what is no file, and leaves nothing half written."""

from __future__ import annotations

import os
import stat
import threading
import zipfile
from pathlib import Path

import pytest

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.files.output import PRIVATE, write_folder, write_whole, written


def _names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_file_is_replaced_whole_and_as_readable_as_the_umask_says(tmp_path: Path) -> None:
    file = tmp_path / "result"
    before = os.umask(0o027)
    try:
        write_whole(file, b"first")
        write_whole(file, b"second")
    finally:
        os.umask(before)
    assert file.read_bytes() == b"second"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    write_whole(tmp_path / "secret", b"x", mode=PRIVATE)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "result"
    file.write_bytes(b"old")

    def half() -> None:
        with written(file) as out:
            out.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert file.read_bytes() == b"old"
    assert _names(tmp_path) == ["result"]


def test_a_pipe_stays_a_pipe_and_gets_the_bytes(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_whole(pipe, b"through")
    reader.join(timeout=10)
    assert got == [b"through"]
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    assert _names(tmp_path) == ["pipe"]


def test_an_archive_can_go_into_a_pipe(tmp_path: Path) -> None:
    pipe, copy = tmp_path / "pipe", tmp_path / "copy.zip"
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: copy.write_bytes(pipe.read_bytes()), daemon=True)
    reader.start()
    with written(pipe) as out, zipfile.ZipFile(out, "w") as archive:
        archive.writestr("one", b"1")
    reader.join(timeout=10)
    with zipfile.ZipFile(copy) as archive:
        assert archive.read("one") == b"1"


def test_a_character_device_stays_a_device(tmp_path: Path) -> None:
    device = tmp_path / "null"
    try:
        # The numbers of the null device, under a name of this test's own.
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        device.open("wb").close()
    except OSError as error:
        pytest.skip(f"no device can be made or opened here: {error}")
    write_whole(device, b"gone")
    assert stat.S_ISCHR(device.lstat().st_mode)
    link = tmp_path / "link"
    link.symlink_to(device)
    write_whole(link, b"gone")
    assert stat.S_ISCHR(device.lstat().st_mode)
    assert link.is_symlink()


def test_a_link_stays_a_link_and_its_target_gets_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "target", tmp_path / "link"
    link.symlink_to("there/target")
    for data in (b"not there yet", b"replaced"):
        write_whole(link, data)
        assert link.is_symlink()
        assert target.read_bytes() == data
    assert _names(tmp_path / "there") == ["target"]


def test_a_new_file_takes_nobodys_place(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    link.symlink_to("nowhere")
    write_whole(file, b"mine", new=True)
    for standing in (file, link):
        with pytest.raises(Refused, match="stands already") as refused:
            write_whole(standing, b"other", new=True)
        assert refused.value.code == "file_exists"
    # Somebody comes while the block runs.
    late = tmp_path / "late"

    def overtaken() -> None:
        with written(late, new=True) as out:
            out.write(b"mine")
            late.write_bytes(b"theirs")

    with pytest.raises(Refused, match="stands already"):
        overtaken()
    assert late.read_bytes() == b"theirs"
    assert file.read_bytes() == b"mine"
    assert _names(tmp_path) == ["file", "late", "link"]


@pytest.mark.parametrize("kind", ["folder", "no_folder", "circle", "socket_name", "long"])
def test_what_cannot_be_written_is_told_by_name(tmp_path: Path, kind: str) -> None:
    place = tmp_path / kind
    if kind == "folder":
        place.mkdir()
    elif kind == "no_folder":
        place = tmp_path / "absent" / "file"
    elif kind == "circle":
        place.symlink_to(kind)
    elif kind == "long":
        place = tmp_path / ("n" * 300)
    else:
        import socket

        with socket.socket(socket.AF_UNIX) as endpoint:
            endpoint.bind(os.path.relpath(place))
    before = _names(tmp_path)
    with pytest.raises(MalformedInput) as told:
        write_whole(place, b"x")
    assert told.value.remedy
    assert place.name[:20] in str(told.value) or place.parent.name in str(told.value)
    assert _names(tmp_path) == before


def test_a_full_disk_is_told_as_one(tmp_path: Path) -> None:
    device = tmp_path / "full"
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
        device.open("wb").close()
    except OSError as error:
        pytest.skip(f"no device can be made or opened here: {error}")
    with pytest.raises(Unavailable) as told:
        write_whole(device, b"x")
    assert told.value.code == "disk_full"
    assert "full" in told.value.where


def test_a_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    write_folder(folder, {"a": b"1", "in/b": b"2"})
    assert ((folder / "a").read_bytes(), (folder / "in" / "b").read_bytes()) == (b"1", b"2")
    for other, files in (
        (folder, {"a": b"3"}),
        (tmp_path / "no" / "such", {"a": b"1"}),
        (tmp_path / "new", {"a": b"1", "a/b": b"2"}),
    ):
        with pytest.raises(MalformedInput) as refused:
            write_folder(other, files)
        assert refused.value.code == "file_unusable"
    assert (folder / "a").read_bytes() == b"1"
    assert [each.name for each in tmp_path.iterdir()] == ["report"]
