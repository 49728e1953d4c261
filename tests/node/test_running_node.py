"""A real node after a whole road: who may see what, what its log says, what its API promises."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from benchmarks.load_client import Caller
from tests.node.live_node import one_node_corridor
from tests.stalls import check_stalls

from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.operations.tracing import trace_of_consignment
from zhidao.simulation import participants
from zhidao.simulation.scenario import simulated_scenario

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(300)]
CONSIGNMENT = "zd-2026-0417"
DEAL = f"deal-{CONSIGNMENT}"
PASSPHRASE = "throw-away keys of a demonstration"


# Of each kind of caller one; the last has no token.
CALLERS = {
    "auditor": "inspector",
    "admin": "admin",
    "operator": "corridor",
    "owner": "exporter",
    "stranger": "stranger",
    "nobody": "",
}
_FUZZ_SEED = 417
_LONG_FUZZ_S = 1800


@dataclass(frozen=True, slots=True)
class Running:
    """A node that serves, with a token for each party, an admin's, and a stranger's."""

    url: str
    log: Path
    tokens: dict[str, str]

    def get(self, path: str, caller: str = "") -> httpx.Response:
        return self.ask("GET", path, caller)

    def ask(self, method: str, path: str, caller: str = "", **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[caller]}"} if caller else {}
        headers |= more.pop("headers", {})
        return httpx.request(method, self.url + path, headers=headers, timeout=30, **more)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("n")
    assert asyncio.run(one_node_corridor(folder)).paid
    environment = os.environ | {
        "ZHIDAO_NODE_NAME": "corridor",
        "ZHIDAO_NODE_DEMO": "true",
        "ZHIDAO_HTTP_TLS": "off",
        "ZHIDAO_HTTP_PORT": "0",
        "ZHIDAO_HTTP_REQUESTS_PER_SECOND": "0",
        "ZHIDAO_HTTP_REFUSALS_PER_SECOND": "0",
        "ZHIDAO_KEYS_PASSPHRASE_FILE": str(folder / "passphrase"),
    }
    serve = [sys.executable, "-m", "zhidao.cli", "serve", "--json", "--data", str(folder / "node")]
    with (folder / "second.log").open("wb") as log:
        process = subprocess.Popen(serve, env=environment, stdout=log, stderr=log)
    try:
        state = _state(folder / "node" / "node.json", process)
        tokens = json.loads((folder / "tokens.json").read_text())
        tokens |= _more_tokens(state)
        yield Running(state["url"], folder / "node.log", tokens)
    finally:
        process.terminate()
        process.wait(30)
        check_stalls((folder / "second.log").read_bytes(), folder / "second.log")


def _state(file: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    for _ in range(900):
        if file.exists() and file.read_bytes().endswith(b"}"):
            state: dict[str, Any] = json.loads(file.read_bytes())
            if state["pid"] == process.pid:
                return state
        time.sleep(0.1)
    raise AssertionError("the node does not come up")


def _more_tokens(state: dict[str, Any]) -> dict[str, str]:
    with httpx.Client(base_url=state["url"]) as client:
        entered = client.post("/v1/session/link", json={"code": state["admin_code"]})
        cookies = dict(entered.raise_for_status().cookies)
        client.cookies.clear()
        headers = {
            "cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "x-csrf-token": cookies["zhidao_csrf"],
        }
        made = {}
        own = {"party": "corridor", "role": "operator"}
        answer = client.post("/v1/tokens", json=own, headers=headers)
        operator = {"authorization": f"Bearer {answer.raise_for_status().json()['token']}"}
        made["corridor"] = answer.json()["token"]
        stranger = {"party": "stranger", "name": "S", "trade_role": "exporter", "country": "CN"}
        client.post("/v1/parties", json=stranger, headers=headers).raise_for_status()
        answer = client.post("/v1/tokens", json=own | {"role": "admin"}, headers=headers)
        made["admin"] = answer.raise_for_status().json()["token"]
        for name, role in (("stranger", "party"), ("inspector", "auditor")):
            answer = client.post("/v1/tokens", json={"party": name, "role": role}, headers=headers)
            made[name] = answer.raise_for_status().json()["token"]
            agreed = f"/v1/tokens/{made[name].split('_')[1]}/agreement"
            client.post(agreed, headers=operator).raise_for_status()
    return made


PUBLIC = {
    ("GET", "/log/tile/{path}"),
    ("GET", "/v1/trust/log/{index}"),
    ("GET", "/v1/trust/log/{index}/proof"),
    ("GET", "/witness/{hashed}/checkpoint"),
    ("GET", "/witness/mirror/{hashed}/checkpoint"),
    ("GET", "/witness/mirror/{hashed}/tile/{path}"),
    ("GET", "/v1/trust/frauds/{name}"),
    ("GET", "/v1/trust/status/{party}"),
    ("GET", "/v1/trust/status/{party}/{number}"),
    ("GET", "/v1/finance/receivables/free/{token}"),
}
# Whom a stranger's role shuts out before any name is looked at.
BY_ROLE = {
    ("GET", "/v1/devices/terminals/{terminal}/commands"),
    ("POST", "/v1/devices/terminals/{terminal}/commands"),
    ("POST", "/v1/devices/terminals/{terminal}/invitation"),
    ("POST", "/v1/devices/terminals/{terminal}/retirement"),
    ("POST", "/v1/devices/terminals/{terminal}/suspension"),
    ("PUT", "/v1/connectivity/scenario/{phone}"),
    ("DELETE", "/v1/tokens/{token_id}"),
    ("POST", "/v1/tokens/{token_id}/agreement"),
    ("GET", "/v1/people/{name}"),
    ("DELETE", "/v1/people/{name}"),
    ("POST", "/v1/people/{name}/agreement"),
    ("POST", "/v1/people/{name}/password"),
    ("PUT", "/v1/people/{name}/role"),
    ("POST", "/v1/people/{name}/invitation"),
    ("DELETE", "/v1/people/{name}/sessions/{session}"),
    ("GET", "/v1/people/{name}/sessions"),
    ("DELETE", "/v1/people/{name}/sessions"),
    ("DELETE", "/v1/exchange/invitations/{name}"),
    ("GET", "/v1/people/{name}/passkeys"),
    ("DELETE", "/v1/people/{name}/passkeys/{passkey}"),
    *(("POST", f"/v1/notifications/addresses/{{address}}/{act}") for act in ("code", "test")),
    ("DELETE", "/v1/notifications/addresses/{address}"),
    ("POST", "/v1/notifications/queue/{message}/again"),
    ("GET", "/v1/people/{name}/identities"),
    ("POST", "/v1/people/{name}/identities"),
    ("DELETE", "/v1/people/{name}/identities/{identity}"),
    ("DELETE", "/v1/exchange/peers/{node}"),
    ("PUT", "/v1/exchange/peers/{node}/subscription"),
}
# Nothing was exchanged on this road: what stands there is tested with two nodes.
EXCHANGED = {
    ("GET", "/v1/exchange/inbox/{sender}/{document}"),
    ("GET", "/v1/exchange/inbox/{sender}/{document}/content"),
    ("GET", "/v1/exchange/inbox/{sender}/{document}/look"),
    ("GET", "/v1/exchange/outbox/{document}/look"),
    ("GET", "/v1/exchange/outbox/{document}/receipts"),
    ("GET", "/v1/exchange/pack/{node}"),
    ("POST", "/v1/exchange/inbox/{sender}/{document}/decision"),
    ("POST", "/v1/exchange/outbox/{document}/resend"),
    ("POST", "/v1/exchange/outbox/{document}/withdrawal"),
}
# Nor was any of this: tests/node/api/finance and tests/end_to_end/test_two_banks.py hold it.
_F = "/v1/finance"
BANKED = {
    ("GET", f"{_F}/approvals/{{approval}}"),
    ("POST", f"{_F}/approvals/{{approval}}"),
    ("GET", f"{_F}/payment-orders/{{payment_order}}"),
    ("POST", f"{_F}/payment-orders/{{payment_order}}/cancellation"),
    ("GET", f"{_F}/credits/{{credit}}"),
    ("POST", f"{_F}/credits/{{credit}}/amendments"),
    ("POST", f"{_F}/credits/{{credit}}/steps"),
    ("POST", f"{_F}/credits/{{credit}}/drawings/{{drawing}}"),
    ("POST", f"{_F}/credits/{{credit}}/drawings/{{drawing}}/steps"),
    ("POST", f"{_F}/credits/{{credit}}/drawings/{{drawing}}/records"),
    ("POST", f"{_F}/credits/{{credit}}/drawings/{{drawing}}/records/asked"),
    ("GET", f"{_F}/escrows/{{escrow}}"),
    ("POST", f"{_F}/escrows/{{escrow}}/words"),
    ("POST", f"{_F}/escrows/{{escrow}}/disputes"),
    ("POST", f"{_F}/escrows/{{escrow}}/resolutions"),
    ("GET", f"{_F}/ledgers/{{ledger_name}}/accounts/{{account}}/proof"),
    ("POST", f"{_F}/ledgers/{{ledger_name}}/balances"),
    ("GET", f"{_F}/ledgers/{{ledger_name}}/transfers/{{transfer}}/proof"),
    ("GET", f"{_F}/netting/{{cycle}}"),
    ("POST", f"{_F}/netting/{{cycle}}/obligations"),
    ("POST", f"{_F}/netting/{{cycle}}/settlement"),
    ("GET", f"{_F}/pvp/deals/{{reference}}"),
    ("GET", f"{_F}/receivables/{{token}}"),
    ("POST", f"{_F}/receivables/{{token}}/confirmation"),
    ("POST", f"{_F}/receivables/{{token}}/payment"),
    ("POST", f"{_F}/receivables/{{token}}/dispute"),
    ("POST", f"{_F}/receivables/{{token}}/shares"),
    ("POST", f"{_F}/receivables/{{token}}/shares/{{share}}/steps"),
    ("POST", f"{_F}/banks/{{bank}}/messages"),
    ("POST", f"{_F}/recalls/{{sender}}/{{recall}}/answer"),
    ("POST", f"{_F}/transfers/{{currency}}/records"),
    ("GET", f"{_F}/screenings/{{screening_id}}"),
    ("POST", f"{_F}/screenings/{{screening_id}}/judgement"),
}
_NAMED = {
    **dict.fromkeys(("approval", "payment_order", "token"), "0" * 64),
    **dict.fromkeys(("account", "transfer", "screening_id"), str(UUID(int=7))),
    **dict.fromkeys(("credit", "drawing", "escrow", "cycle", "reference", "share"), "other"),
    **dict.fromkeys(("bank", "sender", "recall"), "other"),
    **dict.fromkeys(("ledger_name", "currency"), "CNY"),
    "kind": "invoice_ubl",
    "name": "other",
    "declaration": "other",
    "presentation": "other",
}
_T = "/v1/trade"
# What a party enters, declares and presents; no such thing, or not what the route reads.
TRADED = {
    ("POST", f"{_T}/entries/documents/{{kind}}"),
    ("POST", f"{_T}/entries/prints/{{kind}}"),
    ("GET", f"{_T}/entries/drafts/{{name}}"),
    ("POST", f"{_T}/entries/drafts/{{name}}"),
    ("GET", f"{_T}/declarations/{{declaration}}"),
    *(
        ("POST", f"{_T}/declarations/{{declaration}}/{act}")
        for act in ("answer", "decision", "cancel", "rerun")
    ),
    ("GET", f"{_T}/presentations/{{presentation}}"),
    ("GET", f"{_T}/presentations/{{presentation}}/file"),
    *(("GET", f"/v1/industry/recalls/{{recall}}{part}") for part in ("", "/things")),
    ("POST", "/v1/industry/recalls/{recall}/lift"),
}
# A party drops a draft of its own; that there is none is no secret.
OWN = {
    ("DELETE", f"{_T}/entries/drafts/{{name}}"),
    ("PUT", "/v1/preferences/tables/{name}"),
}
# Routes that name something: one who may read it (for writing ones, what a stranger sends).
READERS = {
    "/v1/connectivity/locations/{phone}": "carrier",
    "/v1/trust/credentials/{digest}": "exporter",
    "/v1/trust/titles/{title}": "importer",
    "/v1/trust/titles/{title}/registration": "importer",
    "/v1/trust/titles/{title}/acts": "importer",
    "/v1/trust/titles/{title}/endorsements": "importer",
    "/v1/trust/titles/{title}/assessment": "importer",
    "/v1/trust/titles/{title}/medium": "importer",
    "/v1/devices/terminals/{terminal}": participants.OPERATOR,
    "/v1/devices/terminals/{terminal}/positions": participants.OPERATOR,
    "/v1/devices/seals/{seal}": "carrier",
    "/v1/positioning/arrivals/{consignment}": "exporter",
    "/v1/positioning/arrivals/{consignment}/track": "exporter",
    "/v1/positioning/evidence/{digest}": "exporter",
    "/v1/industry/orders/{order}/lots/{lot}": "exporter",
    "/v1/trade/consignments/{consignment}": "exporter",
    "/v1/trade/consignments/{consignment}/documents/{digest}": "exporter",
    "/v1/trade/consignments/{consignment}/check": "exporter",
    "/v1/finance/accounts/{account}": "importer-bank",
    "/v1/finance/accounts/{account}/statement": "importer-bank",
    "/v1/finance/accounts/{account}/balance": "importer-bank",
    "/v1/finance/accounts/{account}/movements": "importer-bank",
    "/v1/finance/deals/{deal}": "importer-bank",
    "/v1/finance/deals/{deal}/messages/{message}": "importer-bank",
    "/v1/consignments/{consignment}/road": "exporter",
    "/v1/consignments/{consignment}/proof": "exporter",
    "/v1/events/{event_id}/proof": "exporter",
    "/v1/federation/consignments/{consignment}": "exporter",
    "/v1/statements/{party}/{statement}": "exporter",
}
# What a route must be asked besides.
ASKED = {
    "/v1/finance/accounts/{account}/balance": "?at=2026-01-01T00:00:00Z",
    "/v1/finance/accounts/{account}/statement": "?first=2026-01-01&last=2026-12-31",
}
WRITES: dict[str, Any] = {
    "/v1/trust/titles/{title}/transactions": {"raw": "02c0"},
    "/v1/trust/titles/{title}/acts": {"action": "nominate", "seen": 1, "to": "stranger"},
    "/v1/trust/titles/{title}/paper": {"paper": "ef" * 32, "statement": "void"},
    "/v1/trust/credentials/{digest}/revoke": {"reason": "key_compromise"},
    "/v1/devices/seals/{seal}/checks": {
        "container": "ZDXU2041176",
        "terminal": participants.TERMINAL,
        "intact": True,
        "place": "gate",
    },
    "/v1/positioning/arrivals/{consignment}/change": {
        "terminal": participants.TERMINAL,
        "site": {"name": "Yard", "latitude_ndeg": 1, "longitude_ndeg": 1, "radius_mm": 100_000},
        "not_before": "2026-09-01T00:00:00Z",
        "not_after": "2026-09-02T00:00:00Z",
        "risk_ppb": 10_000,
        "seen_version": 1,
    },
    "/v1/positioning/arrivals/{consignment}/withdrawal": {"seen_version": 1},
    "/v1/industry/orders/{order}/lots": {
        "lot": "L-9",
        "serials": ["1"],
        "endpoint": "opc.tcp://127.0.0.1:1",
    },
    "/v1/trade/consignments/{consignment}/documents": {
        "kind": "bill_of_lading",
        "number": "X",
        "media_type": "application/json",
        "content": "e30=",
    },
    "/v1/trade/consignments/{consignment}/check": None,
    "/v1/trade/consignments/{consignment}/proposed-bill": {
        "number": "X1",
        "carrier_code": "SMLS",
        "on_board": "2026-09-01",
    },
    "/v1/trade/consignments/{consignment}/product-passports": {
        "facility_id": "https://maker.example/suzhou",
        "facility_name": "Suzhou",
    },
    "/v1/trade/consignments/{consignment}/arrival-credential": None,
    "/v1/trade/consignments/{consignment}/customs-release": {
        "declaration": "D1",
        "decision": "released",
    },
    "/v1/trade/consignments/{consignment}/crossings": {
        "crossing": "khorgos",
        "side": "KZ",
        "entered_from": "2026-02-20T04:00:00Z",
        "entered_to": "2026-02-20T04:10:00Z",
    },
    "/v1/finance/deals/{deal}/title": None,
    "/v1/federation/deals/{deal}/title": None,
    "/v1/federation/consignments/{consignment}/hand-over": {"node": "there"},
}


def _names(node: Running) -> dict[str, dict[str, str]]:
    """What stands in the place of each path parameter, by the route's beginning."""
    road = node.get(f"/v1/consignments/{CONSIGNMENT}/road", "exporter").json()
    document = road["documents"][0]
    account = node.get("/v1/finance/accounts", "importer-bank").json()[0]["account"]
    every = {
        "consignment": CONSIGNMENT,
        "order": participants.ORDER,
        "lot": participants.LOT,
        "terminal": participants.TERMINAL,
        "seal": participants.SEAL,
        "title": road["title"]["title"],
        "deal": DEAL,
        "account": account,
        "message": "pacs008",
        "phone": participants.PHONE,
        "event_id": document["event"],
        "digest": document["digest"],
        "party": "exporter",
        "statement": _stated(node),
    }
    return {
        "": every,
        "/v1/trust/credentials": every | {"digest": document["credential"]},
        "/v1/positioning/evidence": every | {"digest": road["arrival"]["evidence"]},
    }


