"""The tag of a title's bill, as a proof opens it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.node.verification.corridor_bench import Road

from zhidao.core.events import SignedEvent
from zhidao.node.verification.compact import compacted
from zhidao.node.verification.verdict import Verdict, verify
from zhidao.trust.domain.evm import address_text
from zhidao.trust.events import TitleRegistered, TitleTagOpened
from zhidao.trust.wire.zdproof import decode_proof


class Late(Road):
    """The title is registered once it is minted."""

    def _register(self) -> None:
        self.is_minting = True

    def _moved(self, *told: object) -> None:
        super()._moved(*told)  # type: ignore[arg-type]
        if self.is_minting:
            self.is_minting = False
            super()._register()


class Twice(Road):
    """The carrier writes two titles under one tag."""

    by = "carrier"

    def _register(self) -> None:
        super()._register()
        [first] = [e.event for e in self.entries if e.event.type == TitleRegistered.TYPE]
        other = TitleRegistered(
            tag=first.payload["tag"],
            title="77" * 32,
            registry=address_text(self.registry.token),
            chain_id=self.chain_id,
        )
        self.say(self.by, first.aggregate, other)


class OtherBill(Road):
    """The carrier registers the title under a bill of another number."""

    bill_number = "SMLSHA0418"


LIES: list[tuple[type[Road], str]] = [
    (Late, "unregistered_title"),
    (Twice, "double_title"),
    (OtherBill, "bill_mismatch"),
]


async def judged(road: Road, leave_out: Callable[[SignedEvent], bool] = lambda _: False) -> Verdict:
    proof = decode_proof(await road.proof(leave_out=leave_out))
    verdicts = [verify(one, [road.trust()]) for one in (proof, compacted(proof))]
    assert verdicts[0].reason == verdicts[1].reason
    return verdicts[0]


async def test_a_proof_says_that_the_log_has_one_title_for_the_bill() -> None:
    verdict = await judged(Road())
    assert verdict.holds, verdict.sentence
    told = {s.code: s.text for s in verdict.proven}
    assert "bill SMLSHA0417 of SMLM" in told["title_registration"]
    assert "title_registration" not in {s.code for s in verdict.not_proven}


async def test_without_its_opening_it_says_that_this_is_open() -> None:
    verdict = await judged(Road(), lambda event: event.type == TitleTagOpened.TYPE)
    assert verdict.holds, verdict.sentence
    assert "title_registration" in {s.code for s in verdict.not_proven}


async def test_an_opening_without_its_leaf_is_refused() -> None:
    verdict = await judged(Road(), lambda event: event.type == TitleRegistered.TYPE)
    assert (verdict.verdict, verdict.reason) == ("refused", "unregistered_title")


@pytest.mark.parametrize(("road", "reason"), LIES)
async def test_a_registration_that_shows_otherwise_is_refused(
    road: type[Road], reason: str
) -> None:
    verdict = await judged(road())
    assert (verdict.verdict, verdict.reason) == ("refused", reason), verdict.sentence
