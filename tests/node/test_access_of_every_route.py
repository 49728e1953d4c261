"""Every route, asked by everybody, about things that exist; and again without each guard in turn.

What is asked follows from the API's own description: a new route fails here until it has a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from tests.node.access_rows import ASKED, LISTS, READS, Row, writes
from tests.node.access_world import NODE, ROLES, STRANGER, AccessWorld, world

from zhidao.core.access import Access
from zhidao.core.actor import Role
from zhidao.node.http.access import ACCESS

__all__ = ["world"]
pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(900)]
Operation = tuple[str, str]
# No object of theirs can be had on one node alone; their roles are held like all others'.
# Two nodes: tests/exchange, tests/end_to_end/test_two_banks.py. Lists of names: tests/finance/api.
ELSEWHERE = {
    # No auditor follows a SIM about: tests/node/api/test_networks.py.
    ("GET", "/v1/connectivity/locations/{phone}"),
    # What a party sees of events: tests/industry/service/test_epcis.py and its store's contract.
    *(("GET", f"/v1/epcis/{path}") for path in ("balance", "events", "trace")),
    # Of whoever made or holds a lot: tests/industry/service/test_recalls.py.
    *(("GET", f"/v1/industry/{path}") for path in ("recalled", "recalls/{recall}")),
    ("GET", "/v1/industry/recalls/{recall}/things"),
    *(("POST", f"/v1/industry/recalls{path}") for path in ("", "/drill", "/{recall}/lift")),
    *(
        ("GET", f"/v1/exchange/{path}")
        for path in (
            "inbox",
            "inbox/{sender}/{document}",
            "inbox/{sender}/{document}/content",
            "inbox/{sender}/{document}/look",
            "outbox",
            "outbox/{document}/look",
            "outbox/{document}/receipts",
            "pack/{node}",
            "export",
            "stream",
        )
    ),
    *(
        ("POST", f"/v1/exchange/{path}")
        for path in (
            "inbox/{sender}/{document}/decision",
            "outbox",
            "outbox/{document}/resend",
            "outbox/{document}/withdrawal",
            "unpack",
            "peers",
            "invitations",
            "invitations/look",
            "invitations/take",
        )
    ),
    ("GET", "/v1/exchange/invitations"),
    ("DELETE", "/v1/exchange/invitations/{name}"),
    ("DELETE", "/v1/exchange/peers/{node}"),
    ("PUT", "/v1/exchange/peers/{node}/subscription"),
    ("POST", "/exchange/bundle"),
    *(("POST", f"/v1/federation/{path}") for path in ("accounts", "credit-lines")),
    *(
        ("POST", f"/v1/finance/{path}")
        for path in (
            "pvp/deals",
            "pvp/quotes",
            "recalls/{sender}/{recall}/answer",
            "approvals/{approval}",
            "payment-orders/{payment_order}/cancellation",
            "screenings",
            "screenings/{screening_id}/judgement",
            "receivables/questions",
            "deals",
            "credits/{credit}/drawings/{drawing}/records",
        )
    ),
    *(
        ("GET", f"/v1/finance/{path}")
        for path in (
            "pvp/deals/{reference}",
            "approvals/{approval}",
            "payment-orders/{payment_order}",
            "screenings/{screening_id}",
        )
    ),
    *(("GET", f"/v1/lists/{box}{form}") for box in ("inbox", "outbox") for form in ("", "/csv")),
    # Beside a deal's: tests/node/api/test_arrivals.py.
    ("POST", "/v1/positioning/arrivals"),
    *(
        ("POST", f"/v1/positioning/arrivals/{{consignment}}/{act}")
        for act in ("change", "withdrawal")
    ),
    # Asked by place and day, filtered by who may see a terminal: tests/contracts/test_vault.py.
    ("GET", "/v1/devices/positions"),
    # Asked by what is typed, read from the caller's own part of an index: tests/node/search.
    ("GET", "/v1/search"),
    ("POST", "/v1/statements"),
    ("GET", "/v1/statements/{party}/{statement}"),
    ("POST", "/v1/trust/titles/guards"),
    ("POST", "/v1/trust/titles/{title}/transactions"),
    ("POST", "/v1/trade/consignments"),
    ("POST", "/v1/trade/declarations"),
    ("POST", "/location-retrieval/v0.5/retrieve"),
    ("POST", "/location-verification/v3/verify"),
    ("POST", "/v1/connectivity/short-messages"),
    # Who asks about a SIM, and who reads that: tests/node/api/test_sim_questions.py.
    ("GET", "/v1/connectivity/questions"),
    ("POST", "/v1/connectivity/track-checks"),
    ("POST", "/v1/finance/ledgers/{ledger_name}/balances"),
    # Where this node's titles live: the same to every caller.
    ("GET", "/v1/trust/titles/registry"),
    # Figures over what the caller's party may see: tests/insight.
    ("GET", "/v1/insight/report"),
    ("GET", "/v1/insight/report.html"),
}
# Answers without an end: asked by whom they refuse only.
STREAMS = {("GET", "/v1/stream"), ("GET", "/v1/exchange/stream")}
# Signed and sealed by others, or the caller's own leaving: nothing of any party's is written.
KEEPS_NOTHING = {("DELETE", "/v1/session")}
# Refusals of the object's own state that say the same as 403: a share's holder passes it on.
NOT_THEIRS = {"not_holder"}
# Behind these stands a second guard that refuses the same callers by itself: only a bank states
# balances, and a bank opens what the route writes its own name into.
HELD_TWICE = {
    ("roles", "/v1/finance/ledgers/{ledger_name}/balances"),
    ("relation", "/v1/finance/credits"),
    ("relation", "/v1/finance/escrows"),
}


@pytest.fixture(scope="module")
def rows(world: AccessWorld) -> dict[Operation, Row]:
    found = writes(world) | {("GET", path): Row(owner) for path, owner in READS.items()}
    return found | {("GET", path): Row("importer-bank") for path in LISTS}


@pytest.fixture(scope="module")
def declared(world: AccessWorld) -> dict[Operation, dict[str, Any]]:
    """What the API says of each operation under `x-zhidao-access`."""
    return {
        (method.upper(), path): operation["x-zhidao-access"]
        for path, item in world.document["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and "operationId" in operation
    }


def _path(world: AccessWorld, path: str) -> str:
    names = dict(world.names)
    if path.startswith("/v1/trust/credentials"):
        names["digest"] = names["credential"]
    if path.startswith("/v1/positioning/evidence"):
        names["digest"] = names["evidence"]
    names |= {
        name: "0" * 16
        for name in ("token_id", "session", "passkey", "identity", "document")
        if name not in names
    }
    names.setdefault("address", "0" * 32)
    names.setdefault("payment_order", "0" * 64)
    for name in (
        "node",
        "sender",
        "recall",
        "approval",
        "reference",
        "screening_id",
        "hashed",
        "party",
        "statement",
        "index",
        "number",
    ):
        names.setdefault(name, "0")
    names["path"] = "0/000"
    names["document"] = "018f0000-0000-7000-8000-000000000009"
    filled = path.format(**names)
    return filled + ASKED.get(path, "")


def _ask(
    world: AccessWorld, operation: Operation, party: str, role: str, row: Row | None
) -> tuple[int, str]:
    method, path = operation
    sent = row.sent if row else ({} if method == "GET" else {"json": {}})
    answer = world.ask(method, _path(world, path), party, role, **sent)
    kind = answer.headers.get("content-type", "")
    code = answer.json().get("code", "") if "problem+json" in kind else ""
    return answer.status_code, code


def test_every_operation_has_a_row_or_says_where_it_is_tested(
    rows: dict[Operation, Row], declared: dict[Operation, dict[str, Any]]
) -> None:
    """Nobody's and everybody's things need none: their roles are asked below all the same."""
    related = {operation for operation, told in declared.items() if told["relation"] != "anybody"}
    known = set(rows) | ELSEWHERE | STREAMS
    assert not {o for o in related if o not in known}, "give the route a row"
    assert not {o for o in rows if o not in declared}, "the route is gone"
    assert not {o for o in rows if o in ELSEWHERE}, "it has a row now"


def test_without_a_credential_only_what_is_open_answers(
    world: AccessWorld, rows: dict[Operation, Row], declared: dict[Operation, dict[str, Any]]
) -> None:
    wrong = []
    for operation, told in declared.items():
        status, _ = _ask(world, operation, "", "", rows.get(operation))
        if (status == 401) != bool(told["roles"]) and not (
            operation == ("GET", "/v1/session") or status in (400, 404, 422)
        ):
            wrong.append((operation, status))
    assert not wrong, "\n".join(map(str, wrong))


def test_a_role_that_is_not_declared_is_refused_even_for_the_owner(
    world: AccessWorld, rows: dict[Operation, Row], declared: dict[Operation, dict[str, Any]]
) -> None:
    assert _refusals_missing(world, rows, declared, declared) == []


def test_an_auditor_writes_nothing_whatever_it_asks(
    world: AccessWorld, rows: dict[Operation, Row], declared: dict[Operation, dict[str, Any]]
) -> None:
    before = world.kept()
    for operation, told in declared.items():
        if operation[0] == "GET" or operation in KEEPS_NOTHING or not told["roles"]:
            continue
        if told["roles"] == ["node"]:
            continue  # Nobody is met there but nodes, by their signatures.
        row = rows.get(operation)
        status, _ = _ask(world, operation, row.owner if row else NODE, "auditor", row)
        assert status < 500, operation
        assert status in (400, 404, 415, 422) or (status == 403) != ("auditor" in told["roles"])
    assert world.kept() == before


def test_what_is_anothers_is_read_by_nobody_else(
    world: AccessWorld, rows: dict[Operation, Row]
) -> None:
    assert _readable(world, READS) == []
    shown = [path for path in LISTS if _shown(world, path, STRANGER, "party")]
    # An admin sees no party's trade, not even of the party that its token names.
    shown += [
        path
        for path in LISTS
        for party in ("importer-bank", "exporter")
        if _shown(world, path, party, "admin")
    ]
    assert shown == []


def test_who_owns_it_and_an_auditor_read_it(world: AccessWorld) -> None:
    wrong = []
    for path, owner in READS.items():
        for party, role in ((owner, "party"), ("ministry", "auditor")):
            status, code = _ask(world, ("GET", path), party, role, None)
            private = "drafts" in path and role == "auditor"
            # Balances are stated by their bank, which nobody asked yet.
            unstated = "accounts" in path and path.endswith("/proof") and status == 404
            if status != (403 if private else 200) and not unstated:
                wrong.append((path, role, status, code))
    assert not wrong, "\n".join(map(str, wrong))


def test_a_stranger_and_another_party_of_the_object_cannot_act_on_it(
    world: AccessWorld, rows: dict[Operation, Row]
) -> None:
    before = world.kept()
    acted = _acted(world, rows)
    assert not acted, "\n".join(map(str, acted))
    assert world.kept() == before


def test_each_guard_removed_in_turn_is_noticed(
    world: AccessWorld, rows: dict[Operation, Row], declared: dict[Operation, dict[str, Any]]
) -> None:
    """Of each rule the roles, then the relation; for what it alone guards, that is seen."""
    guards = _guards(world)
    by_rule: dict[Access[Any], list[Operation]] = {}
    for operation, rule in guards.items():
        if rule.roles and not rule.is_for_nodes and operation in declared:
            by_rule.setdefault(rule, []).append(operation)
    unnoticed = []
    for rule, operations in by_rule.items():
        here = {o: declared[o] for o in operations if o not in STREAMS}
        if rule.roles >= {Role(role) for role in ROLES}:
            continue
        with _without(rule, "roles", frozenset(Role)):
            if not _refusals_missing(world, rows, here, declared, stop=True):
                unnoticed += [("roles", path) for _, path in operations]
        own = {o: rows[o] for o in operations if o in rows and rows[o].second}
        if own and rule.has_resolver:
            with _without(rule, "parties", lambda _: _Everybody()):
                if not _acted(world, own):
                    unnoticed += [("relation", path) for _, path in own]
    unnoticed = [each for each in unnoticed if each not in HELD_TWICE]
    assert not unnoticed, "\n".join(map(str, unnoticed))


def _refusals_missing(
    world: AccessWorld,
    rows: dict[Operation, Row],
    asked: dict[Operation, dict[str, Any]],
    declared: dict[Operation, dict[str, Any]],
    *,
    stop: bool = False,
) -> list[Any]:
    """What a role that is not declared got other than 403, with a whole and a broken body."""
    missing = []
    broken = Row("", "", b"{")
    for operation in asked:
        roles = declared[operation]["roles"]
        row = rows.get(operation)
        for role in ROLES if roles and roles != ["node"] else ():
            if role in roles:
                continue
            for sent in (row, broken) if operation[0] != "GET" else (row,):
                status, _ = _ask(world, operation, row.owner if row else NODE, role, sent)
                if status != 403:
                    missing.append((operation, role, status))
                    if stop:
                        return missing
    return missing


def _readable(world: AccessWorld, paths: Any) -> list[Any]:
    """What a stranger got to read, other than 404, or an admin other than 403."""
    found = []
    for path in paths:
        owner = READS[path]
        for party, role, wanted in ((STRANGER, "party", 404), (owner, "admin", 403)):
            status, _ = _ask(world, ("GET", path), party, role, None)
            if status != wanted and "operator" not in path:
                found.append((path, role, status))
    return found


def _acted(world: AccessWorld, rows: dict[Operation, Row]) -> list[Any]:
    """What a stranger, or another party of the object, got other than a refusal."""
    acted = []
    for operation, row in rows.items():
        if operation[0] == "GET" or not row.second:
            continue
        for party in (STRANGER, row.second):
            status, code = _ask(world, operation, party, "party", row)
            if status not in (403, 404) and code not in NOT_THEIRS:
                acted.append((operation, party, status, code))
    return acted


def _shown(world: AccessWorld, path: str, party: str, role: str) -> list[Any]:
    """The entries of a list as somebody sees it."""
    answer = world.ask("GET", path, party, role)
    if answer.status_code == 403:
        return []
    assert answer.status_code == 200, (path, answer.text)
    if path.endswith("/csv"):
        return list(answer.text.splitlines()[1:])
    told = answer.json()
    return told if isinstance(told, list) else next(iter(told.values()))


def _guards(world: AccessWorld) -> dict[Operation, Access[Any]]:
    app: Any = world.app
    while not isinstance(app, Litestar):
        app = app._app
    return {
        (method, route.path_format): handler.opt[ACCESS]
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if ACCESS in handler.opt
    }


@contextmanager
def _without(rule: Access[Any], what: str, instead: Any) -> Iterator[None]:
    """One rule without its roles or its relation, everywhere that asks it."""
    before = getattr(rule, what)
    object.__setattr__(rule, what, instead)
    try:
        yield
    finally:
        object.__setattr__(rule, what, before)


class _Everybody(frozenset[str]):
    """Parties among whom everybody is."""

    def __contains__(self, _: object) -> bool:
        return True
