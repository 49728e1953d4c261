"""Two acts of 60 under a limit of 100: the second one waits, whatever kinds of acts they are."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.finance.credit_cases import clean
from tests.finance.listed_names import Desk
from tests.finance.service.bank_services import UETRS, BankServices, read
from tests.finance.service.control.test_names_of_acts import (
    CONDITIONAL,
    PAYEE_BANK,
    PAYER_BANK,
    by,
    escrows,
)
from tests.finance.service.pvp.test_service import A, B, _accept, _quoted, net, speaks
from tests.finance.service.receivables.test_registry import OWED, _paid, _shipped

from zhidao.core.actor import Actor, Role
from zhidao.core.canonical import jcs
from zhidao.core.errors import Conflict, Refused
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import NS, Utc
from zhidao.finance.adapters.calendar_folder import FolderCalendars
from zhidao.finance.adapters.memory import MemoryNameIndex
from zhidao.finance.domain.credit.states import Act
from zhidao.finance.domain.ledger.ledger import Transfer, ledger_number
from zhidao.finance.domain.naming import AccountCode, account_id
from zhidao.finance.domain.payments.approval import Demand, Limits
from zhidao.finance.domain.pvp.fx import Rate
from zhidao.finance.events import BankAdmitted, CreditOpened
from zhidao.finance.events.banks import ActCounted, CountedPart, DepositCounted, Obligation
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.party_references import PartyReferences
from zhidao.finance.service.credits.service import Credits
from zhidao.finance.service.deals.deals import OPEN as OPEN_DEAL
from zhidao.finance.service.payments.bank_transfers import BankTransfers
from zhidao.finance.service.payments.credit_lines import CreditLines
from zhidao.finance.service.payments.deposits import Deposits
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.receivables.netting import Nettings
from zhidao.finance.service.receivables.registry import Receivables
from zhidao.finance.wire.credit import read_credit
from zhidao.finance.wire.iso20022.syntax.trees import account

__all__ = ["net"]  # A fixture.
LIMIT, MINOR = "CNY 100.00, EUR 60000.00", 6_000
CNY = Currency("CNY")
CLAIMED = 4_440_000
"""What the credit of the tests is over: more than half of the limit in euros."""


@dataclass
class Acts:
    """One kind of act, ready to be done twice. `approvals`: those that judge it."""

    party: str
    approvals: Approvals
    do: Callable[..., Awaitable[Any]]


def limited(world: Any, limits: str = LIMIT) -> Approvals:
    return Approvals(records=world.records, clock=world.durable.clock, limits=Limits.parse(limits))


def numbered(number: int) -> UUID:
    return UUID(f"018f0000-0000-7000-8000-{number:012x}")


async def pay(world: Any) -> Acts:
    services = await BankServices(world).ready()
    approvals = limited(world)
    services.hold(approvals)

    async def do(number: int) -> None:
        data = services.pays(MINOR, message=f"M-{number}", uetr=UETRS[number])
        await taken(services, data)

    return Acts("importer", approvals, do)


async def taken(services: BankServices, data: bytes, *, at: str = PAYER_BANK) -> str:
    """How a message stands; raises for one that waits, as acts that are no messages do."""
    kept = await services.payments.carry(services.banks[at], by("importer"), data)
    [status] = read(kept[0]).statuses
    if status.status == "PDNG":
        raise Refused("held", code="needs_two_persons")
    return status.status


async def deposit(world: Any) -> Acts:
    approvals = limited(world)
    deposits = Deposits(accounts=world.accounts, ledger=world.ledger, approvals=approvals)

    async def do(number: int) -> None:
        await deposits.deposit(
            by(PAYER_BANK), deposit=f"d-{number}", holder="importer", amount=Money(MINOR, CNY)
        )

    return Acts(PAYER_BANK, approvals, do)


async def transfers(world: Any) -> Acts:
    approvals = limited(world)
    moving = BankTransfers(
        accounts=world.accounts,
        directory=Directory(world.records, world.accounts),
        ledger=world.ledger,
        approvals=approvals,
    )
    cash = account_id(bank=PAYER_BANK, code=AccountCode.CASH, holder=PAYER_BANK, currency="CNY")
    payer = UUID((await world.accounts.customer(PAYER_BANK, "importer", "CNY")).account)

    async def do(number: int, minor: int = MINOR) -> None:
        one = Transfer(
            id=numbered(number),
            debit_account_id=payer,
            credit_account_id=cash,
            amount=minor,
            ledger=ledger_number(CNY),
            code=1,
        )
        await moving.move(by(PAYER_BANK), "CNY", [one])

    return Acts(PAYER_BANK, approvals, do)


async def open_escrow(world: Any) -> Acts:
    approvals = limited(world)
    payments = escrows(world, Desk(world.records, world.durable.clock, approvals=approvals))

    async def do(number: int) -> Any:
        opened = msgspec.structs.replace(CONDITIONAL, escrow=f"E-{number}", amount_minor=str(MINOR))
        return await payments.open(by(PAYER_BANK), opened)

    return Acts(PAYER_BANK, approvals, do)


def judge_deals(world: Any) -> Approvals:
    approvals = limited(world)
    world.deals._approvals = approvals
    approvals.carries_out(OPEN_DEAL, world.deals._open_said)
    return approvals


async def open_deal(world: Any) -> Acts:
    approvals = judge_deals(world)

    async def do(number: int) -> Any:
        opened = msgspec.structs.replace(world.deal, deal=f"D-{number}", amount_minor=MINOR)
        return await world.deals.open(by(PAYER_BANK), opened)

    return Acts(PAYER_BANK, approvals, do)


async def set_credit_line(world: Any) -> Acts:
    approvals = limited(world)
    lines = CreditLines(
        records=world.records, ledger=world.ledger, accounts=world.accounts, approvals=approvals
    )

    third = BankAdmitted(bank="carrier", name="Third", bic="CARRKZKA", town="Almaty", country="KZ")
    await world.accounts.admit(Actor(PartyId("operator"), Role.OPERATOR), third)
    peers = {1: PAYEE_BANK, 2: "carrier"}

    async def do(number: int) -> None:
        await lines.set(by(PAYER_BANK), peer=peers[number], currency="CNY", limit_minor=MINOR)

    return Acts(PAYER_BANK, approvals, do)


# -- credits -----------------------------------------------------------------------------------------


class Letters:
    """Credits of which steps are judged and others are not; over one index of names."""

    def __init__(self, world: Any, approvals: Approvals) -> None:
        world.durable.clock.set(Utc.parse("2026-09-16T09:00:00Z"))
        self.world, self.names = world, MemoryNameIndex()
        self.free, self.judged = self._made(limited(world, "")), self._made(approvals)

    def _made(self, approvals: Approvals) -> Credits:
        world = self.world
        return Credits(
            records=world.records,
            ledger=world.ledger,
            accounts=world.accounts,
            approvals=approvals,
            clock=world.durable.clock,
            lines=world.lines,
            names=PartyReferences("credit", records=world.records, index=self.names),
            calendars=FolderCalendars(FOLDER),
            holds=None,
        )

    async def fund(self) -> None:
        for bank, holder in ((PAYER_BANK, "importer"), (PAYEE_BANK, "exporter")):
            await self.world.accounts.open(
                by(bank), holder=holder, currency="EUR", name=holder, town="A", country="DK"
            )
        money = Money(3 * CLAIMED, Currency("EUR"))
        await self.world.accounts.deposit(
            by(PAYER_BANK), deposit="all", holder="importer", amount=money
        )
        await self.world.lines.set(
            by(PAYEE_BANK), peer=PAYER_BANK, currency="EUR", limit_minor=3 * CLAIMED
        )

    async def issue(
        self, letters: Credits, number: int, amount_minor: int = CLAIMED, **terms: Any
    ) -> str:
        said = written(number)[0] | {"amount_minor": amount_minor} | terms
        confirmer = PAYEE_BANK if terms.get("confirming_bank") else ""
        opened = CreditOpened(
            credit=said["number"],
            issuer=PAYER_BANK,
            beneficiary="exporter",
            applicant="importer",
            adviser=PAYEE_BANK,
            confirmer=confirmer,
            place="Suzhou",
            rest=[5, 6],
            holidays=["2026-10-01"],
            worked=[],
        )
        standing = await letters.issue(by(PAYER_BANK), opened, terms=read_credit(jcs(said)))
        return str(standing.key)

    async def presented(self, number: int, *steps: Act, **terms: Any) -> str:
        """A credit whose presentation was examined, and brought so far."""
        key = await self.issue(self.free, number, **terms)
        await self.free.step(by(PAYEE_BANK), key, Act.ADVISE)
        papers = written(number)[1]
        if terms.get("tenor_days") == 0:
            draft = next(one for one in papers["documents"] if one["kind"] == "draft")
            draft["tenor_days"] = 0
        await self.free.present(by("exporter"), key, "1", jcs(papers))
        await self.free.examine(by(PAYER_BANK), key, "1")
        for step in steps:
            await getattr(self.free, step.value)(by(PAYER_BANK), key, "1")
        return key


FOLDER = Path("/nowhere")
SIGHT = {"available_by": "sight", "tenor_days": 0}


def written(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Terms and presentation of a credit of that number."""
    text = json.dumps(copy.deepcopy(clean())).replace("LC-2026-0042", f"LC-2026-{number:04}")
    credit, presentation = json.loads(text)
    return credit, presentation


