from __future__ import annotations

import gzip

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.positioning.wire.rinex.concatenation import PARTS_MAX, concatenated, parts_of

MOST = 1 << 20


def _file(name: str) -> bytes:
    return (
        f"{'     3.05           N: GNSS NAV DATA    M':60}RINEX VERSION / TYPE\n{name}\n".encode()
    )


def test_files_come_apart_as_they_were_put_together():
    files = [_file("one"), gzip.compress(_file("two")), _file("three").rstrip()]
    joined = concatenated(files, bytes_max=MOST)
    assert joined == concatenated(files, bytes_max=MOST)
    assert parts_of(joined, bytes_max=MOST) == [_file("one"), _file("two"), _file("three")]


@pytest.mark.parametrize(
    "data",
    [b"", b"no RINEX", _file("one"), gzip.compress(_file("one"), mtime=0)],
    ids="nothing text file gzip".split(),
)
def test_a_single_file_stays_as_it_is(data):
    assert parts_of(data, bytes_max=MOST) == [data]


def test_a_label_elsewhere_in_a_line_begins_no_file():
    data = _file("one") + b"COMMENT RINEX VERSION / TYPE\n"
    assert parts_of(data, bytes_max=MOST) == [data]


def test_too_many_and_too_large_are_refused():
    with pytest.raises(MalformedInput, match="put together"):
        concatenated([_file("x")] * (PARTS_MAX + 1), bytes_max=MOST)
    with pytest.raises(MalformedInput, match="bytes together"):
        concatenated([_file("x")] * 3, bytes_max=200)
    with pytest.raises(MalformedInput, match="files in one"):
        parts_of(_file("x") * (PARTS_MAX + 1), bytes_max=MOST)
    with pytest.raises(MalformedInput):
        parts_of(gzip.compress(_file("x"))[:-9], bytes_max=MOST)