def _stated(node: Running) -> str:
    key = SoftwareKey(Algorithm.ED25519, secrets.token_bytes(32))
    made = node.ask(
        "POST",
        "/v1/tokens",
        "admin",
        json={"party": "exporter", "role": "party", "key": key.public.multikey},
    )
    token_id = made.raise_for_status().json()["token"].split("_")[1]
    node.ask("POST", f"/v1/tokens/{token_id}/agreement", "corridor").raise_for_status()
    now_s = int(time.time())
    host = node.url.partition("//")[2]
    caller = Caller(host, token_id, key, "exporter")
    whole = caller.request(0, now_s)
    head, _, body = whole.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines()[1:])
    for expected in (201, 401):  # The second time the signature has been used.
        answer = httpx.post(f"{node.url}/v1/statements", content=body, headers=headers)
        assert answer.status_code == expected, answer.text
    assert answer.json()["code"] == "signature_replayed"
    return caller.name(0)


def _filled(path: str, names: dict[str, dict[str, str]]) -> str:
    start = max((s for s in names if path.startswith(s)), key=len)
    return path.format(**names[start])


def test_every_route_that_names_something_hides_it_from_strangers(node: Running) -> None:
    document = node.get("/schema/openapi.json").json()
    routes = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item
        if "{" in path
    }
    reading = {("GET", path) for path in READERS}
    writing = {("POST", path) for path in WRITES}
    assert routes == PUBLIC | BY_ROLE | EXCHANGED | BANKED | TRADED | OWN | reading | writing, (
        "a new route needs its line here"
    )
    names = _names(node)
    wrong = []
    for path, reader in READERS.items():
        filled = _filled(path, names) + ASKED.get(path, "")
        seen = [node.get(filled, who).status_code for who in (reader, "stranger", "")]
        if seen != [200, 404, 401]:
            wrong.append((path, seen))
    for path, body in WRITES.items():
        filled = _filled(path, names)
        more = {} if body is None else {"json": body}
        seen = [node.ask("POST", filled, who, **more).status_code for who in ("stranger", "")]
        if seen != [404, 401]:
            wrong.append((path, seen))
    for method, path in BY_ROLE:
        body = {"json": {}} if method == "PUT" or path.endswith("/password") else {}
        filled = path.format(
            phone=participants.PHONE,
            token_id="0" * 16,
            session="0" * 16,
            passkey="0" * 16,
            identity="0" * 16,
            address="0" * 32,
            message="0" * 32,
            node="there",
            name="nobody",
            terminal="nobody",
        )
        if node.ask(method, filled, "stranger", **body).status_code not in (400, 403, 404):
            wrong.append((path, "not refused"))
    for method, path in BANKED | TRADED:
        filled = path.format(**_NAMED)
        seen = [node.ask(method, filled, who, json={}).status_code for who in ("stranger", "")]
        # 422 says that a name is no bank's; which banks there are is no secret.
        if seen[0] not in (400, 403, 404, 422) or seen[1] != 401:
            wrong.append((path, seen))
    for method, path in EXCHANGED:
        filled = path.format(sender="there", node="there", document=UUID(int=7))
        body = {"json": {"outcome": "accepted", "reason": ""}} if method == "POST" else {}
        seen = [node.ask(method, filled, who, **body).status_code for who in ("stranger", "")]
        if seen[0] not in (400, 403, 404) or seen[1] != 401:
            wrong.append((path, seen))
    assert wrong == []