async def issue_credit(world: Any) -> Acts:
    approvals = limited(world)
    letters = Letters(world, approvals)
    return Acts(PAYER_BANK, approvals, lambda number: letters.issue(letters.judged, number))


async def amend_credit(world: Any) -> Acts:
    """Each credit is let be more by 32,000.00."""
    approvals = limited(world)
    letters = Letters(world, approvals)
    keys = {number: await letters.issue(letters.free, number, 1_000) for number in (1, 2)}

    async def do(number: int) -> Any:
        more = written(number)[0] | {"amount_minor": CLAIMED}
        return await letters.judged.amend(by(PAYER_BANK), keys[number], jcs(more))

    return Acts(PAYER_BANK, approvals, do)


async def confirm_credit(world: Any) -> Acts:
    approvals = limited(world)
    letters = Letters(world, approvals)
    keys = {}
    for number in (1, 2):
        keys[number] = await letters.issue(letters.free, number, confirming_bank="Its bank")
        await letters.free.step(by(PAYEE_BANK), keys[number], Act.ADVISE)

    async def do(number: int) -> Any:
        return await letters.judged.step(by(PAYEE_BANK), keys[number], Act.CONFIRM)

    return Acts(PAYEE_BANK, approvals, do)


async def accept_draft(world: Any) -> Acts:
    approvals = limited(world)
    letters = Letters(world, approvals)
    keys = {number: await letters.presented(number) for number in (1, 2)}
    return Acts(
        PAYER_BANK,
        approvals,
        lambda number: letters.judged.accept(by(PAYER_BANK), keys[number], "1"),
    )


