"""Proofs that real nodes wrote stay true: two whole roads under their trust lists, never edited.

`road-circle-v1` was written by version 0.1.0 (the site is a circle), `road-polygon-v1` by the first
version that knew polygons. Signals and parties of both are simulated, as both say. The older
`consignment-v1` is a golden of the file's form only: its events are made up, and the last test says
so.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from zhidao.positioning.events import ArrivalProven
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.wire.governance.trust_list import decode_trust_list, encode_trust_list
from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof
from zhidao.verification.verdict import verify

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def read(name: str):
    data = (GOLDEN / f"{name}.zdproof").read_bytes()
    trust = (GOLDEN / f"{name}.trust.json").read_bytes()
    proof, trusted = decode_proof(data), decode_trust_list(trust)
    assert (encode_proof(proof), encode_trust_list(trusted)) == (data, trust)
    return proof, trusted


@pytest.mark.parametrize(
    ("name", "extent"),
    [("road-circle-v1", "(radius 200.0 m)"), ("road-polygon-v1", "(the polygon with 7 corners")],
)
def test_a_road_of_an_earlier_version_still_holds(name, extent):
    proof, trust = read(name)
    verdict = verify(proof, [trust], evm=PyEvmEngine)
    assert (verdict.verdict, verdict.reason) == ("holds", ""), verdict.sentence
    told = {statement.code: statement.text for statement in verdict.proven}
    assert extent in told["inside"]
    assert {"position", "deal", "decision"} <= told.keys()


@pytest.mark.parametrize("name", ["road-circle-v1", "road-polygon-v1"])
def test_it_holds_under_no_other_list(name):
    other = {"road-circle-v1": "road-polygon-v1", "road-polygon-v1": "road-circle-v1"}[name]
    proof, _ = read(name)
    assert verify(proof, [read(other)[1]], evm=PyEvmEngine).verdict == "untrusted_root"


def test_both_kinds_of_site_stand_in_them_as_they_were_written():
    sites = {}
    for name in ("road-circle-v1", "road-polygon-v1"):
        for opened in read(name)[0].events:
            if ArrivalProven.is_told_by(opened.event.type):
                fact, written = ArrivalProven.of(opened.event), dict(opened.event.payload)
                told = {name: value for name, value in fact.payload().items() if name in written}
                told["marks"] = {name: told["marks"][name] for name in written["marks"]}
                assert told == written
                assert fact.open_questions == []
                sites[name] = (fact.site.radius_mm, len(fact.site.corners))
    assert sites == {"road-circle-v1": (200_000, 0), "road-polygon-v1": (0, 7)}


def test_the_golden_of_the_form_is_of_the_form_only():
    proof = decode_proof((GOLDEN / "consignment-v1.zdproof").read_bytes())
    trust = decode_trust_list((GOLDEN / "trust-v1.json").read_bytes())
    assert verify(proof, [trust], evm=PyEvmEngine).verdict != "holds"


@pytest.mark.parametrize(
    ("name", "recomputed"), [("road-circle-v3", True), ("road-circle-compact-v3", False)]
)
def test_version_3_stays_readable_and_says_what_it_dropped(name, recomputed):
    proof = decode_proof((GOLDEN / f"{name}.zdproof").read_bytes())
    trust = decode_trust_list((GOLDEN / "road-circle-v1.trust.json").read_bytes())
    verdict = verify(proof, [trust], evm=PyEvmEngine)
    assert verdict.holds, verdict.sentence
    assert ("position" in {s.code for s in verdict.proven}) == recomputed
    assert ("recomputed" in {s.code for s in verdict.not_proven}) != recomputed


def test_a_compact_road_with_a_promise_shows_all_of_it():
    proof = decode_proof((GOLDEN / "road-promised-compact-v3.zdproof").read_bytes())
    trust = decode_trust_list((GOLDEN / "road-promised.trust.json").read_bytes())
    verdict = verify(proof, [trust], evm=PyEvmEngine)
    assert (verdict.verdict, verdict.sentence) == ("holds", "")
    assert verdict.promised == verdict.shown == ("arrival", "papers", "payment", "title")


def test_roads_of_before_promises_state_none_and_show_what_they_show():
    for name in ("road-circle-v1", "road-polygon-v1"):
        proof, trust = read(name)
        verdict = verify(proof, [trust], evm=PyEvmEngine)
        assert (verdict.promised, verdict.missing) == (None, ())
        assert {"arrival", "papers", "payment"} <= set(verdict.shown)


def test_an_arrival_of_the_second_version_says_its_mark_and_what_it_leaves_open():
    proof, trust = read("road-arrival-v2")
    (fact,) = (
        ArrivalProven.of(opened.event)
        for opened in proof.events
        if opened.event.type == "positioning.ArrivalProven.v2"
    )
    assert (fact.marks.inside_risk_ppb, fact.marks.inside_open_sky_model_ppb) == (0, 10_000)
    assert fact.surroundings == "vehicle"
    verdict = verify(proof, [trust], evm=PyEvmEngine)
    assert (verdict.verdict, verdict.reason) == ("holds", ""), verdict.sentence
    left = {statement.code for statement in verdict.not_proven}
    assert set(fact.open_questions) == {
        *("coherent_simulator", "slow_drag_off", "surroundings_unmeasured", "no_window_before")
    }
    assert set(fact.open_questions) <= left
