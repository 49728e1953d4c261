from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trust.proof_bench import INVOICE, WINDOW, ProofBench

from zhidao.core.archive import digest_of
from zhidao.core.canonical import jcs
from zhidao.core.encoding import base64url
from zhidao.core.errors import MalformedInput
from zhidao.core.events import SignedEvent
from zhidao.trust.domain.policy import Policy
from zhidao.trust.domain.proof import verify_log_part
from zhidao.trust.wire.governance.trust_list import decode_trust_list, encode_trust_list
from zhidao.trust.wire.log.policy import encode_policy
from zhidao.trust.wire.proof_file.zdproof import PROOF_BYTES_MAX, decode_proof, encode_proof

GOLDEN = Path(__file__).resolve().parents[3] / "golden"


@pytest.fixture(scope="module")
def golden() -> bytes:
    return (GOLDEN / "consignment-v1.zdproof").read_bytes()


def plain_of(data: bytes) -> dict:
    return json.loads(data)


async def test_a_proof_reads_back_as_it_was() -> None:
    data = await ProofBench().proof()
    assert encode_proof(decode_proof(data)) == data


# Golden files are never edited: every version ever written stays readable and true.
async def test_version_1_stays_readable_and_the_writer_still_makes_it(golden: bytes) -> None:
    trust = (GOLDEN / "trust-v1.json").read_bytes()
    event = (GOLDEN / "event-v1.json").read_bytes()
    proof = decode_proof(golden)
    assert verify_log_part(proof, decode_trust_list(trust)).holds
    assert SignedEvent.decode(event) == proof.events[0].event
    SignedEvent.decode(event).verify()
    bench = ProofBench()
    assert await bench.proof() == golden
    assert encode_trust_list(bench.trust()) == trust


@given(
    st.binary()
    | st.dictionaries(
        st.sampled_from("v format consignment origin checkpoint events blobs".split()),
        st.none() | st.integers() | st.text() | st.lists(st.integers()),
    ).map(lambda d: json.dumps(d).encode())
)
def test_any_bytes_are_a_proof_or_malformed(data: bytes) -> None:
    with contextlib.suppress(MalformedInput):
        decode_proof(data)


def test_any_cut_is_malformed(golden: bytes) -> None:
    for size in range(0, len(golden), 11):
        with pytest.raises(MalformedInput):
            decode_proof(golden[:size])


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.update(extra=1),
        lambda p: p.update(v=2),
        lambda p: p.update(v=1.0),
        lambda p: p.update(format="zip"),
        lambda p: p.pop("blobs"),
        lambda p: p["events"].clear(),
        lambda p: p["events"][0].update(extra=1),
        lambda p: p["events"][0].update(index=-1),
        lambda p: p["events"][0].update(salt=p["events"][0]["salt"][:-1]),
        lambda p: p["events"][0].update(inclusion=["A" * 42]),
        lambda p: p["events"][0].update(inclusion=["A" * 43] * 63),
        lambda p: p["events"][0].update(event=base64url(b"{}")),
        lambda p: p["blobs"].reverse(),
        lambda p: p["blobs"].append(p["blobs"][0]),
        lambda p: p["blobs"][0].update(data=p["blobs"][0]["data"] + "="),
        lambda p: p["blobs"][0].update(data=p["blobs"][0]["data"] + "\n"),
        lambda p: p["blobs"][0].update(digest=p["blobs"][0]["digest"].upper()),
        lambda p: p.update(checkpoint=p["checkpoint"] + "\n"),
        lambda p: p.update(checkpoint="\ud800"),
    ],
)
def test_another_form_of_a_proof_is_malformed(golden: bytes, change) -> None:
    plain = plain_of(golden)
    change(plain)
    with pytest.raises(MalformedInput):
        decode_proof(json.dumps(plain, separators=(",", ":"), sort_keys=True).encode())


@pytest.mark.parametrize(
    "data",
    [
        lambda g: g + b"\n",
        lambda g: g + b"\0",
        lambda g: g + g,
        lambda g: b"\xef\xbb\xbf" + g,
        lambda g: json.dumps(json.loads(g)).encode(),
        lambda g: g.replace(b'"v":1}', b'"v":1,"v":1}'),
        lambda g: g.replace(b'"format"', b'"f\\u006frmat"'),
    ],
)
def test_bytes_around_or_between_are_malformed(golden: bytes, data) -> None:
    assert data(golden) != golden
    with pytest.raises(MalformedInput):
        decode_proof(data(golden))


def test_spare_bits_of_base64_are_malformed(golden: bytes) -> None:
    plain = plain_of(golden)
    blob = next(b for b in plain["blobs"] if b["digest"] == digest_of(WINDOW))
    # 10 bytes leave four spare bits in the last letter.
    assert blob["data"] == base64url(WINDOW)
    assert blob["data"].endswith("w")
    blob["data"] = blob["data"][:-1] + "x"
    with pytest.raises(MalformedInput, match="spare bits"):
        decode_proof(jcs(plain))


