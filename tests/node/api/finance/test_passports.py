"""A passport over HTTP: made of what the ledger paid, shown in part, checked by a stranger."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.node.api.finance.test_receivables import OWED, _registered, _registry, paid_of

from zhidao.cli.main import main
from zhidao.core.ids import PartyId
from zhidao.core.journal import FixedKeyRing
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc
from zhidao.finance.domain.ledger.ledger import Transfer, ledger_number
from zhidao.finance.service.receivables.passports import Passports
from zhidao.node.api.finance import passports as finance_passports
from zhidao.node.api.finance import receivables as finance_receivables
from zhidao.trust.service.credentials.selective import SelectiveCredentialService

PATH = "/passport"
PAID = UUID(int=77)
ASK = {"audience": "bank", "nonce": "7f31"}


def _key(party: str) -> SoftwareKey:
    return SoftwareKey(Algorithm.ED25519, hashlib.sha256(party.encode()).digest())


@pytest.fixture
async def call(world: Any, facts: Any, serve: Any) -> Any:
    durable, registry = world.durable, _registry(world)
    node = _key("node")
    passports = Passports(
        node="node",
        records=world.records,
        receivables=registry,
        credentials=SelectiveCredentialService(
            ring=FixedKeyRing({PartyId(name): _key(name) for name in ("exporter", "importer")}),
            node_key=node,
            own=lambda key: key == node.public,
            clock=durable.clock,
            randomness=durable.randomness,
        ),
        archive=durable.archive,
        clock=durable.clock,
    )
    return serve(
        finance_receivables.routes(registry, paid_of(world)), finance_passports.routes(passports)
    )


async def _paid(world: Any, facts: Any, call: Any) -> str:
    """A confirmed receivable that a transfer in the ledger paid."""
    accounts = {}
    for holder in ("importer", "exporter"):
        opened = await world.accounts.open(
            facts.actor("importer-bank"),
            holder=holder, currency="EUR", name=holder, town="A", country="DK",
        )  # fmt: skip
        accounts[holder] = UUID(opened.opened.account)
    await world.accounts.deposit(
        facts.actor("importer-bank"),
        deposit="d", holder="importer", amount=Money(OWED["amount_minor"], Currency("EUR")),
    )  # fmt: skip
    path = await _registered(call)
    early = await call("POST", f"{path}/payment", {"transfer": str(PAID)}, party="exporter")
    assert (early.status_code, early.json()["code"]) == (422, "not_paid")
    await world.ledger.submit(
        "EUR",
        [
            Transfer(
                PAID, accounts["importer"], accounts["exporter"], OWED["amount_minor"],
                ledger=ledger_number(Currency("EUR")), code=1,
            )
        ],
    )  # fmt: skip
    for _ in range(2):
        paid = await call("POST", f"{path}/payment", {"transfer": str(PAID)}, party="exporter")
        assert paid.status_code == 201, paid.text
        assert paid.json()["paid_on"]
    return path


async def _shown(call: Any, *show: str) -> str:
    answer = await call("POST", f"{PATH}/presentations", {"show": list(show), **ASK}, party="exporter")  # fmt: skip
    assert answer.status_code == 200, answer.text
    return str(answer.json()["presentation"])


async def test_only_what_is_chosen_is_shown_and_holds(world, facts, call) -> None:
    await _paid(world, facts, call)
    made = await call("POST", PATH, party="exporter")
    assert made.status_code == 201, made.text
    assert made.json()["claims"]["turnover"] == [
        {"currency": "EUR", "exponent": 2, "paid_minor": "4440000"}
    ]
    assert (await call("POST", PATH, party="exporter")).json() == made.json()
    shown = await _shown(call, "turnover", "days_late")
    verdict = (await call("POST", f"{PATH}/verify", {"presentation": shown, **ASK}, party="bank")).json()  # fmt: skip
    assert (verdict["holds"], verdict["issued_here"]) == (True, True)
    claims = verdict["claims"]
    assert claims["turnover"] == [{"currency": "EUR", "exponent": 2, "paid_minor": "4440000"}]
    assert claims["facts"]["count"] == 1
    assert not {"buyers", "disputes", "days_to_pay", "receivables", "supplier"} & set(claims)
    # Not only left out of the answer: nothing in the bytes tells the rest.
    assert "CN 91320594MA1ABCDE7X" not in shown


async def test_another_reader_another_question_and_changed_claims_do_not_hold(
    world, facts, call, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    await _paid(world, facts, call)
    await call("POST", PATH, party="exporter")
    shown, other = await _shown(call, "turnover"), await _shown(call, "buyers")
    parts, more = shown.split("~"), other.split("~")
    bad = {
        "bad_key_binding": [
            {"presentation": shown, **ASK, "nonce": "7f32"},
            {"presentation": shown, **ASK, "audience": "another"},
            {"presentation": "~".join([*parts[:-1], ""]), **ASK},
            {"presentation": "~".join([parts[0], more[1], parts[-1]]), **ASK},
        ],
        "bad_token": [{"presentation": "no token", **ASK}],
    }
    for code, bodies in bad.items():
        for body in bodies:
            verdict = (await call("POST", f"{PATH}/verify", body, party="bank")).json()
            assert (verdict["holds"], verdict["code"], verdict["claims"]) == (False, code, {})
    # The command checks the file alone.
    file = tmp_path / "shown.sdjwt"
    file.write_text(shown)
    monkeypatch.setattr(time, "time", lambda: Utc.parse("2026-05-01T12:00:00Z").unix_ns / 1e9)
    words = ["finance", "passport", "verify", str(file), "--audience", "bank", "--json"]
    for nonce, status in (("7f31", 0), ("other", 1)):
        capsys.readouterr()
        assert main([*words, "--nonce", nonce]) == status
        assert json.loads(capsys.readouterr().out)["holds"] is (status == 0)
    assert main([*words, "--nonce", "7f31", "--issuer", "did:key:zOther"]) == 1
    world.durable.clock.set(Utc.parse("2027-06-01T00:00:00Z"))
    late = await call("POST", f"{PATH}/verify", {"presentation": shown, **ASK}, party="bank")
    assert late.json()["code"] == "expired"


async def test_nobody_sees_or_makes_anothers_passport(world, facts, call) -> None:
    await _paid(world, facts, call)
    assert (await call("GET", PATH, party="exporter")).json() == []
    made = await call("POST", PATH, party="exporter")
    assert (await call("GET", PATH, party="exporter")).json() == [made.json()]
    for stranger in ("importer", "carrier"):
        assert (await call("GET", PATH, party=stranger)).json() == []
        none = await call("POST", PATH, party=stranger)
        assert (none.status_code, none.json()["code"]) == (422, "no_receivables")
        show = {"show": ["turnover"], **ASK}
        answer = await call("POST", f"{PATH}/presentations", show, party=stranger)
        assert (answer.status_code, answer.json()["code"]) == (422, "no_passport")
    assert (await call("POST", PATH, party="exporter", role="auditor")).status_code == 403
    for show in (["iss"], ["facts"], ["turnover"] * 9):
        body = {"show": show, **ASK}
        answer = await call("POST", f"{PATH}/presentations", body, party="exporter")
        assert answer.status_code in (400, 422), answer.text
