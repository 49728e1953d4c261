"""Tells peers of the parties that were made here since they were admitted, and hears of theirs.

A peer's list is a picture of its admission. What it says later gives nobody a word and no key: it
only tells which ids it means others by, so that two firms of one id never read each other's goods.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol
from uuid import UUID, uuid5

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.archive import Archive, digest_of
from zhidao.core.canonical import jcs
from zhidao.core.errors import NotFound, Refused, ZhidaoError
from zhidao.core.ids import PartyId
from zhidao.core.retry_policy import RetryPolicy
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.peer import Peer
from zhidao.exchange.events import Delivery
from zhidao.node.federation.key_news import SentBefore
from zhidao.node.federation.kinds import JSON, PARTIES
from zhidao.node.federation.sharing import Outgoing
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.wire.governance.trust_list import decode_trust_list, encode_trust_list

# News of parties is ordered among itself under this name.
SUBJECT: Final = "parties"
_IDS: Final = UUID("5a0d6c1e-8f1b-4b62-9a55-0f7d0f9b6a11")
_LOOKS: Final = RetryPolicy(first_s=0.5, longest_s=30.0)
_LOG: Final = logging.getLogger("zhidao.federation")


class Hears(Protocol):
    """The peers of this node; see `exchange.service.peers.Peers`."""

    def of(self, node: str) -> Peer:
        """A peer. Raises NotFound."""
        ...

    async def hear(self, node: str, said: bytes) -> Peer:
        """Writes down which parties a peer says that it has."""
        ...


class PartyNews:
    """Sends this node's list to each peer that was admitted before it had these parties."""

    def __init__(
        self,
        *,
        node: PartyId,
        peers: Callable[[], Sequence[Peer]],
        own_list: Callable[[], Awaitable[TrustList]],
        since: Callable[[bytes, Utc], Awaitable[Utc]],
        clock: Clock,
        admitted_at: Callable[[str], Awaitable[Utc | None]],
        outgoing: Outgoing,
        sent: SentBefore,
    ) -> None:
        """`admitted_at`: when a peer was last admitted or renewed here.

        `since` keeps the first time of words, by their SHA-256; see `OwnList`.
        """
        self._actor = Actor(node, Role.NODE)
        self._peers = peers
        self._own_list = own_list
        self._since = since
        self._clock = clock
        self._admitted_at = admitted_at
        self._outgoing = outgoing
        self._sent = sent
        self._woken = asyncio.Event()
        self._told: set[tuple[str, str]] = set()

    def wake(self) -> None:
        """A party was made, or a peer admitted."""
        self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled. What was made while the node stood still is told once it runs."""
        looks = 0
        while True:
            self._woken.clear()
            try:
                await self.step()
            except ZhidaoError as error:
                _LOG.warning("news of parties waits: %s", error, extra={"code": error.code})
            looks += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOKS.ceiling_s(looks)):
                    await self._woken.wait()

    async def step(self) -> None:
        """Sends what is to be told; again: nothing."""
        own = await self._own_list()
        words = jcs([[p.party, *(key.multikey for key in p.keys)] for p in own.parties])
        digest = digest_of(words)
        since = await self._since(bytes.fromhex(digest), self._clock.now())
        for peer in (each.node for each in self._peers()):
            if (peer, digest) in self._told:
                continue
            admitted = await self._admitted_at(peer)
            if admitted is None or admitted < since:
                content = encode_trust_list(own)
                await self._tell(peer, content, uuid5(_IDS, f"{PARTIES} {peer} {digest}"))
            self._told.add((peer, digest))

    async def _tell(self, peer: PartyId, content: bytes, document: UUID) -> None:
        with suppress(NotFound):
            await self._sent.one(self._actor, document)
            return
        await self._outgoing.send(
            self._actor,
            document=document,
            recipient=peer,
            to_party=peer,
            consignment=SUBJECT,
            kind=PARTIES,
            media_type=JSON,
            content=content,
        )


class PartyStudy:
    """Takes what a peer says of its own parties."""

    def __init__(self, *, archive: Archive, peers: Hears) -> None:
        self._archive = archive
        self._peers = peers

    async def take(self, delivery: Delivery) -> None:
        """Hears it; again changes nothing.

        Raises MalformedInput; Refused (`wrong_speaker`) for a party of the peer, and for a list
        that does not name the peer with a key that it has.
        """
        peer = self._peers.of(delivery.sender)
        if delivery.from_party != peer.node:
            raise Refused(
                f"{delivery.from_party} does not speak for {peer.node}", code="wrong_speaker"
            )
        said = await self._archive.get(delivery.content)
        nodes = [node for node in decode_trust_list(said).nodes if node.party == peer.node]
        if not any(set(node.keys) & set(peer.keys) for node in nodes):
            raise Refused(f"the list is not of the peer {peer.node}", code="wrong_speaker")
        await self._peers.hear(peer.node, said)
