"""Conditional payments over HTTP: each ends once, whole, and by what the parties agreed on."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import NotFound, Refused, Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import NS, Utc
from zhidao.finance.adapters.memory import MemoryEscrowIndex, MemoryNameIndex
from zhidao.finance.adapters.postgres_escrows import PostgresEscrowIndex
from zhidao.finance.adapters.postgres_names import PostgresNameIndex
from zhidao.finance.domain.deals import condition as conditions
from zhidao.finance.domain.deals.escrow import Escrow
from zhidao.finance.domain.ledger.ledger import Result, Transfer, TransferFlag, ledger_number
from zhidao.finance.domain.naming import TransferCode, transfer_id
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.events.banks import EscrowHeld, EscrowOpened, EscrowSettled
from zhidao.finance.service.control import party_references
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.party_references import PartyReferences
from zhidao.finance.service.deals.escrow_accounting import EscrowBooks
from zhidao.finance.service.deals.escrow_scheduler import OTHERS_MAX
from zhidao.finance.service.deals.escrows import Escrows
from zhidao.finance.service.payments.credit_lines import CreditLines
from zhidao.node.api.finance import escrow as finance_escrow
from zhidao.trade.events import CustomsReleased, PapersChecked

AMOUNT = 1_000_000
LINE = 20_000_000
ONE = "/escrows/E-1"
KEY = "importer-bank/E-1"
PAPERS = {
    "kind": "fact",
    "fact": "trade.PapersChecked.v1",
    "consignment": "C-1",
    "says": {"agree": True},
}
CUSTOMS = {
    "kind": "fact",
    "fact": "trade.CustomsReleased.v1",
    "consignment": "C-1",
    "says": {"decision": "released"},
    "asserted_by": "customs",
}
GOODS_OK = {"kind": "word", "by": "carrier", "word": "goods_ok"}
TWO_OF_THREE = {"kind": "at_least", "count": 2, "of": [PAPERS, CUSTOMS, GOODS_OK]}
AGREE = PapersChecked(consignment="C-1", agree=True, checks=3, documents=["a"], findings=[])
RELEASED = CustomsReleased(consignment="C-1", declaration="D", decision="released")


def _escrow(**changes: Any) -> dict[str, Any]:
    return {
        "escrow": "E-1",
        "payer": "importer",
        "payee": "exporter",
        "payee_bank": "exporter-bank",
        "amount_minor": AMOUNT,
        "currency": "CNY",
        "condition": {"kind": "by", "until": "2026-05-02T00:00:00Z", "of": TWO_OF_THREE},
        "refund_after": "2026-06-01T00:00:00Z",
        "arbiter": "operator",
        **changes,
    }


@pytest.fixture
def index(durable: Any, request: pytest.FixtureRequest) -> Any:
    if "postgres" in request.node.name:
        return PostgresEscrowIndex(request.getfixturevalue("database"))
    return MemoryEscrowIndex()


@pytest.fixture
def names(request: pytest.FixtureRequest) -> Any:
    if "postgres" in request.node.name:
        return PostgresNameIndex(request.getfixturevalue("database"))
    return MemoryNameIndex()


@pytest.fixture
def restart(world: Any, index: Any, names: Any) -> Any:
    """A service of a process that starts now and remembers nothing."""

    def started(limits: str = "") -> Escrows:
        alone, approvals = (
            Approvals(records=world.records, clock=world.durable.clock, limits=Limits.parse(text))
            for text in ("", limits)
        )
        return Escrows(
            records=world.records,
            books=EscrowBooks(
                records=world.records,
                ledger=world.ledger,
                accounts=world.accounts,
                lines=CreditLines(
                    records=world.records,
                    ledger=world.ledger,
                    accounts=world.accounts,
                    approvals=alone,
                ),
                clock=world.durable.clock,
            ),
            names=PartyReferences(party_references.ESCROW, records=world.records, index=names),
            accounts=world.accounts,
            approvals=approvals,
            index=index,
            consignments=world.durable.consignments,
            clock=world.durable.clock,
            holds=None,
        )

    return started


@pytest.fixture
async def escrows(restart: Any) -> Escrows:
    escrows: Escrows = restart()
    await _line(escrows, LINE)
    return escrows


async def _line(escrows: Escrows, limit_minor: int) -> None:
    """How much the payer's bank may owe the payee's."""
    await escrows._books._lines.set(
        Actor(PartyId("exporter-bank"), Role.PARTY),
        peer="importer-bank",
        currency="CNY",
        limit_minor=limit_minor,
    )


@pytest.fixture
def call(escrows: Escrows, serve: Any) -> Any:
    return serve(finance_escrow.routes(escrows))


async def _opened(call: Any, **changes: Any) -> dict[str, Any]:
    answer = await call("POST", "/escrows", _escrow(**changes))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _say(call: Any, what: str, body: dict[str, Any], party: str) -> Any:
    return await call("POST", f"{ONE}/{what}", body, party=party)


async def _paid(world: Any, minor: int) -> bool:
    balances = await world.balances()
    accounts = await world.ledger.accounts("CNY")
    assert sum(account.balance for account in accounts) == 0
    assert all(account.debits_pending == 0 for account in accounts)
    assert balances["importer-bank customer importer"] == 10_000_000 - minor
    return bool(balances["exporter-bank customer exporter"] == minor)


def _from(world: Any, fact: Any, by: str) -> Any:
    scribe = world.durable.scribe
    return scribe.write(
        fact, by=by, aggregate="other/1", version=1, owner=by, visible=(), occurred_at=None
    ).event


async def test_two_of_three_release_the_money_once(world, call, escrows) -> None:
    opened = await _opened(call)
    assert (opened["state"], opened["standing"]) == ("held", "open")
    assert await _opened(call) == opened
    said = await _say(call, "words", {"word": "goods_ok"}, "carrier")
    assert [leaf["met"] for leaf in said.json()["leaves"]] == [False, False, True]
    # What somebody else says in the name of customs is not what was asked for.
    await escrows.handle(_from(world, RELEASED, "carrier"))
    assert (await call("GET", ONE)).json()["state"] == "held"
    event = _from(world, RELEASED, "customs")
    for _ in range(2):
        await escrows.handle(event)
    done = (await call("GET", ONE, party="exporter")).json()
    assert (done["state"], done["reason"]) == ("released", "condition_met")
    assert done["leaves"][1]["because"] == str(event.id)
    assert await _paid(world, AMOUNT)


async def test_a_deadline_that_passes_gives_the_money_back(world, call, restart) -> None:
    await _opened(call)
    await _say(call, "words", {"word": "goods_ok"}, "carrier")
    world.durable.clock.set(Utc.parse("2026-05-02T00:00:59Z"))
    await restart().rounds.tick()
    assert (await call("GET", ONE)).json()["state"] == "held", "events may still be on their way"
    world.durable.clock.set(Utc.parse("2026-05-02T00:01:01Z"))
    await restart().rounds.tick()
    done = (await call("GET", ONE)).json()
    assert (done["state"], done["reason"]) == ("refunded", "condition_lost")
    assert await _paid(world, 0)
    late = await _say(call, "resolutions", {"to_payee_minor": 5, "reason": "x"}, "exporter")
    assert late.json()["code"] == "escrow_decided"


async def test_nothing_decided_until_the_last_day_gives_the_money_back(
    world, call, restart
) -> None:
    await _opened(call, condition=TWO_OF_THREE)
    world.durable.clock.set(Utc.parse("2026-06-01T00:01:01Z"))
    await restart().rounds.tick()
    assert (await call("GET", ONE)).json()["reason"] == "time_over"
    assert await _paid(world, 0)


async def test_papers_that_conflict_later_take_their_yes_back(world, call, escrows) -> None:
    await _opened(call)
    await escrows.handle(_from(world, AGREE, "node"))
    conflict = PapersChecked(consignment="C-1", agree=False, checks=3, documents=[], findings=[])
    await escrows.handle(_from(world, conflict, "node"))
    await _say(call, "words", {"word": "goods_ok"}, "carrier")
    found = (await call("GET", ONE)).json()
    assert ([leaf["met"] for leaf in found["leaves"]], found["state"]) == (
        [False, False, True],
        "held",
    )
    await escrows.handle(_from(world, AGREE, "node"))
    assert (await call("GET", ONE)).json()["state"] == "released"


async def test_what_trade_knew_before_counts_from_the_opening(world, call) -> None:
    world.durable.consignments.papers = AGREE
    found = await _opened(call)
    assert [leaf["met"] for leaf in found["leaves"]] == [True, False, False]


async def test_an_id_that_failed_once_does_not_keep_the_payee_from_the_money(
    world, call, escrows, restart
) -> None:
    await _opened(call)
    payee = await world.accounts.customer("exporter-bank", "exporter", "CNY")
    payer = await world.accounts.customer("importer-bank", "importer", "CNY")
    [burnt] = await world.ledger.submit(
        "CNY",
        [
            Transfer(
                id=transfer_id("escrow", "leg 0", *KEY.split("/")),
                debit_account_id=UUID(payee.account),
                credit_account_id=UUID(payer.account),
                amount=1,
                ledger=ledger_number(Currency("CNY")),
                code=TransferCode.PAYMENT,
            )
        ],
    )
    assert burnt is Result.EXCEEDS_CREDITS
    await _say(call, "words", {"word": "goods_ok"}, "carrier")
    event = _from(world, RELEASED, "customs")
    written = escrows._books.write

    async def crashes(escrow: Any, *facts: Any, **more: Any) -> None:
        if any(isinstance(fact, EscrowSettled) for fact in facts):
            raise Unavailable("the process ends here")
        await written(escrow, *facts, **more)

    escrows._books.write = crashes
    with pytest.raises(Unavailable):
        await escrows.handle(event)
    assert await _paid(world, AMOUNT)
    await restart().rounds.tick()
    assert (await call("GET", ONE)).json()["state"] == "released"
    assert await _paid(world, AMOUNT)


async def test_a_dispute_stops_everything_until_two_sign_the_same_sharing(
    world, call, escrows, restart
) -> None:
    await _opened(call)
    wet = {"reason": "goods were wet"}
    assert (await _say(call, "disputes", wet, "carrier")).status_code == 403
    for _ in range(2):
        assert (await _say(call, "disputes", wet, "importer")).json()["state"] == "disputed"
    await _say(call, "words", {"word": "goods_ok"}, "carrier")
    await escrows.handle(_from(world, RELEASED, "customs"))
    world.durable.clock.set(Utc.parse("2026-07-01T00:00:00Z"))
    await restart().rounds.tick()
    assert (await call("GET", ONE)).json()["state"] == "disputed"
    await _say(
        call, "resolutions", {"to_payee_minor": 700_000, "reason": "a third off"}, "exporter"
    )
    other = await _say(call, "resolutions", {"to_payee_minor": 1, "reason": "no"}, "importer")
    assert other.json()["state"] == "disputed"
    assert (
        await _say(call, "resolutions", {"to_payee_minor": 1, "reason": "no"}, "carrier")
    ).status_code == 403
    done = await _say(
        call, "resolutions", {"to_payee_minor": 700_000, "reason": "fair"}, "operator"
    )
    told = done.json()
    assert (told["state"], told["reason"], told["to_payee_minor"]) == ("shared", "jointly", 700_000)
    assert told["signed_by"] == ["exporter", "operator"]
    assert await _paid(world, 700_000)


async def test_the_payee_may_give_all_back_and_the_payer_may_not_take_it(world, call) -> None:
    await _opened(call)
    back = {"to_payee_minor": 0, "reason": "cannot deliver"}
    assert (await _say(call, "resolutions", back, "importer")).json()["state"] == "held"
    done = await _say(call, "resolutions", back, "exporter")
    assert done.json()["state"] == "refunded"
    assert await _paid(world, 0)


async def test_without_funds_nothing_is_held_and_that_is_the_decision(world, call) -> None:
    found = await _opened(call, amount_minor=10_000_001)
    assert (found["state"], found["reason"]) == ("refunded", "no_funds")
    assert await _paid(world, 0)


async def test_a_crash_between_decision_and_money_is_finished_by_the_next_process(
    world, call, escrows, restart
) -> None:
    await _opened(call)
    escrow = await escrows._books.known(KEY)
    decided = escrows._decided(escrow, "release", "condition_met", AMOUNT)
    await escrows._books.write(escrow, decided, by=escrows._node)
    await world.ledger.submit(
        "CNY", await escrows._books.moves(await escrows._books.known(KEY), AMOUNT)
    )
    for _ in range(2):
        await restart().rounds.tick()
    assert (await call("GET", ONE)).json()["state"] == "released"
    assert await _paid(world, AMOUNT)
    assert await restart()._index.open() == ()


async def test_strangers_find_nothing_and_learn_nothing_of_hidden_consignments(
    world, call, monkeypatch
) -> None:
    await _opened(call)
    for role in ("party", "operator"):
        assert (await call("GET", ONE, party="customs2", role=role)).status_code == 404
    for what, body in (
        ("words", {"word": "goods_ok"}),
        ("disputes", {"reason": "x"}),
        ("resolutions", {"to_payee_minor": 0, "reason": "x"}),
    ):
        assert (await _say(call, what, body, "exporter2")).status_code == 404
    assert (await _say(call, "words", {"word": "other"}, "carrier")).status_code == 403
    assert (await call("POST", "/escrows", _escrow(), party="importer")).status_code == 403
    seen = world.durable.consignments.consignment

    async def hidden(actor: Any, consignment: str) -> Any:
        if actor.party == "exporter":
            raise NotFound("no consignment of that name")
        return await seen(actor, consignment)

    monkeypatch.setattr(world.durable.consignments, "consignment", hidden)
    assert (await call("POST", "/escrows", _escrow(escrow="E-2"))).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"condition": {"kind": "at_least", "count": 3, "of": [GOODS_OK]}},
        {"condition": {"kind": "word", "by": "carrier", "word": "A B"}},
        {"condition": {**PAPERS, "fact": "trade.Other.v1"}},
        {"refund_after": "tomorrow, or the day after"},
        {"payee": "importer"},
        {"arbiter": "exporter"},
        {"amount_minor": 0},
        {"currency": "KZT"},
        {"payee_bank": "nobody"},
        {"unknown": 1},
    ],
)
async def test_what_cannot_be_kept_is_refused_and_nothing_is_written(world, call, changes) -> None:
    written = len(world.durable.journal.written)
    answer = await call("POST", "/escrows", _escrow(**changes))
    assert answer.status_code in (400, 422), answer.text
    assert len(world.durable.journal.written) == written


async def test_above_the_limit_the_second_person_opens_it(world, restart, serve) -> None:
    escrows = restart("CNY 1.00")
    await _line(escrows, LINE)
    call = serve(finance_escrow.routes(escrows))
    for _ in range(2):
        one = await call("POST", "/escrows", _escrow(), person="aigerim")
        assert one.json()["code"] == "needs_two_persons"
    two = await call("POST", "/escrows", _escrow(), person="daniyar")
    assert two.json()["state"] == "held"


async def _theirs(world: Any, escrows: Escrows) -> EscrowOpened:
    """What the exporter's bank opens under the same name, with money of the exporter's."""
    bank = Actor(PartyId("exporter-bank"), Role.PARTY)
    amount = Money(500, Currency("CNY"))
    await world.accounts.deposit(bank, deposit="own", holder="exporter", amount=amount)
    await escrows._books._lines.set(
        Actor(PartyId("importer-bank"), Role.PARTY),
        peer="exporter-bank",
        currency="CNY",
        limit_minor=500,
    )
    return EscrowOpened(
        escrow="E-1",
        payer="exporter",
        payee="importer",
        payer_bank="exporter-bank",
        payee_bank="importer-bank",
        amount_minor="500",
        currency="CNY",
        condition=GOODS_OK,
        refund_after="2026-06-01T00:00:00Z",
        arbiter="",
        reference="",
    )


async def test_two_banks_have_names_of_their_own(world, call, escrows) -> None:
    await _opened(call)
    theirs = await _theirs(world, escrows)
    second = await escrows.open(Actor(PartyId("exporter-bank"), Role.PARTY), theirs)
    assert second.key == "exporter-bank/E-1"
    for bank, amount in (("importer-bank", AMOUNT), ("exporter-bank", 500)):
        mine = await call("GET", ONE, party=bank)
        assert mine.json()["amount_minor"] == amount
    # Who is in both says whose it means; nothing is guessed.
    unsaid = await _say(call, "words", {"word": "goods_ok"}, "carrier")
    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "ambiguous_name")
    said = await _say(call, "words?of=exporter-bank", {"word": "goods_ok"}, "carrier")
    assert (said.status_code, said.json()["state"]) == (201, "released")
    assert (await call("GET", f"{ONE}?of=importer-bank", party="carrier")).json()["state"] == "held"
    for of in ("carrier", "nobody", "../x"):
        assert (await call("GET", f"{ONE}?of={of}", party="carrier")).status_code == 404
    rows = (await call("GET", "/escrows?limit=1", party="carrier")).json()
    assert [row["key"] for row in rows] == ["exporter-bank/E-1"]
    rows = (await call("GET", "/escrows?after=exporter-bank/E-1", party="carrier")).json()
    assert [row["key"] for row in rows] == ["importer-bank/E-1"]


async def test_what_stands_under_its_name_alone_goes_on_and_takes_nobodys_name(
    world, call, escrows, index
) -> None:
    """As a node of before left it: opened and held, without a claim at the payee's bank."""
    condition = conditions.read(_escrow()["condition"])
    told = {"payer_bank": "importer-bank", "amount_minor": str(AMOUNT), "reference": ""}
    plain = {"condition": msgspec.to_builtins(condition)}
    old = EscrowOpened(**{**_escrow(), **told, **plain})
    escrow = Escrow(old, 0, "E-1")
    bank = Actor(PartyId("importer-bank"), Role.PARTY)
    await index.add("E-1", consignments=["C-1"])
    await escrows._books.write(escrow, old, by=bank)
    payer = await world.accounts.customer("importer-bank", "importer", "CNY")
    hold = Transfer(
        id=transfer_id("escrow", "hold", "E-1"),
        debit_account_id=UUID(payer.account),
        credit_account_id=await escrows._books._account(escrow),
        amount=AMOUNT,
        ledger=ledger_number(Currency("CNY")),
        code=TransferCode.RESERVE,
        flags=TransferFlag.PENDING,
    )
    assert [one.value for one in await world.ledger.submit("CNY", [hold])] == ["created"]
    held = EscrowHeld(escrow="E-1", transfer=str(hold.id))
    await escrows._books.write(await escrows._books.known("E-1"), held, by=bank)
    assert (await _opened(call))["key"] == "E-1"
    theirs = await escrows.open(
        Actor(PartyId("exporter-bank"), Role.PARTY), await _theirs(world, escrows)
    )
    assert theirs.key == "exporter-bank/E-1"
    await _say(call, "words?of=importer-bank", {"word": "goods_ok"}, "carrier")
    await escrows.handle(_from(world, RELEASED, "customs"))
    assert (await call("GET", ONE)).json()["state"] == "released"
    balances = await world.balances()
    assert balances["importer-bank customer importer"] == 10_000_000 - AMOUNT


