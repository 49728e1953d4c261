"""Pages are offered to whom the routes that they call admit, by the routes' own declarations."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from litestar import get, post
from tests.docs.test_docs import from_code
from tests.node.http.test_access import _app

from zhidao.core.access import CALLER, OPEN, OWN, READ
from zhidao.core.actor import Role
from zhidao.node.http.access import ACCESS
from zhidao.node.web.page_access import READERS, closed_to, needs, whose

__all__ = ["from_code"]
SOURCES = Path(__file__).parents[3] / "web" / "src"


@get("/things", opt={ACCESS: CALLER})
async def things() -> str:
    return ""


@get("/things/{name:str}", opt={ACCESS: READ})
async def thing(name: str) -> str:
    return name


@post("/things", opt={ACCESS: OWN})
async def make() -> str:
    return ""


@get("/head", opt={ACCESS: OPEN})
async def head() -> str:
    return ""


def test_an_entry_is_of_those_who_may_call_all_that_it_needs() -> None:
    wanted = {
        "list": ["GET /things"],
        "one": ["GET /things", "GET /things/{name}"],
        "act.make": ["POST /things"],
        "head": ["GET /head"],
        # Neither another method nor what no route of this node is.
        "gone": ["GET /things", "PUT /things"],
    }
    assert whose(_app(things, thing, make, head).routes, wanted) == {
        "list": list(READERS),
        "one": [Role.PARTY, Role.OPERATOR, Role.AUDITOR],
        "act.make": [Role.PARTY],
        "head": list(READERS),
        "gone": [],
    }


def test_a_node_without_a_room_offers_its_pages_to_nobody() -> None:
    closed = closed_to(Role.PARTY, _app(things))
    assert closed.keys() == needs().keys()
    assert not any(closed.values())


@pytest.fixture(scope="module")
def app(from_code: ModuleType) -> Any:
    return from_code._application()


def test_every_page_and_act_is_somebodys(app: Any) -> None:
    assert [entry for entry, roles in whose(app.routes, needs()).items() if not roles] == []


def test_an_admin_acts_for_no_party_and_a_party_runs_no_node(app: Any) -> None:
    admin, party = closed_to(Role.ADMIN, app), closed_to(Role.PARTY, app)
    for entry in ("papers", "money", "exchange", "consignments", "act.enter", "act.deal"):
        assert entry in admin
        assert Role.PARTY in admin[entry]
    for entry in ("home", "people", "peers", "node", "trust", "act.invite"):
        assert entry not in admin
    assert party.keys() == {"peers", "act.invite", "act.peer", "act.navigation", "act.records"} | {
        "act.terminal"
    }
    assert "act.enter" in closed_to(Role.AUDITOR, app)
    assert "act.enter" in closed_to(Role.OPERATOR, app)


def test_what_the_pages_ask_for_by_name_is_in_the_table() -> None:
    """A name that is nowhere told would be offered to everybody."""
    text = "\n".join(path.read_text() for path in SOURCES.rglob("*.ts*"))
    find = (SOURCES / "parts" / "find.tsx").read_text()
    acts = set(re.findall(r'mayDo\("(\w+)"\)', text))
    acts |= set(re.findall(r'^  \["(\w+)", "/', find.partition("const MORE")[0], re.MULTILINE))
    assert acts == {each.removeprefix("act.") for each in needs() if each.startswith("act.")}
    pages = re.search(r"export const PAGES = \[(.*)\]", (SOURCES / "parts/shell.tsx").read_text())
    assert pages is not None
    assert set(re.findall(r'"(\w+)"', pages[1])) <= needs().keys()


# Pages for everybody, signed in or not.
FOR_ALL = {"api", "certificate", "help", "login", "start", "verify"}


def test_every_address_of_a_page_is_in_the_table_or_for_everybody() -> None:
    ours = re.search(r"const OURS = /(.+)/;", (SOURCES / "route.ts").read_text())
    assert ours is not None
    rooms = set(re.findall(r"[|(]([a-z]+)", ours[1]))
    assert rooms >= {"consignments", "trace", "help"}
    assert rooms - FOR_ALL <= needs().keys()
