"""A party's key is rotated and revoked by command, and a stopped node goes on with the new one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.node.live_node import answer_of, logged, maker_token, order, zhidao

from zhidao.core.canonical import parse_strict
from zhidao.core.encoding import parse_base64url
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.keys import PublicKey
from zhidao.node.adapters.keys.files import Inventory
from zhidao.simulation.node_process import NodeProcess
from zhidao.trust.domain.key_history import KeyHistory
from zhidao.trust.wire.governance.trust_list import decode_trust_list

pytestmark = pytest.mark.service
MAKER = PartyId("maker")


async def open_events(http: httpx.AsyncClient, size: int) -> list[SignedEvent]:
    found = []
    for index in range(size):
        leaf = (await http.get(f"/v1/trust/log/{index}")).json()["leaf"]
        entry: Any = parse_strict(parse_base64url(leaf), bytes_max=65536)
        if entry["kind"] == "open":
            found.append(SignedEvent.from_plain(entry["event"]))
    return found


async def test_a_stopped_node_rotates_and_revokes_and_says_so_in_its_log(tmp_path: Path):
    node = NodeProcess(tmp_path)
    data, secret = tmp_path / "node", tmp_path / "passphrase"

    settings = tmp_path / "settings.toml"
    settings.write_text('[node]\nname = "corridor"\n')

    def keys(*words: str, status: int = 0) -> Any:
        more = ("--config", settings, "--data", data, "--json", "--reason", "test")
        return answer_of(zhidao("keys", *words, *more, passphrase=secret), status)

    def rename(name: str, to: str) -> None:
        folder = data / "keys"
        # The inventory loses the old name before the file moves, and has the new one after it.
        inventory = Inventory(folder)
        inventory.write((inventory.read() or frozenset()) - {f"{name}.ed25519"})
        (folder / f"{name}.ed25519.key").rename(folder / f"{to}.ed25519.key")

    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=20.0) as http:
            token = await maker_token(node, http)
            assert keys("rotate", "maker", status=1)["error"] == "node_runs"
            assert (await order(http, token, "order-1"))[0] == 201
            await logged(http, token, 1)
        await node.stop()
        settings.write_text('[node]\nname = "stranger"\n')
        assert keys("rotate", "maker", status=1)["error"] == "other_node"
        settings.write_text('[node]\nname = "corridor"\n')
        assert keys("rotate", "nobody", status=1)["error"] == "not_found"
        rotated = keys("rotate", "maker")
        # As if the process had died before the new key took its place.
        rename("party.maker_2", "party.maker_next")
        await node.start()
        assert (data / "keys" / "party.maker_2.ed25519.key").exists()
        async with httpx.AsyncClient(base_url=node.url, timeout=20.0) as http:
            assert (await order(http, token, "order-2"))[0] == 201
            await logged(http, token, 3)
        await node.stop()
        revoked = keys("revoke", "maker")
        assert revoked["key"] == rotated["key"]
        await node.start()
        async with httpx.AsyncClient(base_url=node.url, timeout=20.0) as http:
            size = await logged(http, token, 4)
            headers = {"Authorization": f"Bearer {token}"}
            trust = decode_trust_list((await http.get("/v1/trust-list", headers=headers)).content)
            events = await open_events(http, size)
    finally:
        await node.stop()
    assert {"trust.KeyRotated.v1", "trust.KeyRevoked.v1"} <= {event.type for event in events}
    for event in events:
        event.verify()
    history = KeyHistory.of(trust, events)
    now = events[-1].recorded_at.plus_ns(10**9)
    [maker] = [party for party in trust.parties if party.party == MAKER]
    first, second = (PublicKey.from_multikey(rotated[name]) for name in ("former", "key"))
    faults = {key: history.fault(MAKER, key, now) for key in maker.keys}
    assert (faults[first], faults[second]) == ("retired_key", "revoked_key")
    fresh = [key for key, fault in faults.items() if key.algorithm == first.algorithm and not fault]
    assert len(fresh) == 1
