"""What a peer refuses was not shared: the hand-over goes back, is told, and can be asked again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from tests.node.federation.sides_bench import ABROAD, CARRIER, EXPORTER, HOME, Side, added, sides

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused
from zhidao.exchange.events import Dispatch, ReceiptTaken
from zhidao.node.federation.refused_shares import RefusedShares
from zhidao.node.federation.sharing import Sharing
from zhidao.node.operations.alarms import Alarms
from zhidao.node.runtime.wakeup import Wakeup
from zhidao.trust.service.witness.proving import ProofWriter

C1 = "consignment/c-1"
ACTOR = Actor(EXPORTER, Role.PARTY)


async def answered(one: Side, document: dict[str, Any], *, code: str = "") -> Dispatch:
    """The peer's receipts come in, as the outbox writes them down."""
    name = str(document["document"])
    for stage in ("accepted", "decided"):
        refused = bool(code) and stage == "decided"
        fact = ReceiptTaken(
            document=name,
            recipient=HOME,
            stage=stage,
            outcome="refused" if refused else "accepted",
            code=code if refused else "",
            reason="newexp is in no list that I have" if refused else "",
            receipts=[],
        )
        aggregate = f"outgoing/{name}"
        after = len(await one.records.history(aggregate))
        node = Actor(one.name, Role.NODE)
        await one.records.record(node, aggregate, [fact], after=after, owner=one.name)
    return Dispatch(
        document=name,
        from_party=one.name,
        to_party=HOME,
        consignment="c-1",
        sequence=1,
        kind="zhidao.facts",
        media_type="application/json",
        digest="",
        content="",
        state="decided",
        outcome="refused" if code else "accepted",
        code=code,
        reason="",
        recipient=HOME,
        attempts=1,
        created_at="",
    )


def restarted(one: Side) -> Sharing:
    """What a process knows that begins after the one before was killed."""
    return Sharing(
        records=one.records,
        consigned=one,
        writer=ProofWriter(one.log.reader),
        archive=one.archive,
        outgoing=one,
        related=one.sharing._related,
        directory=one.directory,
        ids=one.ids,
        logged=Wakeup(),
    )


class Outbox(list[Dispatch]):
    """The rows of a node's outbox, the newest first."""

    async def listed(
        self,
        actor: Actor,
        *,
        state: str = "",
        consignment: str = "",
        limit: int = 50,
        after: UUID | None = None,
    ) -> list[Dispatch]:
        assert state == "decided"
        names = [row.document for row in self]
        begin = names.index(str(after)) + 1 if after else 0
        return list(self[begin : begin + limit])


@pytest.mark.parametrize("end", ["goes on", "killed"])
async def test_a_refused_hand_over_goes_back_and_can_be_asked_again(end: str) -> None:
    one, two = sides()
    await one.enter()
    await one.hand_over(two)
    assert await one.sharing.home("c-1") == HOME, "until the answer is here it may be there"
    with pytest.raises(Refused, match="written at home"):
        await one.sharing.check_home("c-1")
    await one.sharing.hand_over(ACTOR, "c-1", HOME)
    assert len(one.post) == 1, "nothing goes twice while it waits"

    await answered(one, one.post[0], code="unlisted_party")
    if end == "killed":
        one.sharing = restarted(one)
    assert await one.sharing.home("c-1") == ABROAD
    await one.sharing.check_home("c-1")
    assert await one.sharing.nodes("c-1") == [ABROAD]
    (refusal,) = await one.sharing.refusals("c-1")
    assert (refusal.peer, refusal.code) == (HOME, "unlisted_party")
    assert "no list" in refusal.reason

    await one.sharing.hand_over(ACTOR, "c-1", HOME)
    assert len(one.post) == 2
    assert await one.sharing.home("c-1") == HOME
    assert await one.sharing.refusals("c-1") == []
    await two.adoption.take(await two.got(one, one.post[1]["content"]))
    assert len(await two.history(C1)) == 2
    await answered(one, one.post[1])
    await one.sharing.hand_over(ACTOR, "c-1", HOME)
    assert len(one.post) == 2, "what is had goes no more"


async def test_refused_facts_of_later_go_with_the_next_one() -> None:
    one, two = sides()
    await one.enter()
    await two.adoption.take(await one.hand_over(two))
    bill = await two.archive.put(b"the bill")
    await two.say(CARRIER, C1, added("bill_of_lading", bill))
    await two.relay()
    await two.sharing.share("c-1", ABROAD)
    await answered(two, two.post[0], code="missing_file")
    assert [each.peer for each in await two.sharing.refusals("c-1")] == [ABROAD]
    list_ = await two.archive.put(b"the packing list")
    await two.say(CARRIER, C1, added("packing_list", list_))
    await two.relay()
    await two.sharing.tell(two.journals["trade"].written[-1].event, "c-1")
    await one.adoption.take(await one.got(two, two.post[1]["content"]))
    assert len(await one.history(C1)) == 4
    assert await two.sharing.refusals("c-1") == []


async def test_an_alarm_stands_while_a_peer_lacks_facts_and_after_a_kill() -> None:
    one, two = sides()
    await one.enter()
    await one.hand_over(two)
    row = await answered(one, one.post[0], code="unlisted_party")
    alarms = Alarms()
    watch = RefusedShares(one.name, Outbox(), one.sharing, alarms)
    watch.decided(row)
    await watch.step()
    (alarm,) = alarms.standing()
    assert (alarm.code, alarm.kind) == ("not_taken:c-1:home", "not_taken")
    assert "unlisted_party" in alarm.sentence
    assert "no list" in alarm.sentence
    assert "hands over again" in alarm.remedy

    alarms = Alarms()
    watch = RefusedShares(one.name, Outbox([row]), restarted(one), alarms)
    await watch.look_back()
    await watch.step()
    assert [each.code for each in alarms.standing()] == ["not_taken:c-1:home"]

    again = RefusedShares(one.name, Outbox([row]), one.sharing, alarms)
    again._sounding = watch._sounding
    await one.sharing.hand_over(ACTOR, "c-1", HOME)
    again.decided(await answered(one, one.post[1]))
    await again.step()
    assert alarms.standing() == []
