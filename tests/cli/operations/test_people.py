"""A node's people and tokens by command, from the first admin to the way back in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.node.live_node import zhidao

from zhidao.simulation.node_process import NodeProcess

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]
PASSWORD = "ten or more letters"


@dataclass(frozen=True)
class Desk:
    """A running node, and the commands of who works with it."""

    node: NodeProcess
    folder: Path

    async def run(self, *words: str, who: tuple[str, ...] = (), status: int = 0) -> Any:
        done = await asyncio.to_thread(zhidao, *words, "--url", self.node.url, "--json", *who)
        assert done.returncode == status, done.stdout + done.stderr
        return json.loads(done.stdout)

    def person(self, name: str, password: str) -> tuple[str, ...]:
        file = self.folder / f"{name}.password"
        file.touch(mode=0o600)
        file.write_text(password)
        return ("--as", name, "--password-file", str(file))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    node = NodeProcess(tmp_path / "n")
    state = await node.start()
    try:
        first = {"code": state["first_admin_code"], "name": "aida", "password": PASSWORD}
        answer = await asyncio.to_thread(httpx.post, f"{node.url}/v1/first-admin", json=first)
        assert answer.status_code == 200
        yield Desk(node, tmp_path)
    finally:
        await node.stop()


async def test_a_party_is_added_shown_and_listed(desk: Desk) -> None:
    aida = desk.person("aida", PASSWORD)
    words = ("party", "add", "pumps", "Khorgos Pumps", "exporter")
    made = await desk.run(*words, "CN", who=aida)
    assert (made["party"], made["custodial"]) == ("pumps", True)
    assert await desk.run("party", "show", "pumps", who=aida) == made
    assert made in await desk.run("party", "list", who=aida)
    # Again: the same party. Unknown, or of no country: refused in words.
    assert await desk.run(*words, "CN", who=aida) == made
    for wrong, status in ((("party", "show", "nobody"), 1), ((*words, "cn"), 2)):
        done = await asyncio.to_thread(zhidao, *wrong, "--url", desk.node.url, *aida)
        assert (done.returncode, done.stdout) == (status, "")
        assert done.stderr.startswith("zhidao: ")


async def test_who_signs_in_for_one_command_is_signed_out_with_it(desk: Desk) -> None:
    aida = desk.person("aida", PASSWORD)
    await desk.run("people", "list", who=aida)
    await desk.run("party", "show", "nobody", who=aida, status=1)
    new = desk.folder / "new.password"
    new.touch(mode=0o600)
    new.write_text("another one, as long")
    await desk.run("people", "password", "--new-password-file", str(new), who=aida)
    aida = desk.person("aida", "another one, as long")
    for _ in range(2):
        listed = await desk.run("people", "sessions", "aida", who=aida)
        assert [each["here"] for each in listed] == [True], "this command's own, and no other"
    # It ended its own session; that it cannot end it once more is nobody's trouble.
    await desk.run("people", "sessions", "aida", "--end", who=aida)


async def test_people_and_tokens_are_made_agreed_to_and_taken_away(desk: Desk) -> None:
    aida = desk.person("aida", PASSWORD)
    token = desk.folder / "operator.token"
    made = await desk.run("token", "make", "corridor", "operator", "-o", str(token), who=aida)
    assert made["agreed"] == "own"
    assert token.stat().st_mode & 0o777 == 0o600
    operator = ("--token-file", str(token))
    again = ("token", "make", "corridor", "operator", "-o", str(token))
    assert (await desk.run(*again, who=aida, status=1))["error"] == "file_exists"
    typed = await desk.run("people", "make", "aigerim", "bnak", "party", who=aida, status=1)
    assert typed["error"] == "party_unknown"
    typed = await desk.run("token", "make", "bnak", "party", who=aida, status=1)
    assert typed["error"] == "party_unknown"
    await desk.run("party", "add", "bank", "Alatau Trade Bank", "bank", "KZ", who=aida)
    first = await desk.run("people", "make", "aigerim", "bank", "party", who=aida)
    second = await desk.run("people", "make", "daniyar", "bank", "party", who=aida)
    assert (first["waits"], second["waits"]) == ("bank", "bank")
    await desk.run("people", "agree", "aigerim", who=operator)
    refused = await desk.run("people", "agree", "daniyar", who=operator, status=1)
    assert refused["error"] == "party_must_agree"
    aigerim = desk.person("aigerim", first["password"])
    agreed = await desk.run("people", "agree", "daniyar", who=aigerim)
    assert agreed["agreed"] == "person aigerim"
    bank = await desk.run("token", "make", "bank", "party", who=aida)
    await desk.run("token", "agree", bank["id"], who=aigerim)
    assert [each["id"] for each in await desk.run("token", "list", who=aigerim)] == [bank["id"]]
    await desk.run("token", "withdraw", bank["id"], who=aigerim)
    await desk.run("people", "withdraw", "daniyar", who=aida)
    names = [each["name"] for each in await desk.run("people", "list", who=aigerim)]
    assert names == ["aigerim", "daniyar"]
    assert (await desk.run("people", "show", "daniyar", who=aida, status=1))["error"] == "not_found"
    last = await desk.run("people", "withdraw", "aida", who=aida, status=1)
    assert last["error"] == "last_admin"
    asked = {"name": "aigerim", "password": first["password"]}
    page = await asyncio.to_thread(httpx.post, f"{desk.node.url}/v1/session", json=asked)
    assert page.status_code == 200
    assert len(await desk.run("people", "sessions", "aigerim", who=aida)) == 1
    assert (await desk.run("people", "sessions", "aigerim", "--end", who=aida))["ended"] == 1
    # The last admin stays one; another role waits for the word of a party that is another's.
    last = await desk.run("people", "change", "aida", "--role", "auditor", who=aida, status=1)
    assert last["error"] == "last_admin"
    first = await desk.run("people", "make", "dina", "corridor", "operator", who=aida)
    changed = await desk.run("people", "change", "dina", "--role", "auditor", who=aida)
    assert (changed["role"], changed["waits"]) == ("auditor", "")
    # Invited, somebody sets a password that nobody else has seen; the link says what became of it.
    link = (await desk.run("people", "invite", "emil", "corridor", "auditor", who=aida))["link"]
    assert link.startswith(f"{desk.node.url}/join#")
    assert (await desk.run("people", "show", "emil", who=aida))["state"] == "invited"
    newer = (await desk.run("people", "invite", "emil", who=aida))["link"]
    for each, code in ((link, "invitation_replaced"), (newer, ""), (newer, "invitation_used")):
        body = {"code": each.partition("#")[2], "password": PASSWORD}
        url = f"{desk.node.url}/v1/invitations/join"
        answer = await asyncio.to_thread(httpx.post, url, json=body)
        assert answer.json().get("code", "") == code
    emil = desk.person("emil", PASSWORD)
    assert (
        "PARTY and ROLE"
        in (await desk.run("people", "invite", "x", "y", who=aida, status=2))["detail"]
    )
    seen = await desk.run("people", "sessions", "emil", who=emil)
    assert [each["here"] for each in seen].count(True) == 1
    one = next(each["session"] for each in seen if not each["here"])
    ended = await desk.run("people", "sessions", "emil", "--end-one", one, who=emil)
    assert ended == {"ended": 1}
    again = ("people", "sessions", "emil", "--end-one", one)
    assert (await desk.run(*again, who=emil, status=1))["error"] == "not_found"
    # The own password: the new one counts, and only with the old one.
    dina, chosen = desk.person("dina", first["password"]), desk.folder / "chosen"
    chosen.touch(mode=0o600)
    new = ("people", "password", "--new-password-file", str(chosen))
    chosen.write_text("eleven only")
    assert (await desk.run(*new, who=dina, status=1))["error"] == "short_password"
    chosen.write_text("a password of her own")
    assert await desk.run(*new, who=dina) == {"changed": "dina"}
    assert (await desk.run(*new, who=dina, status=1))["error"] == "wrong_password"
    assert await desk.run("people", "list", who=desk.person("dina", "a password of her own"))
    assert "--as NAME" in (await desk.run(*new, who=operator, status=2))["detail"]
    reset = await desk.run("people", "reset", "aigerim", who=aida)
    assert reset["waits"] == "bank"
    await desk.run("people", "list", who=aigerim)
    nobody = await desk.run("people", "list", status=2)
    assert nobody["error"] == "no_caller"
    assert "zhidao login" in nobody["detail"] + nobody.get("remedy", "")


async def test_a_locked_out_admin_comes_back_at_the_machine_and_the_log_tells_of_it(
    desk: Desk,
) -> None:
    data = str(desk.node.data / "node")
    reset = await asyncio.to_thread(zhidao, "people", "reset", "aida", "--data", data, "--json")
    assert reset.returncode == 0, reset.stdout + reset.stderr
    told = json.loads(reset.stdout)
    old = await desk.run("people", "list", who=desk.person("aida", PASSWORD), status=1)
    assert old["error"] == "wrong_password"
    aida = desk.person("aida", told["password"])
    token = await desk.run("token", "make", "corridor", "auditor", who=aida)
    bearer = {"Authorization": f"Bearer {token['token']}"}
    for _ in range(100):
        url = f"{desk.node.url}/v1/administration?limit=200"
        answer = await asyncio.to_thread(httpx.get, url, headers=bearer)
        acts = {(each["act"], each["subject"], each["credential"]) for each in answer.json()}
        if ("password_reset", "aida", "console") in acts:
            break
        await asyncio.sleep(0.2)
    else:
        raise AssertionError("the reset left no trace")
    nobody = await asyncio.to_thread(zhidao, "people", "reset", "x", "--data", data, "--json")
    assert (nobody.returncode, json.loads(nobody.stdout)["error"]) == (1, "not_found")


async def test_a_party_that_is_locked_out_is_agreed_for_at_the_machine_alone(desk: Desk) -> None:
    """An admin who takes a bank's only person away cannot put another in the place."""
    aida = desk.person("aida", PASSWORD)
    token = desk.folder / "operator.token"
    await desk.run("token", "make", "corridor", "operator", "-o", str(token), who=aida)
    operator = ("--token-file", str(token))
    await desk.run("party", "add", "bank", "Alatau Trade Bank", "bank", "KZ", who=aida)
    await desk.run("people", "make", "aigerim", "bank", "party", who=aida)
    await desk.run("people", "agree", "aigerim", who=operator)
    await desk.run("people", "withdraw", "aigerim", who=aida)
    made = await desk.run("people", "make", "erlan", "bank", "party", who=aida)
    refused = await desk.run("people", "agree", "erlan", who=operator, status=1)
    assert refused["error"] == "party_must_agree"
    data = ("--data", str(desk.node.data / "node"), "--json")
    done = await asyncio.to_thread(zhidao, "people", "agree", "erlan", *data)
    assert done.returncode == 0, done.stdout + done.stderr
    told = await desk.run("people", "show", "erlan", who=desk.person("erlan", made["password"]))
    assert told["agreed"] == "operator"
    for name, error in (("erlan", "agreed_already"), ("aigerim", "not_found")):
        again = await asyncio.to_thread(zhidao, "people", "agree", name, *data)
        assert (again.returncode, json.loads(again.stdout)["error"]) == (1, error)
