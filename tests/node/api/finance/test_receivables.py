"""The receivables registry over HTTP: one invoice, one pledge, and a look-up that tells nobody."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.domain.receivables.receivable import invoice_key
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.payments.customer_payments import CustomerPayments
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.receivables.registry import Receivables
from zhidao.finance.wire.blinded import ask, finish, secret_of
from zhidao.node.api.finance import receivables as finance_receivables

OWED = {
    "obligor": "DK 12345674",
    "obligor_party": "importer",
    "supplier": "CN 91320594MA1ABCDE7X",
    "invoice": "INV-2026-0417",
    "shipment": "C-1",
    "amount_minor": 4_440_000,
    "currency": "EUR",
    "due_on": "2026-12-15",
}


async def _shipped(shipment: str) -> bool:
    return shipment != "NOWHERE"


def paid_of(world: Any) -> CustomerPayments:
    directory = Directory(world.records, world.accounts)
    return CustomerPayments(world.ledger, world.accounts, directory)


def _registry(world: Any, **options: Any) -> Receivables:
    return Receivables(
        node="node",
        nodes=options.pop("nodes", ["node"]),
        secret=secret_of(b"node"),
        records=world.records,
        clock=world.durable.clock,
        shipped=_shipped,
        paid=paid_of(world).payment,
        randomness=world.durable.randomness,
        approvals=Approvals(
            records=world.records, clock=world.durable.clock, limits=Limits.parse("")
        ),
        holds=None,
        **options,
    )


@pytest.fixture
def call(world: Any, serve: Any) -> Any:
    return serve(finance_receivables.routes(_registry(world), paid_of(world)))


async def _registered(call: Any, *, confirm: bool = True) -> str:
    answer = await call("POST", "/receivables", OWED, party="exporter")
    assert answer.status_code == 201, answer.text
    path = f"/receivables/{answer.json()['token']}"
    if confirm:
        assert (await call("POST", f"{path}/confirmation", party="importer")).status_code == 201
    return path


def _share(name: str, minor: int, holder: str = "exporter-bank") -> dict[str, Any]:
    return {"share": name, "holder": holder, "amount_minor": minor}


async def test_a_receivable_from_registration_to_release(call: Any) -> None:
    path = await _registered(call, confirm=False)
    early = await call("POST", f"{path}/shares", _share("s1", 1), party="exporter")
    assert (early.status_code, early.json()["code"]) == (422, "not_confirmed")
    for party in ("exporter", "customs"):
        answer = await call("POST", f"{path}/confirmation", party=party)
        assert answer.status_code == (403 if party == "exporter" else 404)
    await call("POST", f"{path}/confirmation", party="importer")
    for _ in range(2):
        pledged = await call("POST", f"{path}/shares", _share("s1", 4_000_000), party="exporter")
        assert pledged.json()["free_minor"] == 440_000
    twice = await call("POST", f"{path}/shares", _share("s2", 440_001, "customs"), party="exporter")
    assert (twice.status_code, twice.json()["code"]) == (422, "double_pledge")
    moved = {"step": "assign", "to": "importer-bank"}
    step = f"{path}/shares/s1/steps"
    assert (await call("POST", step, moved, party="exporter")).json()["code"] == "not_holder"
    assigned = await call("POST", step, moved, party="exporter-bank")
    assert assigned.json()["shares"][0]["holder"] == "importer-bank"
    freed = await call("POST", step, {"step": "release"}, party="importer-bank")
    assert freed.json()["free_minor"] == 4_440_000


async def test_other_parties_find_nothing(call: Any) -> None:
    path = await _registered(call)
    for role in ("party", "operator"):
        assert (await call("GET", path, party="carrier", role=role)).status_code == 404
        assert (await call("GET", "/receivables", party="carrier", role=role)).json() == []
    assert (
        await call("POST", f"{path}/shares", _share("s", 1), party="carrier")
    ).status_code == 404
    mine = (await call("GET", "/receivables", party="importer")).json()
    assert [each["confirmed"] for each in mine] == [True]


async def test_of_many_pledges_at_once_exactly_as_many_succeed_as_fit(call: Any) -> None:
    path = await _registered(call)
    answers = await asyncio.gather(
        *(
            call("POST", f"{path}/shares", _share(f"s{n}", 1_000_000), party="exporter")
            for n in range(12)
        )
    )
    won = [answer for answer in answers if answer.status_code == 201]
    left = (await call("GET", path, party="exporter")).json()
    assert len(left["shares"]) == len(won) <= 4
    assert {a.json()["code"] for a in answers if a.status_code != 201} <= {
        "double_pledge",
        "conflict",
    }


async def test_a_blinded_question_leads_to_the_token_and_plain_words_do_too(
    world: Any, call: Any
) -> None:
    path = await _registered(call)
    key = invoice_key(OWED["obligor"], OWED["supplier"], invoice="inv 2O26 0417")
    question = ask(key, world.durable.randomness)
    told = await call(
        "POST", "/receivables/questions", {"blinded": question.blinded.hex()}, party="customs"
    )
    token = finish(question, bytes.fromhex(told.json()["answer"]))
    assert path.endswith(token)
    free = await call("GET", f"/receivables/free/{token}", party="customs")
    assert free.json() == {"token": token, "free": False}
    wanted = {name: OWED[name] for name in ("obligor", "supplier", "invoice")}
    assert (await call("POST", "/receivables/look-up", wanted)).json()["free"] is False
    other = wanted | {"invoice": "INV-9999"}
    assert (await call("POST", "/receivables/look-up", other)).json()["free"] is True


async def test_questions_are_counted_and_another_home_is_named(world: Any, serve: Any) -> None:
    few = serve(finance_receivables.routes(_registry(world, questions_a_day_max=2), paid_of(world)))
    wanted = {name: OWED[name] for name in ("obligor", "supplier", "invoice")}
    codes = [(await few("POST", "/receivables/look-up", wanted)).status_code for _ in range(3)]
    assert codes == [200, 200, 422]
    nodes = ["node", *(f"node-{n}" for n in range(20))]
    far = serve(finance_receivables.routes(_registry(world, nodes=nodes), paid_of(world)))
    for path, body in (("/receivables", OWED), ("/receivables/look-up", wanted)):
        answer = await far("POST", path, body, party="exporter")
        assert (answer.status_code, answer.json()["code"]) == (422, "not_home")
        assert answer.json()["remedy"].startswith("ask node-")


@pytest.mark.parametrize(
    "changes",
    [
        {"shipment": "NOWHERE"},
        {"amount_minor": 0},
        {"amount_minor": "1"},
        {"currency": "XXX"},
        {"due_on": "2026-13-01"},
        {"obligor": "---"},
        {"obligor_party": "a b"},
        {"unknown": 1},
    ],
)
async def test_what_cannot_be_owed_is_refused(world: Any, call: Any, changes: Any) -> None:
    written = len(world.durable.journal.written)
    answer = await call("POST", "/receivables", OWED | changes, party="exporter")
    assert answer.status_code in (400, 422), answer.text
    assert len(world.durable.journal.written) == written


async def test_an_invoice_in_other_clothes_is_registered_already(call: Any) -> None:
    await _registered(call)
    for changes in ({"invoice": "inv 2O26-O4I7"}, {"invoice": "INV-2", "amount_minor": 5}):
        again = await call("POST", "/receivables", OWED | changes, party="exporter")
        assert (again.status_code, again.json()["code"]) == (409, "already_registered")


@pytest.mark.parametrize("role", ["auditor", "admin", "operator"])
async def test_only_who_acts_for_a_party_signs_its_debts(world: Any, call: Any, role: str) -> None:
    path = await _registered(call, confirm=False)
    bare = await _registered_another(call)
    written = len(world.durable.journal.written)
    tries: list[tuple[str, str, Any]] = [
        ("exporter", "/receivables", OWED | {"invoice": "INV-7", "shipment": "C-7"}),
        ("importer", f"{path}/confirmation", None),
        ("exporter", f"{bare}/shares", _share("s9", 1)),
        ("exporter-bank", f"{bare}/shares/s1/steps", {"step": "assign", "to": "importer-bank"}),
        ("exporter-bank", f"{bare}/shares/s1/steps", {"step": "release"}),
        ("importer", f"{bare}/payment", {"transfer": str(UUID(int=7))}),
        ("importer", f"{bare}/dispute", {"reason": "short"}),
        ("importer", "/receivables/questions", {"blinded": _point(world)}),
        ("importer", "/receivables/look-up", {k: OWED[k] for k in _INVOICE}),
    ]
    for party, where, body in tries:
        answer = await call("POST", where, body, party=party, role=role)
        assert (answer.status_code, where) == (403, where), answer.text
    assert len(world.durable.journal.written) == written


@pytest.mark.parametrize("act", ["", "confirmation", "dispute"])
async def test_an_unknown_receivable_is_unknown_to_an_auditor_too(call: Any, act: str) -> None:
    path = f"/receivables/{'0' * 64}"
    if not act:
        answer = await call("GET", path, role="auditor")
        assert answer.status_code == 404, answer.text
        return
    body = {"reason": "short"} if act == "dispute" else None
    for role, status in (("auditor", 403), ("party", 404)):
        answer = await call("POST", f"{path}/{act}", body, party="importer", role=role)
        assert answer.status_code == status, answer.text


_INVOICE = ("obligor", "supplier", "invoice")


async def _registered_another(call: Any) -> str:
    """A confirmed receivable with a share `s1` that the exporter's bank holds."""
    other = OWED | {"invoice": "INV-8", "shipment": "C-8"}
    token = (await call("POST", "/receivables", other, party="exporter")).json()["token"]
    path = f"/receivables/{token}"
    assert (await call("POST", f"{path}/confirmation", party="importer")).status_code == 201
    pledged = await call("POST", f"{path}/shares", _share("s1", 5), party="exporter")
    assert pledged.status_code == 201, pledged.text
    return path


def _point(world: Any) -> str:
    return ask(invoice_key("A", "B", invoice="1"), world.durable.randomness).blinded.hex()
