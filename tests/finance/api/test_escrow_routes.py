"""Conditional payments over HTTP: each ends once, whole, and by what the parties agreed on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from zhidao.core.errors import NotFound, Unavailable
from zhidao.core.money import Currency
from zhidao.core.timescale import Utc
from zhidao.finance.adapters.memory import MemoryEscrowIndex
from zhidao.finance.adapters.postgres_escrows import PostgresEscrowIndex
from zhidao.finance.domain.approval import Limits
from zhidao.finance.domain.ledger import Result, Transfer, ledger_number
from zhidao.finance.domain.naming import TransferCode, transfer_id
from zhidao.finance.events.banks import EscrowSettled
from zhidao.finance.service.approvals import Approvals
from zhidao.finance.service.escrows import Escrows
from zhidao.node.api import finance_escrow
from zhidao.trade.events import CustomsReleased, PapersChecked

AMOUNT = 1_000_000
ONE = "/escrows/E-1"
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
def restart(world: Any, index: Any) -> Any:
    """A service of a process that starts now and remembers nothing."""

    def started(limits: str = "") -> Escrows:
        approvals = Approvals(
            records=world.records, clock=world.durable.clock, limits=Limits.parse(limits)
        )
        return Escrows(
            records=world.records,
            ledger=world.ledger,
            accounts=world.accounts,
            approvals=approvals,
            index=index,
            consignments=world.durable.consignments,
            clock=world.durable.clock,
        )

    return started


@pytest.fixture
def desk(restart: Any) -> Escrows:
    return restart()


@pytest.fixture
def call(desk: Escrows, serve: Any) -> Any:
    return serve(finance_escrow.routes(desk))


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


async def test_two_of_three_release_the_money_once(world, call, desk) -> None:
    opened = await _opened(call)
    assert (opened["state"], opened["standing"]) == ("held", "open")
    assert await _opened(call) == opened
    said = await _say(call, "words", {"word": "goods_ok"}, "carrier")
    assert [leaf["met"] for leaf in said.json()["leaves"]] == [False, False, True]
    # What somebody else says in the name of customs is not what was asked for.
    await desk.handle(_from(world, RELEASED, "carrier"))
    assert (await call("GET", ONE)).json()["state"] == "held"
    event = _from(world, RELEASED, "customs")
    for _ in range(2):
        await desk.handle(event)
    done = (await call("GET", ONE, party="exporter")).json()
    assert (done["state"], done["reason"]) == ("released", "condition_met")
    assert done["leaves"][1]["because"] == str(event.id)
    assert await _paid(world, AMOUNT)


async def test_a_deadline_that_passes_gives_the_money_back(world, call, restart) -> None:
    await _opened(call)
    await _say(call, "words", {"word": "goods_ok"}, "carrier")
    world.durable.clock.set(Utc.parse("2026-05-02T00:00:59Z"))
    await restart().tick()
    assert (await call("GET", ONE)).json()["state"] == "held", "events may still be on their way"
    world.durable.clock.set(Utc.parse("2026-05-02T00:01:01Z"))
    await restart().tick()
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
    await restart().tick()
    assert (await call("GET", ONE)).json()["reason"] == "time_over"
    assert await _paid(world, 0)


async def test_papers_that_conflict_later_take_their_yes_back(world, call, desk) -> None:
    await _opened(call)
    await desk.handle(_from(world, AGREE, "node"))
    conflict = PapersChecked(consignment="C-1", agree=False, checks=3, documents=[], findings=[])
    await desk.handle(_from(world, conflict, "node"))
    await _say(call, "words", {"word": "goods_ok"}, "carrier")
    found = (await call("GET", ONE)).json()
    assert ([leaf["met"] for leaf in found["leaves"]], found["state"]) == (
        [False, False, True],
        "held",
    )
    await desk.handle(_from(world, AGREE, "node"))
    assert (await call("GET", ONE)).json()["state"] == "released"


async def test_what_trade_knew_before_counts_from_the_opening(world, call) -> None:
    world.durable.consignments.papers = AGREE
    found = await _opened(call)
    assert [leaf["met"] for leaf in found["leaves"]] == [True, False, False]


async def test_an_id_that_failed_once_does_not_keep_the_payee_from_the_money(
    world, call, desk, restart
) -> None:
    await _opened(call)
    payee = await world.accounts.customer("exporter-bank", "exporter", "CNY")
    payer = await world.accounts.customer("importer-bank", "importer", "CNY")
    [burnt] = await world.ledger.submit(
        "CNY",
        [
            Transfer(
                id=transfer_id("escrow", "leg 0", "E-1"),
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
    written = desk._write

    async def crashes(escrow: Any, *facts: Any, **more: Any) -> None:
        if any(isinstance(fact, EscrowSettled) for fact in facts):
            raise Unavailable("the process ends here")
        await written(escrow, *facts, **more)

    desk._write = crashes
    with pytest.raises(Unavailable):
        await desk.handle(event)
    assert await _paid(world, AMOUNT)
    await restart().tick()
    assert (await call("GET", ONE)).json()["state"] == "released"
    assert await _paid(world, AMOUNT)


async def test_a_dispute_stops_everything_until_two_sign_the_same_sharing(
    world, call, desk, restart
) -> None:
    await _opened(call)
    wet = {"reason": "goods were wet"}
    assert (await _say(call, "disputes", wet, "carrier")).status_code == 403
    for _ in range(2):
        assert (await _say(call, "disputes", wet, "importer")).json()["state"] == "disputed"
    await _say(call, "words", {"word": "goods_ok"}, "carrier")
    await desk.handle(_from(world, RELEASED, "customs"))
    world.durable.clock.set(Utc.parse("2026-07-01T00:00:00Z"))
    await restart().tick()
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
    world, call, desk, restart
) -> None:
    await _opened(call)
    escrow = await desk._known("E-1")
    decided = desk._decided(escrow, "release", "condition_met", AMOUNT)
    await desk._write(escrow, decided, by=desk._node)
    await world.ledger.submit("CNY", await desk._moves(await desk._known("E-1"), AMOUNT))
    for _ in range(2):
        await restart().tick()
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
    call = serve(finance_escrow.routes(restart("CNY 1.00")))
    for _ in range(2):
        one = await call("POST", "/escrows", _escrow(), person="aigerim")
        assert one.json()["code"] == "needs_two_persons"
    two = await call("POST", "/escrows", _escrow(), person="daniyar")
    assert two.json()["state"] == "held"
