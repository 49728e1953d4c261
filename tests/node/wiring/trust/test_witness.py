from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from litestar import Litestar, Request
from litestar.di import Provide
from tests.node.wiring.trust.test_log import context_on

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import party_id
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.http.problems import HANDLERS
from zhidao.node.operations.alarms import Alarms
from zhidao.node.wiring.trust import log as trust_log
from zhidao.node.wiring.trust import witness as trust_witness
from zhidao.trust.adapters.http_network import HttpNetwork
from zhidao.trust.adapters.log.memory import MemoryHeadCopy, MemoryLogStore
from zhidao.trust.adapters.log.mirror_positions import MemoryMirrorPositions
from zhidao.trust.domain.mirroring import MirrorTarget
from zhidao.trust.domain.note import Cosigner
from zhidao.trust.service.log.sequencer import Sequencer
from zhidao.trust.service.witness.head_offering import HeadOffering
from zhidao.trust.service.witness.mirror_pushing import MirrorPush
from zhidao.trust.service.witness.peers import origin_hash
from zhidao.trust.wire.log.add_checkpoint import encode_add_checkpoint
from zhidao.trust.wire.log.note import decode_lines, decode_note, parse_vkey, vkey
from zhidao.trust.wire.log.tlog_proof import decode_tlog_proof

if TYPE_CHECKING:
    from zhidao.store.database import Database

pytestmark = pytest.mark.service


async def other_log() -> tuple[Sequencer, bytes]:
    store = MemoryLogStore()
    key = SoftwareKey(Algorithm.ED25519, b"o" * 32)
    log = Sequencer(origin="other.example/log", key=key, store=store, copy=MemoryHeadCopy())
    await log.start()
    async with store.transaction() as transaction:
        await log.append(transaction, [b"a", b"b"])
    return log, await log.sign_checkpoint()


def keys_in(folder: Path) -> KeyFiles:
    return KeyFiles(folder / "keys", b"a passphrase", SeededRandomness(7))


async def actor(request: Request[Any, Any, Any]) -> Actor:
    return Actor(party_id("exporter"), Role(request.headers.get("x-role", "party")))


async def built(database: Database, folder: Path) -> trust_witness.WitnessServices:
    context = context_on(database, folder)
    log = await trust_log.build(context)
    await log.log.sign_checkpoint()
    return await trust_witness.build(context, keys_in(folder), log, Alarms())