async def honour_credit(world: Any) -> Acts:
    approvals = limited(world)
    letters = Letters(world, approvals)
    await letters.fund()
    keys = {number: await letters.presented(number, **SIGHT) for number in (1, 2)}
    return Acts(
        PAYER_BANK,
        approvals,
        lambda number: letters.judged.honour(by(PAYER_BANK), keys[number], "1"),
    )


async def reimburse_credit(world: Any) -> Acts:
    approvals = limited(world)
    letters = Letters(world, approvals)
    await letters.fund()
    keys = {number: await letters.presented(number, Act.HONOUR, **SIGHT) for number in (1, 2)}
    return Acts(
        PAYER_BANK,
        approvals,
        lambda number: letters.judged.reimburse(by(PAYER_BANK), keys[number], "1"),
    )


# -- netting, receivables, returns -------------------------------------------------------------------


async def cycles(world: Any, approvals: Approvals) -> tuple[Nettings, Nettings, dict[int, str]]:
    """Two cycles between the importer and the carrier, with services that judge and do not."""
    await world.accounts.open(
        by(PAYER_BANK), holder="carrier", currency="CNY", name="Carrier", town="A", country="KZ"
    )
    names = MemoryNameIndex()
    free, judged = (
        Nettings(
            records=world.records,
            ledger=world.ledger,
            accounts=world.accounts,
            approvals=one,
            names=PartyReferences("netting", records=world.records, index=names),
            holds=None,
        )
        for one in (limited(world, ""), approvals)
    )
    keys = {}
    for number in (1, 2):
        cycle = await free.open(
            by(PAYER_BANK),
            cycle=f"C-{number}",
            currency="CNY",
            participants=["importer", "carrier"],
        )
        keys[number] = cycle.key
    return free, judged, keys


OWES = [Obligation(creditor="carrier", amount_minor=str(MINOR), reference="a")]


async def add_obligations(world: Any) -> Acts:
    approvals = limited(world)
    _, judged, keys = await cycles(world, approvals)
    return Acts(
        "importer",
        approvals,
        lambda number: judged.add(by("importer"), keys[number], batch="b", obligations=OWES),
    )


async def settle_netting(world: Any) -> Acts:
    approvals = limited(world)
    free, judged, keys = await cycles(world, approvals)
    for key in keys.values():
        await free.add(by("importer"), key, batch="b", obligations=OWES)
    return Acts(PAYER_BANK, approvals, lambda number: judged.settle(by(PAYER_BANK), keys[number]))


