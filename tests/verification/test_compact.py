"""Compact proofs: what they drop, what they still show, and that a lie in them is a lie."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import replace

import pytest
from tests.verification.conftest import Honest
from tests.verification.corridor_bench import Corridor

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.errors import MalformedInput
from zhidao.finance.events import Decided
from zhidao.positioning.events import ArrivalExpected, ArrivalProven
from zhidao.trade.events import CustomsReleased
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.domain.proof import Proof
from zhidao.trust.events import ChainTransaction, TitleMoved
from zhidao.trust.wire.proof_file.packed_proof import GZIP_HEADER
from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof
from zhidao.verification.compact import compacted
from zhidao.verification.verdict import Verdict, verify


@pytest.fixture(scope="module")
def compact(honest: Honest) -> bytes:
    return encode_proof(compacted(honest.proof))


def codes(verdict: Verdict) -> tuple[set[str], set[str]]:
    return {s.code for s in verdict.proven}, {s.code for s in verdict.not_proven}


def test_a_packed_proof_holds_and_names_what_it_did_not_check(
    honest: Honest, compact: bytes
) -> None:
    assert len(compact) < len(honest.data) / 10
    proof = decode_proof(compact)
    verdict = verify(proof, [honest.trust], evm=PyEvmEngine)
    assert verdict.holds, verdict.sentence
    proven, not_proven = codes(verdict)
    whole, _ = codes(verify(honest.proof, [honest.trust], evm=PyEvmEngine))
    assert whole - proven == {"position", "inside", "signed_by_terminal"}
    told = {s.code: s.text for s in verdict.not_proven}
    assert told["recomputed"].startswith("recomputed: not checked here")
    assert told["contracts"].startswith("contracts: not checked here")
    assert not proven & not_proven
    assert encode_proof(proof) == compact
    assert compacted(proof) == proof


@pytest.mark.parametrize(
    ("fact", "fields", "reason"),
    [
        (ArrivalProven, {"latitude_ndeg": 44_200_100_000}, "not_reproduced"),
        (ArrivalExpected, {"risk_ppb": 99_999}, "not_reproduced"),
        (NetworkChecked, {"verdict": "mismatch"}, "false_mark"),
        (TitleMoved, {"holder_party": "carrier"}, "title_mismatch"),
        (ChainTransaction, {"hash": "0x" + "00" * 32}, "wrong_chain"),
        (CustomsReleased, {"decision": "held"}, "decision_not_reproduced"),
        (Decided, {"transfer": "x"}, "decision_not_reproduced"),
    ],
)
async def test_a_lie_is_refused_in_the_compact_form_too(fact, fields, reason) -> None:
    corridor = Corridor(changes={fact: fields})
    verdict = verify(_small(await corridor.proof()), [corridor.trust()], evm=PyEvmEngine)
    assert (verdict.verdict, verdict.reason) == ("refused", reason), verdict.sentence


async def test_a_title_on_another_chain_or_sent_elsewhere_is_refused() -> None:
    for corridor, reason in (
        (Corridor(chain_id=7), "wrong_chain"),
        (Corridor(receiver="carrier"), "title_mismatch"),
    ):
        assert (
            verify(_small(await corridor.proof()), [corridor.trust()], evm=PyEvmEngine).reason
            == reason
        )


def test_a_file_that_the_compact_form_drops_may_stand_in_it(honest: Honest) -> None:
    whole = replace(honest.proof, packed=True)
    verdict = verify(decode_proof(encode_proof(whole)), [honest.trust], evm=PyEvmEngine)
    assert verdict.holds, verdict.sentence
    assert "position" in {s.code for s in verdict.proven}


def test_the_compact_form_has_one_reading(compact: bytes) -> None:
    plain = gzip.decompress(compact)
    whole = json.loads(plain)
    assert whole["v"] == 3
    for spoiled in (
        compact + b"\0",
        compact[:-1],
        compact[:40],
        b"\x1f\x8b\x08\x08" + compact[4:],
        compact[:-4] + b"\0\0\0\1",
        _packed(plain + b" "),
        _packed(plain.replace(b'"v":3', b'"v":2')),
        _packed(plain.replace(b'{"blobs":', b'{"a":1,"blobs":', 1)),
        _packed(plain.replace(b'"digest":', b'"data":"AA","digest":', 1)),
        _packed(b"[]"),
        _packed(b" " * (8 * 1024 * 1024 + 1)),
        compact + compact,
    ):
        with pytest.raises(MalformedInput):
            decode_proof(spoiled)


def test_any_changed_byte_of_the_compact_form_is_refused(honest: Honest, compact: bytes) -> None:
    for at in range(0, len(compact), len(compact) // 60):
        changed = bytearray(compact)
        changed[at] ^= 1 << at % 8
        with pytest.raises(MalformedInput):
            decode_proof(bytes(changed))
    assert honest.data[:2] != compact[:2]


def _small(data: bytes) -> Proof:
    return decode_proof(encode_proof(compacted(decode_proof(data))))


def _packed(plain: bytes) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    tail = zlib.crc32(plain).to_bytes(4, "little") + len(plain).to_bytes(4, "little")
    return GZIP_HEADER + deflate.compress(plain) + deflate.flush() + tail