def test_lists_show_a_stranger_nothing(node: Running) -> None:
    for path in (
        "/v1/corridor",
        "/v1/roads",
        "/v1/trade/consignments",
        "/v1/finance/deals",
        "/v1/finance/accounts",
        "/v1/finance/approvals",
        "/v1/finance/credits",
        "/v1/finance/escrows",
        "/v1/finance/netting",
        "/v1/finance/payment-orders",
        "/v1/finance/pvp/quotes",
        "/v1/finance/pvp/deals",
        "/v1/finance/receivables",
        "/v1/finance/screenings",
    ):
        answer = node.get(path, "stranger").json()
        assert not (answer if isinstance(answer, list) else next(iter(answer.values()))), path


def test_one_trace_runs_from_signal_to_payment(node: Running) -> None:
    trace = trace_of_consignment(CONSIGNMENT)
    lines = [json.loads(line) for line in node.log.read_text().splitlines() if trace in line]
    services = {line.get("service") for line in lines}
    # The machine spoke before anybody had entered a consignment.
    assert {"devices", "positioning", "trade", "trust", "finance"} <= services


def test_an_auditors_look_is_written_down_once_and_shown_to_the_parties(node: Running) -> None:
    size = node.get("/v1/node/health", "exporter").json()["log"]["size"]
    for _ in range(3):
        assert node.get(f"/v1/consignments/{CONSIGNMENT}/road", "inspector").status_code == 200
    assert node.get(f"/v1/trade/consignments/{CONSIGNMENT}", "inspector").status_code == 200
    for _ in range(50):
        grown = node.get("/v1/node/health", "exporter").json()["log"]["size"] - size
        if grown:
            break
        time.sleep(0.1)
    assert grown == 1
    for _ in range(3):
        assert node.get("/v1/finance/accounts", "inspector").status_code == 200
    for _ in range(50):
        grown = node.get("/v1/node/health", "exporter").json()["log"]["size"] - size
        if grown > 1:
            break
        time.sleep(0.1)
    assert grown == 2


