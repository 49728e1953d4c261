from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.files.bounded import read_bounded


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
