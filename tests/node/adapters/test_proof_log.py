from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.verification.corridor_bench import Corridor

from zhidao.core.errors import MalformedInput, Refused
from zhidao.insight.domain.journeys import MILESTONES
from zhidao.insight.domain.report import make_report
from zhidao.node.adapters.proof_log import ProofFiles
from zhidao.trust.domain.note import Checkpoint
from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof


@pytest.fixture(scope="module")
def corridor() -> Corridor:
    return Corridor()


@pytest.fixture(scope="module")
def file(corridor: Corridor) -> bytes:
    return asyncio.run(corridor.proof())


async def test_a_proof_file_opens_what_it_holds(corridor: Corridor, file: bytes):
    log = await ProofFiles([file], None).opened(None)
    proof = decode_proof(file)
    assert [leaf.event for leaf in log.leaves] == [opened.event for opened in proof.events]
    [head] = log.heads
    assert (head.origin, head.size, head.checked) == (
        corridor.origin,
        proof.checkpoint.size,
        "unchecked",
    )
    report = make_report(log)
    assert any(gap.key == "unchecked_head" for gap in report.gaps)


async def test_the_real_facts_of_a_road_reach_every_milestone(file: bytes):
    [journey] = make_report(await ProofFiles([file], None).opened(None)).journeys
    assert journey.outcome == "paid"
    assert len(journey.reached) + len(journey.missing) == len(MILESTONES)
    # The bench walks no further than a proof needs; whatever it walks is recognised.
    assert {"finished", "entered", "papers", "title", "sealed", "signals", "network"} <= {
        step.key for step in journey.reached
    }
    assert {"arrived", "decided", "settled"} <= {step.key for step in journey.reached}


async def test_a_file_given_twice_counts_once(file: bytes):
    once = await ProofFiles([file], None).opened(None)
    assert await ProofFiles([file, file], None).opened(None) == once


async def test_a_trust_list_decides_whose_log_it_is(corridor: Corridor, file: bytes):
    log = await ProofFiles([file], corridor.trust()).opened(None)
    assert log.heads[0].checked == "trust_list"
    with pytest.raises(Refused) as caught:
        await ProofFiles([file], Corridor("stranger").trust()).opened(None)
    assert caught.value.code == "untrusted_root"


async def test_an_event_that_is_not_its_leaf_opens_nothing(file: bytes):
    proof = decode_proof(file)
    first, second, *rest = proof.events
    lie = replace(proof, events=(replace(first, event=second.event), second, *rest))
    with pytest.raises(Refused):
        await ProofFiles([encode_proof(lie)], None).opened(None)


async def test_two_roots_of_one_size_are_a_fork(file: bytes):
    proof = decode_proof(file)
    other = Checkpoint(proof.origin, proof.checkpoint.size, bytes(32))
    text = f"{other.origin}\n{other.size}\n{'A' * 43}=\n"
    forged = replace(proof, checkpoint=other, note=replace(proof.note, text=text))
    source = ProofFiles([file, encode_proof(forged)], None)
    with pytest.raises(Refused):
        await source.opened(None)


async def test_other_bytes_are_no_proof(file: bytes):
    with pytest.raises(MalformedInput):
        await ProofFiles([file[:-1]], None).opened(None)
