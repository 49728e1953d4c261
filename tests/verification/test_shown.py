"""What a proof shows of what its entry promised, and that both verifiers say the same of it.

`omissions` takes events and files away at random, by a seed: whatever is left, both programs give
the same word and the same lists. `conformance omissions` does it a thousand times.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from tests.verification.conftest import Honest
from tests.verification.corridor_bench import Corridor
from tests.verification.omissions import without, without_events
from tests.verification.test_independent import CHECKS, NODE, check_agreement, needs_node

from zhidao.connectivity.events import NetworkChecked
from zhidao.devices.events import SealChecked, Sealed, WindowReceived
from zhidao.finance.events import ConditionMet, DealOpened, Settled
from zhidao.positioning.events import ArrivalProven
from zhidao.trade.domain.promise import PARTS, promised
from zhidao.trade.events import ConsignmentEntered, DocumentAdded, PapersChecked
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.events import TitleAsked, TitleTagOpened
from zhidao.trust.wire.governance.trust_list import encode_trust_list
from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof
from zhidao.verification.compact import compacted
from zhidao.verification.verdict import Verdict, verify

OMISSIONS = 40


class Older(Corridor):
    """A corridor whose entry was written before entries promised anything."""

    promised: ClassVar[list[str] | None] = None


class Promising(Corridor):
    promised: ClassVar[list[str]] = [*PARTS, "a part that nobody knows"]


def judged(honest: Honest, *facts: type, **more: object) -> Verdict:
    types = {fact.TYPE for fact in facts}
    proof = without_events(honest.proof, lambda event: event.type in types)
    return verify(proof, [honest.trust], evm=PyEvmEngine, **more)  # type: ignore[arg-type]


def test_an_entry_promises_witnesses_only_where_they_are_asked() -> None:
    assert promised(witnessed=True) == list(PARTS)
    assert promised(witnessed=False) == [part for part in PARTS if part != "witnessed"]


def test_all_that_was_promised_is_shown_by_a_whole_proof_and_by_a_compact_one(
    honest: Honest,
) -> None:
    for proof in (honest.proof, compacted(honest.proof)):
        verdict = verify(proof, [honest.trust], evm=PyEvmEngine)
        assert (verdict.verdict, verdict.missing) == ("holds", ())
        assert verdict.promised == verdict.shown == ("arrival", "papers", "payment", "title")


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        ((ArrivalProven, ConditionMet, Settled, DealOpened), ("arrival", "payment")),
        ((WindowReceived,), ("arrival",)),
        ((Sealed, SealChecked), ("arrival",)),
        ((NetworkChecked,), ("arrival",)),
        ((Settled,), ("payment",)),
        ((TitleAsked,), ("title",)),
        ((TitleTagOpened,), ("title",)),
    ],
)
def test_what_is_left_out_is_named(honest, facts, missing) -> None:
    verdict = judged(honest, *facts)
    assert (verdict.verdict, verdict.missing) == ("holds_in_part", missing), verdict
    assert not verdict.holds
    assert verdict.stands
    assert set(verdict.shown) == {"arrival", "papers", "payment", "title"} - set(missing)


def test_a_stripped_proof_does_not_hold(honest: Honest) -> None:
    kept = (ConsignmentEntered, DocumentAdded)
    proof = without_events(
        honest.proof, lambda event: not any(fact.is_told_by(event.type) for fact in kept)
    )
    assert len(proof.events) == 6
    verdict = verify(proof, [honest.trust], evm=PyEvmEngine)
    assert verdict.verdict == "holds_in_part"
    assert verdict.missing == ("arrival", "papers", "payment", "title")


@pytest.mark.parametrize("fact", [DocumentAdded, PapersChecked])
def test_papers_are_shown_with_every_file_that_they_were_compared_by(honest, fact) -> None:
    event = next(o.event for o in honest.proof.events if o.event.type == fact.TYPE)
    digests = (
        [event.payload["digest"], event.payload["credential"]] if fact is DocumentAdded else []
    )
    digests += [
        o.event.payload["entry"]
        for o in honest.proof.events
        if ConsignmentEntered.is_told_by(o.event.type)
    ]
    for digest in digests:
        blobs = {name: data for name, data in honest.proof.blobs.items() if name != digest}
        verdict = verify(replace(honest.proof, blobs=blobs), [honest.trust], evm=PyEvmEngine)
        assert (verdict.verdict, verdict.missing) == ("holds_in_part", ("papers",))


def test_what_is_asked_for_counts_instead_of_what_was_promised(honest: Honest) -> None:
    left = (ArrivalProven, ConditionMet, Settled, DealOpened)
    assert judged(honest, *left, required=("title", "papers")).verdict == "holds"
    asked = judged(honest, *left, required=("title", "arrival", "witnessed"))
    assert (asked.verdict, asked.missing) == ("holds_in_part", ("arrival", "witnessed"))
    whole = verify(honest.proof, [honest.trust], evm=PyEvmEngine, required=PARTS)
    assert (whole.verdict, whole.missing) == ("holds_in_part", ("witnessed",))


async def test_an_older_entry_promises_nothing_and_says_so() -> None:
    corridor = Older()
    proof = decode_proof(await corridor.proof())
    [entry] = [o.event for o in proof.events if ConsignmentEntered.is_told_by(o.event.type)]
    assert (entry.type, "promised" in entry.payload) == ("trade.ConsignmentEntered.v1", False)
    verdict = verify(proof, [corridor.trust()], evm=PyEvmEngine)
    assert (verdict.verdict, verdict.promised) == ("holds", None)
    assert verdict.shown == ("arrival", "papers", "payment", "title")


async def test_a_part_that_no_version_knows_is_never_shown() -> None:
    corridor = Promising()
    verdict = verify(decode_proof(await corridor.proof()), [corridor.trust()], evm=PyEvmEngine)
    assert verdict.missing == ("a part that nobody knows", "witnessed")


async def test_an_entry_of_today_cannot_pass_for_one_without_a_promise() -> None:
    corridor = Corridor(changes={ConsignmentEntered: {"promised": None}})
    verdict = verify(decode_proof(await corridor.proof()), [corridor.trust()], evm=PyEvmEngine)
    assert (verdict.verdict, verdict.reason) == ("refused", "wrong_consignment")


@needs_node
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_both_verifiers_say_the_same_of_random_omissions(honest: Honest, tmp_path: Path) -> None:
    bundles = [
        (f"omission {seed}", encode_proof(proof), honest.trust)
        for seed, proof in without(compacted(honest.proof), count=OMISSIONS, seed=18)
    ]
    assert check_agreement(bundles, tmp_path) == OMISSIONS
    words = {
        verify(decode_proof(data), [trust], evm=PyEvmEngine).verdict for _, data, trust in bundles
    }
    assert words >= {"holds_in_part", "refused"}


@needs_node
@pytest.mark.slow
def test_both_verifiers_agree_on_promises(tmp_path: Path) -> None:
    bundles = []
    for name, corridor in (
        ("older", Older()),
        ("unknown part", Promising()),
        ("no promise", Corridor(changes={ConsignmentEntered: {"promised": None}})),
        ("nothing promised", Corridor(changes={ConsignmentEntered: {"promised": []}})),
    ):
        data = encode_proof(compacted(decode_proof(asyncio.run(corridor.proof()))))
        bundles.append((name, data, corridor.trust()))
    assert check_agreement(bundles, tmp_path) == len(bundles)


@needs_node
@pytest.mark.slow
def test_the_second_program_ends_as_the_first(honest: Honest, tmp_path: Path) -> None:
    proof, trust = tmp_path / "p.zdproof", tmp_path / "t.json"
    left = {Settled.TYPE}
    small = without_events(compacted(honest.proof), lambda event: event.type in left)
    proof.write_bytes(encode_proof(small))
    trust.write_bytes(encode_trust_list(honest.trust))
    assert NODE is not None
    words = [NODE, str(CHECKS / "proof_check.mjs"), str(proof), "--trust", str(trust)]
    for more, status, verdict, missing in (
        ((), 4, "holds_in_part", ["payment"]),
        (("--require", "title,arrival"), 0, "holds", []),
        (("--require", "payment,witnessed"), 4, "holds_in_part", ["payment", "witnessed"]),
        (("--require", "everything"), 2, "malformed", None),
    ):
        told = subprocess.run([*words, *more], capture_output=True, check=False, timeout=60)
        answer = json.loads(told.stdout)
        found = (told.returncode, answer["verdict"], answer.get("missing"))
        assert found == (status, verdict, missing), answer


def test_a_credential_with_a_status_is_shown_and_what_became_of_it_is_not(honest: Honest) -> None:
    verdict = verify(honest.proof, [honest.trust], evm=PyEvmEngine)
    told = [s.text for s in verdict.not_proven if s.code == "revocation"]
    assert len(told) == 2
    assert all("was not taken back since" in text for text in told)
    assert sum(s.code == "credential" for s in verdict.proven) == 2
