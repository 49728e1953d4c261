"""The tag of a title's bill, as a proof opens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from tests.verification.corridor_bench import Corridor

from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.events import TitleRegistered, TitleTagOpened
from zhidao.trust.wire.proof_file.zdproof import decode_proof
from zhidao.verification.compact import compacted
from zhidao.verification.verdict import Verdict, verify


class Late(Corridor):
    """The title is registered once it is minted."""

    def _register(self) -> None:
        self.is_minting = True

    def _moved(self, *told: object) -> None:
        super()._moved(*told)  # type: ignore[arg-type]
        if self.is_minting:
            self.is_minting = False
            super()._register()


class Twice(Corridor):
    """The carrier writes two titles under one tag."""

    by = "carrier"

    def _register(self) -> None:
        super()._register()
        [first] = [e.event for e in self.entries if e.event.type == TitleRegistered.TYPE]
        other = self.leaf_of(first.payload["tag"], "77" * 32, self.keys[PartyId(self.by)])
        self.say(self.by, first.aggregate, other)


class OtherBill(Corridor):
    """The carrier registers the title under a bill of another number."""

    bill_number = "SMLSHA0418"


LIES: list[tuple[type[Corridor], str]] = [
    (Late, "unregistered_title"),
    (Twice, "double_title"),
    (OtherBill, "bill_mismatch"),
]


async def judged(
    corridor: Corridor, leave_out: Callable[[SignedEvent], bool] = lambda _: False
) -> Verdict:
    proof = decode_proof(await corridor.proof(leave_out=leave_out))
    verdicts = [
        verify(one, [corridor.trust()], evm=PyEvmEngine) for one in (proof, compacted(proof))
    ]
    assert verdicts[0].reason == verdicts[1].reason
    return verdicts[0]


async def test_a_proof_says_that_the_log_has_one_title_for_the_bill() -> None:
    verdict = await judged(Corridor())
    assert verdict.holds, verdict.sentence
    told = {s.code: s.text for s in verdict.proven}
    assert "bill SMLSHA0417 of SMLM" in told["title_registration"]
    assert "title_registration" not in {s.code for s in verdict.not_proven}


async def test_without_its_opening_it_says_that_this_is_open() -> None:
    verdict = await judged(Corridor(), lambda event: event.type == TitleTagOpened.TYPE)
    assert (verdict.verdict, verdict.missing) == ("holds_in_part", ("title",)), verdict.sentence
    assert "title_registration" in {s.code for s in verdict.not_proven}


async def test_an_opening_without_its_leaf_is_refused() -> None:
    verdict = await judged(Corridor(), lambda event: event.type == TitleRegistered.TYPE)
    assert (verdict.verdict, verdict.reason) == ("refused", "unregistered_title")


@pytest.mark.parametrize(("corridor", "reason"), LIES)
async def test_a_registration_that_shows_otherwise_is_refused(
    corridor: type[Corridor], reason: str
) -> None:
    verdict = await judged(corridor())
    assert (verdict.verdict, verdict.reason) == ("refused", reason), verdict.sentence


class OwnKey(Corridor):
    """The carrier makes its tags by a key of its own, which this node does not keep."""

    is_listed = True

    @property
    def title_key(self) -> SoftwareKey:
        return SoftwareKey(Algorithm.ED25519, b"t" * 32)

    def trust(self) -> TrustList:
        listed = super().trust()
        carrier = next(party for party in listed.parties if party.party == "carrier")
        own = replace(carrier, keys=(*carrier.keys, self.title_key.public))
        parties = [own if party == carrier else party for party in listed.parties]
        return replace(listed, parties=tuple(parties)) if self.is_listed else listed


class StrangersKey(OwnKey):
    """The same by a key that the trust list gives to nobody."""

    is_listed = False


class Copied(Corridor):
    """A leaf whose claim is of another title."""

    def leaf_of(self, tag: str, title: str, issuer: SoftwareKey) -> TitleRegistered:
        other = super().leaf_of(tag, "77" * 32, issuer)
        return msgspec.structs.replace(other, title=title)


OWN_KEYS: list[tuple[type[Corridor], str]] = [
    (OwnKey, ""),
    (StrangersKey, "bad_title_tag"),
    (Copied, "unregistered_title"),
]


@pytest.mark.parametrize(("kind", "reason"), OWN_KEYS)
async def test_a_tag_is_by_a_key_that_the_trust_list_gives_the_carrier(kind, reason) -> None:
    verdict = await judged(kind())
    assert verdict.reason == reason, verdict.sentence
    assert ("title" in verdict.shown) == (not reason)
