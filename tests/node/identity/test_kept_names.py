"""People whose names were kept before names were asked for more: they come in, and are looked after."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
import pytest
from tests.node.live_node import admin_of
from tests.node.test_administration import PASSWORD, signed_in

from zhidao.simulation.client import Caller, NodeRefused
from zhidao.simulation.node_process import NodeProcess
from zhidao.store.running import running_url

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]

KEPT = ("Aida \u2764\ufe0f", "Li\u3164Na", "ben\u200b", "\u202edrop", "two\nlines", " blank  s ")


async def test_who_is_kept_under_a_name_that_is_given_no_more_signs_in(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path / "n")
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=60.0) as http:
            admin = await admin_of(node, http)
            stays = {"name": "stays", "password": PASSWORD, "party": node.name, "role": "admin"}
            await admin.post("/v1/people", stays)
            for number, name in enumerate(KEPT):
                await kept(admin, node, f"m{number * 7}x", name)
                await looked_after(http, admin, name)
                await refused_as_new(admin, node, name)
            wrong = [
                await no_sign_in(http, name) for name in (KEPT[0], "nobody", "x\ufe0f", "\u3164")
            ]
            assert wrong[0][:2] == (401, "wrong_password")
            assert wrong.count(wrong[0]) == len(wrong), wrong
            # No name can be kept with it, so it is no name.
            assert (await no_sign_in(http, "x\x00"))[:2] == (400, "unprintable")
    finally:
        await node.stop()


async def kept(admin: Caller, node: NodeProcess, made: str, name: str) -> None:
    """Keeps an admin under a name as a release gave it that asked for less."""
    who = {"name": made, "password": PASSWORD, "party": node.name, "role": "admin"}
    await admin.post("/v1/people", who)
    url = running_url(node.data / "node" / "postgres")
    assert url
    with psycopg.connect(url) as connection:
        done = connection.execute("update node.person set name = %s where name = %s", (name, made))
        assert done.rowcount == 1


async def looked_after(http: httpx.AsyncClient, admin: Caller, name: str) -> None:
    """The person signs in, is seen, changes the own password, gets another; sessions end."""
    path = f"/v1/people/{quote(name, safe='')}"
    person = await signed_in(http, name)
    assert (await person.get("/v1/session"))["name"] == name
    assert (await person.get(path))["name"] == name
    assert len(await person.get(f"{path}/sessions")) == 1
    await person.put("/v1/session/password", {"old": PASSWORD, "new": f"{PASSWORD}!"})
    await admin.post(f"{path}/password", {"password": PASSWORD})
    person = await signed_in(http, name)
    assert await person.get(f"{path}/passkeys") == []
    assert await person.get(f"{path}/identities") == []
    await person.put(f"{path}/role", {"role": "operator"})
    with pytest.raises(NodeRefused) as refused:
        await admin.post(f"{path}/agreement", None)
    assert refused.value.code == "party_must_agree"  # found, and not the admin's to agree to
    assert (await admin.post(f"{path}/invitation", None))["name"] == name
    await admin.ask("DELETE", f"{path}/sessions")


async def refused_as_new(admin: Caller, node: NodeProcess, name: str) -> None:
    """Nobody new is named so, by whichever way."""
    who = {"name": f"{name}2", "party": node.name, "role": "operator"}
    for route, body in (("/v1/people", who | {"password": PASSWORD}), ("/v1/invitations", who)):
        with pytest.raises(NodeRefused) as refused:
            await admin.post(route, body)
        assert (refused.value.status, refused.value.code) == (400, "unprintable")


async def no_sign_in(http: httpx.AsyncClient, name: str) -> tuple[int, str, str]:
    answer = await http.post("/v1/session", json={"name": name, "password": "another " * 3})
    told = answer.json()
    return answer.status_code, told["code"], told["detail"]
