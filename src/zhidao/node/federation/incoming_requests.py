"""Does what peers' documents ask of this node, each once, and answers by a signed decision.

An undecided document is the work that is left, so nothing is forgotten when the node dies.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, Protocol
from uuid import UUID

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import Archive
from zhidao.core.encoding import parse_hex
from zhidao.core.errors import Conflict, Refused, Unavailable, ZhidaoError
from zhidao.core.ids import PartyId
from zhidao.core.remedies import with_remedy
from zhidao.exchange.domain.limits import REASON_CHARACTERS_MAX
from zhidao.exchange.events import Delivery
from zhidao.node.federation.adoption import Adoption
from zhidao.node.federation.key_news import KeyStudy
from zhidao.node.federation.kinds import (
    ACCOUNT_ASKED,
    KEYS,
    LINE_ASKED,
    PARTIES,
    SHARED,
    TITLE_SIGNED,
    AccountAsked,
    LineAsked,
    TitleSigned,
    decode_form,
)
from zhidao.node.federation.party_directory import PartyDirectory
from zhidao.node.federation.party_news import PartyStudy

KINDS: Final = (KEYS, PARTIES, SHARED, ACCOUNT_ASKED, LINE_ASKED, TITLE_SIGNED)
_LOOK_S: Final = 2.0
_PAUSE_S: Final = 0.3
_LOG: Final = logging.getLogger("zhidao.federation")


class Undecided(Protocol):
    """The inbox, as far as incoming requests need it."""

    async def undecided(self, kinds: tuple[str, ...], *, limit: int = 50) -> list[Delivery]:
        """Documents that wait for a decision, oldest first."""
        ...

    async def decide(
        self, actor: Actor, *, sender: str, document: UUID, outcome: str, code: str, reason: str
    ) -> Delivery:
        """Decides about one."""
        ...


class OpensAccounts(Protocol):
    """Opens accounts; see `finance.service.ledger.accounts.Accounts`."""

    async def open(
        self, actor: Actor, *, holder: str, currency: str, name: str, town: str, country: str
    ) -> Any:
        """Opens a customer's account at the actor's bank; again: the same account."""
        ...


class SetsLines(Protocol):
    """Sets credit lines; see `finance.service.payments.credit_lines.CreditLines`."""

    async def set(self, actor: Actor, *, peer: str, currency: str, limit_minor: int) -> Any:
        """Says how much another bank may owe the actor's at most; again: no change."""
        ...


class ReservesTitles(Protocol):
    """Reserves titles; see `finance.service.deals.deals.Deals`."""

    async def reserve_title(self, actor: Actor, name: str, *, signed: bytes = b"") -> Any:
        """Moves the title into the deal's custody by a transaction of its holder."""
        ...


class IncomingRequests:
    """Runs over the inbox in the order in which documents came."""

    def __init__(
        self,
        *,
        node: PartyId,
        inbox: Undecided,
        archive: Archive,
        directory: PartyDirectory,
        adoption: Adoption,
        keys: KeyStudy,
        parties: PartyStudy,
        accounts: OpensAccounts,
        lines: SetsLines,
        deals: ReservesTitles,
    ) -> None:
        self._node = Actor(node, Role.NODE)
        self._inbox = inbox
        self._archive = archive
        self._directory = directory
        self._accounts = accounts
        self._lines = lines
        self._deals = deals
        self._woken = asyncio.Event()
        # Hears of each document that this node decided about, and with which code.
        self.decided: Callable[[Delivery, str], None] = lambda _, __: None
        self._handlers: dict[str, Callable[[Delivery], Awaitable[None]]] = {
            KEYS: keys.take,
            PARTIES: parties.take,
            SHARED: adoption.take,
            ACCOUNT_ASKED: self._account,
            LINE_ASKED: self._line,
            TITLE_SIGNED: self._title,
        }

    def arrived(self, delivery: Delivery) -> None:
        """A document was accepted."""
        if delivery.kind in self._handlers:
            self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            self._woken.clear()
            try:
                await self.step()
            except ZhidaoError as error:
                _LOG.warning("requests of peers wait: %s", error, extra={"code": error.code})
                await asyncio.sleep(_PAUSE_S)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._woken.wait()

    async def step(self) -> None:
        """Does what waits. Raises Unavailable where the world must come back first.

        What a document of one peer waits for holds up the later ones of that peer alone.
        """
        late: dict[str, Unavailable] = {}
        while waiting := [d for d in await self._inbox.undecided(KINDS) if d.sender not in late]:
            for delivery in waiting:
                if delivery.sender in late:
                    continue
                try:
                    await self._one(delivery)
                except Unavailable as error:
                    if error.is_own_infrastructure:
                        raise
                    late[delivery.sender] = error
        if late:
            raise next(iter(late.values()))

    async def _one(self, delivery: Delivery) -> None:
        code, reason = "", ""
        try:
            await self._handlers[delivery.kind](delivery)
        except Unavailable:
            raise
        except ZhidaoError as error:
            code = error.code
            plain = "".join(c if c.isprintable() else " " for c in with_remedy(error))
            reason = plain[:REASON_CHARACTERS_MAX]
            _LOG.warning("%s of %s is refused: %s", delivery.kind, delivery.sender, reason)
        try:
            await self._inbox.decide(
                self._node,
                sender=delivery.sender,
                document=UUID(delivery.document),
                outcome="refused" if code else "accepted",
                code=code,
                reason=reason,
            )
        except Conflict as error:
            # Decided by hand in the same moment: that word stands.
            if error.code != "decided_already":
                raise
        self.decided(delivery, code)

    async def _account(self, delivery: Delivery) -> None:
        asked = decode_form(await self._archive.get(delivery.content), AccountAsked)
        await self._accounts.open(
            self._speaker(delivery),
            holder=asked.holder,
            currency=asked.currency,
            name=asked.name,
            town=asked.town,
            country=asked.country,
        )

    async def _line(self, delivery: Delivery) -> None:
        asked = decode_form(await self._archive.get(delivery.content), LineAsked)
        await self._lines.set(
            self._speaker(delivery),
            peer=asked.peer,
            currency=asked.currency,
            limit_minor=asked.limit_minor,
        )

    async def _title(self, delivery: Delivery) -> None:
        signed = decode_form(await self._archive.get(delivery.content), TitleSigned)
        await self._deals.reserve_title(
            self._speaker(delivery), signed.deal, signed=parse_hex(signed.raw)
        )

    def _speaker(self, delivery: Delivery) -> Actor:
        """The party that asks, by its node's word.

        Raises Refused (`not_at_home`, `party_clash`).
        """
        if delivery.from_party in self._directory.clashes_of(delivery.sender):
            raise Refused(
                f"{delivery.from_party} is somebody else here than at {delivery.sender}: the first"
                " that came with an id keeps it",
                code="party_clash",
                remedy="agree which of them takes an id of its own; then admit the newest list",
            )
        if not self._directory.speaks_through(delivery.from_party, delivery.sender):
            raise Refused(
                f"{delivery.sender} was not admitted with a list that names"
                f" {delivery.from_party} among its parties",
                code="not_at_home",
            )
        return Actor(PartyId(delivery.from_party), Role.PARTY)
