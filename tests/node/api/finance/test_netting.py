"""Netting cycles over HTTP: who owes what, what waits, and that money moves once and whole."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Refused
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency, Money
from zhidao.finance.adapters.memory import MemoryNameIndex
from zhidao.finance.domain.ledger.ledger import Result, Transfer
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.events.banks import NettingOpened, NettingSettled
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.control.party_references import PartyReferences
from zhidao.finance.service.receivables.netting import Cycle, Nettings
from zhidao.node.api.finance import netting as finance_netting

PARTIES = ("importer", "exporter", "carrier")
OPENED = {"cycle": "2026-05-01", "currency": "CNY", "participants": list(PARTIES)}
ONE = "/netting/2026-05-01"
KEY = "exporter-bank/2026-05-01"


def _nettings(world: Any, limits: str = "", index: Any = None) -> Nettings:
    approvals = Approvals(
        records=world.records, clock=world.durable.clock, limits=Limits.parse(limits)
    )
    return Nettings(
        records=world.records,
        ledger=world.ledger,
        accounts=world.accounts,
        approvals=approvals,
        names=PartyReferences("netting", records=world.records, index=index or MemoryNameIndex()),
        holds=None,
    )


@pytest.fixture
async def call(world: Any, facts: Any, serve: Any) -> Any:
    for holder in PARTIES:
        await world.accounts.open(
            facts.actor("exporter-bank"),
            holder=holder,
            currency="CNY",
            name=f"{holder} 公司" if holder == "exporter" else holder,
            town="Xi'an",
            country="CN",
        )
    return serve(finance_netting.routes(_nettings(world)))


async def _money(world: Any, facts: Any, holder: str, minor: int) -> None:
    await world.accounts.deposit(
        facts.actor("exporter-bank"),
        deposit=f"for {holder} {minor}",
        holder=holder,
        amount=Money(minor, Currency("CNY")),
    )


async def _owe(call: Any, party: str, batch: str, *owed: tuple[str, int]) -> Any:
    body = {
        "batch": batch,
        "obligations": [
            {"creditor": creditor, "amount_minor": minor, "reference": f"{batch}-{n}"}
            for n, (creditor, minor) in enumerate(owed)
        ],
    }
    return await call("POST", f"{ONE}/obligations", body, party=party)


async def _opened(call: Any) -> None:
    answer = await call("POST", "/netting", OPENED, party="exporter-bank")
    assert answer.status_code == 201, answer.text


async def test_a_ring_of_debts_settles_with_what_is_left_of_it(world, facts, call) -> None:
    await _opened(call)
    await _money(world, facts, "carrier", 40)
    for _ in range(2):
        await _owe(call, "importer", "a", ("exporter", 100))
        await _owe(call, "exporter", "b", ("carrier", 100))
        await _owe(call, "carrier", "c", ("importer", 140))
    mine = (await call("GET", ONE, party="importer")).json()
    assert mine["positions"] == [{"party": "importer", "net_minor": 40}]
    assert {(o["debtor"], o["amount_minor"]) for o in mine["obligations"]} == {
        ("importer", 100),
        ("carrier", 140),
    }
    assert mine["liquidity"] == []
    seen = (await call("GET", ONE, party="exporter-bank")).json()
    assert (seen["count"], seen["gross_minor"], seen["needed_minor"]) == (3, 340, 40)
    # One by one it takes 100 to start the ring and the 40 that stay; netted only those 40.
    assert [each["needed_minor"] for each in seen["liquidity"]] == [40, 140]
    for _ in range(2):
        done = await call("POST", f"{ONE}/settlement", party="exporter-bank")
        assert (done.status_code, done.json()["state"]) == (201, "settled"), done.text
        assert done.json()["moved_minor"] == 40
    balances = await world.balances()
    assert balances["exporter-bank customer importer"] == 40
    assert balances["exporter-bank customer carrier"] == 0
    assert balances["exporter-bank clearing exporter-bank"] == 0
    late = await _owe(call, "importer", "late", ("exporter", 1))
    assert (late.status_code, late.json()["code"]) == (422, "netting_closed")


async def test_who_lacks_money_waits_with_the_newest_and_the_rest_settles(
    world, facts, call
) -> None:
    await _opened(call)
    await _money(world, facts, "importer", 100)
    await _owe(call, "importer", "a", ("exporter", 70), ("carrier", 50))
    done = (await call("POST", f"{ONE}/settlement", party="exporter-bank")).json()
    assert [o["waits"] for o in done["obligations"]] == [False, True]
    assert (done["settled_minor"], done["moved_minor"], done["gross_minor"]) == (70, 70, 120)
    assert (await world.balances())["exporter-bank customer importer"] == 30


async def test_strangers_and_participants_see_only_what_is_theirs(call) -> None:
    await _opened(call)
    await _owe(call, "importer", "a", ("exporter", 70))
    carrier = (await call("GET", ONE, party="carrier")).json()
    assert (carrier["obligations"], carrier["gross_minor"]) == ([], 70)
    for path in (ONE, f"{ONE}/obligations", f"{ONE}/settlement"):
        method = "GET" if path == ONE else "POST"
        body = None if path != f"{ONE}/obligations" else {
            "batch": "x", "obligations": [{"creditor": "a", "amount_minor": 1, "reference": "r"}]
        }  # fmt: skip
        answer = await call(method, path, body, party="customs")
        assert answer.status_code == 404, path
    assert (await call("GET", "/netting", party="customs")).json() == []
    assert (await call("POST", f"{ONE}/settlement", party="importer")).status_code == 403
    assert (await call("POST", "/netting", OPENED, party="importer")).status_code == 403
    assert (await call("POST", "/netting", OPENED, party="importer-bank")).status_code == 422


async def test_a_batch_stands_for_one_content_and_one_debtor(call) -> None:
    await _opened(call)
    await _owe(call, "importer", "a", ("exporter", 70))
    assert (await _owe(call, "importer", "a", ("exporter", 71))).status_code == 409
    assert (await _owe(call, "exporter", "a", ("importer", 71))).status_code == 201
    assert (await _owe(call, "importer", "b", ("importer", 1))).status_code == 422
    assert (await _owe(call, "importer", "b", ("customs", 1))).status_code == 422
    assert (await _owe(call, "importer", "b", ("exporter", 0))).status_code in (400, 422)


async def test_a_settlement_cut_off_before_its_note_is_finished_and_pays_once(
    world, facts, call
) -> None:
    await _opened(call)
    await _money(world, facts, "importer", 100)
    await _owe(call, "importer", "a", ("exporter", 70))
    nettings = _nettings(world)
    bank = Actor(PartyId("exporter-bank"), Role.PARTY)
    await nettings._decide(bank, await nettings._known(KEY))
    legs: list[Transfer] = await nettings._legs(await nettings._known(KEY))
    assert (await world.ledger.submit("CNY", legs))[0] is Result.CREATED
    # The process ended here; another one starts.
    await _nettings(world).resume()
    done = (await call("GET", ONE, party="exporter-bank")).json()
    assert (done["state"], done["attempts"]) == ("settled", 1)
    assert (await world.balances())["exporter-bank customer importer"] == 30


async def test_money_that_left_after_the_decision_leads_to_another_one(world, facts, call) -> None:
    await _opened(call)
    await _money(world, facts, "importer", 100)
    await _owe(call, "importer", "a", ("exporter", 70), ("carrier", 20))
    nettings = _nettings(world)
    bank = Actor(PartyId("exporter-bank"), Role.PARTY)
    await nettings._decide(bank, await nettings._known(KEY))
    first = (await nettings._legs(await nettings._known(KEY)))[0]
    spent = Transfer(
        id=first.id.__class__(int=99),
        debit_account_id=first.debit_account_id,
        credit_account_id=first.credit_account_id,
        amount=25,
        ledger=first.ledger,
        code=4,
    )
    assert (await world.ledger.submit("CNY", [spent]))[0] is Result.CREATED
    done = (await call("POST", f"{ONE}/settlement", party="exporter-bank")).json()
    assert (done["state"], done["attempts"], done["moved_minor"]) == ("settled", 2, 70)
    assert (await world.balances())["exporter-bank customer importer"] == 5


async def test_above_the_limit_the_settlement_takes_two_persons(world, facts, call, serve) -> None:
    await _opened(call)
    await _money(world, facts, "importer", 100)
    await _owe(call, "importer", "a", ("exporter", 70))
    strict = serve(finance_netting.routes(_nettings(world, "CNY 0.50")))
    path = f"{ONE}/settlement"
    for _ in range(2):
        alone = await strict("POST", path, party="exporter-bank", person="li")
        assert alone.json()["code"] == "needs_two_persons"
    both = await strict("POST", path, party="exporter-bank", person="wang")
    assert both.json()["state"] == "settled"


async def test_what_came_after_the_approval_is_not_settled_by_it(
    world, facts, call, monkeypatch
) -> None:
    await _opened(call)
    await _money(world, facts, "importer", 100)
    await _owe(call, "importer", "a", ("exporter", 70))
    nettings = _nettings(world, "CNY 0.50")
    demand = nettings._approvals.demand

    async def slow(*args: Any, **said: Any) -> None:
        await demand(*args, **said)
        await _owe(call, "importer", "b", ("exporter", 30))

    monkeypatch.setattr(nettings._approvals, "demand", slow)
    for person in ("li", "wang"):
        with pytest.raises(Refused):
            await nettings.settle(Actor(PartyId("exporter-bank"), Role.PARTY, person), KEY)
    assert (await call("GET", ONE, party="exporter-bank")).json()["state"] == "open"
    assert (await world.balances())["exporter-bank customer importer"] == 100


async def test_a_start_does_not_begin_again_what_ended_without_settling(world, facts, call) -> None:
    await _opened(call)
    await _money(world, facts, "importer", 100)
    await _owe(call, "importer", "a", ("exporter", 70))
    nettings = _nettings(world)
    bank = Actor(PartyId("exporter-bank"), Role.PARTY)
    await nettings._decide(bank, await nettings._known(KEY))
    known = await nettings._known(KEY)
    failed = NettingSettled(cycle="2026-05-01", attempt=1, done=False, reason="exceeds_credits")
    await nettings._write(bank, known, failed, [])
    await _nettings(world).resume()
    assert (await world.balances())["exporter-bank customer importer"] == 100


async def test_two_banks_have_cycles_of_the_same_name_and_old_ones_stay_where_they_are(
    world, facts, serve
) -> None:
    for bank in ("importer-bank", "exporter-bank"):
        for holder in PARTIES:
            place = {"name": holder, "town": "A", "country": "CN"}
            with contextlib.suppress(Conflict):
                await world.accounts.open(facts.actor(bank), holder=holder, currency="CNY", **place)
    nettings = _nettings(world)
    call = serve(finance_netting.routes(nettings))
    before = NettingOpened(
        cycle="2026-05-01", bank="exporter-bank", currency="CNY", participants=sorted(PARTIES)
    )
    parties = [PartyId(party) for party in PARTIES]
    old = Cycle(before, 0, "2026-05-01")
    await nettings._write(facts.actor("exporter-bank"), old, before, parties)
    for bank, key in (
        ("importer-bank", "importer-bank/2026-05-01"),
        ("exporter-bank", "2026-05-01"),
    ):
        for _ in range(2):
            opened = await call("POST", "/netting", OPENED, party=bank)
            assert (opened.status_code, opened.json()["key"]) == (201, key), opened.text
    unsaid = await _owe(call, "carrier", "b-1", ("importer", 3))
    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "ambiguous_name")
    owed = {"creditor": "importer", "amount_minor": 3, "reference": "r"}
    body = {"batch": "b-1", "obligations": [owed]}
    for bank in ("importer-bank", "exporter-bank"):
        said = await call("POST", f"{ONE}/obligations?of={bank}", body, party="carrier")
        assert (said.status_code, said.json()["bank"]) == (201, bank), said.text
        assert (await call("GET", ONE, party=bank)).json()["count"] == 1
