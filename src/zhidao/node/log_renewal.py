"""A new log key after a recovery: the operator's act, done while the node stands still.

Every step may be repeated after a crash: the key file comes first (a node that starts then finds a
head that is not its own and signs nothing), then leaves and declaration, then the new head.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.encoding import base64url
from zhidao.core.errors import Refused, ZhidaoError
from zhidao.core.ids import IdSource, PartyId, party_id
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, Signer
from zhidao.node.adapters.key_files import KeyFiles
from zhidao.node.checkup import STATE_FILE
from zhidao.node.config import Config
from zhidao.node.database_access import database_of
from zhidao.node.log_keys import key_name, log_keys_of
from zhidao.node.own_keys import KeySource, key_source, recording_keys
from zhidao.node.safekeeping import HEAD_COPY
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import migrate
from zhidao.trust.adapters.head_file import FileHeadCopy
from zhidao.trust.adapters.log_postgres import PostgresLogStore
from zhidao.trust.adapters.log_succession import PostgresSuccession
from zhidao.trust.domain.log_key import log_origin, possession_message
from zhidao.trust.domain.note import Checkpoint, NoteKey
from zhidao.trust.events import LogKeyDeclared
from zhidao.trust.service.sequencer import Sequencer, TimedKey
from zhidao.trust.wire.note import decode_note, parse_checkpoint

REASON_CHARACTERS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class _Head:
    """The last known head of a log of this node: whose, what, and the signed note."""

    log: NoteKey
    checkpoint: Checkpoint
    note: str


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the act works on."""

    node: PartyId
    keys: KeyFiles
    own: KeySource
    database: Database
    head_file: Path
    clock: Clock
    randomness: Randomness


def declare_log_key(
    config: Config,
    passphrase: bytes,
    *,
    reason: str,
    clock: Clock,
    randomness: Randomness,
    planned: bool = False,
) -> LogKeyDeclared:
    """Makes a new log key and goes on under it; blocks, call it from the main thread.

    planned: the log is in order and keeps all its leaves; only its key is renewed.

    Raises Refused (`node_runs`, `no_node`, `log_in_order`, `no_reason`), Unavailable.
    """
    if not 0 < len(reason.strip()) <= REASON_CHARACTERS_MAX or not reason.isprintable():
        raise Refused(
            f"a reason has 1 to {REASON_CHARACTERS_MAX} characters",
            code="no_reason",
            remedy="say why older leaves are missing; everybody will read it",
        )
    refuse_running(config)
    keys = KeyFiles(config.data / "keys", passphrase, randomness)
    with database_of(config) as url:
        return asyncio.run(_act(config, keys, url, reason.strip(), clock, randomness, planned))


def refuse_running(config: Config) -> None:
    """Raises Refused (`node_runs`) while the node of this data folder runs."""
    try:
        pid = int(json.loads((config.data / STATE_FILE).read_bytes())["pid"])
        os.kill(pid, 0)
    except (OSError, ValueError, KeyError, TypeError):
        return
    raise Refused(
        f"the node in {config.data} runs (process {pid})", code="node_runs", remedy="stop it first"
    )


async def _act(
    config: Config,
    keys: KeyFiles,
    url: str,
    reason: str,
    clock: Clock,
    randomness: Randomness,
    planned: bool,  # noqa: FBT001 (passed through)
) -> LogKeyDeclared:
    database = await Database.open(url, connections_max=4)
    try:
        await migrate(database)
        ground = _Ground(
            node=party_id(config.text("node.name")),
            keys=keys,
            own=key_source(config, keys),
            database=database,
            head_file=config.data / HEAD_COPY,
            clock=clock,
            randomness=randomness,
        )
        return await _declare(ground, reason, planned=planned)
    finally:
        await database.close()


async def _declare(ground: _Ground, reason: str, *, planned: bool) -> LogKeyDeclared:
    known = log_keys_of(ground.own)
    head = _known_head(ground, known)
    await _refuse_stranger(ground, known, head)
    if await _is_unfinished(ground, known, head):
        new, former = known[-1], known[:-1]
    else:
        await _check_order(ground, known[-1], planned=planned)
        name = key_name(len(known) + 1)
        new, former = ground.own.make(name, Algorithm.ED25519), known
    fact = await _written(ground, new, former, head, reason)
    await _first_head(ground, new, former[-1])
    return fact


def _log(ground: _Ground, key: Signer) -> NoteKey:
    return NoteKey(log_origin(ground.node, key.public), key.public)