async def test_what_is_held_counts_against_the_line_until_it_is_given_back(
    world, call, escrows
) -> None:
    await _line(escrows, 2 * AMOUNT - 1)
    await _opened(call)
    beyond = await call("POST", "/escrows", _escrow(escrow="E-2"))
    assert (beyond.status_code, beyond.json()["code"]) == (422, "credit_line")
    # No decision meets a closed line: what is held has its room, whatever the line is now.
    await _line(escrows, 0)
    await _say(call, "words", {"word": "goods_ok"}, "carrier")
    await escrows.handle(_from(world, RELEASED, "customs"))
    assert (await call("GET", ONE)).json()["state"] == "released"
    assert await _paid(world, AMOUNT)
    await _line(escrows, 2 * AMOUNT)
    await _opened(call, escrow="E-3")
    back = {"to_payee_minor": 0, "reason": "cannot deliver"}
    await call("POST", "/escrows/E-3/resolutions", back, party="exporter")
    await _opened(call, escrow="E-4")
    both = await asyncio.gather(
        *(call("POST", "/escrows", _escrow(escrow=name)) for name in ("E-5", "E-6"))
    )
    assert [answer.status_code for answer in both] == [422, 422]


async def test_a_round_costs_the_same_however_many_are_open(
    world, escrows, index, monkeypatch
) -> None:
    bank = Actor(PartyId("importer-bank"), Role.PARTY)
    for number in range(3 * OTHERS_MAX):
        asked = {**_escrow(), "escrow": f"E-{number:03}", "amount_minor": "1", "reference": ""}
        await escrows.open(bank, EscrowOpened(**asked, payer_bank="importer-bank"))
    looked: list[str] = []
    look = escrows.look

    async def counted(key: str) -> bool:
        looked.append(key)
        return bool(await look(key))

    monkeypatch.setattr(escrows.rounds, "_look", counted)
    await escrows.rounds.tick()
    assert len(looked) == OTHERS_MAX
    for _ in range(3):
        await escrows.rounds.tick()
    assert len(set(looked)) == 3 * OTHERS_MAX, "all have their turn"
    # Time decides on all of them, whose turn it is or not.
    world.durable.clock.set(Utc.parse("2026-05-02T00:01:01Z"))
    await escrows.rounds.tick()
    assert await index.open() == ()
    assert all(one.debits_pending == 0 for one in await world.ledger.accounts("CNY"))