def test_the_files_are_the_enclosed_ones(golden: bytes) -> None:
    assert set(decode_proof(golden).blobs.values()) == {INVOICE, WINDOW}


def short(proof: dict) -> list[dict]:
    """An event so small that ten thousand fit into a file."""
    opened = proof["events"][0]
    return [{**opened, "inclusion": [], "salt": ""}]


def first(**changes: object):
    return lambda p: p["events"][0].update(changes)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.update(consignment="x" * 255, origin="y" * 255),
        lambda p: p.update(consignment="x", origin="y"),
        first(index=2**53 - 1),
        first(index=0),
        first(inclusion=["A" * 43] * 62),
        first(salt=""),
        pytest.param(
            lambda p: p.update(events=short(p) * 10_000), id="events", marks=pytest.mark.slow
        ),
        lambda p: p.update(blobs=[]),
        lambda p: p.update(
            blobs=[{"digest": f"{number:064x}", "data": ""} for number in range(4_096)]
        ),
    ],
)
def test_what_is_at_a_bound_is_read(golden: bytes, change) -> None:
    plain = plain_of(golden)
    change(plain)
    data = jcs(plain)
    assert encode_proof(decode_proof(data)) == data


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda p: p.update(consignment=""), "not a proof file: "),
        (lambda p: p.update(consignment="x" * 256), "not a proof file: "),
        (lambda p: p.update(origin=""), "not a proof file: "),
        (lambda p: p.update(origin="x" * 256), "not a proof file: "),
        (lambda p: p.update(checkpoint="x" * (256 * 1024 + 1)), "not a proof file: "),
        (lambda p: p.update(events=[]), "not a proof file: "),
        (lambda p: p.update(events=short(p) * 10_001), "not a proof file: "),
        (lambda p: p.update(blobs=p["blobs"][:1] * 4_097), "not a proof file: "),
        (first(index=2**53), ""),
        (first(index=-1), "not a proof file: "),
        (first(salt="A" * 44), "not a proof file: "),
        (first(inclusion=["A" * 43] * 63), "not a proof file: "),
        (first(inclusion=["A" * 42]), "not a proof file: "),
        (first(inclusion=["A" * 44]), "not a proof file: "),
        (lambda p: p["blobs"][0].update(more=1), "not a proof file: "),
        (lambda p: p.update(v=2, policy=""), "not a proof file: "),
        (lambda p: p.update(v=2, policy="x" * (1024 * 1024 + 1)), "not a proof file: "),
        (lambda p: p.update(v=1, policy="x"), "not a proof file: "),
        (lambda p: p.update(v=0), "a proof file of version 0; this program"),
        (lambda p: p.update(v=3), "a proof file of version 3; this program"),
        (lambda p: p.update(format="x" * 33), f"version 1 or 2: {'x' * 32!r} 1"),
        (lambda p: p.update(format=""), "version 1 or 2: '' 1"),
        (lambda p: p["blobs"].reverse(), "canonical form"),
    ],
)
def test_one_past_a_bound_is_refused_by_that_bound(golden: bytes, change, told: str) -> None:
    plain = plain_of(golden)
    change(plain)
    with pytest.raises(MalformedInput) as caught:
        decode_proof(json.dumps(plain, separators=(",", ":"), sort_keys=True).encode())
    assert told in str(caught.value)


def test_a_file_of_64_mebibytes_is_read_and_one_byte_more_is_not() -> None:
    assert PROOF_BYTES_MAX == 67_108_864
    told = []
    for size in (PROOF_BYTES_MAX, PROOF_BYTES_MAX + 1):
        with pytest.raises(MalformedInput) as caught:
            decode_proof(bytes(size))
        told.append(str(caught.value))
    assert "not a proof file" in told[0]
    assert "a proof of 67108865 bytes; at most 67108864 are read" in told[1]


def test_version_1_and_2_have_these_fields(golden: bytes) -> None:
    plain = plain_of(golden)
    assert set(plain) == {
        *("v", "format", "consignment", "origin", "checkpoint", "events", "blobs"),
    }
    proof = decode_proof(golden)
    assert (plain["v"], plain["format"]) == (1, "zhidao.proof")
    for written, opened in zip(plain["events"], proof.events, strict=True):
        assert written == {
            "event": base64url(opened.event.encode()),
            "salt": base64url(opened.salt),
            "index": opened.index,
            "inclusion": [base64url(item) for item in opened.inclusion],
        }
    assert not proof.packed
    assert proof.policy is None
    policy = Policy((), (), (), "none")
    second = encode_proof(replace(proof, policy=policy))
    assert json.loads(second) == {**plain, "v": 2, "policy": encode_policy(policy).decode()}
    assert decode_proof(second) == replace(proof, policy=policy)