def registries(world: Any, approvals: Approvals) -> tuple[Receivables, Receivables]:
    free, judged = (
        Receivables(
            node="node",
            nodes=["node"],
            secret=(7).to_bytes(32, "little"),
            records=world.records,
            clock=world.durable.clock,
            shipped=_shipped,
            paid=_paid,
            randomness=world.durable.randomness,
            approvals=one,
            holds=None,
        )
        for one in (limited(world, ""), approvals)
    )
    return free, judged


async def registered(free: Receivables, number: int) -> str:
    owed = {name: getattr(OWED, name) for name in type(OWED).__dataclass_fields__}
    more = {"invoice": f"I-{number}", "shipment": f"S-{number}", "amount_minor": CLAIMED}
    one = type(OWED)(**owed | more)
    return await free.register(by("exporter"), one, obligor_party=PartyId("importer"))


async def confirm_receivable(world: Any) -> Acts:
    approvals = limited(world)
    free, judged = registries(world, approvals)
    names = {number: await registered(free, number) for number in (1, 2)}
    return Acts("importer", approvals, lambda number: judged.confirm(by("importer"), names[number]))


async def share(world: Any, act: str) -> Acts:
    approvals = limited(world)
    free, judged = registries(world, approvals)
    name = await registered(free, 1)
    await free.confirm(by("importer"), name)
    half = CLAIMED * 2 // 5
    for number in (1, 2) if act != "pledge" else ():
        await free.pledge(
            by("exporter"), name, share=f"s{number}", holder=PartyId(PAYER_BANK), amount_minor=half
        )

    async def do(number: int) -> Any:
        # Two shares of 17,760.00, and what else the party gave away.
        one = f"s{number}"
        if act == "pledge":
            return await judged.pledge(
                by("exporter"), name, share=one, holder=PartyId(PAYER_BANK), amount_minor=half
            )
        if act == "assign":
            return await judged.assign(by(PAYER_BANK), name, share=one, to=PartyId(PAYEE_BANK))
        return await judged.release(by(PAYER_BANK), name, share=one)

    party = "exporter" if act == "pledge" else PAYER_BANK
    approvals.limits.above_minor["EUR"] = half + 1  # type: ignore[index]
    return Acts(party, approvals, do)


async def returns(world: Any, *, recalled: bool = False) -> Acts:
    """Payments that came in and go back, each by a word of its own."""
    services = await BankServices(world).ready()
    for number in (1, 2):
        data = services.pays(MINOR, message=f"M-{number}", uetr=UETRS[number])
        await services.payments.carry(services.banks[PAYER_BANK], by("importer"), data)
    recalls = {}
    for number in (1, 2) if recalled else ():
        [asked] = await services.payments.back.recall(
            services.banks[PAYER_BANK], [UETRS[number]], reason="DUPL"
        )
        await services.take(PAYEE_BANK, PAYER_BANK, asked.data)
        recalls[number] = asked.message
    approvals = limited(world)
    services.hold(approvals)
    here, back = services.banks[PAYEE_BANK], services.payments.back

    async def do(number: int) -> Any:
        if recalled:
            return await back.answer_recall(
                *(here, PAYER_BANK, recalls[number]),
                agreed=[UETRS[number]],
                by=by(PAYEE_BANK),
            )
        return await back.give_back(here, [UETRS[number]], reason="AC04", by=by(PAYEE_BANK))

    return Acts(PAYEE_BANK, approvals, do)


async def return_payments(world: Any) -> Acts:
    """Another bank's pacs.004, brought by a caller of that bank."""
    made = await returns(world)
    services = await BankServices(world).ready()
    here = services.banks[PAYEE_BANK]
    messages = {
        number: await services.payments.back.give_back(here, [UETRS[number]], reason="AC04")
        for number in (1, 2)
    }
    services = BankServices(world, index=services.index)
    services.banks = {PAYER_BANK: await world.accounts.bank(PAYER_BANK)}
    approvals = limited(world)
    services.hold(approvals)

    async def do(number: int) -> Any:
        [message] = messages[number]
        return await services.payments.carry(
            services.banks[PAYER_BANK], by(PAYEE_BANK), message.data
        )

    del made
    return Acts(PAYEE_BANK, approvals, do)


KINDS: dict[str, Callable[[Any], Awaitable[Acts]]] = {
    "pay": pay,
    "deposit": deposit,
    "transfers": transfers,
    "open_escrow": open_escrow,
    "open_deal": open_deal,
    "set_credit_line": set_credit_line,
    "issue_credit": issue_credit,
    "amend_credit": amend_credit,
    "confirm_credit": confirm_credit,
    "accept_draft": accept_draft,
    "honour_credit": honour_credit,
    "reimburse_credit": reimburse_credit,
    "add_obligations": add_obligations,
    "settle_netting": settle_netting,
    "confirm_receivable": confirm_receivable,
    "pledge_share": lambda world: share(world, "pledge"),
    "assign_share": lambda world: share(world, "assign"),
    "release_share": lambda world: share(world, "release"),
    "give_back": returns,
    "answer_recall": lambda world: returns(world, recalled=True),
    "return_payments": return_payments,
}
"""Every kind of act that the limit judges, but exchanges of currency, which need two nodes."""
EXCHANGES = ("accept_quote", "give_quote")