def test_the_head_of_the_log_tells_when_it_was_signed(node: Running) -> None:
    health = node.get("/v1/node/health", "exporter").json()
    signed_at, now = Utc.parse(health["log"]["checkpoint_at"]), Utc.parse(health["now"])
    # The line counts whole seconds.
    assert -1e9 <= now.since_ns(signed_at) < 3600e9


def test_bodies_are_read_strictly(node: Running) -> None:
    def refused(body: bytes) -> tuple[int, str]:
        answer = node.ask(
            "POST",
            "/v1/industry/orders",
            "exporter",
            content=body,
            headers={"content-type": "application/json"},
        )
        return answer.status_code, answer.json()["code"]

    order = b'{"order":"O-1","gtin":"04012345123456","quantity":%s,"limits":[],"readers":[]%s}'
    assert refused(order % (b'"1"', b"")) == (400, "invalid")
    assert refused(order % (b"true", b"")) == (400, "invalid")
    assert refused(order % (b"1", b',"more":1')) == (400, "invalid")
    assert refused(order % (b"1", b',"order":"O-2"')) == (400, "duplicate_key")
    assert refused(order % (b"NaN", b"")) == (400, "non_finite")
    answer = node.ask(
        "POST",
        "/v1/industry/orders",
        "exporter",
        content=order % (b"1", b""),
        headers={"content-type": "text/plain"},
    )
    assert answer.status_code == 415


