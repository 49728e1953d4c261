"""Whoever administers a node leaves a trace: one signed event and one leaf for each act."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.node.live_node import admin_of, operator_of, zhidao

from zhidao.simulation.client import Caller, NodeRefused
from zhidao.simulation.node_process import NodeProcess
from zhidao.store.running import running_url

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]

PASSWORD = "ten or more letters"


async def acts(caller: Caller) -> list[dict[str, Any]]:
    """All acts that the caller may read, oldest first."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["id"] if found else ""
        page = await caller.get(f"/v1/administration?limit=30&after={after}")
        found += page
        if len(page) < 30:
            return found


async def signed_in(http: httpx.AsyncClient, name: str) -> Caller:
    answer = await Caller(http).ask(
        "POST", "/v1/session", json={"name": name, "password": PASSWORD}
    )
    cookies = dict(answer.cookies)
    http.cookies.clear()
    pairs = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return Caller(http, headers={"Cookie": pairs, "X-CSRF-Token": cookies["zhidao_csrf"]})


async def administer(node: NodeProcess, http: httpx.AsyncClient) -> tuple[Caller, list[str]]:
    """Does forty things; returns the admin and the acts that they are."""
    admin = await admin_of(node, http)
    operator = await operator_of(node, admin, http)
    done = ["code_entered", "token_made"]
    for number in range(4):
        party = f"party-{number}"
        await admin.post(
            "/v1/parties",
            {"party": party, "name": party, "trade_role": "exporter", "country": "CN"},
        )
        token = (await admin.post("/v1/tokens", {"party": party, "role": "party"}))["token"]
        token_id = token.split("_")[1]
        await operator.post(f"/v1/tokens/{token_id}/agreement", None)
        await admin.ask("DELETE", f"/v1/tokens/{token_id}")
        done += ["party_made", "token_made", "token_agreed", "token_withdrawn"]
    for number in range(2):
        first, second = f"first-{number}", f"second-{number}"
        for name in (first, second):
            who = {"name": name, "password": PASSWORD, "party": f"party-{number}", "role": "party"}
            await admin.post("/v1/people", who)
        await operator.post(f"/v1/people/{first}/agreement", None)
        with pytest.raises(NodeRefused):
            await operator.post(f"/v1/people/{second}/agreement", None)
        person = await signed_in(http, first)
        waits = (await person.get("/v1/worklist"))["items"]
        assert [(each["kind"], each["subject"]) for each in waits] == [("agreement", second)]
        await person.post(f"/v1/people/{second}/agreement", None)
        assert (await person.get("/v1/worklist"))["items"] == []
        await person.ask("DELETE", f"/v1/people/{first}/sessions")
        await admin.post(f"/v1/people/{first}/password", {"password": f"{PASSWORD}!"})
        await admin.ask("DELETE", f"/v1/people/{second}")
        done += ["person_made", "person_made", "person_agreed", "signed_in", "person_agreed"]
        done += ["sessions_ended", "password_reset", "person_withdrawn"]
    for name in ("ben", "carl"):
        who = {"name": name, "password": PASSWORD, "party": node.name, "role": "admin"}
        await admin.post("/v1/people", who)
        done.append("person_made")
    ben = await signed_in(http, "ben")
    await ben.put("/v1/session/password", {"old": PASSWORD, "new": f"{PASSWORD}!"})
    carl = await signed_in(http, "carl")
    await carl.ask("DELETE", "/v1/people/ben")
    done += ["signed_in", "password_changed", "signed_in", "person_withdrawn"]
    assert len(done) == 40
    return admin, done


async def test_forty_acts_leave_forty_leaves(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path / "n")
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=60.0) as http:
            admin, done = await administer(node, http)
            told = await acts(admin)
            # What the node does by itself at its start comes before.
            own = [each["act"] for each in told if each["credential"] == "console"]
            assert own == ["settings_at_start", "code_made", "code_made", "code_made"]
            assert [each["act"] for each in told if each["credential"] != "console"] == done
            for _ in range(50):
                leaves = [each["leaf"] for each in await acts(admin)]
                if None not in leaves:
                    break
            assert len(set(leaves)) == len(told)
            await only_ones_own(http, admin, told)
            doctor = checked(tmp_path)
            assert doctor == {"ok"}, "nothing was changed yet"
            await told_by_doctor(tmp_path)
    finally:
        await node.stop()


async def only_ones_own(http: httpx.AsyncClient, admin: Caller, told: list[dict[str, Any]]) -> None:
    """A party reads what concerns it and nothing else."""
    carl = await signed_in(http, "carl")
    await carl.post(
        "/v1/people",
        {"name": "own", "password": PASSWORD, "party": "party-3", "role": "party"},
    )
    operator = (await acts(admin))[-1]
    assert operator["act"] == "person_made"
    token = (await carl.post("/v1/tokens", {"party": "corridor", "role": "operator"}))["token"]
    await Caller(http, token).post("/v1/people/own/agreement", None)
    own = await acts(await signed_in(http, "own"))
    assert [each["act"] for each in own] == [
        *("party_made", "token_made", "token_agreed", "token_withdrawn"),
        *("person_made", "person_agreed", "signed_in"),
    ]
    assert {each["party"] for each in own} == {"party-3"}
    assert len(own) < len(told)