@pytest.fixture
def whole(world: Any, facts: Any) -> Any:
    world.deal = facts.deal
    return world


async def refused(work: Awaitable[Any]) -> str:
    """With which code it is refused; `` if it is done."""
    try:
        await work
    except Refused as error:
        return error.code
    return ""


@pytest.mark.parametrize("kind", KINDS)
async def test_the_second_of_two_acts_waits_and_the_first_again_counts_once(
    whole: Any, kind: str
) -> None:
    acts = await KINDS[kind](whole)
    for _ in range(2):
        assert await refused(acts.do(1)) == ""
    assert await refused(acts.do(2)) == "needs_two_persons"
    listed = await acts.approvals.approvals(by(acts.party), limit=10)
    assert [one.asked.act for one in listed] == [kind]


@pytest.mark.parametrize("kind", KINDS)
async def test_the_second_persons_word_carries_it_out_and_counts_nothing(
    whole: Any, kind: str
) -> None:
    acts = await KINDS[kind](whole)
    await acts.do(1)
    assert await refused(acts.do(2)) == "needs_two_persons"
    [one] = await acts.approvals.approvals(by(acts.party), limit=10)
    for person in ("aigerim", "bolat"):
        await acts.approvals.decide(by(acts.party, person), one.asked.approval, approve=True)
    # It is done: asked for again it is answered, and it did not use up what one word may do.
    assert await refused(acts.do(2)) == ""
    day = await acts.approvals._totals._acts(acts.party, one.asked.currency)
    assert len(day[1]) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_an_act_counts_with_every_other_kind_of_act(whole: Any, kind: str) -> None:
    acts = await KINDS[kind](whole)
    await acts.do(1)
    [(currency, counted)] = [
        (one, found)
        for one in ("CNY", "EUR")
        if (found := (await acts.approvals._totals._acts(acts.party, one))[1])
    ]
    [[part]] = counted.values()
    left = acts.approvals.limits.above_minor[currency] - part.minor

    def other(minor: int) -> Demand:
        money = Money(minor, Currency(currency))
        return Demand("other", str(minor), money, {}, [("somebody else", minor)])

    assert 0 < left < part.minor
    asked = refused(acts.approvals.demand(by(acts.party), other(left + 1)))
    assert await asked == "needs_two_persons"
    assert await refused(acts.approvals.demand(by(acts.party), other(left))) == ""


# -- exchanges of currency ---------------------------------------------------------------------------


async def test_taking_quotes_counts_until_an_exchange_comes_to_nothing(net: Any) -> None:
    a = net.nodes[A]
    a.limits = "CNY 100.00"
    a.start()
    await _quoted(net)
    for _ in range(2):
        assert (await _accept(net, sold=MINOR)).state == "waiting"
    assert await refused(_accept(net, "D-2", sold=MINOR)) == "needs_two_persons"
    # The other node is silent: the deal is over at its deadline, and its money free again.
    a.clock.set(a.clock.now().plus_ns(61 * NS))
    await a.service.tick()
    assert (await a.service.deal(speaks(A), "D-1")).state == "aborted"
    assert await refused(_accept(net, "D-3", sold=MINOR)) == ""


async def test_a_quote_binds_its_dealer_while_it_is_good_and_its_deals_do_after(net: Any) -> None:
    b = net.nodes[B]
    b.limits = "KZT 100.00"
    b.start()
    whole = {"rate": Rate(1, 1), "sold_minor_max": MINOR}
    for _ in range(2):
        await _quoted(net, **whole)
    assert await refused(_quoted(net, id="Q-2", **whole)) == "needs_two_persons"
    [one] = await b.approvals.approvals(speaks(B), limit=10)
    for person in ("aigerim", "bolat"):
        word = Actor(speaks(B).party, Role.PARTY, person)
        await b.approvals.decide(word, one.asked.approval, approve=True)
    # The second word gave it.
    assert {q.quote for q in await b.quotes.quotes(speaks(B), limit=9)} == {"Q-1", "Q-2"}
    await net.deliver()
    for node in net.nodes.values():
        node.clock.set(node.clock.now().plus_ns(602 * NS))
    # Nobody took the first one: it is over, and counts no more.
    fresh = {**whole, "valid_until": b.clock.now().plus_ns(600 * NS)}
    assert await refused(_quoted(net, id="Q-3", **fresh)) == ""
    await a_takes(net, "Q-3")
    for node in net.nodes.values():
        node.clock.set(node.clock.now().plus_ns(602 * NS))
    later = {**whole, "valid_until": b.clock.now().plus_ns(600 * NS)}
    assert await refused(_quoted(net, id="Q-4", **later)) == "needs_two_persons"