async def test_a_node_witnesses_the_logs_of_its_policies(
    database: Database, tmp_path: Path
) -> None:
    log, note = await other_log()
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "corridor.policy").write_text(
        f"log {vkey(log.note_key)}\nquorum none\n"
    )
    services = await built(database, tmp_path)
    running = [asyncio.create_task(work()) for work in services.room.background]

    app = Litestar(
        services.room.routers, dependencies={"actor": Provide(actor)}, exception_handlers=HANDLERS
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        text = {"content-type": "text/plain"}
        body = encode_add_checkpoint(0, [], note)
        answer = await client.post("/witness/add-checkpoint", content=body, headers=text)
        lines = decode_lines(answer.content)
        assert len(decode_note(note).with_lines(lines).cosigned_by(services.witness.keys)) == 2
        again = await client.post("/witness/add-checkpoint", content=body, headers=text)
        assert (again.status_code, again.content) == (409, b"2\n")
        assert again.headers["content-type"].startswith("text/x.tlog.size")
        for bad, status in ((b"old 0\n", 400), (body.replace(b"other", b"third"), 404)):
            refused = await client.post("/witness/add-checkpoint", content=bad, headers=text)
            assert refused.status_code == status
        held = await client.get(f"/witness/{origin_hash(log.origin)}/checkpoint")
        assert decode_note(held.content).signed_by([log.note_key, *services.witness.keys])
        assert (await client.get(f"/witness/{'0' * 64}/checkpoint")).status_code == 404
        assert (await client.post("/witness/gossip", content=note)).content == held.content
        state = (await client.get("/v1/trust/witness")).json()
        assert [each["size"] for each in state["logs"]] == [2]
        for role in ("auditor", "operator", "admin"):
            refused = await client.post(
                "/v1/trust/log/commitments", content=b"c" * 64, headers={"x-role": role}
            )
            assert refused.status_code == 403, refused.text
        logged = await client.post("/v1/trust/log/commitments", content=b"c" * 64)
        assert (logged.json()["first"], logged.json()["count"]) == (0, 2)
        proof = decode_tlog_proof((await client.get("/v1/trust/log/1/proof")).content)
        assert (proof.index, len(proof.path)) == (1, 1)
    for task in running:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    # The witness goes on from what it held, and never without it.
    again_built = await built(database, tmp_path)
    assert again_built.witness.heads()[log.origin].size == 2


async def test_a_log_is_brought_to_a_mirror_over_http_and_the_node_tells_how_far(
    database: Database, tmp_path: Path
) -> None:
    log, _ = await other_log()
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "corridor.policy").write_text(
        f"log {vkey(log.note_key)}\nquorum none\n"
    )
    nobody = vkey(Cosigner("m.example", SoftwareKey(Algorithm.ED25519, b"m" * 32)).note_key)
    (tmp_path / "policies" / "corridor.mirrors").write_text(f"mirror {nobody} http://127.0.0.1:9\n")
    services = await built(database, tmp_path)
    app = Litestar(
        services.room.routers, dependencies={"actor": Provide(actor)}, exception_handlers=HANDLERS
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    jobs = [*services.room.background, server.serve]
    running = [asyncio.create_task(work()) for work in jobs]
    network = HttpNetwork()
    try:
        async with asyncio.timeout(30):
            while not server.started:
                await asyncio.sleep(0.01)
            url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
            state = json.loads((await network.get(f"{url}/v1/trust/witness")).body)
            keys = tuple(parse_vkey(key) for key in state["mirror_keys"])
            push = MirrorPush(
                MirrorTarget(f"{url}/witness", keys, ("corridor",)),
                origin=log.origin,
                reader=log.reader,
                network=network,
                offering=HeadOffering(log.reader, network),
                positions=MemoryMirrorPositions(),
            )
            assert await push.step()
            assert (await push.pushed()).cosigned == 2
            hashed = origin_hash(log.origin)
            copied = await network.get(f"{url}/witness/mirror/{hashed}/checkpoint")
            assert decode_note(copied.body).cosigned_by(keys)
            logged = f"{url}/v1/trust/log/commitments"
            assert (await network.post(logged, b"c" * 64, kind="text/plain")).status == 201
            # This node's own log goes to a mirror that does not answer, and the state says so.
            while not state["brought"][0]["problem"]:
                await asyncio.sleep(0.05)
                state = json.loads((await network.get(f"{url}/v1/trust/witness")).body)
    finally:
        await network.close()
        server.should_exit = True
        for task in running[:-1]:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    [brought] = state["brought"]
    assert (brought["url"], brought["corridors"]) == ("http://127.0.0.1:9", ["corridor"])
    assert (brought["leaves"], brought["cosigned"]) == (0, 0)


async def test_a_list_of_mirrors_that_cannot_be_read_is_named(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "east.mirrors").write_text("mirror nobody\n")
    with pytest.raises(MalformedInput) as refusal:
        await built(database, tmp_path)
    assert "east.mirrors, line 1" in refusal.value.where


async def test_a_witness_whose_state_is_lost_does_not_start(
    database: Database, tmp_path: Path
) -> None:
    keys_in(tmp_path).make("witness", Algorithm.ED25519)
    with pytest.raises(Refused) as refusal:
        await built(database, tmp_path)
    assert refusal.value.code == "witness_state_lost"


async def test_a_policy_that_cannot_be_read_is_named(database: Database, tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "corridor.policy").write_text("quorum most\n")
    with pytest.raises(MalformedInput) as refusal:
        await built(database, tmp_path)
    assert "corridor.policy, line 1" in refusal.value.where
