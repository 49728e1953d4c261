from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.archive import digest_of
from zhidao.core.canonical import jcs
from zhidao.core.errors import Conflict
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.judging import IN_PLACE
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.quota import LeafQuota
from zhidao.core.timescale import Utc
from zhidao.node.runtime.runtime_context import RuntimeContext
from zhidao.node.wiring.trust.log import TrustLogServices, build
from zhidao.store import outbox
from zhidao.store.archive import PostgresArchive
from zhidao.trust.domain.proof import verify_log_part
from zhidao.trust.domain.trust_list import TrustedNode, TrustedParty, trust_list
from zhidao.trust.wire.proof_file.zdproof import decode_proof

if TYPE_CHECKING:
    from zhidao.store.database import Database

pytestmark = pytest.mark.service

NODE, EXPORTER = party_id("operator"), party_id("exporter")
NODE_KEY = SoftwareKey(Algorithm.ED25519, b"n" * 32)
KEY = SoftwareKey(Algorithm.ED25519, b"e" * 32)
NOW = Utc.parse("2026-11-24T10:00:00Z")


def context_on(database: Database, data: Path) -> RuntimeContext:
    clock, randomness = HandClock(NOW), SeededRandomness(1)
    ids, ring = IdSource(clock, randomness), FixedKeyRing({EXPORTER: KEY})
    scribe = Scribe(node=NODE, key=NODE_KEY, ring=ring, clock=clock, ids=ids, randomness=randomness)
    absent: Any = None
    return RuntimeContext(
        database=database,
        bus=absent,
        archive=PostgresArchive(database),
        scribe=scribe,
        node=NODE,
        node_key=NODE_KEY,
        ring=ring,
        chain_ring=ring,
        clock=clock,
        scenario_clock=clock,
        ids=ids,
        randomness=randomness,
        judges=IN_PLACE,
        quota=LeafQuota(0, clock),
        workers=absent,
        data=data,
        wake_relay=lambda: None,
        demo=False,
    )


async def relay(database: Database, services: TrustLogServices) -> list[int]:
    async with database.session() as session:
        rows = await outbox.pending(session, 50)
        appended = await services.log.append(session, [row.leaf for row in rows])
        await outbox.mark(session, rows, appended.first)
    await services.log.sign_checkpoint()
    return list(range(appended.first, appended.size))


async def test_an_issued_credential_reaches_the_log_and_a_proof_file(
    database: Database, tmp_path: Path
) -> None:
    services = await build(context_on(database, tmp_path), host="node.example:8443")
    credential = await services.credentials.issue(
        Actor(EXPORTER, Role.PARTY),
        kind="invoice",
        subject={"id": "urn:x:y"},
        document=digest_of(b"invoice"),
        readers=[],
    )
    # Its place in the issuer's status list, and then the credential.
    assert await relay(database, services) == [0, 1]
    assert await relay(database, services) == []
    data = jcs(credential)
    [entry] = await _entries(database)
    written = await services.proofs.write("x", [(1, entry)], [data])
    proof = decode_proof(written)
    node = TrustedNode(NODE, services.note_key, (NODE_KEY.public,))
    trust = trust_list("t", NOW, [node], [TrustedParty(EXPORTER, "E", "exporter", (KEY.public,))])
    # Every signature holds; only a history of consignment x is not in it.
    assert verify_log_part(proof, trust).reason == "wrong_consignment"
    assert proof.blobs == {digest_of(data): data}


async def _entries(database: Database) -> list[Any]:
    from zhidao.store.journal import PostgresJournal

    journal = PostgresJournal(database, "trust", lambda: None)
    [aggregate] = await journal.aggregates("credential/", viewer=None, limit=5)
    return list(await journal.load(aggregate, viewer=None))


async def test_a_second_node_process_takes_the_log_from_the_first(
    database: Database, tmp_path: Path
) -> None:
    first = await build(context_on(database, tmp_path))
    second = await build(context_on(database, tmp_path))
    with pytest.raises(Conflict):
        await first.log.sign_checkpoint()
    assert await second.log.sign_checkpoint() == await second.reader.checkpoint()
    assert (tmp_path / "log" / "checkpoint").read_bytes() == await second.reader.checkpoint()