async def a_takes(net: Any, quote: str) -> None:
    a, b = net.nodes[A], net.nodes[B]
    await a.service.accept(
        speaks(A),
        reference=quote,
        quote=quote,
        sold_minor=MINOR,
        pays_from=await a.account("own"),
        receives_at=await b.account("other"),
        deadline_s=60,
    )
    await net.deliver()
    assert (await a.service.deal(speaks(A), quote)).state == "committed"


# -- what came to nothing ----------------------------------------------------------------------------


async def test_a_conditional_payment_that_is_refunded_counts_no_more(whole: Any) -> None:
    approvals = limited(whole)
    payments = escrows(whole, Desk(whole.records, whole.durable.clock, approvals=approvals))

    def opened(number: int) -> Any:
        return msgspec.structs.replace(CONDITIONAL, escrow=f"E-{number}", amount_minor=str(MINOR))

    first = await payments.open(by(PAYER_BANK), opened(1))
    assert await refused(payments.open(by(PAYER_BANK), opened(2))) == "needs_two_persons"
    await payments.resolve(by("exporter"), first.key, to_payee_minor=0, reason="not made")
    assert (await payments.escrow(by(PAYER_BANK), first.key)).state == "refunded"
    third = await payments.open(by(PAYER_BANK), opened(3))
    # Released, the money is gone: that goes on counting.
    await payments.attest(by("carrier"), third.key, word="goods_ok")
    assert (await payments.escrow(by(PAYER_BANK), third.key)).state == "released"
    assert await refused(payments.open(by(PAYER_BANK), opened(4))) == "needs_two_persons"


async def test_a_deal_that_is_aborted_counts_no_more(whole: Any) -> None:
    acts = await open_deal(whole)
    await acts.do(1)
    assert await refused(acts.do(2)) == "needs_two_persons"
    await whole.papers_conflict()
    assert (await whole.state()).state == "refused"
    assert await refused(acts.do(3)) == ""


@pytest.mark.parametrize("told", ["at once", "by the other bank", "by its payer"])
async def test_a_payment_that_is_refused_counts_no_more(world: Any, told: str) -> None:
    services = await BankServices(world).ready(line_minor=0 if told == "by the other bank" else 1)
    services.hold(limited(world))
    changes = {
        "at once": {"payer_account": account("0" * 32)},
        "by the other bank": {},
        "by its payer": {"day": "2026-05-04"},
    }[told]
    first = services.pays(MINOR, message="M-1", uetr=UETRS[1], **changes)
    status = await taken(services, first)
    assert status == {"at once": "RJCT", "by its payer": "ACCP"}.get(told, "ACSP")
    if told == "by its payer":
        second = services.pays(MINOR, message="M-2", uetr=UETRS[2])
        assert await refused(taken(services, second)) == "needs_two_persons"
        [order] = await services.orders.orders(by("importer"), limit=10)
        await services.orders.cancel(by("importer"), order.awaited.order)
    assert await services.balance("importer") == 10_000_000
    assert await taken(services, services.pays(MINOR, message="M-3", uetr=UETRS[3])) == "ACSP"


async def test_a_deposit_that_is_refused_counts_no_more(world: Any) -> None:
    acts = await deposit(world)
    with pytest.raises(Refused):
        await acts.approvals.carry_out(
            by(PAYER_BANK),
            "deposit",
            {"deposit": "d", "holder": "importer", "amount_minor": "-1", "currency": "CNY"},
        )
    await acts.do(1)


@pytest.mark.parametrize("day", ["2026-05-01", "2026-05-04"])
async def test_the_same_bytes_at_another_bank_free_nothing_of_what_counts_at_the_first(
    world: Any, day: str
) -> None:
    """Whether it moved at once or waits for its day."""
    services = await BankServices(world).ready()
    services.hold(limited(world, "CNY 150.00"))
    first = services.pays(MINOR, message="M-1", uetr=UETRS[1], day=day)
    for _ in range(2):
        assert await taken(services, first) == ("ACSP" if day == "2026-05-01" else "ACCP")
        assert await taken(services, first, at=PAYEE_BANK) == "RJCT"
    second, third = (
        services.pays(MINOR, message=f"M-{number}", uetr=UETRS[number]) for number in (2, 3)
    )
    assert await taken(services, second) == "ACSP"
    assert await refused(taken(services, third)) == "needs_two_persons"