def checked(folder: Path) -> set[str]:
    """What the doctor says of the records."""
    data = folder / "n" / "node"
    done = zhidao("doctor", "--data", data, "--json", passphrase=folder / "n" / "passphrase")
    answers = [each for each in json.loads(done.stdout) if each["name"] == "records"]
    return {each["state"] for each in answers} | {
        each["seen"] for each in answers if each["state"] != "ok"
    }


# What somebody with the database in his hands may try, and the word by which it is told.
TAMPERED: tuple[tuple[str, str], ...] = (
    (
        (
            "update node.token set role = 'admin' where token_id in (select token_id from node.token"
            " where not revoked)"
        ),
        "tokens are not",
    ),
    ("update node.token set revoked = false", "tokens are not"),
    (
        (
            "insert into node.passkey"
            " (credential_id, name, label, host, public_key, sign_count, created_tai_ns)"
            " select 'c', name, 'phone', 'localhost', 'k', 0, 0 from node.person limit 1"
        ),
        "passkeys are not",
    ),
    (
        (
            "insert into node.identity (issuer, claim, value, name, made_tai_ns)"
            " select 'https://evil.example.org', 'sub', 'x', name, 0 from node.person limit 1"
        ),
        "identities are not",
    ),
    (
        (
            "insert into node.token select 'ff00ff00ff00ff00', party, role, label, secret_hash, key,"
            " false, created_tai_ns, 'own' from node.token limit 1"
        ),
        "tokens are not",
    ),
    ("delete from node.token where revoked", "tokens are gone"),
    ("update node.person set role = 'admin' where name = 'own'", "people are not"),
    ("update node.party set trade_role = 'carrier' where party = 'party-3'", "parties are not"),
    (
        (
            "insert into node.party (party, name, trade_role, country)"
            " values ('nobody', 'Nobody', 'bank', 'KZ')"
        ),
        "parties are not",
    ),
    ("delete from node.party where party = 'party-3'", "parties are gone"),
    (
        (
            "insert into exchange.peer (node, organisation, url, keys, sealing, certificate, trust,"
            " card) values ('elsewhere', 'Elsewhere', 'https://127.0.0.1:9', '{z6Mk}', '', '', '',"
            " '')"
        ),
        "peers are not",
    ),
    ("update node.person set withdrawn = false where name = 'ben'", "people are not"),
    (
        (
            "delete from node.event where aggregate = (select max(aggregate) from node.event"
            " where starts_with(aggregate, 'administration/'))"
        ),
        "deleted",
    ),
    (
        (
            "with gone as (delete from node.outbox where aggregate = (select max(aggregate)"
            " from node.outbox where starts_with(aggregate, 'administration/')) returning aggregate)"
            " delete from node.event where aggregate in (select aggregate from gone)"
        ),
        "lost their events",
    ),
    (
        (
            "update node.event set event = replace(encode(event, 'escape'), 'token_made', 'token_none')"
            "::bytea where starts_with(aggregate, 'administration/')"
        ),
        "were changed",
    ),
    ("update trust.log_leaf set entry = entry || 'x' where leaf_index = 0", "leaves of the log"),
)


async def told_by_doctor(folder: Path) -> None:
    """Each change of a row is told; each is taken back before the next."""
    url = running_url(folder / "n" / "node" / "postgres")
    assert url
    for statement, word in TAMPERED:
        with psycopg.connect(url) as connection:
            saved = _saved(connection)
            connection.execute(statement)
        try:
            told = checked(folder)
            assert "bad" in told, statement
            assert any(word in sentence for sentence in told), (statement, told)
        finally:
            with psycopg.connect(url) as connection:
                _put_back(connection, saved)
    assert checked(folder) == {"ok"}


_TABLES = (
    *("node.token", "node.person", "node.passkey", "node.identity"),
    *("node.party", "node.event", "node.outbox"),
    *("exchange.peer", "trust.log_leaf"),
)


def _saved(connection: psycopg.Connection[Any]) -> Callable[[], None] | None:
    for table in _TABLES:
        connection.execute(f"drop table if exists saved_{table.replace('.', '_')}")
        connection.execute(f"create table saved_{table.replace('.', '_')} as table {table}")
    return None


def _put_back(connection: psycopg.Connection[Any], _: object) -> None:
    for table in _TABLES:
        saved = f"saved_{table.replace('.', '_')}"
        connection.execute(f"delete from {table}")
        connection.execute(f"insert into {table} table {saved}")
        connection.execute(f"drop table {saved}")
