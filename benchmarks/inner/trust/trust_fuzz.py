"""Damaged notes, tiles' paths and bundles, requests, policies, proofs: refused or read, never more.

Each input is a true one with some bytes changed, cut, doubled or moved. A reader may only answer
with a value or with MalformedInput, and what it reads must be written again as the same bytes
(policies: as the same value), so that no two readers can understand one file differently.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from benchmarks.measuring import claim
from zhidao.core.errors import MalformedInput
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.fraud import FraudKind, FraudProof
from zhidao.trust.domain.note import Checkpoint, Cosigner, NoteKey, sign_note
from zhidao.trust.domain.policy import Policy, PolicyLog, PolicyWitness
from zhidao.trust.wire.log.add_checkpoint import decode_add_checkpoint, encode_add_checkpoint
from zhidao.trust.wire.log.fraud import decode_fraud, encode_fraud, signed_head
from zhidao.trust.wire.log.note import (
    checkpoint_text,
    decode_note,
    encode_note,
    parse_checkpoint,
    parse_vkey,
    vkey,
)
from zhidao.trust.wire.log.policy import encode_policy, parse_policy
from zhidao.trust.wire.log.tiles import decode_bundle, encode_bundle, parse_tile_path
from zhidao.trust.wire.log.tlog_proof import TlogProof, decode_tlog_proof, encode_tlog_proof

_SEED: Final = 417
_LOG: Final = SoftwareKey(Algorithm.ED25519, b"l" * 32)
_WITNESS: Final = Cosigner("w.example", SoftwareKey(Algorithm.ED25519, b"w" * 32))


def run(*, inputs: int) -> Iterator[dict[str, Any]]:
    """How many inputs crashed a reader or were read in two ways, and how fast it went."""
    chance = random.Random(_SEED)
    readers = _readers()
    started_s = time.perf_counter()
    bad = 0
    for number in range(inputs):
        name, seed, again = readers[number % len(readers)]
        data = _damaged(seed, chance)
        try:
            same = again(data)
        except MalformedInput:
            continue
        except Exception as error:  # noqa: BLE001 (this is what is counted)
            print(f"{name}: {type(error).__name__}: {error}: {data!r}", flush=True)
            same = False
        bad += not same
    yield claim("trust_fuzz_inputs_per_s", [inputs / (time.perf_counter() - started_s)], "1/s")
    yield claim("trust_fuzz_inputs", [inputs], "inputs")
    yield claim("trust_fuzz_crashes_or_differences", [bad], "inputs", target=0, at_most=True)


def _damaged(seed: bytes, chance: random.Random) -> bytes:
    data = bytearray(seed)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 4))):
        at = chance.randrange(len(data) or 1)
        match chance.randrange(6):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.randrange(1, 9)]
            case 2:
                data[at:at] = data[at : at + chance.randrange(1, 70)]
            case 3:
                data[at:at] = chance.choice((b"\n", b"\n\n", b" ", b"0", b"=", b"\xe2\x80\x94 "))
            case 4:
                data = data[:at]
            case 5:
                other = chance.randrange(len(data) or 1)
                data[at : at + 4], data[other : other + 4] = (
                    data[other : other + 4],
                    data[at : at + 4],
                )
    return bytes(data)


def _readers() -> list[tuple[str, bytes, Callable[[bytes], bool]]]:
    """A name, a true input, and whether what is read is written again as it was."""
    text = checkpoint_text(Checkpoint("log.example", 5, b"r" * 32))
    note = sign_note(text, [("log.example", _LOG)]).with_lines(
        [_WITNESS.cosign(text, 1_795_000_000)]
    )
    data = encode_note(note)
    key = NoteKey("log.example", _LOG.public)
    policy = Policy(
        (PolicyLog(key),), (PolicyWitness("w", _WITNESS.note_key, "https://w.example"),), (), "w"
    )
    fraud = FraudProof(FraudKind.REWRITTEN, key, signed_head(data), signed_head(data), (b"h" * 32,))
    proof = TlogProof(3, (b"a" * 32, b"b" * 32), note, b"extra")
    return [
        ("note", data, lambda d: encode_note(decode_note(d)) == d),
        ("checkpoint", text.encode(), _checkpoint),
        ("vkey", vkey(key).encode(), lambda d: vkey(parse_vkey(_text(d))).encode() == d),
        ("tile path", b"entries/x001/x234/067.p/12", _tile_path),
        ("bundle", encode_bundle([b"", b"entry", b"x" * 300]), _bundle),
        ("request", encode_add_checkpoint(3, [b"h" * 32] * 3, data), _request),
        ("policy", encode_policy(policy), _policy),
        ("fraud", encode_fraud(fraud), lambda d: encode_fraud(decode_fraud(d)) == d),
        ("proof", encode_tlog_proof(proof), lambda d: encode_tlog_proof(decode_tlog_proof(d)) == d),
    ]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _checkpoint(data: bytes) -> bool:
    return checkpoint_text(parse_checkpoint(_text(data))).encode("utf-8", "surrogateescape") == data


def _tile_path(data: bytes) -> bool:
    return parse_tile_path(_text(data)).path.encode() == data


def _bundle(data: bytes) -> bool:
    return encode_bundle(decode_bundle(data)) == data


def _request(data: bytes) -> bool:
    read = decode_add_checkpoint(data)
    return encode_add_checkpoint(read.old_size, read.proof, encode_note(read.note)) == data


def _policy(data: bytes) -> bool:
    read = parse_policy(data)
    return parse_policy(encode_policy(read)) == read
