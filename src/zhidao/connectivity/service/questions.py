"""Every question where a SIM is leaves a signed trace that its holder and an auditor read.

It is written before the answer goes out: what cannot be written down is not answered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from zhidao.connectivity.domain.question import AnswerKind, AskedBy, owner_of
from zhidao.connectivity.domain.subscriber_location import Holding, check_phone
from zhidao.connectivity.events import SimAsked
from zhidao.connectivity.service.ports import NEWEST, QuestionBook
from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import NotFound, Unavailable, ZhidaoError
from zhidao.core.events import SignedEvent
from zhidao.core.ids import IdSource, PartyId, parse_id
from zhidao.core.journal import Scribe

# An auditor reads all; everybody else what was asked about SIMs of its own.
MAY_READ_QUESTIONS: Final = access(
    Role.PARTY, Role.OPERATOR, Role.AUDITOR, relation=Relation.OWNER, of="the SIM"
)
QUESTIONS_MAX: Final = 500


@dataclass(slots=True)
class Question:
    """A question that is being answered; whoever answers it says what kind of answer it is."""

    answer: AnswerKind = AnswerKind.NOTHING


class Questions:
    """Writes down who asked about which SIM, and shows it to whose it is."""

    def __init__(
        self,
        book: QuestionBook,
        scribe: Scribe,
        *,
        ids: IdSource,
        clock: Clock,
        take: Callable[[PartyId], None] = lambda _: None,
    ) -> None:
        """`take` raises Refused for a party that wrote its share of the log."""
        self._book = book
        self._scribe = scribe
        self._ids = ids
        self._clock = clock
        self._take = take

    @asynccontextmanager
    async def asked(
        self, actor: Actor, *, phone: str, holding: Holding, by: AskedBy
    ) -> AsyncIterator[Question]:
        """While a question is answered; with its end, whatever that is, it is written down.

        phone: empty where nobody here knows the number. Raises Refused before anything is asked,
        Unavailable where it cannot be written down.
        """
        if actor.role is Role.PARTY:
            self._take(actor.party)
        asked_at = self._clock.now()
        question = Question()
        try:
            yield question
        except BaseException as error:
            if question.answer is AnswerKind.NOTHING:
                question.answer = _kind(error)
            raise
        finally:
            name = self._ids.new()
            owner = owner_of(holding.holder, node=self._scribe.node)
            fact = SimAsked(
                question=str(name),
                phone=phone,
                asker=actor.party,
                role=actor.role.value,
                api=by.value,
                answer=question.answer.value,
            )
            entry = self._scribe.write(
                fact,
                by=self._scribe.node,
                aggregate=f"sim-question/{name}",
                version=1,
                owner=owner,
                visible=(),
                occurred_at=asked_at,
            )
            await self._book.keep(name, owner=owner, phone=phone, entry=entry)

    async def listed(
        self, actor: Actor, *, phone: str = "", after: str = "", limit: int = 50
    ) -> tuple[SignedEvent, ...]:
        """Facts `SimAsked`, newest first: of SIMs of the actor's party, or all for an auditor.

        after: the name of a question; goes on with those that were asked before it. Raises
        MalformedInput.
        """
        MAY_READ_QUESTIONS.admit(actor)
        earlier: UUID = parse_id(after) if after else NEWEST
        return await self._book.newest(
            viewer=actor.viewer,
            phone=check_phone(phone) if phone else "",
            before=earlier,
            limit=max(1, min(limit, QUESTIONS_MAX)),
        )


def _kind(error: BaseException) -> AnswerKind:
    match error:
        case NotFound():
            return AnswerKind.REFUSED
        case Unavailable():
            return AnswerKind.UNAVAILABLE
        case ZhidaoError():
            return AnswerKind.DECLINED
        case _:
            return AnswerKind.NOTHING