@pytest.mark.parametrize("smaller_first", [False, True])
async def test_of_two_exchanges_under_one_reference_what_is_done_counts(
    net: Any, *, smaller_first: bool
) -> None:
    a = net.nodes[A]
    a.limits = "CNY 100.00"
    a.start()
    await _quoted(net)
    sums = (1, MINOR) if smaller_first else (MINOR, 1)
    done = await asyncio.gather(*(_accept(net, sold=one) for one in sums), return_exceptions=True)
    assert sum(isinstance(one, Conflict) for one in done) == 1
    if isinstance(done[sums.index(MINOR)], Conflict):
        return  # The smaller one was done.
    assert await refused(_accept(net, "D-2", sold=MINOR)) == "needs_two_persons"


async def test_a_return_that_goes_in_part_counts_though_the_rest_is_refused(world: Any) -> None:
    services = await BankServices(world).ready()
    for number in (1, 2, 3):
        data = services.pays(MINOR, message=f"M-{number}", uetr=UETRS[number])
        await services.payments.carry(services.banks[PAYER_BANK], by("importer"), data)
    # Of three payments two are spent: one can go back.
    number = services.accounts["exporter"]
    cash = await world.accounts.technical(
        services.banks[PAYEE_BANK], AccountCode.CASH, PAYEE_BANK, "CNY"
    )
    spent = Transfer(
        id=numbered(99),
        debit_account_id=UUID(number),
        credit_account_id=cash,
        amount=2 * MINOR,
        ledger=ledger_number(CNY),
        code=1,
    )
    [result] = await world.ledger.submit("CNY", [spent])
    assert result.holds
    services.hold(limited(world, "CNY 150.00"))
    here, back = services.banks[PAYEE_BANK], services.payments.back
    both = back.give_back(here, [UETRS[1], UETRS[2]], reason="AC04", by=by(PAYEE_BANK))
    assert await refused(both) not in ("", "needs_two_persons")
    assert await services.balance("exporter") == 0  # The first is on its way.
    third = back.give_back(here, [UETRS[3]], reason="AC04", by=by(PAYEE_BANK))
    assert await refused(third) == "needs_two_persons"


# -- many at once, another day, other persons ----------------------------------------------------------


@pytest.mark.parametrize("kind", ["deposit", "open_escrow", "open_deal", "pay", "issue_credit"])
async def test_of_ten_at_once_one_passes(whole: Any, kind: str) -> None:
    acts = await KINDS[kind](whole)
    codes = await asyncio.gather(*(refused(acts.do(number)) for number in range(1, 11)))
    assert sorted(codes) == ["", *["needs_two_persons"] * 9]


async def test_a_refusal_does_not_undo_what_the_same_request_counts_beside_it(world: Any) -> None:
    """Two requests for one act: where one is refused and one done, what is done counts."""
    approvals = limited(world)
    money = Money(MINOR, CNY)
    demand = Demand("act", "one", money, {}, [("a", MINOR)])
    inside = asyncio.Event()

    async def done() -> None:
        async with approvals.allowed(by(PAYER_BANK), demand):
            inside.set()
            await asyncio.sleep(0)

    async def turned_away() -> None:
        await inside.wait()
        async with approvals.allowed(by(PAYER_BANK), demand):
            raise Refused("no", code="no")

    codes = await asyncio.gather(refused(done()), refused(turned_away()))
    assert codes == ["", "no"]
    # The one that was refused came later, and had not counted it.
    other = Demand("act", "two", money, {}, [("b", MINOR)])
    assert await refused(approvals.demand(by(PAYER_BANK), other)) == "needs_two_persons"


@pytest.mark.parametrize("smaller_first", [False, True])
async def test_a_transfer_of_the_same_name_and_another_sum_takes_no_count_away(
    world: Any, *, smaller_first: bool
) -> None:
    """Of two requests for one name the ledger does one: what it did goes on counting."""
    acts = await transfers(world)
    sums = (1, MINOR) if smaller_first else (MINOR, 1)
    await asyncio.gather(*(acts.do(1, one) for one in sums))
    account = await world.accounts.customer(PAYER_BANK, "importer", "CNY")
    moved = 10_000_000 - await world.accounts.available(account)
    assert moved in sums
    assert (await refused(acts.do(2)) == "needs_two_persons") is (moved == MINOR)


