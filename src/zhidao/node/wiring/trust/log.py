"""Builds the log side of the trust room: the sequencer, its reader, credentials, identity."""

from __future__ import annotations

from dataclasses import dataclass

from zhidao.core.journal import Records
from zhidao.core.keys import Signer
from zhidao.node.api.trust.log import routes
from zhidao.node.runtime.runtime_context import Room, RuntimeContext
from zhidao.store.journal import PostgresJournal
from zhidao.trust.adapters.evidence.bundled_contexts import load_contexts
from zhidao.trust.adapters.log.head_file import FileHeadCopy
from zhidao.trust.adapters.log.postgres import PostgresLogStore
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.service.credentials.credentials import CredentialService
from zhidao.trust.service.credentials.selective import SelectiveCredentialService
from zhidao.trust.service.credentials.status_lists import StatusLists
from zhidao.trust.service.log.reader import LogReader
from zhidao.trust.service.log.sequencer import Sequencer, TimedKey, origin_of
from zhidao.trust.service.witness.proving import ProofWriter
from zhidao.trust.wire.identifiers.did import did_web, web_document
from zhidao.trust.wire.log.note import vkey


@dataclass(frozen=True, slots=True)
class TrustLogServices:
    """What the log side offers: `log` and `credentials` implement the Protocols of `commands`.

    `log_key` is the log's verifier key as text, `note_key` as a value.
    """

    log: Sequencer
    reader: LogReader
    credentials: CredentialService
    selective: SelectiveCredentialService
    proofs: ProofWriter
    origin: str
    note_key: NoteKey
    log_key: str
    room: Room


async def build(
    context: RuntimeContext,
    *,
    key: Signer | None = None,
    timed: Signer | None = None,
    host: str = "localhost",
) -> TrustLogServices:
    """Takes the lease of the log: from now on an older process of this node writes nothing.

    key: the log's key, if the operator declared a new one; else the node's own. timed: the log's
    ML-DSA-44 key, if it has one. host: name, and port if not 443, under which others reach this
    node; its did:web.
    """
    key = key or context.node_key
    origin = origin_of(context.node, key)
    log = Sequencer(
        origin=origin,
        key=key,
        store=PostgresLogStore(context.database, origin),
        # Beside the database, not inside it: a restored older database is noticed by it.
        copy=FileHeadCopy(context.data / "log" / "checkpoint"),
        timed=TimedKey(timed, context.clock) if timed else None,
    )
    await log.start()
    asserting = [
        key
        for key in dict.fromkeys((context.signer.public, *reversed(context.recording_keys)))
        if key not in context.revoked_keys
    ]
    journal = PostgresJournal(context.database, "trust", context.wake_relay)
    records = Records(journal, context.scribe)
    credentials = CredentialService(
        records=records,
        archive=context.archive,
        ring=context.ring,
        node_key=context.signer,
        clock=context.clock,
        known={f"{did_web(host)}#{key.multikey}": key for key in asserting},
        contexts=load_contexts,
        statuses=StatusLists(
            records, context.clock, context.randomness, base=f"https://{host}/v1/trust/status"
        ),
        judges=context.judges,
    )
    return TrustLogServices(
        log=log,
        reader=log.reader,
        credentials=credentials,
        selective=SelectiveCredentialService(
            ring=context.ring,
            node_key=context.signer,
            own=lambda key: key in asserting,
            clock=context.clock,
            randomness=context.randomness,
            judges=context.judges,
        ),
        proofs=ProofWriter(log.reader),
        origin=origin,
        note_key=log.note_key,
        log_key=vkey(log.note_key),
        room=Room(
            name="trust",
            routers=(routes(log.reader, credentials, web_document(host, asserting)),),
        ),
    )
