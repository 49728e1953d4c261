"""The packed form of a proof: its bytes as anybody may make them, and one past each bound."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zhidao.core.archive import digest_of
from zhidao.core.errors import MalformedInput
from zhidao.trust.domain.policy import Policy
from zhidao.trust.domain.proof import Proof
from zhidao.trust.wire.log.policy import encode_policy
from zhidao.trust.wire.proof_file.packed_proof import (
    GZIP_HEADER,
    PACKED_VERSION,
    PLAIN_BYTES_MAX,
    decode_packed,
    encode_packed,
    is_packed,
)
from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof

GOLDEN = Path(__file__).resolve().parents[3] / "golden"
PLAIN_PROOF = decode_proof((GOLDEN / "consignment-v1.zdproof").read_bytes())
BINARY = b"\xff\x00"
PROOF = replace(PLAIN_PROOF, packed=True, blobs={**PLAIN_PROOF.blobs, digest_of(BINARY): BINARY})


def plain() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(gzip.decompress(encode_packed(PROOF)))
    return read


def packed(content: bytes | dict[str, Any], *, level: int = 9) -> bytes:
    """A gzip file with our header, as RFC 1952 has it, over any content."""
    if isinstance(content, dict):
        text = json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        content = text.encode()
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
    stream = deflate.compress(content) + deflate.flush()
    tail = zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little")
    return bytes.fromhex("1f8b08000000000002ff") + stream + tail


def malformed(data: bytes) -> str:
    with pytest.raises(MalformedInput) as caught:
        decode_packed(data)
    return str(caught.value)


def test_a_packed_proof_is_gzip_over_one_json_text() -> None:
    data = encode_packed(PROOF)
    assert is_packed(data)
    assert data == encode_proof(PROOF) == packed(plain())
    assert decode_packed(data) == decode_proof(data) == PROOF
    assert PACKED_VERSION == 3
    assert GZIP_HEADER.hex() == "1f8b08000000000002ff"


def test_its_json_bears_events_as_json_and_text_files_as_text() -> None:
    found = plain()
    assert set(found) == {
        *("v", "format", "consignment", "origin", "checkpoint", "policy", "events", "blobs"),
    }
    assert (found["v"], found["format"], found["policy"]) == (3, "zhidao.proof", "")
    assert (found["consignment"], found["origin"]) == (PROOF.consignment, PROOF.origin)
    assert [each["event"] for each in found["events"]] == [o.event.plain() for o in PROOF.events]
    assert [each["index"] for each in found["events"]] == [0, 1, 2, 3]
    digests = sorted(PROOF.blobs)
    assert [blob["digest"] for blob in found["blobs"]] == digests
    for blob in found["blobs"]:
        content = PROOF.blobs[blob["digest"]]
        if content == BINARY:
            assert blob["data"] == "_wA"
            assert "text" not in blob
        else:
            assert blob["text"].encode() == content
            assert "data" not in blob


def test_a_policy_is_its_text() -> None:
    policy = Policy((), (), (), "none")
    proof = replace(PROOF, policy=policy)
    data = encode_packed(proof)
    assert json.loads(gzip.decompress(data))["policy"] == encode_policy(policy).decode()
    assert decode_packed(data) == proof


@pytest.mark.parametrize("level", [0, 1, 9])
def test_another_compressor_may_write_the_same_proof(level: int) -> None:
    assert decode_packed(packed(plain(), level=level)) == PROOF


def test_packed_goldens_of_version_3_stay_readable() -> None:
    for path in sorted(GOLDEN.glob("*-v3.zdproof")):
        data = path.read_bytes()
        proof = decode_proof(data)
        assert proof.packed is is_packed(data)
        if proof.packed:
            assert gzip.decompress(encode_proof(proof)) == gzip.decompress(data)


@pytest.mark.parametrize(
    ("data", "claims"),
    [(b"\x1f\x8b", True), (b"\x1f", False), (b"", False), (b"{", False), (b"\x1f\x8c", False)],
)
def test_what_begins_as_gzip_claims_to_be_packed(data: bytes, claims: bool) -> None:  # noqa: FBT001
    assert is_packed(data) is claims


Change = Callable[[dict[str, Any]], object]


def short(proof: dict[str, Any]) -> list[dict[str, Any]]:
    """An event so small that ten thousand fit into a file."""
    opened = proof["events"][0]
    return [{**opened, "event": {**opened["event"], "payload": {}}, "inclusion": [], "salt": ""}]


def first(**changes: Any) -> Change:
    return lambda p: p["events"][0].update(changes)


def blob(at: int, **changes: Any) -> Change:
    return lambda p: p["blobs"][at].update(changes)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda p: p.update(v=2), "a packed proof file of version 2; this program"),
        (lambda p: p.update(v=4), "a packed proof file of version 4; this program"),
        (lambda p: p.update(format="x" * 33), f"not a proof of version 3: {'x' * 32!r} 3"),
        (lambda p: p.update(more=1), "not a packed proof: "),
        (lambda p: p.pop("policy"), "not a packed proof: "),
        (lambda p: p.update(consignment=""), "not a packed proof: "),
        (lambda p: p.update(origin="x" * 256), "not a packed proof: "),
        (lambda p: p.update(consignment="x" * 256), "not a packed proof: "),
        (lambda p: p.update(checkpoint="x" * (256 * 1024 + 1)), "not a packed proof: "),
        (lambda p: p.update(policy="x" * (1024 * 1024 + 1)), "not a packed proof: "),
        (lambda p: p.update(events=[]), "not a packed proof: "),
        (lambda p: p.update(events=short(p) * 10_001), "not a packed proof: "),
        (lambda p: p.update(blobs=p["blobs"][:1] * 4_097), "not a packed proof: "),
        (first(more=1), "not a packed proof: "),
        (first(index=-1), "not a packed proof: "),
        (first(index=2**53), ""),
        (first(salt="A" * 44), "not a packed proof: "),
        (first(inclusion=["A" * 43] * 63), "not a packed proof: "),
        (first(inclusion=["A" * 42]), "not a packed proof: "),
        (first(inclusion=["A" * 44]), "not a packed proof: "),
        (blob(0, more=1), "not a packed proof: "),
        (blob(0, text=1), "not a packed proof: "),
        (lambda p: p["events"][0]["event"].update(more=1), ""),
        (first(salt="A"), ""),
        (lambda p: p["blobs"].reverse(), "canonical form"),
        (lambda p: p["blobs"].append(p["blobs"][-1]), "canonical form"),
        (blob(0, digest="0F" * 32), ""),
        (lambda p: p["blobs"][0].pop("text", p["blobs"][0].pop("data", None)), "canonical form"),
        (blob(0, text="x", data="eA"), "canonical form"),
        (lambda p: p.update(checkpoint=p["checkpoint"] + "\n"), ""),
    ],
)
def test_another_form_is_malformed(change: Change, told: str) -> None:
    changed = plain()
    change(changed)
    assert told in malformed(packed(changed))


def test_text_that_could_stand_as_text_does_not_stand_as_data() -> None:
    changed = plain()
    at = next(n for n, each in enumerate(changed["blobs"]) if "text" in each)
    changed["blobs"][at] = {"digest": changed["blobs"][at]["digest"], "data": "eA"}
    assert "canonical form" in malformed(packed(changed))


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.update(consignment="x" * 255, origin="y" * 255),
        lambda p: p.update(consignment="x", origin="y"),
        first(index=2**53 - 1),
        first(inclusion=["A" * 43] * 62),
        first(salt=""),
        pytest.param(
            lambda p: p.update(events=short(p) * 10_000), id="events", marks=pytest.mark.slow
        ),
        lambda p: p.update(blobs=[]),
        lambda p: p.update(
            blobs=[{"digest": f"{number:064x}", "text": ""} for number in range(4_096)]
        ),
    ],
)
def test_what_is_at_a_bound_is_read(change: Change) -> None:
    changed = plain()
    change(changed)
    assert json.loads(gzip.decompress(encode_packed(decode_packed(packed(changed))))) == changed


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "its own gzip header"),
        (GZIP_HEADER[:-1] + b"\x03" + packed(plain())[10:], "its own gzip header"),
        (gzip.compress(b"{}", mtime=1), "its own gzip header"),
        (GZIP_HEADER, "ends otherwise than its content says"),
        (packed(plain())[:-9], "ends otherwise than its content says"),
        (packed(plain())[:-1], "ends otherwise than its content says"),
        (packed(plain()) + b"\0", "ends otherwise than its content says"),
        (packed(plain())[:-4] + bytes(4), "ends otherwise than its content says"),
        (packed(plain())[:-8] + bytes(4) + packed(plain())[-4:], "ends otherwise"),
        (GZIP_HEADER + b"\xff" * 20, "does not inflate"),
        (packed(b" " * (8 * 1024 * 1024 + 1)), "inflates to 8388608 bytes at most"),
        (packed(b" " * (64 * 1024 * 1024)), "inflates to 8388608 bytes at most"),
        (packed(b""), ""),
        (packed(b'{"v":3,"v":3}'), ""),
        (packed(json.dumps(plain()).encode()), "canonical form"),
    ],
)
def test_bytes_around_the_content_are_malformed(data: bytes, told: str) -> None:
    assert told in malformed(data)


def test_content_of_8_mebibytes_is_read() -> None:
    assert PLAIN_BYTES_MAX == 8_388_608
    content = b"x" * (PLAIN_BYTES_MAX - len(gzip.decompress(encode_packed(PROOF))) - 90)
    digest = digest_of(content)

    def of(size: int) -> Proof:
        return replace(PROOF, blobs={**PROOF.blobs, digest: content + b"x" * size})

    room = PLAIN_BYTES_MAX - len(gzip.decompress(encode_packed(of(0))))
    assert decode_packed(encode_packed(of(room))) == of(room)
    assert "8388608 bytes at most" in malformed(encode_packed(of(room + 1)))
