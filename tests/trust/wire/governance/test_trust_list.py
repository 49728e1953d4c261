from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trust.proof_bench import CREATED, NODE, ProofBench

from zhidao.core.errors import MalformedInput
from zhidao.core.ids import party_id
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.domain.trust_list import TrustedNode, TrustedParty, trust_list
from zhidao.trust.wire.governance.trust_list import (
    decode_trust_list,
    encode_trust_list,
    trust_list_fingerprint,
)

GOOD = encode_trust_list(ProofBench().trust())


def public(seed: int):
    return SoftwareKey(Algorithm.ED25519, seed.to_bytes(32, "big")).public


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9.-]{0,9}", fullmatch=True),
        st.sets(st.integers(1, 40), min_size=1, max_size=3),
        max_size=5,
    ),
)
def test_a_list_reads_back_as_it_was(name: str, parties: dict[str, set[int]]) -> None:
    node = TrustedNode(NODE, NoteKey("log/1", public(99)), (public(99),))
    entries = [
        TrustedParty(party_id(party), party, "", tuple(public(seed) for seed in seeds))
        for party, seeds in parties.items()
    ]
    trust = trust_list(name, CREATED, [node], entries)
    assert decode_trust_list(encode_trust_list(trust)) == trust


@given(
    st.binary() | st.integers(0, len(GOOD) - 1).map(lambda at: GOOD[:at] + b"0" + GOOD[at + 1 :])
)
def test_any_bytes_are_a_list_or_malformed(data: bytes) -> None:
    with contextlib.suppress(MalformedInput):
        assert encode_trust_list(decode_trust_list(data)) == data


def _changed(change) -> bytes:
    plain = json.loads(GOOD)
    change(plain)
    return json.dumps(plain, separators=(",", ":"), sort_keys=True).encode()


@pytest.mark.parametrize(
    "data",
    [
        GOOD + b"\n",
        b" " + GOOD,
        GOOD.replace(b'"v":1', b'"v":1,"v":1'),
        _changed(lambda plain: plain.update(extra=1)),
        _changed(lambda plain: plain.update(v=2)),
        _changed(lambda plain: plain.update(format="other")),
        _changed(lambda plain: plain.update(created="2026-11-24T10:00:00+00:00")),
        _changed(lambda plain: plain["parties"].reverse()),
        _changed(lambda plain: plain["parties"].append(plain["parties"][-1])),
        _changed(lambda plain: plain["parties"][0]["keys"].append(plain["parties"][0]["keys"][0])),
        _changed(lambda plain: plain["nodes"].clear()),
        _changed(lambda plain: plain["nodes"][0].update(log="log+00000000+AAAA")),
        _changed(lambda plain: plain["parties"][0].update(keys=["z6Mk"])),
    ],
)
def test_another_form_of_a_list_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        decode_trust_list(data)


def test_a_list_is_known_by_its_fingerprint() -> None:
    assert trust_list_fingerprint(GOOD) != trust_list_fingerprint(GOOD + b" ")
    assert len(trust_list_fingerprint(GOOD)) == 39


def test_a_key_speaks_for_its_own_party_only() -> None:
    bench = ProofBench()
    trust = bench.trust()
    exporter = next(p for p in trust.parties if p.party == "exporter")
    assert trust.speaks("exporter", exporter.keys[0])
    assert not trust.speaks("carrier", exporter.keys[0])
    assert not trust.records("exporter", exporter.keys[0])
    assert trust.records(NODE, bench.node_key.public)
