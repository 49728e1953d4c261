"""Registers titles in the log under tags of their bills, so that none is minted twice unseen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.archive import check_digest
from zhidao.core.encoding import base64url
from zhidao.core.errors import Conflict, NotFound, Unavailable
from zhidao.core.events import latest
from zhidao.core.ids import party_id
from zhidao.core.journal import KeyRing, Records
from zhidao.trust.domain.evm import address_text
from zhidao.trust.domain.title_tag import Bill, Brought, Registered, bring, tag_of
from zhidao.trust.events import TitleRegistered, TitleTagOpened
from zhidao.trust.wire.evm.title_contract import Registry

MAY_TAG: Final = access(Role.PARTY, relation=Relation.OWNER, of="the title")


class StandingTags(Protocol):
    """What stands under tags in the logs that a node reads."""

    async def standing(self, issuer: str, tag: str) -> Registered | None:
        """The leaf under a tag of an issuer's key, of any of these logs; None if there is none."""
        ...


class TitleTags:
    """The open leaves of a node's titles, and what opens them for their holders."""

    def __init__(
        self,
        records: Records,
        ring: KeyRing,
        registry: Registry,
        chain_id: int,
        *,
        elsewhere: StandingTags | None = None,
    ) -> None:
        """`elsewhere`: what stands under tags in the logs of which this node keeps copies."""
        self._records = records
        self._ring = ring
        self._registry = registry
        self._chain_id = chain_id
        self._elsewhere = elsewhere

    @property
    def place(self) -> tuple[str, int]:
        """The registry's address and its chain's id: what a carrier's claim names."""
        return address_text(self._registry.token), self._chain_id

    async def register(
        self,
        actor: Actor,
        bill: Bill,
        *,
        title: str,
        readers: Sequence[str],
        brought: Brought | None = None,
    ) -> TitleRegistered:
        """Writes the leaf of a title, then what opens it; again: the same leaf.

        `brought`: what the carrier signed with its own key, where this node does not keep it.
        Raises MalformedInput (`unclear_bill_number`), Conflict (`double_title`) if the bill has
        another title in this log or in one that is mirrored here.
        """
        leaf, fact = await self._made(actor, bill, title, brought)
        await self._check_known(fact)
        await self._check_elsewhere(leaf)
        await self._once(actor, f"titletag/{leaf.tag}", leaf, ())
        await self._once(actor, f"registration/{title}", fact, readers)
        return leaf

    async def check(
        self, actor: Actor, bill: Bill, *, title: str, brought: Brought | None = None
    ) -> None:
        """Raises what `register` would refuse; writes nothing."""
        leaf, fact = await self._made(actor, bill, title, brought)
        await self._check_known(fact)
        await self._check_elsewhere(leaf)
        standing = latest(await self._records.history(f"titletag/{leaf.tag}"), TitleRegistered)
        if standing not in (None, leaf):
            raise _double()

    async def _made(
        self, actor: Actor, bill: Bill, title: str, brought: Brought | None
    ) -> tuple[TitleRegistered, TitleTagOpened]:
        MAY_TAG.admit(actor)
        bill.check_plain()
        check_digest(title)
        if brought is None:
            brought = self._signed(actor, bill, title)
        registered = Registered(tag_of(brought.opening), title, *self.place)
        brought.check(bill, registered)
        leaf = TitleRegistered(
            tag=registered.tag,
            title=title,
            registry=registered.registry,
            chain_id=registered.chain_id,
            issuer=brought.issuer.multikey,
            claim=base64url(brought.claim),
        )
        fact = TitleTagOpened(
            tag=registered.tag,
            title=title,
            carrier_code=bill.carrier_code,
            number=bill.number,
            issuer=brought.issuer.multikey,
            opening=base64url(brought.opening),
        )
        # A leaf of before claims stays the leaf of its title.
        standing = latest(await self._records.history(f"titletag/{leaf.tag}"), TitleRegistered)
        if standing is not None and not standing.issuer and _registered(standing) == registered:
            leaf = standing
        return leaf, fact

    def _signed(self, actor: Actor, bill: Bill, title: str) -> Brought:
        """What the node signs as custodian of the carrier's key."""
        signer = self._ring.signer(actor.party)
        if signer is None:
            raise Unavailable(
                f"this node holds no key of {actor.party}",
                code="no_key",
                remedy="sign tag and claim where the key is (zhidao trust title-tag), and "
                "give them with the request",
            )
        registry, chain_id = self.place
        return bring(bill, signer, title=title, registry=registry, chain_id=chain_id)

    async def _check_elsewhere(self, leaf: TitleRegistered) -> None:
        if self._elsewhere is None or not leaf.issuer:
            return
        standing = await self._elsewhere.standing(leaf.issuer, leaf.tag)
        if standing is not None and standing != _registered(leaf):
            raise Conflict(
                f"this bill has the title {standing.title[:16]}… in the registry "
                f"{standing.registry} already, by a log that is mirrored here",
                code="double_title",
                remedy="go on with that title",
            )

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


def _registered(leaf: TitleRegistered) -> Registered:
    return Registered(leaf.tag, leaf.title, leaf.registry, leaf.chain_id)


def _double() -> Conflict:
    return Conflict("this bill has another title, or this title another bill", code="double_title")
