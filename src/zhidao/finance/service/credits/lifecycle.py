"""Documentary credits between banks: each step is a signed fact, checked against the ones before.

Money moves under ids that follow from the drawing, before the fact is written: a step repeated
after a crash finds its transfer and pays nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.canonical import jcs
from zhidao.core.errors import Conflict, Refused
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.core.money import Currency
from zhidao.finance.domain.credit import states
from zhidao.finance.domain.credit.calendar import BankingCalendar
from zhidao.finance.domain.credit.credit_terms import Credit
from zhidao.finance.domain.credit.examination import examine
from zhidao.finance.domain.credit.papers import AnyPaper
from zhidao.finance.domain.credit.states import Act, CreditState, permit
from zhidao.finance.domain.ledger.ledger import Result, Transfer, TransferFlag, ledger_number
from zhidao.finance.domain.naming import TransferCode, transfer_id
from zhidao.finance.events import CreditActed
from zhidao.finance.service.control.party_references import plain_name
from zhidao.finance.service.credits.credit_history import acts, fold, is_done
from zhidao.finance.service.credits.electronic_records import (
    assembled,
    check_again,
    check_asked,
    check_in_time,
    presented,
)
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.wire.credit import examination_plain, plain, read_credit, read_presentation

MAY_ACT_ON_CREDIT: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the credit, in the part that the act belongs to",
    parties=lambda asked: asked[0].whose(asked[1]),
)


@dataclass(frozen=True, slots=True)
class CreditRoles:
    """The parties of a credit on this node. The confirming bank may be nobody (``)."""

    issuer: PartyId
    beneficiary: PartyId
    applicant: PartyId
    adviser: PartyId
    confirmer: PartyId | None = None

    def whose(self, act: Act) -> set[PartyId]:
        """The parties whose act this is."""
        confirmer = {self.confirmer} if self.confirmer else set()
        parties: dict[str, set[PartyId]] = {
            states.ISSUER: {self.issuer},
            states.ADVISER: {self.adviser},
            states.CONFIRMER: confirmer,
            states.ANY_BANK: {self.issuer, self.adviser, *confirmer},
            states.BENEFICIARY: {self.beneficiary},
            states.APPLICANT: {self.applicant},
        }
        return parties[states.whose(act)]

    @property
    def all(self) -> Sequence[PartyId]:
        """Who may read the credit."""
        parties = [self.issuer, self.beneficiary, self.applicant, self.adviser]
        return [*parties, *([self.confirmer] if self.confirmer else [])]


ATTEMPTS_MAX: Final = 64
"""How often a payment that the ledger refused for want of money may be tried anew."""
_SIMPLE: Final = frozenset(
    (
        Act.ADVISE,
        Act.CONFIRM,
        Act.WAIVE,
        Act.COMPLETE,
        Act.ACCEPT_AMENDMENT,
        Act.REJECT_AMENDMENT,
    )
)
_REPEATABLE: Final = frozenset(Act) - {
    Act.AMEND,
    Act.ACCEPT_AMENDMENT,
    Act.REJECT_AMENDMENT,
    Act.ASK_RECORDS,
    Act.RE_PRESENT,
}


class CreditLifecycle:
    """One credit's counter on this node."""

    def __init__(
        self,
        key: str,
        roles: CreditRoles,
        *,
        records: Records,
        ledger: Ledger,
        clock: Clock,
        days: Callable[[str], BankingCalendar],
    ) -> None:
        """`key`: what the credit's history stands under (`party_references`).

        `days`: the banking days of a bank's place, or of the counter (``).
        """
        self._key = key
        self._name = plain_name(key)
        self._roles = roles
        self._records = records
        self._ledger = ledger
        self._clock = clock
        self._days = days

    async def state(self) -> CreditState:
        """The credit as it stands."""
        return fold(await self._history())

    async def terms(self) -> Credit:
        """The terms in force: the newest that the beneficiary did not reject or leave open."""
        in_force, offered = None, None
        for fact in acts(await self._history()):
            if fact.act == Act.ISSUE:
                in_force = fact.terms
            elif fact.act == Act.AMEND:
                offered = fact.terms
            elif fact.act == Act.ACCEPT_AMENDMENT:
                in_force = offered
        if in_force is None:
            raise Refused(f"credit {self._name} is not issued", code="credit_act")
        return read_credit(jcs(in_force))

    async def issue(self, actor: Actor, terms: bytes) -> CreditState:
        """Issues the credit; again with the same terms: the same."""
        return await self._act(actor, Act.ISSUE, terms=plain(read_credit(terms)))

    async def amend(self, actor: Actor, terms: bytes) -> CreditState:
        """Offers other terms, whole: nothing changes before the beneficiary accepts."""
        return await self._act(actor, Act.AMEND, terms=plain(read_credit(terms)))

    async def waits_for(self, actor: Actor, terms: bytes) -> bool:
        """Whether these very terms are the amendment that waits for the beneficiary's answer."""
        self._require(actor, Act.AMEND)
        history = await self._history()
        if not fold(history).offered:
            return False
        *_, last = (fact for fact in acts(history) if fact.act == Act.AMEND)
        return _is_same("terms", plain(read_credit(terms)), last.terms)

    async def step(self, actor: Actor, act: Act, drawing: str = "") -> CreditState:
        """A step that needs nothing but its name: advise, confirm, waive, answer an amendment."""
        if act not in _SIMPLE:
            raise Refused(f"{act} needs more than its name", code="credit_act")
        return await self._act(actor, act, drawing=drawing)

    async def present(self, actor: Actor, drawing: str, papers: bytes) -> CreditState:
        """Takes documents at the counter. Their day is the counter's, not the presenter's word."""
        self._require(actor, Act.PRESENT)
        presentation, today = read_presentation(papers), self._today()
        if presentation.presented_on != today:
            raise Refused(f"today is {today}", code="credit_act", where="presented_on")
        if presentation.notice is not None and presentation.notice.received_on > today:
            raise Refused(f"today is {today}", code="credit_act", where="notice.received_on")
        if any(paper.corruption is not None for paper in presentation.documents):
            raise Refused(
                "what comes to the counter for the first time was not asked for again",
                code="credit_act",
                where="documents",
            )
        return await self._act(actor, Act.PRESENT, drawing=drawing, papers=plain(presentation))

    async def ask_records(self, actor: Actor, drawing: str, places: Sequence[int]) -> CreditState:
        """Asks for corrupted records again, by their places; the time to examine stands still."""
        self._require(actor, Act.ASK_RECORDS)
        steps, state = acts(await self._history()), await self.state()
        standing = state.drawings.get(drawing)
        if places and standing is not None and standing.asked == tuple(places):
            return state
        made = assembled(steps, drawing)
        check_asked(made, await self.terms(), places)
        check_in_time(made, self._days(actor.party), self._today())
        said = {"records": list(places)}
        return await self._act(actor, Act.ASK_RECORDS, drawing=drawing, notice=said)

    async def re_present(
        self, actor: Actor, drawing: str, papers: Sequence[AnyPaper]
    ) -> CreditState:
        """Takes the records that were asked for again, in the order of the request."""
        self._require(actor, Act.RE_PRESENT)
        steps, state = acts(await self._history()), await self.state()
        documents = msgspec.to_builtins(papers)
        last = [step for step in steps if step.drawing == drawing][-1:]
        if any(
            step.act == Act.RE_PRESENT and (step.papers or {}).get("documents") == documents
            for step in last
        ):
            return state
        waiting = state.drawings.get(drawing)
        if waiting is not None and waiting.asked:
            check_again(presented(steps, drawing), waiting, papers)
        said = {"records": list(waiting.asked if waiting else ()), "documents": documents}
        return await self._act(actor, Act.RE_PRESENT, drawing=drawing, papers=said)

    async def examine(self, actor: Actor, drawing: str) -> CreditState:
        """Examines a presentation against the terms in force and records the whole answer.

        Raises Refused where records came without a notice of completeness and it may still come:
        nothing was presented yet.
        """
        self._require(actor, Act.EXAMINE)
        made, terms = assembled(acts(await self._history()), drawing), await self.terms()
        counter, today = self._days(""), self._today()
        waits = not made.complete and any(paper.record for paper in made.documents)
        # Asked in this order: the calendar may not know the year of the expiry.
        if waits and (today <= (last := terms.expires_on) or today <= counter.next_open(last)):
            raise Refused(
                "eUCP 2.1 article e6(c): the notice of completeness did not come yet",
                code="credit_act",
            )
        answer = examine(terms, made, counter, examiner=self._days(actor.party))
        notice = examination_plain(answer)
        return await self._act(actor, Act.EXAMINE, drawing=drawing, notice=dict(notice))

    async def refuse(self, actor: Actor, drawing: str) -> CreditState:
        """Gives the one notice, with every discrepancy that examination found (article 16(c))."""
        notice = await self._found(drawing)
        return await self._act(actor, Act.REFUSE, drawing=drawing, notice=notice)

    async def accept(self, actor: Actor, drawing: str) -> CreditState:
        """Accepts the draft: due the credit's tenor after today (after sight)."""
        due_on = self._today() + timedelta(days=(await self.terms()).tenor_days)
        due_on = self._days("").next_open(due_on)
        return await self._act(actor, Act.ACCEPT, drawing=drawing, due_on=due_on.isoformat())

    async def honour(self, actor: Actor, drawing: str, *, debit: UUID, credit: UUID) -> CreditState:
        """Pays what was claimed from the bank's account `debit` to the beneficiary's `credit`."""
        return await self.pay(actor, Act.HONOUR, drawing, [(debit, credit)])

    async def reimburse(
        self, actor: Actor, drawing: str, *, debit: UUID, credit: UUID
    ) -> CreditState:
        """Pays the bank that honoured (article 7(c))."""
        return await self.pay(actor, Act.REIMBURSE, drawing, [(debit, credit)])

    async def pay(
        self, actor: Actor, act: Act, drawing: str, legs: Sequence[tuple[UUID, UUID]]
    ) -> CreditState:
        """Moves what was claimed over all legs (from, to) or none; again: nothing more moves."""
        state = await self.state()
        if is_done(state, act, drawing):
            return state
        await self.check_payable(actor, act, drawing)
        terms, amount_minor = await self.terms(), state.drawings[drawing].claimed_minor
        for attempt in range(ATTEMPTS_MAX):
            words = [
                "credit",
                act,
                *self._key.split("/"),
                drawing,
                *([str(attempt)] if attempt else []),
            ]
            transfers = [
                Transfer(
                    id=transfer_id(*words, *([f"leg {place}"] if place else [])),
                    debit_account_id=debit,
                    credit_account_id=credit,
                    amount=amount_minor,
                    ledger=ledger_number(Currency(terms.currency)),
                    code=TransferCode.PAYMENT,
                    flags=TransferFlag.LINKED if place + 1 < len(legs) else TransferFlag(0),
                )
                for place, (debit, credit) in enumerate(legs)
            ]
            results = await self._ledger.submit(terms.currency, transfers)
            # An id that once failed for want of money never holds, nor the chain that it is in:
            # only then is the same payment tried under the next id.
            if Result.ID_ALREADY_FAILED not in results:
                break
        if not results[0].holds:  # the chain is one: its first member stands for all
            why = next((r for r in results if r is not Result.LINKED_EVENT_FAILED), results[0])
            raise Refused(f"the ledger refused the payment: {why.value}", code=why.value)
        return await self._act(actor, act, drawing=drawing, transfer=str(transfers[0].id))

    async def check_payable(self, actor: Actor, act: Act, drawing: str) -> int:
        """The amount that would be paid, minor units. Raises as `pay`, before anything moves."""
        self._require(actor, act)
        state = await self.state()
        self._permit(actor, state, act, drawing)
        return state.drawings[drawing].claimed_minor

    async def is_done(self, act: Act, drawing: str) -> bool:
        """Whether the step was taken."""
        return is_done(await self.state(), act, drawing)

    async def check_step(self, actor: Actor, act: Act, drawing: str) -> None:
        """Raises as the step would, before it is taken."""
        self._require(actor, act)
        self._permit(actor, await self.state(), act, drawing)

    async def _act(self, actor: Actor, act: Act, **said: Any) -> CreditState:
        self._require(actor, act)
        history = await self._history()
        state, drawing = fold(history), said.get("drawing", "")
        if is_done(state, act, drawing) and act in _REPEATABLE:
            self._same(history, act, said)
            return state
        self._permit(actor, state, act, drawing)
        fact = CreditActed(
            credit=plain_name(self._key), act=act, day=self._today().isoformat(), **said
        )
        if act is Act.PRESENT:
            self._room(await self.terms(), state, fact)
        events = await self._records.record(
            actor,
            f"credit/{self._key}",
            [fact],
            after=len(history),
            owner=self._roles.issuer,
            visible=self._roles.all,
        )
        return fold((*history, *events))

    def _permit(self, actor: Actor, state: CreditState, act: Act, drawing: str) -> None:
        by_issuer = actor.party == self._roles.issuer
        permit(state, act, drawing=drawing, today=self._today(), by_issuer=by_issuer)

    def _room(self, terms: Credit, state: CreditState, fact: CreditActed) -> None:
        claimed = int((fact.papers or {})["claimed_minor"])
        # A claim beyond the credit is a discrepancy of its own; two claims that share it are not.
        if state.drawings and state.drawn_minor + claimed > terms.amount_most_minor:
            raise Refused(
                f"{state.drawn_minor} minor units are drawn, {terms.amount_most_minor} may be",
                code="credit_exhausted",
            )

    def _same(self, history: Sequence[SignedEvent], act: Act, said: dict[str, Any]) -> None:
        for fact in acts(history):
            told = {"drawing": fact.drawing, "terms": fact.terms, "papers": fact.papers}
            asked = {name: value for name, value in said.items() if name in told}
            if fact.act == act and told["drawing"] == said.get("drawing", ""):
                if any(not _is_same(name, asked[name], told[name]) for name in asked):
                    raise Conflict(f"credit {self._name}: {act} was done with other content")
                return

    def _require(self, actor: Actor, act: Act) -> None:
        MAY_ACT_ON_CREDIT.check(actor, (self._roles, act))

    async def _found(self, drawing: str) -> dict[str, Any]:
        for fact in acts(await self._history()):
            if fact.act == Act.EXAMINE and fact.drawing == drawing and fact.notice:
                return fact.notice
        raise Refused("it is not examined (UCP 600 article 14(a))", code="credit_act")

    async def _history(self) -> tuple[SignedEvent, ...]:
        return await self._records.history(f"credit/{self._key}")

    def _today(self) -> date:
        return self._clock.now().to_datetime().date()


def _is_same(name: str, asked: Any, told: Any) -> bool:
    """Whether something was said before: read, for what was said before a field was known."""
    if name in ("terms", "papers") and told is not None:
        read = read_credit if name == "terms" else read_presentation
        return read(jcs(asked)) == read(jcs(told))
    return bool(asked == told)
