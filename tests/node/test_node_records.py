"""What who runs a node looks at: who may, and what a running node says, by route and command."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest
from tests.node.live_node import admin_of, agreed_party_token, answer_of, zhidao

from zhidao.node.config import load
from zhidao.node.wiring.operations.node_records import shown_settings
from zhidao.node.wiring.operations.shown import ShownSettings
from zhidao.simulation.client import Caller, NodeRefused
from zhidao.simulation.node_process import NodeProcess

ROUTES = ("settings", "jobs", "certificates", "backups", "dead-letters", "growth", "roles")


def test_a_secret_is_dots_and_every_setting_says_where_it_comes_from() -> None:
    config = load(None, {"ZHIDAO_DATABASE_URL": "postgresql://u:hunter2@h/d"}, {"http.port": 9000})
    rows = {each.name: each for each in shown_settings(ShownSettings(config.every()))}
    assert len(rows) == len(config.every())
    assert rows["database.url"].value == "••••"
    assert rows["database.url"].source == "ZHIDAO_DATABASE_URL"
    assert (rows["http.port"].value, rows["http.port"].source) == (9000, "command line")
    assert rows["http.host"].source == "default"
    assert "hunter2" not in str(rows)


@pytest.mark.service
@pytest.mark.slow
async def test_who_runs_the_node_sees_its_records_and_nobody_else(tmp_path: Path) -> None:
    node = NodeProcess(tmp_path / "n")
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=60.0) as http:
            admin = await admin_of(node, http)
            party = Caller(http, await agreed_party_token(node, admin, http))
            for each in ROUTES:
                with pytest.raises(NodeRefused) as refused:
                    await party.get(f"/v1/node/{each}")
                assert refused.value.status == 403, each
            settings = {e["name"]: e for e in await admin.get("/v1/node/settings")}
            assert settings["node.name"]["source"] == "ZHIDAO_NODE_NAME"
            jobs = {each["name"]: each for each in await admin.get("/v1/node/jobs")}
            assert {"relay", "growth", "notifications", "notification delivery"} <= set(jobs)
            assert [each for each in jobs.values() if each["failures"]] == []
            roles = await admin.get("/v1/node/roles")
            assert {each["vacant"] for each in roles["leases"]} == {False}
            assert [each["name"] for each in roles["processes"]] == [roles["leases"][0]["holder"]]
            (first, *_) = await admin.get("/v1/node/growth")
            assert first["database_bytes"] > 5_000_000
            assert first["free_bytes"] > 0
            assert await admin.get("/v1/node/dead-letters") == []
            # It speaks plain HTTP here: there is nothing to run out.
            assert await admin.get("/v1/node/certificates") == []
            assert await admin.get("/v1/node/backups") == []
            data, passphrase = node.data / "node", node.data / "passphrase"
            os.environ["ZHIDAO_NODE_NAME"] = node.name
            try:
                made = answer_of(
                    zhidao(
                        *("backup", "--data", data, "-o", tmp_path / "b.zdbackup", "--json"),
                        passphrase=passphrase,
                    )
                )
            finally:
                del os.environ["ZHIDAO_NODE_NAME"]
            (backup,) = await admin.get("/v1/node/backups")
            assert backup["number"] == made["meta"]["number"] == 1
            assert (backup["file"], backup["sealed"]) == ("b.zdbackup", False)
            token = (await admin.post("/v1/tokens", {"party": node.name, "role": "admin"}))["token"]
            file = tmp_path / "token"
            file.touch(mode=0o600)
            file.write_text(token)
            who = ("--url", node.url, "--token-file", file, "--json")
            assert answer_of(zhidao("node", "backups", *who)) == [backup]
            assert {e["name"] for e in answer_of(zhidao("node", "settings", *who))} == set(settings)
            journal = answer_of(zhidao("node", "journal", *who))
            assert "backup_begun" in {each["act"] for each in journal}
            assert answer_of(zhidao("node", "alarms", *who)) == []
    finally:
        await node.stop()
