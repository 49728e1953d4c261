"""Messages, schemas and lists are read as safely as every XML of a stranger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.finance.adapters.schema_pack import add_pack
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.syntax.grammar import Branch, Leaf, read
from zhidao.finance.wire.screening_lists import read_list

ATTACKS = {
    "doctype": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "doctype after a comment": b"<!-- c --><!DOCTYPE a><a/>",
    "65 levels": b"<a>" * 65 + b"</a>" * 65,
    "tiny elements": b"<a>" + b"<a/>" * 100_000 + b"</a>",
    "UTF-16": "<a/>".encode("utf-16"),
    "truncated": b"<a><b>",
    "empty": b"",
}


def _message(data: bytes) -> object:
    return read("pacs.008.001.08", data, "FIToFICstmrCdtTrf", Branch((("MsgId", Leaf(".*")),)))


READERS: dict[str, Callable[[bytes], object]] = {
    "envelope": read_envelope,
    "message": _message,
    "list of the UN": lambda data: read_list("un", data),
    "list of the EU": lambda data: read_list("eu", data),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_by_xml_is_refused_by_every_reader(reader: str, attack: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        READERS[reader](ATTACKS[attack])
    if "list" not in reader:
        assert refused.value.code == "FF01"


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_a_schema_pack_is_refused_and_nothing_is_kept(
    attack: str, tmp_path: Path
) -> None:
    source, folder = tmp_path / "source", tmp_path / "pack"
    source.mkdir()
    (source / "pacs.008.001.08.xsd").write_bytes(ATTACKS[attack])
    with pytest.raises(MalformedInput, match=r"pacs.008.001.08.xsd is no XML"):
        add_pack(source, folder)
    assert not folder.exists()
