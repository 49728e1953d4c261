from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from litestar import Litestar
from litestar.di import Provide
from litestar.testing import AsyncTestClient
from tests.trust.proof_bench import CARRIER, EXPORTER, ProofBench

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import digest_of
from zhidao.core.canonical import jcs
from zhidao.core.encoding import parse_base64url
from zhidao.core.ids import party_id
from zhidao.core.journal import FixedKeyRing
from zhidao.node.api.trust.log import routes
from zhidao.node.http.problems import HANDLERS
from zhidao.store.memory import MemoryArchive
from zhidao.trust.domain.merkle import leaf_hash, verify_inclusion
from zhidao.trust.service.credentials.credentials import CredentialService
from zhidao.trust.service.log.reader import checkpoint_of
from zhidao.trust.wire.identifiers.did import web_document
from zhidao.trust.wire.log.note import decode_note

CALLER = "x-caller"


class Server:
    def __init__(self, bench: ProofBench) -> None:
        self.bench = bench
        self.credentials = CredentialService(
            records=bench.records,
            archive=MemoryArchive(),
            ring=FixedKeyRing(dict(bench.keys)),
            node_key=bench.node_key,
            clock=bench.clock,
            known={},
        )
        document = web_document("node.example", [bench.node_key.public])

        async def actor(headers: dict[str, str]) -> Actor:
            return Actor(party_id(headers.get(CALLER, "stranger")), Role.PARTY)

        self.app = Litestar(
            [routes(bench.log.reader, self.credentials, document)],
            dependencies={"actor": Provide(actor)},
            exception_handlers=HANDLERS,
        )


@pytest.fixture
async def server() -> Server:
    bench = ProofBench()
    await bench.road()
    await bench.relay()
    return Server(bench)


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncTestClient]:
    async with AsyncTestClient(server.app) as client:
        yield client


async def test_anybody_reads_the_log_as_tiles(client: AsyncTestClient, server: Server) -> None:
    head = await client.get("/log/checkpoint")
    assert head.headers["content-type"] == "text/plain; charset=utf-8"
    assert decode_note(head.content).signed_by([server.bench.log.note_key])
    checkpoint = checkpoint_of(head.content)
    tile = await client.get(f"/log/tile/0/000.p/{checkpoint.size}")
    assert tile.headers["content-type"] == "application/octet-stream"
    assert "immutable" in tile.headers["cache-control"]
    assert len(tile.content) == 32 * checkpoint.size
    bundle = await client.get(f"/log/tile/entries/000.p/{checkpoint.size}")
    assert (
        leaf_hash(bundle.content[2 : 2 + int.from_bytes(bundle.content[:2], "big")])
        == (tile.content[:32])
    )


async def test_bundles_are_compressed_for_whoever_accepts_it(client: AsyncTestClient) -> None:
    size = checkpoint_of((await client.get("/log/checkpoint")).content).size
    path = f"/log/tile/entries/000.p/{size}"
    plain = await client.get(path, headers={"accept-encoding": "identity"})
    packed = await client.get(path, headers={"accept-encoding": "br, gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"
    assert plain.content == packed.content
    refused = await client.get(path, headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers
    hashes = await client.get(f"/log/tile/0/000.p/{size}", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in hashes.headers


@pytest.mark.parametrize(
    "path", ["0/000", "0/001.p/1", "0/0", "x", "0/000.p/0", "entries/000", "%2e%2e/checkpoint"]
)
async def test_no_other_tile_is_there(client: AsyncTestClient, path: str) -> None:
    assert (await client.get(f"/log/tile/{path}")).status_code == 404


async def test_a_leaf_comes_with_its_proof(client: AsyncTestClient) -> None:
    answer = (await client.get("/v1/trust/log/2")).json()
    checkpoint = checkpoint_of(answer["checkpoint"].encode())
    verify_inclusion(
        leaf=leaf_hash(parse_base64url(answer["leaf"])),
        index=answer["index"],
        size=answer["size"],
        proof=[parse_base64url(item) for item in answer["inclusion"]],
        root=checkpoint.root,
    )
    assert (await client.get("/v1/trust/log/4")).status_code == 404
    assert (await client.get("/v1/trust/log/-1")).status_code in (400, 404)


async def test_growth_is_shown_and_nonsense_refused(client: AsyncTestClient) -> None:
    answer = await client.get("/v1/trust/log/consistency", params={"first": 2, "second": 4})
    assert len(answer.json()["proof"]) == 1
    for first, second in ((3, 2), (1, 5)):
        answer = await client.get(
            "/v1/trust/log/consistency", params={"first": first, "second": second}
        )
        assert answer.status_code == 422


async def test_the_nodes_identity_is_public(client: AsyncTestClient, server: Server) -> None:
    answer = await client.get("/.well-known/did.json")
    key = server.bench.node_key.public.multikey
    assert answer.json()["verificationMethod"][0]["publicKeyMultibase"] == key


async def test_a_credential_is_verified_and_read_by_those_who_may(
    client: AsyncTestClient, server: Server
) -> None:
    credential = await server.credentials.issue(
        Actor(EXPORTER, Role.PARTY),
        kind="invoice",
        subject={"id": "urn:x:y"},
        document=digest_of(b"x"),
        readers=[CARRIER],
    )
    data = jcs(credential)
    sent = {"content-type": "application/json"}
    good = await client.post("/v1/trust/credentials/verify", content=data, headers=sent)
    assert (good.status_code, good.json()) == (200, {"holds": True, "reason": "", "sentence": ""})
    changed = data.replace(b"urn:x:y", b"urn:x:z")
    bad = await client.post("/v1/trust/credentials/verify", content=changed, headers=sent)
    assert bad.json()["reason"] == "bad_proof"
    path = f"/v1/trust/credentials/{digest_of(data)}"
    read = await client.get(path, headers={CALLER: CARRIER})
    assert (read.content, read.headers["content-type"]) == (data, "application/vc")
    assert (await client.get(path)).status_code == 404
    assert (await client.get("/v1/trust/credentials/xyz")).status_code == 400
