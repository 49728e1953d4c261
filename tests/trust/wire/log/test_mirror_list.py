from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.note import Cosigner
from zhidao.trust.wire.log.mirror import decode_mirror_info, mirror_info
from zhidao.trust.wire.log.mirror_list import MIRRORS_MAX, mirror_targets, parse_mirror_list
from zhidao.trust.wire.log.note import vkey

KEYS = [
    Cosigner("m.example", SoftwareKey(algorithm, b"m" * 32)).note_key
    for algorithm in (Algorithm.ED25519, Algorithm.ML_DSA_44)
]
ED, ML = map(vkey, KEYS)
URL = "https://m.example/witness"


def test_a_mirror_has_one_address_and_all_its_keys() -> None:
    text = f"# ours\n\nmirror {ED} {URL}/\nmirror\t{ML}  {URL}\n"
    found = parse_mirror_list(text.encode())
    assert found == {URL: tuple(KEYS)}
    [target] = mirror_targets({"east": found, "west": {URL: (KEYS[0],)}})
    assert (target.url, target.keys, target.corridors) == (URL, tuple(KEYS), ("east", "west"))
    assert parse_mirror_list(b"") == {}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (f"mirror {ED}", "line 1"),
        (f"\nmirrors {ED} {URL}", "line 2"),
        (f"mirror {ED} {URL} more", "line 1"),
        (f"mirror {ED[:-1]} {URL}", "line 1"),
        (f"mirror {ED} ftp://m.example", "line 1"),
        (f"mirror {vkey(KEYS[0]).replace('m.example', 'n.example')} {URL}", "line 1"),
        ("\n".join(f"mirror {ED} {URL}/{n}" for n in range(MIRRORS_MAX + 1)), ""),
        ("# " + "x" * 70_000, ""),
    ],
)
def test_another_line_is_refused_with_its_number(text: str, where: str) -> None:
    with pytest.raises(MalformedInput) as refusal:
        parse_mirror_list(text.encode())
    assert refusal.value.where == where


def test_what_a_mirror_tells_comes_back() -> None:
    for size, next_entry, ticket in ((0, 0, b""), (2**62, 17, bytes(range(40)))):
        told = decode_mirror_info(mirror_info(size, next_entry=next_entry, ticket=ticket))
        assert (told.size, told.next_entry, told.ticket) == (size, next_entry, ticket)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"1\n2\n", b"01\n2\n\n", b"1\n-2\n\n", b"1\n2\n\n\n", b"1\n2\nA\n"),
        *(b"1\n2\n" + b"A" * 90_000 + b"\n", b"9" * 30 + b"\n2\n\n"),
    ],
)
def test_what_a_mirror_never_tells_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        decode_mirror_info(data)
