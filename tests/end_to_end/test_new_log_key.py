"""A whole paid road, an older backup, a new log key: proofs from before and after both hold."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.end_to_end.test_demo import carried
from tests.node.live_node import answer_of, order, zhidao

from zhidao.simulation.node_process import NodeProcess
from zhidao.simulation.sides import IMPORTER_SIDE
from zhidao.trust.domain.trust_list import trust_list
from zhidao.trust.wire.governance.trust_list import decode_trust_list, encode_trust_list

# Each half of it has a test of its own that is run each day.
pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.long]


def verdict(proof: Path, trust: Path, status: int) -> dict[str, Any]:
    told: dict[str, Any] = answer_of(zhidao("verify", proof, "--trust", trust, "--json"), status)
    return told


async def test_verify_follows_a_log_from_its_former_key_to_the_new_one(tmp_path: Path):
    first, second = tmp_path / "demo" / IMPORTER_SIDE, tmp_path / "second"
    paid = await carried(first.parent)
    assert paid.status == 0, paid.lines[-1]
    backup, keys, passphrase = tmp_path / "a.zdbackup", tmp_path / "k.zdkeys", first / "passphrase"
    data = first / "node"
    answer_of(zhidao("backup", "--data", data, "-o", backup, "--json", passphrase=passphrase))
    answer_of(zhidao("keys", "export", "--data", data, "-o", keys, "--json", passphrase=passphrase))
    token = json.loads((first / "tokens.json").read_text())["importer"]
    node = NodeProcess(first, name=IMPORTER_SIDE)
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=20.0) as http:
            assert (await order(http, token, "later"))[0] == 201
    finally:
        await node.stop()

    second.mkdir()
    shutil.copy(passphrase, second / "passphrase")
    where = ("--data", second / "node", "--json")
    answer_of(zhidao("keys", "import", keys, *where, passphrase=passphrase))
    shutil.copytree(data / "log", second / "node" / "log")
    shutil.copy(data / "scenario-time", second / "node" / "scenario-time")
    kept = ("--keep-token", token.split("_")[1])
    assert answer_of(zhidao("restore", backup, *where, *kept))["recovering"]
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[node]\nname = "{IMPORTER_SIDE}"\n')
    act = ("log", "new-key", "--config", settings, *where, "--yes", "--reason", "lost disk")
    answer_of(zhidao(*act, passphrase=passphrase))

    proof, trust = tmp_path / "new.zdproof", tmp_path / "new.trust.json"
    node = NodeProcess(second, name=IMPORTER_SIDE)
    await node.start()
    try:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=node.url, timeout=20.0, headers=headers) as http:
            proof.write_bytes(await _answer(http, "/v1/consignments/zd-2026-0417/proof"))
            own = decode_trust_list(await _answer(http, "/v1/trust-list"))
    finally:
        await node.stop()
    # The other side's entries stay as they were.
    known = decode_trust_list(Path(paid.summary["trust"]).read_bytes())
    names = {entry.party for entry in (*own.nodes, *own.parties)}
    nodes = [*own.nodes, *(n for n in known.nodes if n.party not in names)]
    parties = [*own.parties, *(p for p in known.parties if p.party not in names)]
    trust.write_bytes(encode_trust_list(trust_list(own.name, own.created, nodes, parties)))
    before = Path(paid.summary["proof"])
    assert verdict(before, trust, 0)["verdict"] == "holds"
    # The importer does not get the exporter's entry, so the papers cannot be compared again.
    told = verdict(proof, trust, 4)
    assert (told["verdict"], "papers" in told["missing"]) == ("holds_in_part", True)
    assert "log_key" in {each["code"] for each in told["proven"]}
    assert "log_before" in {each["code"] for each in told["not_proven"]}
    assert {"inside", "decision"} <= {each["code"] for each in told["proven"]}
    # Who has only the former list is told so, and believes nothing of the new log.
    assert verdict(proof, Path(paid.summary["trust"]), 1)["verdict"] == "untrusted_root"


async def _answer(http: httpx.AsyncClient, path: str) -> bytes:
    """Waits while an event is on its way into the log."""
    for _ in range(40):
        answer = await http.get(path)
        if answer.status_code == 200:
            break
        await asyncio.sleep(0.25)
    assert answer.status_code == 200, answer.text
    return answer.content