async def test_one_that_fails_waits_longer_each_time_and_stops_no_other(
    world, escrows, index, monkeypatch
) -> None:
    for key in ("bad", "good"):
        await index.add(key, consignments=[])
    looked: list[str] = []

    async def look(key: str) -> bool:
        looked.append(key)
        if key == "bad":
            raise Refused("not today")
        return True

    monkeypatch.setattr(escrows.rounds, "_look", look)

    async def none(**_: Any) -> tuple[str, ...]:
        return ()

    monkeypatch.setattr(index, "open", none)
    started = world.durable.clock.now()
    for second in range(16):
        world.durable.clock.set(started.plus_ns(second * NS))
        await escrows.rounds.tick()
    assert looked.count("bad") == 5, "after 1, 2, 4 and 8 seconds"
    assert looked.count("good") == 16


async def test_the_sweep_at_the_start_ends_what_a_crash_left_undecided(
    world, call, restart
) -> None:
    """The word was written and the process ended: nothing is due before the deadline."""
    await _opened(call, condition=GOODS_OK)
    escrows = restart()
    escrow = await escrows._books.known(KEY)
    [leaf] = conditions.leaves(escrow.condition)
    await escrows._note(escrow, leaf, by=Actor(PartyId("carrier"), Role.PARTY))
    await restart().rounds.sweep()
    assert (await call("GET", ONE)).json()["state"] == "released"
    assert await _paid(world, AMOUNT)