def test_figures_are_for_those_who_run_the_node(node: Running) -> None:
    assert node.get("/healthz").status_code == 200
    ready = node.get("/readyz").json()
    assert (ready["ready"], ready["down"]) == (True, [])
    assert node.get("/metrics").status_code == 401
    assert node.get("/metrics", "exporter").status_code == 403
    figures = node.get("/metrics", "admin").text
    assert "zhidao_ready 1.0" in figures
    assert 'zhidao_service_up{service="database"} 1.0' in figures
    assert "zhidao_log_leaves 0.0" not in figures


def test_options_names_all_methods_of_a_path(node: Running) -> None:
    answer = node.ask("OPTIONS", "/v1/parties")
    assert answer.status_code == 204
    assert {"GET", "POST"} <= set(answer.headers["allow"].replace(" ", "").split(","))


def test_head_tells_a_monitor_what_get_would_without_its_body(node: Running) -> None:
    for path in ("/healthz", "/", "/v1/none"):
        asked, got = node.ask("HEAD", path), node.get(path)
        assert (asked.status_code, asked.content) == (got.status_code, b"")
        assert asked.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize("role", ["operator", "admin", "party"])
def test_nobody_is_made_for_a_party_that_nobody_at_the_node_is(node: Running, role: str) -> None:
    """A guide calls the node `node`; this one is called otherwise, and says so."""
    somebody = {"party": "node", "role": role}
    for path, body in (
        ("/v1/tokens", somebody),
        ("/v1/people", somebody | {"name": "op", "password": "ten or more letters"}),
        ("/v1/invitations", somebody | {"name": "op"}),
    ):
        answer = node.ask("POST", path, "admin", json=body)
        told = answer.json()
        assert (answer.status_code, told["code"]) == (422, "party_unknown"), path
        assert "did you mean corridor (the node's own name)?" in told["detail"]
    assert "node" not in {each["party"] for each in node.ask("GET", "/v1/tokens", "admin").json()}


