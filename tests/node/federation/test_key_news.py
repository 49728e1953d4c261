"""A node's peers learn of its keys by its log, and nobody else teaches them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from tests.node.federation.key_book import BareBook
from tests.node.federation.sides_bench import ABROAD, EXPORTER, HOME, Side, sides

from zhidao.core.errors import MalformedInput, NotFound, Refused, Unavailable, ZhidaoError
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.core.keys import Algorithm, PublicKey, SoftwareKey
from zhidao.exchange.events import Delivery, Dispatch
from zhidao.exchange.service.signing_identity import SigningIdentity
from zhidao.node.federation.key_news import KeyNews, KeyStudy
from zhidao.store.reading import Stored
from zhidao.trust.domain.proof import verify_log_part
from zhidao.trust.service.log.key_register import KeyRegister
from zhidao.trust.service.witness.proving import ProofWriter
from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof

SECOND = SoftwareKey(Algorithm.ED25519, hashlib.sha256(b"second").digest())
THIRD = SoftwareKey(Algorithm.ED25519, hashlib.sha256(b"third").digest())


class Teller:
    """The news of one side, over its post; `answers` are what its peers decided."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.answers: dict[UUID, str] = {}
        self.identity = SigningIdentity(SECOND, side.key)
        self.news = KeyNews(
            node=side.name,
            peers=lambda: side.peers,
            events=self,  # type: ignore[arg-type]
            writer=ProofWriter(side.log.reader),
            outgoing=side,
            sent=self,
            identity=self.identity,
        )

    async def of(self, room: str, aggregates: list[str], *, viewer: Any) -> list[Stored]:
        del viewer
        return [
            Stored(e.event, e.salt, b"", self.side.leaves.get(e.event.id))
            for e in self.side.journals[room].written
            if e.event.aggregate in aggregates
        ]

    async def one(self, actor: Any, document: UUID) -> Dispatch:
        del actor
        if not any(each["document"] == document for each in self.side.post):
            raise NotFound("nothing of that id was sent")
        state = "decided" if document in self.answers else "waiting"
        return Dispatch(
            **dict.fromkeys(
                ("from_party", "to_party", "consignment", "kind", "media_type", "digest"), ""
            ),
            **dict.fromkeys(("content", "code", "reason", "recipient", "created_at"), ""),
            document=str(document),
            sequence=1,
            attempts=0,
            state=state,
            outcome=self.answers.get(document, ""),
        )

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(each["recipient"], each["kind"]) for each in self.side.post]


async def rotate(side: Side, new: SoftwareKey, *, former: SoftwareKey | None = None) -> None:
    """The node goes over to a key; from then on it records with it."""
    register = KeyRegister(Records(side.journals["trust"], side.scribe))
    await register.rotate(side.name, former=(former or side.key).public, new=new, reason="yearly")
    side.scribe = side.scribe_with(new)


async def revoke(side: Side, key: PublicKey) -> None:
    now = side.clock.now()
    register = KeyRegister(Records(side.journals["trust"], side.scribe))
    await register.revoke(side.name, key, since=now, now=now, reason="stolen")


async def study(here: Side, sender: Side, content: bytes, party: str = "") -> None:
    letter = await here.got(sender, content)
    fields = {name: getattr(letter, name) for name in letter.__struct_fields__}
    if party:
        letter = Delivery(**fields | {"from_party": party})
    await KeyStudy(archive=here.archive, directory=here.directory, peers=BareBook(here)).take(
        letter
    )


async def test_the_new_key_speaks_to_a_peer_once_that_has_accepted_the_news() -> None:
    one, two = sides()
    teller = Teller(one)
    await rotate(one, SECOND)
    with pytest.raises(Unavailable):
        await teller.news.step()
    await one.relay()
    await teller.news.step()
    await teller.news.step()
    assert teller.told == [(HOME, "zhidao.keys")]
    assert teller.identity.to(HOME) is one.key
    letter = one.post[0]
    await study(two, one, letter["content"])
    await study(two, one, letter["content"])
    assert two.peers[0].keys == (one.key.public, SECOND.public)
    teller.answers[letter["document"]] = "refused"
    await teller.news.step()
    assert teller.identity.to(HOME) is one.key
    teller.answers[letter["document"]] = "accepted"
    await teller.news.step()
    assert teller.identity.to(HOME) is SECOND
    assert teller.identity.to(PartyId("stranger")) is one.key
    assert len(one.post) == 1


