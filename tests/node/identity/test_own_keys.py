"""The node's own keys: gone over to others in sight of all, kept in files or in a token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.node.adapters.keys.test_pkcs11 import module, needs_softhsm  # noqa: F401 (a fixture)
from tests.node.identity.test_key_rotation import open_events
from tests.node.live_node import answer_of, logged, maker_token, order, zhidao

from zhidao.core.errors import Refused
from zhidao.core.events import SignedEvent
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.node.adapters.ambient import SystemRandomness
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.identity.own_keys import (
    first_key,
    meeting_key,
    own_keys_of,
    present_of,
)
from zhidao.simulation.node_process import NodeProcess
from zhidao.store.database import Database
from zhidao.trust.domain.key_history import KeyHistory
from zhidao.trust.wire.governance.trust_list import decode_trust_list
from zhidao.trust.wire.log.note import decode_note, parse_checkpoint

NODE = "corridor"


def settings_in(folder: Path, more: str = "") -> Path:
    file = folder / "settings.toml"
    file.write_text(f'[node]\nname = "{NODE}"\n{more}')
    return file


async def trust_of(http: httpx.AsyncClient, token: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return decode_trust_list((await http.get("/v1/trust-list", headers=headers)).content)


def recorders(events: list[SignedEvent]) -> list[str]:
    return [event.recorded_by.key.multikey for event in events]


@pytest.mark.service
async def test_a_node_goes_over_to_another_recording_key_and_then_to_another_log_key(
    tmp_path: Path,
):
    node = NodeProcess(tmp_path)
    data, secret = tmp_path / "node", tmp_path / "passphrase"
    settings = settings_in(tmp_path)

    def command(*words: str, status: int = 0) -> Any:
        more = ("--config", settings, "--data", data, "--json", "--reason", "yearly")
        return answer_of(zhidao(*words, *more, passphrase=secret), status)

    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=20.0) as http:
            token = await maker_token(node, http)
            assert (await order(http, token, "order-1"))[0] == 201
            await logged(http, token, 1)
            before = await trust_of(http, token)
        await node.stop()
        assert command("keys", "revoke", NODE, status=1)["error"] == "present_key"
        # As if an earlier act had died after making the key: it is taken up again.
        KeyFiles(data / "keys", secret.read_bytes().strip(), SystemRandomness()).make(
            "node-2", Algorithm.ED25519
        )
        rotated = command("keys", "rotate", NODE)
        assert rotated["former"] == before.nodes[0].keys[0].multikey
        await node.start()
        async with httpx.AsyncClient(base_url=node.url, timeout=20.0) as http:
            assert (await order(http, token, "order-2"))[0] == 201
            size = await logged(http, token, 3)
            events = await open_events(http, size)
            after = await trust_of(http, token)
            did = (await http.get("/.well-known/did.json")).json()
        await node.stop()
        assert [m["publicKeyMultibase"] for m in did["verificationMethod"]] == [
            rotated["key"],
            rotated["former"],
        ]
        assert command("log", "new-key", "--yes", status=1)["error"] == "log_in_order"
        declared = command("log", "new-key", "--planned")
        # What the stopping node still wrote down of itself came after the size that was read.
        assert declared["known_leaves"] == declared["carried_leaves"] >= size
        size = declared["known_leaves"]
        command("keys", "revoke", NODE, "--key", rotated["former"])
        await node.start()
        async with httpx.AsyncClient(base_url=node.url, timeout=20.0) as http:
            assert (await http.get("/readyz")).json()["ready"]
            assert (await order(http, token, "order-3"))[0] == 201
            grown = await logged(http, token, size + 3)
            events = await open_events(http, grown)
            head = parse_checkpoint(decode_note((await http.get("/log/checkpoint")).content).text)
            last = await trust_of(http, token)
            did = (await http.get("/.well-known/did.json")).json()
        assert [m["publicKeyMultibase"] for m in did["verificationMethod"]] == [rotated["key"]]
    finally:
        await node.stop()
    assert head.origin == declared["origin"] == last.nodes[0].log.name
    assert before.nodes[0].log in last.logs, "older heads stay verifiable"
    # Who knows only the first list believes the new key through the event that the old one signed.
    history = KeyHistory.of(before, events)
    key = next(e.recorded_by.key for e in events if e.type == "trust.LogKeyDeclared.v1")
    assert key.multikey == rotated["key"]
    assert history.records(NODE, key)
    assert not before.records(NODE, key)
    assert history.fault(NODE, key, events[-1].recorded_at) == ""
    assert {k.multikey for k in after.nodes[0].keys} >= {rotated["former"], rotated["key"]}


def test_a_key_that_was_made_and_not_gone_over_to_is_not_used():
    known = [SoftwareKey(Algorithm.ED25519, bytes([n]) * 32) for n in (1, 2)]
    assert present_of(known, []) == 0


def test_peers_are_met_with_the_oldest_key_that_was_not_taken_back():
    known = [SoftwareKey(Algorithm.ED25519, bytes([n]) * 32) for n in (1, 2, 3)]
    assert meeting_key(known, ()) is known[0]
    assert meeting_key(known, [known[0].public]) is known[1]
    assert meeting_key(known, [known[0].public, known[1].public]) is known[2]


@pytest.mark.service
@needs_softhsm
async def test_a_node_keeps_its_own_keys_in_a_token(
    module: Path,  # noqa: F811 (the fixture)
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    pin = tmp_path / "pin"
    pin.write_bytes(b"1234")
    pin.chmod(0o600)
    settings = settings_in(tmp_path)
    for name, value in (("MODULE", module), ("LABEL", "node"), ("PIN_FILE", pin)):
        monkeypatch.setenv(f"ZHIDAO_KEYS_TOKEN_{name}", str(value))
    node = NodeProcess(tmp_path)
    data, secret = tmp_path / "node", tmp_path / "passphrase"
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=20.0) as http:
            token = await maker_token(node, http)
            assert (await order(http, token, "order-1"))[0] == 201
            await logged(http, token, 1)
            trust = await trust_of(http, token)
        await node.stop()
        words = ("--config", settings, "--data", data, "--json", "--reason", "yearly")
        rotated = answer_of(zhidao("keys", "rotate", NODE, *words, passphrase=secret), 0)
        await node.start()
        async with httpx.AsyncClient(base_url=node.url, timeout=20.0) as http:
            assert (await order(http, token, "order-2"))[0] == 201
            await logged(http, token, 3)
            later = await trust_of(http, token)
    finally:
        await node.stop()
    assert not (data / "keys" / "node.ed25519.key").exists()
    assert not (data / "keys" / "node-2.ed25519.key").exists()
    assert trust.nodes[0].log == later.nodes[0].log
    assert rotated["key"] in {key.multikey for key in later.nodes[0].keys}


def test_own_keys_are_found_in_order(tmp_path: Path):
    files = KeyFiles(tmp_path / "keys", b"secret", SystemRandomness())
    first = own_keys_of(files)
    assert len(first) == 1
    second = files.make("node-2", Algorithm.ED25519)
    assert [key.public for key in own_keys_of(files)] == [first[0].public, second.public]


async def test_a_lost_first_key_is_told_and_no_other_one_made(tmp_path: Path, database: Database):
    files = KeyFiles(tmp_path / "keys", b"secret", SystemRandomness())
    made = await first_key(database, files)
    assert await first_key(database, files) is made
    file = tmp_path / "keys" / "node.ed25519.key"
    kept = file.read_bytes()
    async with database.session() as session:
        await session.execute(
            "insert into trust.log_head (origin, size, edge, epoch) values (%s, 3, %s, 1)",
            ("log", b""),
        )
    file.unlink()
    lost = KeyFiles(tmp_path / "keys", b"secret", SystemRandomness())
    with pytest.raises(Refused) as told:
        await first_key(database, lost)
    assert told.value.code == "key_missing"
    assert "node.ed25519.key" in told.value.where
    assert not file.exists()
    file.write_bytes(kept)
    assert (await first_key(database, lost)).public == made.public
