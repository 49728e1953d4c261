"""Credit passports: a party's verified receivables as a credential; it shows what it likes of it.

The token stays with the node that made it, visible to its party alone; every presentation is made
anew and signed for one reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.archive import Archive
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.events import latest
from zhidao.core.journal import Records
from zhidao.finance.domain.receivables.passport import HIDDEN, KIND, Standing, check_kind, claims_of
from zhidao.finance.events.banks import PassportIssued
from zhidao.finance.service.receivables.registry import Receivables
from zhidao.trust.commands import SelectiveCredentials
from zhidao.trust.events import Presented

MAY_ISSUE_PASSPORT: Final = access(Role.PARTY, relation=Relation.OWNER, of="the passport")
MAY_PRESENT_PASSPORT: Final = access(Role.PARTY, relation=Relation.OWNER, of="the passport")

RECEIVABLES_MAX: Final = 10_000
PRESENTATION_CHARACTERS_MAX: Final = 64 * 1024
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Passport:
    """A passport as its party sees it. `token`: with every claim; it is nobody else's."""

    issued: PassportIssued
    issued_at: str
    claims: Mapping[str, Any]
    token: str


class Passports:
    """Issues, shows and checks credit passports."""

    def __init__(
        self,
        *,
        node: str,
        records: Records,
        receivables: Receivables,
        credentials: SelectiveCredentials,
        archive: Archive,
        clock: Clock,
    ) -> None:
        self._node = node
        self._records = records
        self._receivables = receivables
        self._credentials = credentials
        self._archive = archive
        self._clock = clock

    async def issue(self, actor: Actor) -> Passport:
        """A passport of the actor's party as of today; over the same facts, the day's first.

        Raises Refused (`no_receivables`, `too_many`), Unavailable (`no_key`).
        """
        MAY_ISSUE_PASSPORT.admit(actor)
        today = date.fromisoformat(str(self._clock.now())[:10])
        found = await self._standings(actor)
        claims = claims_of(found, node=self._node, today=today)
        if not claims["facts"]["count"]:
            raise Refused(
                "no receivable of yours was registered here in the last year",
                code="no_receivables",
                remedy="register what you are owed for shipments that were verified",
            )
        aggregate = _aggregate(actor)
        history = await self._records.history(aggregate)
        last = latest(history, PassportIssued)
        facts = str(claims["facts"]["sha256"])
        if last is not None and (last.facts, last.until) == (facts, today.isoformat()):
            return await self.passport(actor)
        token = self._credentials.issue(kind=KIND, holder=actor.party, claims=claims, hidden=HIDDEN)
        fact = PassportIssued(
            token=await self._archive.put(token.encode()),
            claims=await self._archive.put(jcs(claims)),
            facts=facts,
            until=today.isoformat(),
            count=int(claims["facts"]["count"]),
        )
        await self._records.record(actor, aggregate, [fact], after=len(history), owner=actor.party)
        return await self.passport(actor)

    async def passport(self, actor: Actor) -> Passport:
        """The newest passport of the actor's party. Raises Refused (`no_passport`)."""
        found = await self.newest(actor)
        if found is None:
            raise Refused(
                "no passport was issued to your party", code="no_passport", remedy="make one first"
            )
        return found

    async def newest(self, actor: Actor) -> Passport | None:
        """The newest passport of the actor's party, or None."""
        MAY_PRESENT_PASSPORT.admit(actor)
        history = await self._records.history(_aggregate(actor))
        if not history:
            return None
        fact = PassportIssued.of(history[-1])
        claims = parse_strict(await self._archive.get(fact.claims))
        token = (await self._archive.get(fact.token)).decode()
        return Passport(fact, str(history[-1].recorded_at), claims, token)

    async def present(self, actor: Actor, *, show: Sequence[str], audience: str, nonce: str) -> str:
        """What the party chooses to show, signed by it for one reader and one question."""
        unknown = sorted(set(show) - set(HIDDEN))
        if unknown:
            raise MalformedInput(
                f"no claim {unknown[0][:40]!r}", where="show", remedy=f"choose of {list(HIDDEN)}"
            )
        passport = await self.passport(actor)
        return self._credentials.present(
            passport.token, holder=actor.party, names=list(show), audience=audience, nonce=nonce
        )

    async def verify(self, presentation: str, *, audience: str, nonce: str) -> Presented:
        """Who issued it and what it shows. Raises MalformedInput or Refused with the reason."""
        if len(presentation) > PRESENTATION_CHARACTERS_MAX:
            raise MalformedInput(f"a passport has {PRESENTATION_CHARACTERS_MAX} characters at most")
        presented = await self._credentials.verify(presentation, audience=audience, nonce=nonce)
        check_kind(presented.claims)
        return presented

    async def _standings(self, actor: Actor) -> list[Standing]:
        found: list[Standing] = []
        after = ""
        while True:
            names = await self._receivables.tokens(actor, limit=_PAGE, after=after)
            for name in names:
                one = await self._receivables.standing(actor, name)
                if one is not None:
                    found.append(one)
            if len(found) > RECEIVABLES_MAX:
                raise Refused(
                    f"more than {RECEIVABLES_MAX} receivables are not summed up at once",
                    code="too_many",
                )
            if len(names) < _PAGE:
                return found
            after = names[-1]


def _aggregate(actor: Actor) -> str:
    return f"passport/{actor.party}"