async def test_a_node_with_one_key_tells_nothing() -> None:
    one, _ = sides()
    teller = Teller(one)
    await teller.news.step()
    assert (one.post, teller.identity.is_known_to(HOME)) == ([], True)


async def test_a_revoked_key_is_told_too_and_counts_no_more() -> None:
    one, two = sides()
    await rotate(one, SECOND)
    await one.relay()
    await Teller(one).news.step()
    await study(two, one, one.post[-1]["content"])
    one.clock.advance(86_400)
    await revoke(one, one.key.public)
    await rotate(one, THIRD, former=SECOND)
    await one.relay()
    await Teller(one).news.step()
    assert len({each["document"] for each in one.post}) == 2
    await study(two, one, one.post[-1]["content"])
    assert two.peers[0].keys == (SECOND.public, THIRD.public)


async def test_facts_recorded_with_a_learned_key_are_believed() -> None:
    one, two = sides()
    await rotate(one, SECOND)
    await one.enter()
    await one.relay()
    one.sharing._records = Records(one.journals["exchange"], one.scribe)
    letter = await one.hand_over(two)
    with pytest.raises(Refused, match="abroad") as refused:
        await two.adoption.take(letter)
    assert refused.value.code == "unknown_speaker"
    await Teller(one).news.step()
    await study(two, one, one.post[-1]["content"])
    await two.adoption.take(letter)
    assert await two.history("consignment/c-1")


async def news_of(side: Side) -> bytes:
    await side.relay()
    await Teller(side).news.step()
    content: bytes = side.post[-1]["content"]
    return content


async def test_only_the_peer_itself_brings_news_of_it() -> None:
    one, two = sides()
    await rotate(one, SECOND)
    content = await news_of(one)
    with pytest.raises(Refused) as refused:
        await study(two, one, content, EXPORTER)
    assert refused.value.code == "wrong_speaker"
    third = Side(PartyId("third"), ())
    two.meet(third)
    with pytest.raises(Refused):
        await study(two, third, content)
    two.peers[0] = replace(two.peers[0], listed=b"")
    with pytest.raises(Refused) as refused:
        await study(two, one, content)
    assert refused.value.code == "unlisted_peer"
    assert two.peers[0].keys == (one.key.public,)


async def test_who_stole_a_key_and_not_the_log_brings_no_other() -> None:
    one, two = sides()
    thief = Side(ABROAD, (EXPORTER,), b"thief")
    thief.scribe = thief.scribe_with(one.key)
    register = KeyRegister(Records(thief.journals["trust"], thief.scribe))
    await register.rotate(ABROAD, former=one.key.public, new=THIRD, reason="mine")
    thief.peers.append(one.peers[0])
    with pytest.raises(Refused) as refused:
        await study(two, one, await news_of(thief))
    assert refused.value.code in ("untrusted_root", "wrong_origin")
    assert two.peers[0].keys == (one.key.public,)


async def test_a_proof_about_something_else_is_no_news() -> None:
    one, two = sides()
    await one.enter()
    await one.hand_over(two)
    with pytest.raises(Refused) as refused:
        await study(two, one, one.post[-1]["content"])
    assert refused.value.code == "no_news"


async def test_spoiled_news_teaches_nothing() -> None:
    one, two = sides()
    await rotate(one, SECOND)
    content = await news_of(one)
    proof = decode_proof(content)
    opened = proof.events[0]
    forged = replace(opened.event, payload={**opened.event.payload, "key": THIRD.public.multikey})
    spoiled = encode_proof(replace(proof, events=(replace(opened, event=forged),)))
    assert not verify_log_part(decode_proof(spoiled), one.list_now(), of_consignment=False).holds
    for data in (spoiled, content[: len(content) // 2], b"", b"{}"):
        with pytest.raises((Refused, MalformedInput)) as refused:
            await study(two, one, data)
        assert isinstance(refused.value, ZhidaoError)
    assert two.peers[0].keys == (one.key.public,)
