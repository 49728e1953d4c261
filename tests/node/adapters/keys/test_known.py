"""Keys that are lost are named by start, doctor and import, and none is made in their place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.node.live_node import (
    ORDER,
    admin_of,
    agreed_party_token,
    answer_of,
    maker_token,
    operator_of,
    zhidao,
)

from zhidao.simulation.client import NodeRefused
from zhidao.simulation.entrance import agreed_token
from zhidao.simulation.node_process import NodeProcess

pytestmark = pytest.mark.service
LATE = {"party": "late", "name": "Late Ltd", "trade_role": "exporter", "country": "KZ"}
SETTINGS = '[node]\nname = "corridor"\n'


class Standing:
    """A node in a folder, and its commands."""

    def __init__(self, folder: Path) -> None:
        self.node = NodeProcess(folder)
        self.data, self.secret = folder / "node", folder / "passphrase"
        self.settings = folder / "settings.toml"
        self.settings.write_text(SETTINGS)

    def command(self, *words: str | Path, status: int = 0) -> Any:
        more = ("--config", self.settings, "--data", self.data, "--json")
        return answer_of(zhidao(*words, *more, passphrase=self.secret), status)

    def refused(self) -> str:
        """What a start says that ends by itself."""
        words = ("serve", "--config", self.settings, "--data", self.data, "--port", "0")
        done = zhidao(*words, passphrase=self.secret)
        assert done.returncode == 1, done.stderr
        return done.stderr

    def bad(self) -> dict[str, dict[str, str]]:
        """What the doctor finds bad, without what this machine lacks."""
        words = ("doctor", "--config", self.settings, "--data", self.data, "--json")
        checks = json.loads(zhidao(*words, passphrase=self.secret).stdout)
        return {each["name"]: each for each in checks if each["state"] == "bad"}

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.node.url, timeout=20.0)


async def opened(http: httpx.AsyncClient, token: str, name: str) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"}
    answer = await http.post("/v1/industry/orders", json={"order": name, **ORDER}, headers=headers)
    return answer.status_code, answer.json()


async def test_a_party_younger_than_the_imported_export_gets_no_other_key_in_silence(
    tmp_path: Path,
):
    standing = Standing(tmp_path)
    older, newer = tmp_path / "older.zdkeys", tmp_path / "newer.zdkeys"
    node = standing.node
    await node.start()
    try:
        async with standing.http() as http:
            admin = await admin_of(node, http)
            maker = await agreed_party_token(node, admin, http)
            standing.command("keys", "export", "-o", older)
            made = await admin.post("/v1/parties", LATE)
            operator = await operator_of(node, admin, http)
            late = await agreed_token(admin, operator, {"party": "late", "role": "party"})
            assert (await opened(http, late, "late-1"))[0] == 201
        await node.stop()
        standing.command("keys", "export", "-o", newer)
        shutil.rmtree(standing.data / "keys")

        lost = {f"key keys/party.late.{kind}.key" for kind in ("ed25519", "secp256k1")}
        imported = standing.command("keys", "import", older, status=1)
        assert {Path(row["file"]).name for row in imported["lacking"]} == {
            name.rpartition("/")[2] for name in lost
        }
        bad = standing.bad()
        assert lost <= set(bad)
        assert "zhidao keys import" in bad[min(lost)]["remedy"]

        await node.start()
        async with standing.http() as http:
            [alarm] = (await http.get("/readyz")).json()["alarms"]
            assert (alarm["code"], alarm["args"]["parties"]) == ("keys_lacking", "late")
            status, said = await opened(http, late, "late-2")
            assert (status, said["code"]) == (503, "no_key")
            assert (await opened(http, maker, "maker-2"))[0] == 201
            admin = await admin_of(node, http)
            for _ in range(2):
                with pytest.raises(NodeRefused, match="its keys are lost; none was made"):
                    await admin.post("/v1/parties", LATE)
            # Whose keys are there is made once, as before.
            whole = {"party": "maker", "name": "Maker", "trade_role": "exporter", "country": "CN"}
            assert (await admin.post("/v1/parties", whole))["custodial"]
        await node.stop()
        assert not list((standing.data / "keys").glob("party.late*"))

        # The newest export brings them back.
        (standing.data / "keys").rename(tmp_path / "aside")
        assert standing.command("keys", "import", newer)["lacking"] == []
        await node.start()
        async with standing.http() as http:
            assert (await http.get("/readyz")).json()["alarms"] == []
            assert (await opened(http, late, "late-3"))[0] == 201
        await node.stop()

        # Where no export has them, an act that is written down gives the party new ones.
        shutil.rmtree(standing.data / "keys")
        standing.command("keys", "import", older, status=1)
        why = ("--reason", "the disk was lost")
        assert standing.command("keys", "rotate", "late", *why, status=1)["error"] == "key_missing"
        revoked = standing.command("keys", "revoke", "late", *why)
        assert revoked["key"] in made["keys"]
        assert not {name for name in standing.bad() if name.startswith("key")}
        await node.start()
        async with standing.http() as http:
            assert (await http.get("/readyz")).json()["alarms"] == []
            assert (await opened(http, late, "late-4"))[0] == 201
            admin = await admin_of(node, http)
            [known] = [p for p in await admin.get("/v1/parties") if p["party"] == "late"]
        assert not set(known["keys"]) & set(made["keys"])
        assert len(known["keys"]) == 2
    finally:
        await node.stop()


async def test_keys_come_back_where_log_and_keys_are_gone_and_a_start_was_tried(tmp_path: Path):
    standing = Standing(tmp_path)
    export = tmp_path / "node.zdkeys"
    node = standing.node
    await node.start()
    try:
        async with standing.http() as http:
            maker = await maker_token(node, http)
            assert (await opened(http, maker, "maker-1"))[0] == 201
        await node.stop()
        standing.command("keys", "export", "-o", export)
        for name in ("keys", "log"):
            shutil.rmtree(standing.data / name)
        assert "zhidao keys import" in standing.bad()["key keys"]["remedy"]
        assert "was made" in standing.refused()
        # Nor does an act on keys make one that would stand in the way.
        for act in (("keys", "rotate", "maker"), ("log", "new-key", "--yes")):
            said = standing.command(*act, "--reason", "yearly", status=1)
            assert said["error"] == "key_missing", said
        assert not (standing.data / "keys").exists()
        assert standing.command("keys", "import", export)["lacking"] == []
        await node.start()
        async with standing.http() as http:
            assert (await http.get("/readyz")).json()["alarms"] == []
            assert (await opened(http, maker, "maker-2"))[0] == 201
    finally:
        await node.stop()