def test_no_account_is_opened_for_whom_nobody_knows(node: Running) -> None:
    account = {"holder": "nobdy", "currency": "CNY", "name": "x", "town": "Almaty", "country": "KZ"}
    answer = node.ask("POST", "/v1/finance/accounts", "importer-bank", json=account)
    assert (answer.status_code, answer.json()["code"]) == (422, "party_unknown")
    known = node.ask("GET", "/v1/finance/accounts", "importer-bank").json()
    assert known
    assert "nobdy" not in {each["holder"] for each in known}


def test_who_came_as_an_auditor_from_outside_is_made_nothing_else(node: Running) -> None:
    who = {"party": "court", "role": "auditor", "name": "judge", "password": "ten or more letters"}
    assert node.ask("POST", "/v1/people", "admin", json=who).status_code == 201
    answer = node.ask("PUT", "/v1/people/judge/role", "admin", json={"role": "operator"})
    assert (answer.status_code, answer.json()["code"]) == (422, "party_unknown")
    assert node.ask("GET", "/v1/people/judge", "admin").json()["role"] == "auditor"


def test_a_withdrawn_token_opens_nothing_from_then_on(node: Running) -> None:
    made = node.ask("POST", "/v1/tokens", "admin", json={"party": "importer", "role": "party"})
    token = made.json()["token"]
    agreed = f"/v1/tokens/{token.split('_')[1]}/agreement"
    node.ask("POST", agreed, "corridor").raise_for_status()
    asked = {"Authorization": f"Bearer {token}"}
    assert node.ask("GET", "/v1/parties", headers=asked).status_code == 200
    withdrawn = node.ask("DELETE", f"/v1/tokens/{token.split('_')[1]}", "admin")
    assert withdrawn.status_code == 204
    assert node.ask("GET", "/v1/parties", headers=asked).status_code == 401


