"""Registers titles in the log under tags of their bills, so that none is minted twice unseen."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import check_digest
from zhidao.core.encoding import base64url
from zhidao.core.errors import Conflict, NotFound, Unavailable
from zhidao.core.events import latest
from zhidao.core.ids import party_id
from zhidao.core.journal import KeyRing, Records
from zhidao.trust.domain.evm import address_text
from zhidao.trust.domain.title_tag import Bill, open_tag
from zhidao.trust.events import TitleRegistered, TitleTagOpened
from zhidao.trust.wire.title_contract import Registry


class TitleTags:
    """The open leaves of a node's titles, and what opens them for their holders."""

    def __init__(self, records: Records, ring: KeyRing, registry: Registry, chain_id: int) -> None:
        self._records = records
        self._ring = ring
        self._registry = registry
        self._chain_id = chain_id

    async def register(
        self, actor: Actor, bill: Bill, *, title: str, readers: Sequence[str]
    ) -> TitleRegistered:
        """Writes the leaf of a title, then what opens it; again: the same leaf.

        Raises Conflict (`double_title`) if the bill has another title here already.
        """
        leaf, fact = self._made(actor, bill, title)
        await self._check_known(fact)
        await self._once(actor, f"titletag/{leaf.tag}", leaf, ())
        await self._once(actor, f"registration/{title}", fact, readers)
        return leaf

    async def check(self, actor: Actor, bill: Bill, *, title: str) -> None:
        """Raises what `register` would refuse; writes nothing."""
        leaf, fact = self._made(actor, bill, title)
        await self._check_known(fact)
        standing = latest(await self._records.history(f"titletag/{leaf.tag}"), TitleRegistered)
        if standing not in (None, leaf):
            raise _double()

    def _made(self, actor: Actor, bill: Bill, title: str) -> tuple[TitleRegistered, TitleTagOpened]:
        actor.require(Role.PARTY)
        signer = self._ring.signer(actor.party)
        if signer is None:
            raise Unavailable(f"this node holds no key of {actor.party}", code="no_key")
        tag, opening = open_tag(bill, signer)
        leaf = TitleRegistered(
            tag=tag,
            title=check_digest(title),
            registry=address_text(self._registry.token),
            chain_id=self._chain_id,
        )
        fact = TitleTagOpened(
            tag=tag,
            title=title,
            carrier_code=bill.carrier_code,
            number=bill.number,
            issuer=signer.public.multikey,
            opening=base64url(opening),
        )
        return leaf, fact

    async def _check_known(self, fact: TitleTagOpened) -> None:
        known = latest(await self._records.history(f"registration/{fact.title}"), TitleTagOpened)
        if known is not None and known != fact:
            # Before anything is written: a leaf for a bill that is not the title's would stay.
            raise _double()

    async def leaf(self, tag: str) -> TitleRegistered:
        """The open leaf under a tag. Raises NotFound."""
        found = latest(
            await self._records.history(f"titletag/{check_digest(tag)}"), TitleRegistered
        )
        if found is None:
            raise NotFound("no title stands under that tag")
        return found

    async def opened(self, actor: Actor, title: str) -> TitleTagOpened:
        """What opens the tag of a title that the actor may see. Raises NotFound."""
        history = await self._records.history(f"registration/{check_digest(title)}", actor)
        found = latest(history, TitleTagOpened)
        if found is None:
            raise NotFound("no registration of that title")
        return found

    async def _once(
        self,
        actor: Actor,
        aggregate: str,
        fact: TitleRegistered | TitleTagOpened,
        readers: Sequence[str],
    ) -> None:
        """Writes the first and only fact of an aggregate."""
        history = await self._records.history(aggregate)
        if not history:
            visible = [party_id(reader) for reader in readers]
            try:
                await self._records.record(
                    actor, aggregate, [fact], after=0, owner=actor.party, visible=visible
                )
            except Conflict:
                history = await self._records.history(aggregate)
            else:
                return
        if latest(history, type(fact)) != fact:
            raise _double()


def _double() -> Conflict:
    return Conflict("this bill has another title, or this title another bill", code="double_title")
