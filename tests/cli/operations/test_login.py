"""A person signs in once by command, works without typing address or name, and signs out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.cli.operations.test_people import PASSWORD, Desk, desk
from tests.node.live_node import zhidao

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(600)]
__all__ = ["desk"]


async def _run(*words: str, status: int = 0) -> str:
    done = await asyncio.to_thread(zhidao, *words)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout or done.stderr


async def test_what_follows_a_login_needs_no_address_and_ends_with_the_logout(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    who = desk.person("aida", PASSWORD)
    wrong = desk.person("nobody", "something else")
    await _run("login", desk.node.url, "--as", "aida", *wrong[2:], status=1)
    told = json.loads(await _run("login", desk.node.url, *who, "--json"))
    kept = Path(told["file"])
    assert (kept.stat().st_mode & 0o777, told["person"]) == (0o600, "aida")
    assert PASSWORD not in kept.read_text()
    people = json.loads(await _run("people", "list", "--json"))
    assert [each["name"] for each in people] == ["aida"]
    link = json.loads(await _run("people", "invite", "ben", "corridor", "auditor", "--json"))
    assert link["link"].startswith(f"{desk.node.url}/")
    # A second profile beside it, by a token; each is named, the last one counts.
    token = tmp_path / "operator.token"
    await _run("token", "make", "corridor", "operator", "-o", str(token))
    await _run("login", desk.node.url, "--token-file", str(token), "--profile", "op")
    asked = ("people", "withdraw", "ben", "--json")
    assert "forbidden" in await _run(*asked, status=1)
    assert json.loads(await _run(*asked, "--profile", "default")) == {"withdrawn": "ben"}
    # Out: the session ends at the node, and so does the token if that was asked for.
    session = kept.read_text()
    await _run("logout", "--profile", "default")
    assert not kept.exists()
    kept.write_text(session)
    kept.chmod(0o600)
    ended = await _run("people", "list", "--profile", "default", status=1)
    assert f"zhidao login {desk.node.url} --profile default" in ended
    await _run("login", desk.node.url, *who)
    await _run("logout", "--profile", "op", status=0)
    tokens = json.loads(await _run("token", "list", "--json"))
    assert [each["revoked"] for each in tokens] == [False]
    await _run("logout")
    assert "which node" in await _run("waiting", status=2)