def test_an_entry_is_drafted_declared_and_presented_on_a_running_node(node: Running) -> None:
    entry = (Path(__file__).parents[1] / "trade" / "data" / "set_entry.json").read_bytes()
    content = base64.b64encode(entry).decode()
    file = {"name": "entry.json", "content": content}
    fields = node.ask("POST", "/v1/trade/entries/import", "exporter", json=file).json()["fields"]
    told = node.ask("POST", "/v1/trade/entries/check", "exporter", json={"fields": fields}).json()
    assert len(told["documents"]) == 13
    kept = node.ask("POST", "/v1/trade/entries/drafts/one", "exporter", json={"fields": fields})
    assert kept.status_code == 200, kept.text
    assert node.get("/v1/trade/entries/drafts/one", "exporter").json()["fields"] == fields
    paper = node.ask(
        "POST",
        "/v1/trade/entries/documents/export_declaration",
        "exporter",
        json={"fields": fields},
    )
    body = {
        "kind": "export_declaration",
        "content": base64.b64encode(paper.content).decode(),
        "customs": "customs",
    }
    lodged = node.ask("POST", "/v1/trade/declarations", "exporter", json=body)
    assert lodged.status_code == 201, lodged.text
    one = f"/v1/trade/declarations/{lodged.json()['declaration']}"
    assert [run["same"] for run in node.ask("POST", f"{one}/rerun", "customs").json()] == [True]
    said = {"version": 1, "decision": "released", "reason": "looked at"}
    assert node.ask("POST", f"{one}/decision", "customs", json=said).json()["status"] == "released"
    assert node.get(one, "stranger").status_code == 404
    made = node.ask(
        "POST",
        "/v1/trade/presentations",
        "exporter",
        json={"entry": content, "bank": "importer-bank"},
    )
    assert made.status_code == 201, made.text
    read = node.get(f"/v1/trade/presentations/{made.json()['presentation']}", "importer-bank")
    assert read.json()["findings"] == []


