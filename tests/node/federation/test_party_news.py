"""Peers hear which parties were made since they met, so that a twin reads nothing of another."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.node.federation.key_book import BareBook
from tests.node.federation.sides_bench import (
    ABROAD,
    CARRIER,
    EXPORTER,
    HOME,
    IMPORTER,
    Side,
)

from zhidao.core.errors import NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.federation.party_news import PartyNews, PartyStudy
from zhidao.trust.wire.governance.trust_list import encode_trust_list


class Teller:
    """The news of one side, over its post."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.times: dict[bytes, Utc] = {}
        self.admitted: dict[str, Utc | None] = {}
        self.news = PartyNews(
            node=side.name,
            peers=lambda: side.peers,
            own_list=side.own_list,
            since=self.since,
            clock=side.clock,
            admitted_at=self.admitted_at,
            outgoing=side,
            sent=self,
        )

    async def since(self, digest: bytes, now: Utc) -> Utc:
        return self.times.setdefault(digest, now)

    async def admitted_at(self, peer: str) -> Utc | None:
        return self.admitted.get(peer)

    async def one(self, actor: Any, document: UUID) -> Any:
        del actor
        if not any(each["document"] == document for each in self.side.post):
            raise NotFound("nothing of that id was sent")
        return SimpleNamespace()

    async def meet(self, other: Side) -> None:
        await self.news.step()
        self.side.clock.advance(1)
        self.side.meet(other)
        self.admitted[other.name] = self.side.clock.now()
        self.side.clock.advance(1)


async def heard(sender: Side, by: Side) -> None:
    delivery = await by.got(sender, sender.post[-1]["content"])
    await PartyStudy(archive=by.archive, peers=BareBook(by)).take(delivery)


async def met() -> tuple[Side, Teller, Side, Teller]:
    one, two = Side(ABROAD, (EXPORTER,)), Side(HOME, (CARRIER,))
    tellers = Teller(one), Teller(two)
    await tellers[0].meet(two)
    await tellers[1].meet(one)
    return one, tellers[0], two, tellers[1]


def made(side: Side, party: PartyId, secret: bytes) -> None:
    side.keys[party] = SoftwareKey(Algorithm.ED25519, secret * 32)


async def test_only_who_was_admitted_before_is_told_and_once() -> None:
    one, news, _two, _ = await met()
    await news.news.step()
    assert one.post == [], "its list was a picture of all that there is"
    made(one, IMPORTER, b"\x05")
    for _ in range(2):
        await news.news.step()
    (sent,) = one.post
    assert (sent["kind"], sent["recipient"]) == ("zhidao.parties", HOME)
    # Killed before it remembers: the outbox does.
    again = Teller(one)
    again.times, again.admitted = news.times, news.admitted
    await again.news.step()
    assert len(one.post) == 1
    await again.meet(Side(PartyId("third"), ()))
    await again.news.step()
    assert len(one.post) == 1


async def test_parties_made_of_one_id_at_both_nodes_after_they_met_share_nothing() -> None:
    """The very case: both lists are older than the twins, and the goods' carrier is there"""
    one, news, two, others = await met()
    made(one, IMPORTER, b"\x05")
    made(two, IMPORTER, b"\x06")
    await news.news.step()
    await heard(one, two)
    assert two.directory.clashes_of(ABROAD) == {IMPORTER}
    # What this one sends before it hears of the other's twin is taken by nobody.
    await one.enter()
    delivery = await one.hand_over(two)
    with pytest.raises(Refused) as refused:
        await two.adoption.take(delivery)
    assert refused.value.code == "party_clash"
    assert await two.history("consignment/c-1") == []
    await others.news.step()
    await heard(two, one)
    assert one.directory.clashes_of(HOME) == {IMPORTER}
    sent = len(one.post)
    await one.sharing.share("c-1", HOME)
    assert len(one.post) == sent


async def test_what_a_peer_tells_gives_no_word_no_key_and_no_home() -> None:
    one, news, two, _ = await met()
    made(one, IMPORTER, b"\x05")
    await news.news.step()
    await heard(one, two)
    assert two.directory.bearer_of(IMPORTER) == ABROAD, "nobody is made under it here"
    assert two.directory.home_of(IMPORTER) is None
    assert not two.directory.speaks_through(IMPORTER, ABROAD)
    assert IMPORTER not in two.directory.parties_of(ABROAD)
    merged = two.directory.merged(two.list_now(), ABROAD)
    assert not merged.speaks(IMPORTER, one.keys[IMPORTER].public)
    assert two.directory.clashes_of(ABROAD) == frozenset()


async def test_nobody_tells_for_another() -> None:
    one, news, two, _ = await met()
    made(one, IMPORTER, b"\x05")
    await news.news.step()
    liar = Side(ABROAD, (CARRIER,), b"liar")
    study = PartyStudy(archive=two.archive, peers=BareBook(two))
    right = await two.got(one, one.post[-1]["content"])
    with pytest.raises(Refused) as refused:
        await study.take(msgspec.structs.replace(right, from_party=EXPORTER))
    assert refused.value.code == "wrong_speaker"
    other = await two.got(one, encode_trust_list(liar.list_now()))
    with pytest.raises(Refused) as refused:
        await study.take(other)
    assert refused.value.code == "wrong_speaker"
    assert two.peers[0].said == b""


async def test_a_third_peers_party_is_not_taken_by_telling() -> None:
    one, *_ = await met()
    third = Side(PartyId("third"), (), b"third")
    await Teller(one).meet(third)
    made(third, CARRIER, b"\x07")
    book = BareBook(one)
    await book.hear("third", encode_trust_list(third.list_now()))
    assert one.directory.home_of(CARRIER) == HOME
    assert one.directory.clashes_of("third") == {CARRIER}
    assert one.directory.clashes_of(HOME) == frozenset()
    assert one.directory.speaks_through(CARRIER, HOME)
