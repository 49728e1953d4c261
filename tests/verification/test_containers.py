"""Several containers: a proof shows the arrival when each one's is shown, by both verifiers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.verification.corridor_bench import CONSIGNMENT, TERMINAL, Corridor, Ride
from tests.verification.test_independent import check_agreement, needs_node, of_corridor

from zhidao.core.events import Fact, SignedEvent
from zhidao.positioning.events import ArrivalExpected, ArrivalProven, ArrivalWithdrawn, Carried
from zhidao.positioning.service.awaited import wishes_of
from zhidao.trade.domain.consignment import ConsignmentEntry
from zhidao.trade.domain.papers import bill_of_lading_of
from zhidao.trade.events import ConsignmentEntered
from zhidao.trade.wire import bill_of_lading, consignment_entry
from zhidao.trade.wire import entry as entry_file
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.wire.proof_file.zdproof import decode_proof
from zhidao.verification.verdict import Verdict, verify

FIRST, SECOND, THIRD = "CSQU3054383", "MSCU6639870", "MSKU1234565"
HONEST = (Ride(FIRST, "BDT-1", "S-1"), Ride(SECOND, "BDT-2", "S-2"))
HONEST_NAMED = (
    Carried(container=FIRST, terminal="BDT-1"),
    Carried(container=SECOND, terminal="BDT-2"),
)


class Many(Corridor):
    """The road of two containers, each with its own terminal and seal."""

    rides = HONEST
    named: tuple[Carried, ...] = HONEST_NAMED

    def entry_file(self) -> bytes:
        plain = json.loads(consignment_entry.migrated(entry_file.read(super().entry_file())))
        plain["utilizedTransportEquipment"].append({"id": SECOND})
        plain["includedConsignmentItem"][1]["equipmentId"] = SECOND
        return json.dumps(plain).encode()

    def bill_file(self, entry: ConsignmentEntry) -> bytes:
        bill = bill_of_lading_of(
            entry, number="SMLSHA0417", carrier_code="SMLM", on_board=date(2026, 8, 20)
        )
        return bill_of_lading.write(bill)

    def carried(self) -> list[Carried]:
        return list(self.named)


class Missing(Many):
    """The second never arrived; the node notes and decides as if it had."""

    rides = (HONEST[0], Ride(SECOND, "BDT-2", "S-2", arrives=False))

    def _release(self) -> None:
        self._met(f"arrival:{SECOND}")
        super()._release()


class NamedOnce(Many):
    """The deal waits for one of the two containers."""

    named = (Carried(container=FIRST, terminal="BDT-1"),)
    rides = (HONEST[0],)


class AsOne(Many):
    """The deal waits for the consignment by one terminal, as if it had one container."""

    named = ()
    rides = (Ride(FIRST, TERMINAL, "S-1"),)


class SameContainer(Many):
    """Both terminals are sealed into the first container."""

    rides = (HONEST[0], Ride(FIRST, "BDT-2", "S-2"))


class InBoth(Many):
    """The first terminal is sealed into both containers by whole seals."""

    rides = (Ride(SECOND, "BDT-1", "S-3", arrives=False), *HONEST)


class TwoTerminals(Many):
    """One container is awaited by two terminals."""

    def wishes(self, one: ArrivalExpected) -> list[ArrivalExpected]:
        first, second = super().wishes(one)
        return [first, replace(second, container=FIRST), second]


class OneTerminal(Many):
    """One terminal is to speak for both containers."""

    named = (
        Carried(container=FIRST, terminal="BDT-1"),
        Carried(container=SECOND, terminal="BDT-1"),
    )
    rides = (HONEST[0], Ride(SECOND, "BDT-1", "S-2"))

    def wishes(self, one: ArrivalExpected) -> list[ArrivalExpected]:
        halves = wishes_of(one, HONEST_NAMED)
        return [replace(each, terminal="BDT-1") for each in halves]


class WholeRisk(Many):
    """Each container is asked with the whole risk, so that both bear twice what was asked."""

    def wishes(self, one: ArrivalExpected) -> list[ArrivalExpected]:
        return [replace(each, risk_ppb=one.risk_ppb) for each in super().wishes(one)]


class Changed(Many):
    """The second container was awaited by another terminal first."""

    changed = True

    def say(self, by: str, aggregate: str, fact: Fact, **more: Any) -> SignedEvent:
        if self.changed and isinstance(fact, ArrivalExpected) and fact.container == FIRST:
            for wish in self.wishes(replace(fact, container="", terminal="")):
                other = {SECOND: "BDT-9"}.get(wish.container, wish.terminal)
                super().say(by, aggregate, replace(wish, terminal=other))
            if self.withdrawn:
                ends = ArrivalWithdrawn(consignment=fact.consignment, reason="broken")
                super().say(by, aggregate, ends)
        return super().say(by, aggregate, fact, **more)

    withdrawn = True


class NotWithdrawn(Changed):
    """Two terminals are awaited for the second container, and nobody took the first back."""

    withdrawn = False


class WithdrawnAfter(Many):
    """What was awaited is withdrawn before the windows come; the node proves it all the same."""

    def _travel(self) -> None:
        ends = ArrivalWithdrawn(consignment=CONSIGNMENT, reason="")
        self.say("importer-bank", f"arrival/{CONSIGNMENT}", ends)
        super()._travel()


def recorded_as(containers: list[str]) -> Many:
    return Many(changes={ConsignmentEntered: {"containers": containers}})


class SaidToBeOne(AsOne):
    """The record names one container, the entry that its exporter typed has two."""

    def __init__(self) -> None:
        super().__init__(changes={ConsignmentEntered: {"containers": []}})


ATTACKS: dict[str, tuple[Callable[[], Corridor], str]] = {
    "a container is missing": (Missing, "decision_not_reproduced"),
    "the deal names one of two": (NamedOnce, "decision_not_reproduced"),
    "the deal knows no containers": (AsOne, "not_reproduced"),
    "the same container twice": (SameContainer, "false_mark"),
    "a terminal in two containers": (InBoth, "false_mark"),
    "two terminals for one container": (TwoTerminals, "not_reproduced"),
    "one terminal for two containers": (OneTerminal, "not_reproduced"),
    "another terminal besides": (NotWithdrawn, "not_reproduced"),
    "nobody waits any more": (WithdrawnAfter, "not_reproduced"),
    "more risk than was asked": (WholeRisk, "decision_not_reproduced"),
    "a container was added on record": (
        lambda: recorded_as([FIRST, SECOND, THIRD]),
        "papers_not_reproduced",
    ),
    "the record differs from the entry": (SaidToBeOne, "papers_not_reproduced"),
}


def judged(corridor: Corridor, data: bytes) -> Verdict:
    return verify(decode_proof(data), [corridor.trust()], evm=PyEvmEngine)


async def test_two_containers_that_arrived_are_paid_and_proven() -> None:
    corridor = Many()
    found = judged(corridor, await corridor.proof())
    assert (found.verdict, found.sentence) == ("holds", "")
    assert "arrival" in found.shown
    assert any("All 2 containers" in each.text for each in found.proven)


async def test_what_was_changed_before_is_awaited_no_more() -> None:
    corridor = Changed()
    found = judged(corridor, await corridor.proof())
    assert (found.verdict, found.sentence) == ("holds", "")


async def test_one_of_two_is_no_arrival_of_the_consignment() -> None:
    corridor = Many()

    def later(event: SignedEvent) -> bool:
        second = event.payload.get("container") == SECOND
        return event.aggregate.startswith("deal/") or (
            second and ArrivalProven.is_told_by(event.type)
        )

    found = judged(corridor, await corridor.proof(leave_out=later))
    assert found.verdict == "holds_in_part", found.sentence
    assert {"arrival", "payment"} <= {*found.missing}
    assert any("1 of 2 did" in each.text for each in found.not_proven)


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_on_the_containers_is_refused(name: str) -> None:
    make, reason = ATTACKS[name]
    corridor = make()
    found = judged(corridor, await corridor.proof())
    assert (found.verdict, found.reason) == ("refused", reason), found.sentence


@needs_node
def test_both_verifiers_agree_on_containers(tmp_path: Path) -> None:
    makes = {
        "honest": Many,
        "changed": Changed,
        **{name: make for name, (make, _) in ATTACKS.items()},
    }
    bundles = [each for name, make in makes.items() for each in of_corridor(name, make())]
    assert check_agreement(bundles, tmp_path) == 2 * len(makes)