async def test_an_act_that_is_asked_for_with_other_parts_never_counts_less(world: Any) -> None:
    approvals = limited(world)
    actor = by(PAYER_BANK)

    def demand(name: str, *parts: tuple[str, int]) -> Demand:
        whole = Money(sum(minor for _, minor in parts), CNY)
        return Demand("act", name, whole, {"parts": len(parts)}, parts, counted_as=name)

    assert await refused(approvals.demand(actor, demand("one", ("a", 3_000), ("b", 3_000)))) == ""
    assert await refused(approvals.demand(actor, demand("one", ("b", 1)))) == ""
    assert await refused(approvals.demand(actor, demand("two", ("c", 4_001)))) != ""
    # More of one account counts once with what it was.
    assert await refused(approvals.demand(actor, demand("one", ("b", 4_000)))) == ""
    assert await refused(approvals.demand(actor, demand("three", ("c", 3_001)))) != ""
    assert await refused(approvals.demand(actor, demand("four", ("c", 3_000)))) == ""


async def test_the_count_begins_anew_after_two_days_and_persons_count_apart(world: Any) -> None:
    acts = await deposit(world)
    demand = Demand("other", "", Money(MINOR, CNY), {}, [("another account", MINOR)])
    ada, ben = by(PAYER_BANK, "ada"), by(PAYER_BANK, "ben")
    assert await refused(acts.approvals.demand(ada, demand)) == ""
    second = Demand("other", "2", Money(MINOR, CNY), {}, [("a third", MINOR)])
    assert await refused(acts.approvals.demand(ada, second)) == "needs_two_persons"
    third = Demand("other", "3", Money(MINOR, CNY), {}, [("a fourth", MINOR)])
    assert await refused(acts.approvals.demand(ben, third)) == ""
    # On one account it is one sum, whoever says it.
    fourth = Demand("other", "4", Money(MINOR, CNY), {}, [("another account", MINOR)])
    assert await refused(acts.approvals.demand(by(PAYER_BANK, "cem"), fourth)) != ""
    world.durable.clock.set(world.durable.clock.now().plus_ns(86_400 * NS))
    assert await refused(acts.do(1)) == "needs_two_persons"
    world.durable.clock.set(world.durable.clock.now().plus_ns(86_400 * NS))
    assert await refused(acts.do(2)) == ""


async def _counted_by_holder(world: Any, fact: Any) -> None:
    day = str(world.durable.clock.now())[:10]
    name = f"payment-words/{PAYER_BANK}/CNY/{day}"
    await world.records.record(by(PAYER_BANK), name, [fact], after=0, owner=PartyId(PAYER_BANK))


async def test_a_deposit_counted_by_its_holder_counts_on_the_holders_account(world: Any) -> None:
    part = CountedPart(account="importer", amount_minor=str(MINOR))
    fact = ActCounted(act="deposit", name="of old", person="li", parts=[part], until_s=0)
    await _counted_by_holder(world, fact)
    deposits = Deposits(accounts=world.accounts, ledger=world.ledger, approvals=limited(world))

    async def put(holder: str) -> None:
        await deposits.deposit(
            by(PAYER_BANK, "wang"), deposit=holder, holder=holder, amount=Money(MINOR, CNY)
        )

    # By another person: it is the account alone that both are added on.
    assert await refused(put("importer")) == "needs_two_persons"


async def test_a_deposit_cut_off_before_the_upgrade_is_its_own_and_is_booked(world: Any) -> None:
    acts = await deposit(world)
    said = {"deposit": "d-1", "holder": "importer", "amount_minor": str(MINOR), "currency": "CNY"}
    name = Demand("deposit", "d-1", Money(MINOR, CNY), said, []).name(PAYER_BANK)
    part = CountedPart(account="importer", amount_minor=str(MINOR))
    fact = ActCounted(act="deposit", name=name, person="", parts=[part], until_s=0)
    await _counted_by_holder(world, fact)
    assert await refused(acts.do(1)) == ""
    assert await refused(acts.do(2)) == "needs_two_persons"


async def test_what_earlier_versions_counted_counts(world: Any) -> None:
    acts = await deposit(world)
    day = str(world.durable.clock.now())[:10]
    for of in ("deposit-words", "payment-words"):
        fact = DepositCounted(deposit="x", holder=of, person="", amount_minor="3000")
        name = f"{of}/{PAYER_BANK}/CNY/{day}"
        await world.records.record(by(PAYER_BANK), name, [fact], after=0, owner=PartyId(PAYER_BANK))
    # Two acts of one name in two places are two acts of an earlier version.
    assert await refused(acts.do(1)) == "needs_two_persons"
