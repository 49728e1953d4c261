"""All documentary credits of a node: who is who under each, and the money of each step.

The accounts follow from the roles. What a bank pays stands as its claim until it is reimbursed:

    honour by bank B:     B's claims -> [due to adviser -> adviser's due from B ->] beneficiary
    reimburse B (issuer): applicant -> [due to B -> B's due from the issuer ->] B's claims
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.canonical import jcs
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Refused
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Records
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.credit.credit_terms import Credit
from zhidao.finance.domain.credit.papers import AnyPaper
from zhidao.finance.domain.credit.states import Act, CreditState
from zhidao.finance.domain.ledger.records import name_of
from zhidao.finance.domain.naming import AccountCode, transfer_id
from zhidao.finance.domain.payments.approval import Demand
from zhidao.finance.events import CreditActed, CreditOpened
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.name_holds import NameHolds, again
from zhidao.finance.service.control.party_references import PartyReferences, plain_name
from zhidao.finance.service.credits.credit_history import acts, fold
from zhidao.finance.service.credits.lifecycle import MAY_ACT_ON_CREDIT, CreditLifecycle
from zhidao.finance.service.credits.opening import (
    BankingDays,
    drawing_said,
    named_in,
    opening_said,
    parties_of,
    read_credit_said,
    roles_of,
)
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.correspondents import legs_between
from zhidao.finance.service.payments.credit_lines import CreditLines, Pair
from zhidao.finance.service.ports import Calendars
from zhidao.finance.wire.credit import plain, read_credit

MAY_ISSUE_CREDIT: Final = access(
    Role.PARTY,
    relation=Relation.BANK_OF,
    of="the credit, its issuer",
    parties=lambda opened: (opened.issuer,),
)

HONOUR: Final = "honour_credit"
REIMBURSE: Final = "reimburse_credit"
ISSUE: Final = "issue_credit"
AMEND: Final = "amend_credit"
CONFIRM: Final = "confirm_credit"
ACCEPT: Final = "accept_draft"


@dataclass(frozen=True, slots=True)
class CreditStanding:
    """A credit with all that was said about it. `key`: what its history stands under."""

    key: str
    opened: CreditOpened
    state: CreditState
    terms: Credit
    steps: Sequence[tuple[CreditActed, PartyId, str]]
    """Each step with who took it and when it was recorded."""


class Credits:
    """Finds credits for those who may see them and lets each party take its steps.

    All but the issue go by keys (`party_references`), as `key` finds them.
    """

    def __init__(
        self,
        *,
        records: Records,
        ledger: Ledger,
        accounts: Accounts,
        approvals: Approvals,
        clock: Clock,
        lines: CreditLines,
        names: PartyReferences,
        calendars: Calendars,
        holds: NameHolds | None,
    ) -> None:
        """`lines`: how much the bank that honours may come to owe the adviser's.

        `holds`: looks at who is named before a bank promises or pays.
        """
        self._holds = holds
        self._calendars = calendars
        self._lines = lines
        self._names = names
        self._records = records
        self._ledger = ledger
        self._accounts = accounts
        self._approvals = approvals
        self._clock = clock
        approvals.carries_out(HONOUR, lambda actor, said: self.honour(actor, *drawing_said(said)))
        approvals.carries_out(
            REIMBURSE, lambda actor, said: self.reimburse(actor, *drawing_said(said))
        )
        approvals.carries_out(
            ISSUE,
            lambda actor, said: self.issue(
                actor, opening_said(said["opened"]), terms=read_credit_said(said)
            ),
        )

        approvals.carries_out(AMEND, self._amend_said)
        approvals.carries_out(CONFIRM, self._confirm_said)
        approvals.carries_out(ACCEPT, lambda actor, said: self.accept(actor, *drawing_said(said)))

    async def issue(self, actor: Actor, opened: CreditOpened, *, terms: Credit) -> CreditStanding:
        """Issues a credit for its applicant; the issuing bank only. Again: the same credit.

        Raises Refused (`not_a_bank`, `needs_two_persons`), Conflict if the name stands for another
        credit.
        """
        bank = await self._accounts.require_bank(actor)
        MAY_ISSUE_CREDIT.check(actor, opened)
        if terms.number != opened.credit:
            raise MalformedInput("the credit's number is not its name", where="terms.number")
        terms.goods.check()
        for party in filter(None, (opened.adviser, opened.confirmer)):
            await self._accounts.bank(party)
        for party in (opened.beneficiary, opened.applicant):
            party_id(party)
        if bool(opened.confirmer) != bool(terms.confirming_bank):
            raise MalformedInput("who confirms is named by party and in the terms, or in neither")
        self._days(opened).check()
        key = await self._names.key(bank.bank, opened.credit)
        history = await self._records.history(_aggregate(key))
        if history:
            self._same(history, opened, terms)
            return await self.credit(actor, key)
        amount = Money(terms.amount_most_minor, Currency(terms.currency))
        said = {"opened": opened.payload(), "terms": plain(terms)}
        await self._screen(actor, ISSUE, opened, terms, amount, said)
        promised = [(_promises_for(opened.applicant), amount.minor)]
        demand = Demand(ISSUE, opened.credit, amount, said, promised)
        issued = CreditActed(
            credit=opened.credit, act=Act.ISSUE, day=self._today(), terms=plain(terms)
        )
        roles = roles_of(opened)
        async with self._approvals.allowed(actor, demand):
            await self._names.take(key)
            await self._records.record(
                actor,
                _aggregate(key),
                [opened, issued],
                after=0,
                owner=roles.issuer,
                visible=roles.all,
            )
        return await self.credit(actor, key)

    async def key(self, actor: Actor, name: str, *, of: str = "") -> str:
        """The key of a credit that the actor may see. `of`: the bank that issued it.

        Raises NotFound, Refused (`ambiguous_name`).
        """
        return await self._names.find(actor, name, of=of)

    async def credit(self, actor: Actor, key: str) -> CreditStanding:
        """A credit as it stands. Raises NotFound for a stranger."""
        history = await self._records.history(_aggregate(key), actor)
        if history[0].type != CreditOpened.TYPE:
            raise NotFound("no credit of that name")
        lifecycle = self._lifecycle(key, CreditOpened.of(history[0]))
        return CreditStanding(
            key=key,
            opened=CreditOpened.of(history[0]),
            state=fold(history),
            terms=await lifecycle.terms(),
            steps=[
                (step, event.asserted_by.party, str(event.recorded_at))
                for step, event in zip(
                    acts(history),
                    (e for e in history if e.type == CreditActed.TYPE),
                    strict=True,
                )
            ],
        )

    async def credits(self, actor: Actor, *, limit: int, after: str = "") -> list[CreditStanding]:
        """The credits that the actor may see, behind a key, in order of key."""
        start = _aggregate(after) if after else ""
        names = await self._records.aggregates("credit/", actor, limit=limit, after=start)
        return [await self.credit(actor, name.partition("/")[2]) for name in names]

    async def amend(self, actor: Actor, key: str, terms: bytes) -> CreditStanding:
        """Offers other terms, whole; nothing changes before the beneficiary accepts.

        The same terms again, while they wait, change nothing. Raises Refused
        (`needs_two_persons`) for a larger amount: an amendment binds like an issue.
        """
        opened, lifecycle = await self._both(actor, key)
        offered, known = read_credit(terms), await lifecycle.terms()
        if offered.currency != known.currency:
            raise Refused("a credit keeps its currency; issue another one", code="credit_act")
        if await lifecycle.waits_for(actor, terms):
            return await self.credit(actor, key)
        amount = Money(offered.amount_most_minor, Currency(offered.currency))
        said = {"credit": key, "terms": plain(offered), "after": await self._amendments(key)}
        more_minor = offered.amount_most_minor - known.amount_most_minor
        demand = None
        if actor.party == opened.issuer:
            await self._screen(actor, AMEND, opened, offered, amount, said)
            if more_minor > 0:
                # What was promised before was counted then.
                promised = [(_promises_for(opened.applicant), more_minor)]
                demand = Demand(AMEND, plain_name(key), amount, said, promised)
        async with self._allowed(actor, demand):
            await lifecycle.amend(actor, terms)
        return await self.credit(actor, key)

    async def step(self, actor: Actor, key: str, act: Act, drawing: str = "") -> CreditStanding:
        """A step that needs nothing but its name: advise, confirm, waive, answer an amendment.

        Raises Refused (`needs_two_persons`) to confirm: that binds like an issue.
        """
        opened, lifecycle = await self._both(actor, key)
        demand = None
        if act is Act.CONFIRM and not await lifecycle.is_done(act, drawing):
            await lifecycle.check_step(actor, act, drawing)
            terms = await lifecycle.terms()
            amount = Money(terms.amount_most_minor, Currency(terms.currency))
            said = {"credit": key, "terms": plain(terms)}
            await self._screen(actor, CONFIRM, opened, terms, amount, said)
            promised = [(_promises_for(opened.issuer), amount.minor)]
            demand = Demand(CONFIRM, plain_name(key), amount, said, promised)
        async with self._allowed(actor, demand):
            await lifecycle.step(actor, act, drawing)
        return await self.credit(actor, key)

    async def present(self, actor: Actor, key: str, drawing: str, papers: bytes) -> CreditStanding:
        """Takes the beneficiary's documents at the counter."""
        lifecycle = await self._opened(actor, key)
        await lifecycle.present(actor, drawing, papers)
        return await self.credit(actor, key)

    async def examine(self, actor: Actor, key: str, drawing: str) -> CreditStanding:
        """Examines a presentation and records the whole answer."""
        lifecycle = await self._opened(actor, key)
        await lifecycle.examine(actor, drawing)
        return await self.credit(actor, key)

    async def ask_records(
        self, actor: Actor, key: str, drawing: str, places: Sequence[int]
    ) -> CreditStanding:
        """Asks for corrupted records again; a bank of the credit only."""
        lifecycle = await self._opened(actor, key)
        await lifecycle.ask_records(actor, drawing, places)
        return await self.credit(actor, key)

    async def re_present(
        self, actor: Actor, key: str, drawing: str, papers: Sequence[AnyPaper]
    ) -> CreditStanding:
        """Takes the records that were asked for again from the beneficiary."""
        lifecycle = await self._opened(actor, key)
        await lifecycle.re_present(actor, drawing, papers)
        return await self.credit(actor, key)

    async def refuse(self, actor: Actor, key: str, drawing: str) -> CreditStanding:
        """Gives the one notice with every discrepancy."""
        lifecycle = await self._opened(actor, key)
        await lifecycle.refuse(actor, drawing)
        return await self.credit(actor, key)

    async def accept(self, actor: Actor, key: str, drawing: str) -> CreditStanding:
        """Accepts the draft: a promise to pay. Raises Refused (`needs_two_persons`)."""
        opened, lifecycle = await self._both(actor, key)
        demand = None
        if not await lifecycle.is_done(Act.ACCEPT, drawing):
            demand = await self._demand(actor, opened, lifecycle, Act.ACCEPT, key, drawing)
        async with self._allowed(actor, demand):
            await lifecycle.accept(actor, drawing)
        return await self.credit(actor, key)

    async def honour(self, actor: Actor, key: str, drawing: str) -> CreditStanding:
        """Pays the beneficiary's account at the advising bank; a bank of the credit only.

        Raises Refused (`needs_two_persons`, `no_account`, `credit_line`, what the ledger answers).
        """
        opened, lifecycle = await self._both(actor, key)
        if not _is_done(await lifecycle.state(), drawing, "honoured"):
            demand = await self._demand(actor, opened, lifecycle, Act.HONOUR, key, drawing)
            currency = (await lifecycle.terms()).currency
            payee = await self._accounts.customer(opened.adviser, opened.beneficiary, currency)
            claims = await self._claims(actor.party, currency)
            legs = await legs_between(
                self._accounts,
                actor.party,
                opened.adviser,
                currency,
                first=claims,
                last=UUID(payee.account),
            )
            owed = []
            if len(legs) > 1:  # the adviser's bank pays, and is owed by the one that honours
                first = transfer_id("credit", Act.HONOUR, *key.split("/"), drawing, "leg 1")
                owed = [(name_of(first), await lifecycle.check_payable(actor, Act.HONOUR, drawing))]
            pair = Pair(opened.adviser, actor.party, currency)
            async with self._allowed(actor, demand), self._lines.claim_all(pair, owed):
                await lifecycle.pay(actor, Act.HONOUR, drawing, legs)
        return await self.credit(actor, key)

    async def reimburse(self, actor: Actor, key: str, drawing: str) -> CreditStanding:
        """Pays the bank that honoured from the applicant's account; the issuing bank only."""
        opened, lifecycle = await self._both(actor, key)
        if not _is_done(await lifecycle.state(), drawing, "reimbursed"):
            demand = await self._demand(actor, opened, lifecycle, Act.REIMBURSE, key, drawing)
            currency = (await lifecycle.terms()).currency
            payer = await self._accounts.customer(opened.issuer, opened.applicant, currency)
            honoured_by = await self._honoured_by(key, drawing)
            claims = await self._claims(honoured_by, currency)
            legs = await legs_between(
                self._accounts,
                opened.issuer,
                honoured_by,
                currency,
                first=UUID(payer.account),
                last=claims,
            )
            async with self._allowed(actor, demand):
                await lifecycle.pay(actor, Act.REIMBURSE, drawing, legs)
        return await self.credit(actor, key)

    async def _amend_said(self, actor: Actor, said: Mapping[str, Any]) -> CreditStanding:
        """Once: the same word again must not bring back what was amended since."""
        key = str(said["credit"])
        if await self._amendments(key) != said["after"]:
            return await self.credit(actor, key)
        return await self.amend(actor, key, jcs(said["terms"]))

    async def _confirm_said(self, actor: Actor, said: Mapping[str, Any]) -> CreditStanding:
        return await self.step(actor, str(said["credit"]), Act.CONFIRM)

    async def _amendments(self, key: str) -> int:
        steps = acts(await self._records.history(_aggregate(key)))
        return sum(step.act == Act.AMEND for step in steps)

    @asynccontextmanager
    async def _allowed(self, actor: Actor, demand: Demand | None) -> AsyncIterator[None]:
        """Done inside by a word that counts; None: by none, since it binds nothing new."""
        if demand is None:
            yield
            return
        async with self._approvals.allowed(actor, demand):
            yield

    async def _demand(
        self,
        actor: Actor,
        opened: CreditOpened,
        lifecycle: CreditLifecycle,
        act: Act,
        key: str,
        drawing: str,
    ) -> Demand:
        """What a drawing takes of a caller's word, once nobody named is on a list."""
        amount_minor = await lifecycle.check_payable(actor, act, drawing)
        terms = await lifecycle.terms()
        amount = Money(amount_minor, Currency(terms.currency))
        asked = {Act.HONOUR: HONOUR, Act.REIMBURSE: REIMBURSE, Act.ACCEPT: ACCEPT}[act]
        said = {"credit": key, "drawing": drawing}
        await self._screen(actor, asked, opened, terms, amount, said)
        whose = f"credit {key}"
        if act is Act.REIMBURSE:
            payer = await self._accounts.customer(opened.issuer, opened.applicant, terms.currency)
            whose = UUID(payer.account).hex
        return Demand(asked, f"{plain_name(key)} {drawing}", amount, said, [(whose, amount_minor)])

    async def _screen(
        self,
        actor: Actor,
        act: str,
        opened: CreditOpened,
        terms: Credit,
        amount: Money,
        said: Mapping[str, Any],
    ) -> None:
        """Two persons of the actor's bank look first if somebody named is like one on a list."""
        if self._holds is not None:
            await self._holds.demand(
                actor.party,
                subject=" ".join(filter(None, ("credit", opened.credit, said.get("drawing")))),
                amount=amount,
                names=named_in(terms),
                parties=parties_of(opened),
                said=again(act, said),
            )

    async def _claims(self, bank: str, currency: str) -> UUID:
        return await self._accounts.technical(
            await self._accounts.bank(bank), AccountCode.CREDIT_CLAIMS, bank, currency
        )

    async def _honoured_by(self, key: str, drawing: str) -> PartyId:
        for event in await self._records.history(_aggregate(key)):
            if event.type == CreditActed.TYPE:
                fact = CreditActed.of(event)
                if (fact.act, fact.drawing) == (Act.HONOUR, drawing):
                    return event.asserted_by.party
        raise Refused("UCP 600 article 7(c): it is not honoured", code="credit_act")

    async def _opened(self, actor: Actor, key: str) -> CreditLifecycle:
        _, lifecycle = await self._both(actor, key)
        return lifecycle

    async def _both(self, actor: Actor, key: str) -> tuple[CreditOpened, CreditLifecycle]:
        """The credit's roles and counter, if the actor may see it at all."""
        MAY_ACT_ON_CREDIT.admit(actor)
        history = await self._records.history(_aggregate(key), actor)
        if history[0].type != CreditOpened.TYPE:
            raise NotFound("no credit of that name")
        opened = CreditOpened.of(history[0])
        return opened, self._lifecycle(key, opened)

    def _lifecycle(self, key: str, opened: CreditOpened) -> CreditLifecycle:
        return CreditLifecycle(
            key,
            roles_of(opened),
            records=self._records,
            ledger=self._ledger,
            clock=self._clock,
            days=self._days(opened).of,
        )

    def _days(self, opened: CreditOpened) -> BankingDays:
        return BankingDays(opened, self._calendars, self._clock.now().to_datetime().date())

    def banking_days(self, opened: CreditOpened) -> list[tuple[str, str, int]]:
        """Place or bank, calendar and last known year; 0: the days are listed in the credit."""
        named = [(opened.place, opened.calendar), *sorted(opened.calendars.items())]
        return [(who, name, self._last_year(name)) for who, name in named]

    def _last_year(self, name: str) -> int:
        found = [one.last_year for one in self._calendars.calendars() if one.name == name]
        return found[0] if found else 0

    def _same(self, history: Sequence[SignedEvent], opened: CreditOpened, terms: Credit) -> None:
        if history[0].type != CreditOpened.TYPE or CreditOpened.of(history[0]) != opened:
            raise Conflict(f"credit {opened.credit} was opened with other content")
        # Read, not compared as written: older facts know fewer fields.
        if read_credit(jcs(acts(history)[0].terms)) != terms:
            raise Conflict(f"credit {opened.credit} was issued with other terms")

    def _today(self) -> str:
        return self._clock.now().to_datetime().date().isoformat()


def _promises_for(party: str) -> str:
    """For whom a bank promises, where no account of a customer is moved yet."""
    return f"promises for {party}"


def _is_done(state: CreditState, drawing: str, flag: str) -> bool:
    one = state.drawings.get(drawing)
    return one is not None and bool(getattr(one, flag))


def _aggregate(key: str) -> str:
    return f"credit/{key}"