def test_no_consignment_keeps_a_bill_that_could_get_no_title(node: Running) -> None:
    titled = node.get(f"/v1/consignments/{CONSIGNMENT}/road", "carrier").json()["title"]["title"]
    path = "/v1/trade/consignments"
    bill = node.get(f"{path}/{CONSIGNMENT}/documents/{titled}", "carrier").content
    entry = participants.entry("C-2", simulated_scenario("C-2", fail="", seed=2).voyage)
    entry["invoiceDocument"]["id"] = "INV-2"
    del entry["productionOrderDocument"]
    for item in entry["includedConsignmentItem"]:
        item.pop("lotId", None)
    assert node.ask("POST", path, "exporter", json=entry).status_code == 201

    def added(number: str, content: bytes) -> httpx.Response:
        body = {"kind": "bill_of_lading", "number": number, "media_type": "application/json"}
        body["content"] = base64.b64encode(content).decode()
        return node.ask("POST", f"{path}/C-2/documents", "carrier", json=body)

    again = json.dumps(json.loads(bill), indent=1).encode()
    for content, code in ((bill, "title_exists"), (again, "double_title")):
        refused = added(participants.BILL_NUMBER, content)
        assert (refused.status_code, refused.json()["code"]) == (409, code)
        assert refused.json()["where"] == "$.number"
    own = {"number": "ZD2", "carrier_code": "SMLS", "on_board": "2026-02-12"}
    proposed = node.ask("POST", f"{path}/C-2/proposed-bill", "carrier", json=own)
    assert added("ZD2", proposed.content).status_code == 201
    # To the consignment that has it, the same bill is no other one.
    path, body = f"{path}/{CONSIGNMENT}/documents", {"kind": "bill_of_lading"}
    body |= {"number": participants.BILL_NUMBER, "media_type": "application/json"}
    body["content"] = base64.b64encode(bill).decode()
    assert node.ask("POST", path, "carrier", json=body).status_code == 201


def _callers(node: Running) -> dict[str, str]:
    return {caller: node.tokens[name] if name else "" for caller, name in CALLERS.items()}


# The three below change what stands at the node: they are the last of this file.
@pytest.mark.timeout(900)
def test_the_api_keeps_its_description_for_every_kind_of_caller(node: Running) -> None:
    """The same cases every time: a failure here is there the next time too."""
    found = _cases_of_the_day(node, systematic=1)
    assert min(found.by_caller.values()) > 600, found.by_caller


@pytest.mark.long
@pytest.mark.timeout(900)
def test_it_keeps_it_in_twice_as_many_cases(node: Running) -> None:
    found = _cases_of_the_day(node, systematic=2)
    assert min(found.by_caller.values()) > 900, found.by_caller


def _cases_of_the_day(node: Running, *, systematic: int) -> Any:
    # Imported where it is used: it costs each process that only collects tests a second.
    from tests.node.api_fuzz import fuzz

    found = fuzz(node.url, _callers(node), seed=_FUZZ_SEED, systematic=systematic, drawn=1)
    assert found.findings == [], "\n\n".join(found.findings)
    assert set(found.by_caller) == set(CALLERS)
    return found


@pytest.mark.long
@pytest.mark.timeout(2 * _LONG_FUZZ_S)
def test_the_api_keeps_its_description_for_half_an_hour(node: Running) -> None:
    """Other cases each time; what is found becomes a case of its own."""
    from tests.node.api_fuzz import fuzz

    until_s = time.monotonic() + _LONG_FUZZ_S
    while time.monotonic() < until_s:
        seed = secrets.randbits(32)
        found = fuzz(node.url, _callers(node), seed=seed, systematic=25, drawn=10, until_s=until_s)
        assert found.findings == [], f"seed {seed}\n" + "\n\n".join(found.findings)
