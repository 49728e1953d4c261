"""Proofs that somebody changed: parts left out, a value or a byte replaced, another list of keys."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.verification.omissions import without

from zhidao.core.canonical import jcs
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof
from zhidao.verification.compact import compacted


def altered(
    data: bytes, trust: TrustList, *, count: int, seed: int
) -> Iterator[tuple[str, bytes, TrustList]]:
    """`count` changes of a full proof, each by its own number; a third of them only leave out."""
    proof = decode_proof(data)
    less = dict(without(proof, count=count, seed=seed))
    for number in range(count):
        draw = random.Random(f"altered {seed}/{number}")
        name, list_ = f"alteration {number}", trust
        if number % 3 == 0:
            text = encode_proof(draw.choice((compacted, lambda each: each))(less[number]))
        elif number % 3 == 1:
            text = _with_another_value(data, draw)
        else:
            text = _with_another_byte(encode_proof(compacted(proof)), draw)
        if draw.random() < 0.05:
            list_ = replace(trust, nodes=trust.nodes[:0])
        yield name, text, list_


def _with_another_value(data: bytes, draw: random.Random) -> bytes:
    """In canonical form again, so that the change itself has to be found."""
    file = json.loads(data)
    places = list(_places(file))
    holder, key = draw.choice(places)
    holder[key] = _other(holder[key], draw)
    return jcs(file)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in items:
        if isinstance(each, dict | list):
            yield from _places(each)
        else:
            yield value, key


def _other(value: Any, draw: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + draw.choice((-1, 1, 1_000))
    text = str(value)
    at = draw.randrange(len(text) + 1)
    return text[:at] + draw.choice("aA0-") + text[at + draw.randrange(2) :]


def _with_another_byte(data: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed[: draw.choice((len(changed), len(changed), draw.randrange(len(changed))))])
