"""What is too large for one document of the exchange goes in several, or a person is told."""

from __future__ import annotations

import random
from typing import Any

import pytest
from msgspec.structs import replace
from tests.node.federation.sides_bench import EXPORTER, HOME, Side, added, entered, sides
from tests.node.federation.test_refused_shares import restarted

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import digest_of
from zhidao.core.errors import Refused, Unavailable
from zhidao.exchange.domain.limits import CONTENT_BYTES_MAX
from zhidao.exchange.events import FactsShared
from zhidao.industry.events import OrderOpened
from zhidao.node.federation.event_forwarding import EventForwarder
from zhidao.node.operations.alarms import Alarms
from zhidao.trust.wire.proof_file.zdproof import decode_proof

pytestmark = pytest.mark.slow

C1 = "consignment/c-1"
MIB = 1024 * 1024


def noise(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)


async def papers(one: Side, *files: bytes) -> None:
    """A consignment with these files as papers of it, all in the log."""
    await one.enter()
    for number, data in enumerate(files):
        await one.say(EXPORTER, C1, added(f"paper-{number}", await one.archive.put(data)))
    await one.relay()


async def adopted(two: Side, one: Side, documents: list[dict[str, Any]]) -> None:
    for document in documents:
        assert len(document["content"]) <= CONTENT_BYTES_MAX
        await two.adoption.take(await two.got(one, document["content"]))


async def test_ten_mebibytes_go_in_parts_that_are_adopted_one_after_the_other() -> None:
    one, two = sides()
    files = [noise(3 * MIB // 2, seed) for seed in range(7)]
    await papers(one, *files)
    await one.sharing.hand_over(Actor(EXPORTER, Role.PARTY), "c-1", HOME)
    assert len(one.post) > 3
    await adopted(two, one, one.post)
    assert len(await two.history(C1)) == 2 + len(files)
    for data in files:
        assert await two.archive.get(digest_of(data)) == data
    assert await one.sharing.home("c-1") == HOME
    written = [entry.event for entry in one.journals["exchange"].written]
    assert FactsShared.of(written[0]).home, "where it goes is written down before it does"
    assert written[0].aggregate == "home/c-1"
    told = [event.payload for event in written if event.aggregate == "shared/home/c-1"]
    assert [fact["home"] for fact in told] == [*[False] * (len(told) - 1), True]
    await one.sharing.share("c-1", HOME)
    assert len(one.post) == len(told), "nothing goes twice"


async def test_a_crash_between_two_parts_leaves_the_rest_for_the_next_call() -> None:
    one, two = sides()
    await papers(one, *[noise(3 * MIB // 2, seed) for seed in range(5)])
    send, count = one.send, 0

    async def dies(actor: Actor, **document: Any) -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise Unavailable("the process dies")
        await send(actor, **document)

    one.sharing._outgoing.send = dies  # type: ignore[attr-defined, method-assign]
    actor = Actor(EXPORTER, Role.PARTY)
    with pytest.raises(Unavailable):
        await one.sharing.hand_over(actor, "c-1", HOME)
    assert len(one.post) == 1
    assert await one.sharing.home("c-1") == HOME, "who has half of it may write already"
    # What a new process knows is what was recorded.
    one.sharing = restarted(one)
    assert [each.code for each in await one.sharing.refusals("c-1")] == ["handing"]
    await one.sharing.hand_over(actor, "c-1", HOME)
    assert await one.sharing.refusals("c-1") == []
    await adopted(two, one, one.post)
    assert len(await two.history(C1)) == 7
    assert await one.sharing.home("c-1") == HOME


async def test_what_hangs_on_a_fact_goes_after_it_whenever_it_was_logged() -> None:
    one, two = sides()
    order = OrderOpened(order="PO-1", gtin="06901234567892", quantity=1, limits=[])
    await one.say(EXPORTER, "order/PO-1", order, room="industry")
    await one.relay()
    named = replace(entered(await one.archive.put(b"the entry")), order="PO-1", lot="L-1")
    files = [await one.archive.put(noise(3 * MIB // 2, seed)) for seed in range(4)]
    papers_of_it = [added(f"paper-{n}", digest) for n, digest in enumerate(files)]
    await one.say(EXPORTER, C1, named, *papers_of_it)
    await one.relay()
    await one.sharing.share("c-1", HOME)
    kinds = [[o.event.type for o in decode_proof(d["content"]).events] for d in one.post]
    where = [n for n, each in enumerate(kinds) if OrderOpened.TYPE in each]
    assert where == [len(kinds) - 1]
    assert len(kinds) > 1
    await adopted(two, one, one.post)
    assert len(await two.history(C1)) == 5
    assert len(await two.history("order/PO-1", room="industry")) == 1


async def test_a_large_text_goes_packed() -> None:
    one, two = sides()
    text = b"2026-05-04 08:00:00 12.5 bar 0.4 mm/s\n" * 130_000
    assert len(text) > CONTENT_BYTES_MAX
    await papers(one, text)
    await one.sharing.hand_over(Actor(EXPORTER, Role.PARTY), "c-1", HOME)
    await adopted(two, one, one.post)
    assert await two.archive.get(digest_of(text)) == text


async def test_one_file_that_is_too_large_is_refused_and_raises_an_alarm_until_it_goes() -> None:
    one, _ = sides()
    await papers(one)
    await one.sharing.hand_over(Actor(EXPORTER, Role.PARTY), "c-1", HOME)
    await one.say(EXPORTER, C1, added("scan", await one.archive.put(noise(5 * MIB, 1))))
    await one.relay()
    newest = one.journals["trade"].written[-1].event
    with pytest.raises(Refused, match=r"DocumentAdded.* is more than the 4 MiB") as refused:
        await one.sharing.share("c-1", HOME)
    assert refused.value.code == "content_too_large"
    alarms = Alarms()
    forwarder = EventForwarder.__new__(EventForwarder)
    forwarder._sharing, forwarder._alarms = one.sharing, alarms
    await forwarder._share(newest, "c-1")
    (alarm,) = alarms.standing()
    assert alarm.code == "not_shared:c-1"
    assert "by hand" in alarm.remedy
    assert len(one.post) == 1, "nothing of it was marked as sent"