def _known_head(ground: _Ground, known: list[Signer]) -> _Head | None:
    """What the copy beside the database says, if one of this node's logs signed it."""
    try:
        data = ground.head_file.read_bytes()
        note = decode_note(data)
        signed = note.signed_by([_log(ground, key) for key in known])
        checkpoint = parse_checkpoint(note.text)
    except (FileNotFoundError, ZhidaoError):
        return None
    own = [log for log in signed if log.name == checkpoint.origin]
    return _Head(own[0], checkpoint, data.decode()) if own else None


async def _is_unfinished(ground: _Ground, known: list[Signer], head: _Head | None) -> bool:
    """Whether the newest key was made by this act, which then died before its first head."""
    newest = _log(ground, known[-1])
    if len(known) == 1 or (head is not None and head.log == newest):
        return False
    return await PostgresLogStore(ground.database, newest.name).checkpoint() is None


async def _refuse_stranger(ground: _Ground, known: list[Signer], head: _Head | None) -> None:
    """Under another name the node would begin a log that nobody knows."""
    succession = PostgresSuccession(ground.database)
    edges = [await succession.edge(_log(ground, key).name) for key in known]
    if head is None and not any(edge.size for edge in edges):
        raise Refused(
            f"there is no log of a node named {ground.node}",
            code="other_node",
            remedy="give the node's own settings with --config",
        )


async def _check_order(ground: _Ground, present: Signer, *, planned: bool) -> None:
    """A planned change is for a log in order, any other one for a log that lost leaves."""
    log = _sequencer(ground, present)
    await log.start()
    if planned and log.recovering:
        raise Refused(
            "the log is not in order: leaves that its head covers are missing",
            code="log_recovering",
            remedy="restore a newer backup, or declare a new log key without --planned",
        )
    if not planned and not log.recovering:
        raise Refused(
            "the log is in order; its key stays",
            code="log_in_order",
            remedy="give --planned to renew the key of a log that is in order",
        )


def _sequencer(ground: _Ground, key: Signer) -> Sequencer:
    origin = log_origin(ground.node, key.public)
    return Sequencer(
        origin=origin,
        key=key,
        store=PostgresLogStore(ground.database, origin),
        copy=FileHeadCopy(ground.head_file),
        timed=TimedKey(ground.keys.make("log", Algorithm.ML_DSA_44), ground.clock),
    )


async def _written(
    ground: _Ground,
    new: Signer,
    former: list[Signer],
    head: _Head | None,
    reason: str,
) -> LogKeyDeclared:
    """Carries the leaves over and signs the declaration; what stands already stays."""
    records = await _records(ground)
    origin = log_origin(ground.node, new.public)
    history = await records.history(f"log/{origin}")
    if history:
        return LogKeyDeclared.of(history[0])
    succession = PostgresSuccession(ground.database)
    edges = [await succession.edge(_log(ground, key).name) for key in former]
    held = max(range(len(former)), key=lambda n: (edges[n].size > 0, n))
    edge = await succession.carry_over(former=_log(ground, former[held]).name, new=origin)
    before = head.log if head else _log(ground, former[held])
    fact = LogKeyDeclared(
        origin=origin,
        key=new.public.multikey,
        former_origin=before.name,
        former_key=before.key.multikey,
        carried_leaves=edge.size,
        carried_root=edge.root.hex(),
        known_leaves=head.checkpoint.size if head else 0,
        known_root=head.checkpoint.root.hex() if head else "",
        known_head=head.note if head else "",
        reason=reason,
        possession="",
    )
    signed = LogKeyDeclared(
        **{name: getattr(fact, name) for name in fact.__struct_fields__ if name != "possession"},
        possession=base64url(new.sign(possession_message(fact))),
    )
    actor = Actor(ground.node, Role.NODE)
    await records.record(actor, f"log/{origin}", [signed], after=0, owner=ground.node)
    return signed


async def _records(ground: _Ground) -> Records:
    key, _ = await recording_keys(ground.database, ground.own, ground.node)
    scribe = Scribe(
        node=ground.node,
        key=key,
        ring=FixedKeyRing({}),
        clock=ground.clock,
        ids=IdSource(ground.clock, ground.randomness),
        randomness=ground.randomness,
    )
    return Records(PostgresJournal(ground.database, "trust", lambda: None), scribe)


async def _first_head(ground: _Ground, new: Signer, former: Signer) -> None:
    """Puts the former log's head aside, never away, and signs the new log's first."""
    if ground.head_file.exists():
        mark = former.public.fingerprint.replace("-", "")[:16]
        aside = ground.head_file.with_name(f"{ground.head_file.name}.{mark}")
        ground.head_file.replace(aside)
    log = _sequencer(ground, new)
    await log.start()
    await log.sign_checkpoint()
