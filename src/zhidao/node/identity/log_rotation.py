"""A new log key after a recovery: the operator's act, done while the node stands still.

Every step may be repeated after a crash: the key file comes first (a node that starts then finds a
head that is not its own and signs nothing), then leaves and declaration, then the new head.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.canonical import parse_strict
from zhidao.core.encoding import base64url
from zhidao.core.errors import Refused, ZhidaoError
from zhidao.core.files.bounded import read_kept
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.core.keys import Algorithm, Signer
from zhidao.node.identity.log_keys import key_name, log_keys_of
from zhidao.node.identity.own_keys import KeySource
from zhidao.node.operations.checkup import STATE_FILE
from zhidao.trust.domain.log_key import log_origin, possession_message
from zhidao.trust.domain.note import Checkpoint, NoteKey
from zhidao.trust.events import LogKeyDeclared
from zhidao.trust.service.log.ports import HeadCopy, LogStore, Succession
from zhidao.trust.service.log.sequencer import Sequencer, TimedKey
from zhidao.trust.wire.log.note import decode_note, parse_checkpoint

REASON_CHARACTERS_MAX: Final = 500
# Of each process on the folder: node.json, node.1.json and so on, and the locks likewise.
_STATES: Final = STATE_FILE.replace(".", "*.")
_LOCKS: Final = "process*.lock"
_STATE_BYTES_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Head:
    """The last known head of a log of this node: whose, what, and the signed note."""

    log: NoteKey
    checkpoint: Checkpoint
    note: str


def refuse_running(data: Path) -> None:
    """Raises Refused (`node_runs`) while the node of this data folder runs.

    Each process holds a lock of its own there, which the system frees when it ends; the file of
    its state tells which process that is, and may be damaged or lost.
    """
    pids = [pid for file in sorted(data.glob(_STATES)) if (pid := _living(file))]
    held = any(_is_locked(file) for file in sorted(data.glob(_LOCKS)))
    if held or pids:
        who = f"process {pids[0]}" if pids else "a process holds its lock"
        raise Refused(f"the node in {data} runs ({who})", code="node_runs", remedy="stop it first")


def _living(file: Path) -> int:
    """The process that wrote its state there, if one of that number lives; else 0."""
    try:
        pid = int(parse_strict(read_kept(file, bytes_max=_STATE_BYTES_MAX))["pid"])
        os.kill(max(pid, 0), 0)
    except (OSError, OverflowError, ValueError, KeyError, TypeError, ZhidaoError):
        return 0
    return max(pid, 0)


def _is_locked(file: Path) -> bool:
    try:
        lock = os.open(file, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        # Shared: two who ask at once do not take each other for a node.
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


class TimedKeys(Protocol):
    """Makes the key that signs the time of a head."""

    def make(self, name: str, algorithm: Algorithm) -> Signer:
        """The key of that name, made if it is new."""
        ...


@dataclass(frozen=True, slots=True)
class LogRotation:
    """What the act works on. `head_file`: the copy of the newest head beside the database."""

    node: PartyId
    keys: TimedKeys
    own: KeySource
    log_store: Callable[[str], LogStore]
    succession: Succession
    records: Callable[[], Awaitable[Records]]
    head_copy: HeadCopy
    head_file: Path
    clock: Clock


def check_reason(reason: str) -> str:
    """The reason without blanks around it. Raises Refused (`no_reason`)."""
    if not 0 < len(reason.strip()) <= REASON_CHARACTERS_MAX or not reason.isprintable():
        raise Refused(
            f"a reason has 1 to {REASON_CHARACTERS_MAX} characters",
            code="no_reason",
            remedy="say why older leaves are missing; everybody will read it",
        )
    return reason.strip()


async def declare(context: LogRotation, reason: str, *, planned: bool) -> LogKeyDeclared:
    """Makes a new log key and goes on under it; again after a crash: finishes what was begun.

    Raises Refused (`other_node`, `log_in_order`, `log_recovering`).
    """
    known = log_keys_of(context.own)
    head = _known_head(context, known)
    await _refuse_stranger(context, known, head)
    if await _is_unfinished(context, known, head):
        new, former = known[-1], known[:-1]
    else:
        await _check_order(context, known[-1], planned=planned)
        name = key_name(len(known) + 1)
        new, former = context.own.make(name, Algorithm.ED25519), known
    fact = await _written(context, new, former, head, reason)
    await _first_head(context, new, former[-1])
    return fact


def _log(context: LogRotation, key: Signer) -> NoteKey:
    return NoteKey(log_origin(context.node, key.public), key.public)


def _known_head(context: LogRotation, known: list[Signer]) -> _Head | None:
    """What the copy beside the database says, if one of this node's logs signed it."""
    try:
        data = context.head_file.read_bytes()
        note = decode_note(data)
        signed = note.signed_by([_log(context, key) for key in known])
        checkpoint = parse_checkpoint(note.text)
    except (FileNotFoundError, ZhidaoError):
        return None
    own = [log for log in signed if log.name == checkpoint.origin]
    return _Head(own[0], checkpoint, data.decode()) if own else None


async def _is_unfinished(context: LogRotation, known: list[Signer], head: _Head | None) -> bool:
    """Whether the newest key was made by this act, which then died before its first head."""
    newest = _log(context, known[-1])
    if len(known) == 1 or (head is not None and head.log == newest):
        return False
    return await context.log_store(newest.name).checkpoint() is None


async def _refuse_stranger(context: LogRotation, known: list[Signer], head: _Head | None) -> None:
    """Under another name the node would begin a log that nobody knows."""
    edges = [await context.succession.edge(_log(context, key).name) for key in known]
    if head is None and not any(edge.size for edge in edges):
        raise Refused(
            f"there is no log of a node named {context.node}",
            code="other_node",
            remedy="give the node's own settings with --config",
        )


async def _check_order(context: LogRotation, present: Signer, *, planned: bool) -> None:
    """A planned change is for a log in order, any other one for a log that lost leaves."""
    log = _sequencer(context, present)
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


def _sequencer(context: LogRotation, key: Signer) -> Sequencer:
    origin = log_origin(context.node, key.public)
    return Sequencer(
        origin=origin,
        key=key,
        store=context.log_store(origin),
        copy=context.head_copy,
        timed=TimedKey(context.keys.make("log", Algorithm.ML_DSA_44), context.clock),
    )


async def _written(
    context: LogRotation,
    new: Signer,
    former: list[Signer],
    head: _Head | None,
    reason: str,
) -> LogKeyDeclared:
    """Carries the leaves over and signs the declaration; what stands already stays."""
    records = await context.records()
    origin = log_origin(context.node, new.public)
    history = await records.history(f"log/{origin}")
    if history:
        return LogKeyDeclared.of(history[0])
    edges = [await context.succession.edge(_log(context, key).name) for key in former]
    held = max(range(len(former)), key=lambda n: (edges[n].size > 0, n))
    edge = await context.succession.carry_over(former=_log(context, former[held]).name, new=origin)
    before = head.log if head else _log(context, former[held])
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
    actor = Actor(context.node, Role.NODE)
    await records.record(actor, f"log/{origin}", [signed], after=0, owner=context.node)
    return signed


async def _first_head(context: LogRotation, new: Signer, former: Signer) -> None:
    """Puts the former log's head aside, never away, and signs the new log's first."""
    if context.head_file.exists():
        mark = former.public.fingerprint.replace("-", "")[:16]
        aside = context.head_file.with_name(f"{context.head_file.name}.{mark}")
        context.head_file.replace(aside)
    log = _sequencer(context, new)
    await log.start()
    await log.sign_checkpoint()
