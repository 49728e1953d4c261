"""Credit lines over HTTP."""

from __future__ import annotations

from typing import Any

from tests.finance.service.bank_services import BankServices

from zhidao.node.api.finance.credit_lines import routes

LINE = {"peer": "importer-bank", "currency": "CNY", "limit_minor": 1_000}


async def test_a_bank_sets_its_line_and_sees_what_is_owed(world: Any, serve: Any) -> None:
    services = await BankServices(world).ready(line_minor=0)
    call = serve(routes(services.lines))
    path = "/credit-lines"
    for _ in range(2):
        answer = await call("POST", path, LINE, party="exporter-bank")
        assert answer.status_code == 201, answer.text
    _, onward = await services.take("importer-bank", "importer", services.pays(700))
    await services.take("exporter-bank", "importer-bank", onward.data)
    told = (await call("GET", path, party="exporter-bank")).json()
    assert told == [{**LINE, "bank": "exporter-bank", "exponent": 2, "used_minor": 700}]
    after = f"{path}?after=importer-bank/CNY"
    assert (await call("GET", after, party="exporter-bank")).json() == []
    assert (await call("GET", path, party="importer-bank")).json() == []


async def test_what_is_no_line_of_a_bank_is_refused(world: Any, serve: Any) -> None:
    services = await BankServices(world).ready(line_minor=0)
    call = serve(routes(services.lines))
    for body, party, status in (
        (LINE, "exporter", 403),
        (LINE, "importer-bank", 422),
        ({**LINE, "peer": "carrier"}, "exporter-bank", 422),
        ({**LINE, "limit_minor": -1}, "exporter-bank", 400),
        ({**LINE, "limit_minor": 1.5}, "exporter-bank", 400),
        ({**LINE, "currency": "cny"}, "exporter-bank", 400),
        ({**LINE, "bank": "importer-bank"}, "exporter-bank", 400),
    ):
        answer = await call("POST", "/credit-lines", body, party=party)
        assert answer.status_code == status, (body, answer.text)
