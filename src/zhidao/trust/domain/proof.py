"""A consignment's proof: events opened against a log, with the files that they name.

`verify_log_part` checks all that needs no knowledge of trade: the log's signature under a key of
the trust list, every event's place in the log, both signatures of each, whose keys they are, and
that every enclosed file is named by something proven. Titles and positions are replayed by others
through `Replay`. Pure: no clock, no network, no database.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from zhidao.core.archive import digest_of
from zhidao.core.canonical import jcs
from zhidao.core.errors import Refused, ZhidaoError
from zhidao.core.events import SignedEvent, leaf_bytes
from zhidao.core.journal import SALT_BYTES
from zhidao.core.timescale import NS, Utc
from zhidao.trust.domain.key_history import KeyHistory
from zhidao.trust.domain.merkle import leaf_hash, verify_inclusion
from zhidao.trust.domain.note import Checkpoint, Note, NoteKey
from zhidao.trust.domain.policy import Policy, Witnessed
from zhidao.trust.domain.trust_list import TrustedNode, TrustList

_DIGEST: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
# That a quorum of the trust list's witnesses cosigned the head.
WITNESSED: Final = "witnessed"
_FAULTS: Final = {
    "unknown_speaker": "the trust list gives {} no key {}",
    "revoked_key": "{}'s key {} was revoked as of an earlier time",
    "retired_key": "{} had given up the key {} for another",
    "early_key": "{} had not gone over to the key {} yet",
}
# Only small JSON files name other files (evidence names chunks); raw data is not searched.
_NAMING_BYTES_MAX: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class OpenedEvent:
    """An event with what ties it to its leaf. `salt` is empty for an open event."""

    index: int
    event: SignedEvent
    salt: bytes
    inclusion: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof file says; nothing of it is believed before it is checked.

    `policy` tells which witnesses the node asked. It vouches for none of them: only a trust list
    does. A `packed` proof is written small (version 3); it may leave
    raw observations and the creation of the title contracts out.
    """

    consignment: str
    origin: str
    note: Note
    checkpoint: Checkpoint
    events: tuple[OpenedEvent, ...]
    blobs: Mapping[str, bytes]
    policy: Policy | None = None
    packed: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence for people, with a stable code for programs and translations."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Findings:
    """The verdict. `reason` is "" if everything held, else a code; `sentence` explains it.

    `proven`, `not_proven` and `shown` are filled only for a proof that holds.
    """

    reason: str
    sentence: str
    proven: tuple[Statement, ...] = ()
    not_proven: tuple[Statement, ...] = ()
    shown: frozenset[str] = frozenset()

    @property
    def holds(self) -> bool:
        """Whether nothing was refused."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay adds to the findings. `shown`: parts that a proof may be asked for."""

    proven: tuple[Statement, ...] = ()
    not_proven: tuple[Statement, ...] = ()
    shown: frozenset[str] = frozenset()


class Replay(Protocol):
    """Recomputes something that events claim: a title's history, a position.

    It is called after the log part held. Raises Refused when the recomputation contradicts.
    """

    def __call__(self, proof: Proof, trust: TrustList) -> Replayed:
        """What was recomputed, in sentences."""
        ...


def verify_proof(
    proof: Proof, trust: TrustList, replays: Sequence[Replay], *, now: Utc | None = None
) -> Findings:
    """The log part and every replay; the first refusal is the verdict."""
    findings = verify_log_part(proof, trust, now=now)
    if not findings.holds:
        return findings
    proven, not_proven = list(findings.proven), list(findings.not_proven)
    shown = set(findings.shown)
    for replay in replays:
        try:
            replayed = replay(proof, trust)
        except ZhidaoError as error:
            return Findings(error.code, str(error))
        proven += replayed.proven
        not_proven += replayed.not_proven
        shown |= replayed.shown
    return Findings("", "", tuple(proven), tuple(not_proven), frozenset(shown))


def verify_log_part(
    proof: Proof, trust: TrustList, *, of_consignment: bool = True, now: Utc | None = None
) -> Findings:
    """Checks everything about the log, the events and the enclosed files.

    `now`: the reader's clock, after which no witness may have cosigned; None: not asked.

    `of_consignment`: the history of the proof's consignment must be opened from its beginning.
    """
    try:
        node = _trusted_log(proof, trust)
        now_s = now.unix_ns // NS if now else None
        witnessed = (
            trust.policy.judge(proof.note, now_s=now_s) if trust.policy else Witnessed((), 0)
        )
        for opened in proof.events:
            _check_event(opened, proof.checkpoint)
        keys = KeyHistory.of(trust, (opened.event for opened in proof.events))
        for opened in proof.events:
            _check_speakers(opened.event, keys)
        _check_histories(proof)
        if of_consignment:
            _check_consignment(proof)
        _check_blobs(proof)
    except ZhidaoError as error:
        return Findings(error.code, str(error))
    proven = (*_proven(proof, trust, node), *_witnessed(proof, witnessed))
    shown = frozenset((WITNESSED,) if witnessed.by else ())
    return Findings("", "", proven, _not_proven(proof, witnessed), shown)


def named_digests(events: Iterable[SignedEvent]) -> set[str]:
    """Every SHA-256 in lower-case hexadecimal that the payloads of these events name."""
    return {digest for event in events for digest in _digests_in(jcs(dict(event.payload)))}


def reachable(proof: Proof) -> set[str]:
    """Digests named by the events, or by an enclosed JSON file that is itself named."""
    waiting = named_digests(opened.event for opened in proof.events)
    named: set[str] = set()
    while waiting:
        digest = waiting.pop()
        if digest in named:
            continue
        named.add(digest)
        data = proof.blobs.get(digest, b"")
        if data[:1] in (b"{", b"[") and len(data) <= _NAMING_BYTES_MAX:
            waiting.update(_digests_in(data))
    return named


def _digests_in(data: bytes) -> Iterator[str]:
    return (match.decode() for match in _DIGEST.findall(data))


def _trusted_log(proof: Proof, trust: TrustList) -> TrustedNode:
    logs = trust.logs
    if proof.checkpoint.origin != proof.origin:
        raise Refused(
            f"the checkpoint is of {proof.checkpoint.origin}, the file says {proof.origin}",
            code="wrong_origin",
        )
    signed = [key for key in proof.note.signed_by(logs) if key.name == proof.origin]
    if not signed:
        raise Refused(_untrusted(proof, logs), code="untrusted_root")
    asked = proof.policy.keys if proof.policy else ()
    known = (*logs, *trust.witnesses, *asked)
    # What only the proof's own policy names proves nothing, but it must be what it says.
    proof.note.signed_by(known)
    unknown = proof.note.unknown_to(known)
    if unknown:
        # A line that nobody can check could be changed unseen, so a proof bears none.
        raise Refused(
            f"a signature line of {unknown[0].name} is by no key of the trust list",
            code="unknown_signature",
        )
    node = trust.node_of_log(signed[0])
    assert node is not None, "the key was taken from the list"
    return node


def _untrusted(proof: Proof, logs: Sequence[NoteKey]) -> str:
    named = ", ".join(f"{s.name} (key id {s.key_id.hex()})" for s in proof.note.signatures)
    known = ", ".join(f"{key.name} ({key.key.fingerprint})" for key in logs) or "no log"
    return f"the log's head is signed by {named}; the trust list knows {known}"


def _check_event(opened: OpenedEvent, checkpoint: Checkpoint) -> None:
    event = opened.event
    where = f"event {event.id}"
    if len(opened.salt) != (0 if event.open else SALT_BYTES):
        raise Refused("the salt has a wrong length", code="wrong_salt", where=where)
    try:
        verify_inclusion(
            leaf=leaf_hash(leaf_bytes(event, opened.salt)),
            index=opened.index,
            size=checkpoint.size,
            proof=opened.inclusion,
            root=checkpoint.root,
        )
    except Refused as error:
        raise Refused(
            f"{event.type} is not in the log at {opened.index}", code="not_in_log", where=where
        ) from error
    event.verify()


def _check_speakers(event: SignedEvent, keys: KeyHistory) -> None:
    recorder = event.recorded_by
    recorded = keys.fault(recorder.party, recorder.key, event.recorded_at)
    if not recorded and not keys.records(recorder.party, recorder.key):
        recorded = "unknown_speaker"
    said = keys.fault(event.asserted_by.party, event.asserted_by.key, event.recorded_at)
    for speaker, fault in ((event.asserted_by, said), (recorder, recorded)):
        if fault:
            raise Refused(
                _FAULTS[fault].format(speaker.party, speaker.key.fingerprint),
                code=fault,
                where=f"event {event.id}",
            )


def _check_histories(proof: Proof) -> None:
    indices = [opened.index for opened in proof.events]
    if indices != sorted(set(indices)):
        raise Refused("events stand in the order of the log, each once", code="wrong_order")
    newest: dict[str, int] = defaultdict(int)
    for opened in proof.events:
        event = opened.event
        if event.version <= newest[event.aggregate]:
            raise Refused(
                f"{event.aggregate} has version {event.version} after {newest[event.aggregate]}",
                code="wrong_order",
            )
        newest[event.aggregate] = event.version


def _check_consignment(proof: Proof) -> None:
    own = f"consignment/{proof.consignment}"
    versions = [o.event.version for o in proof.events if o.event.aggregate == own]
    if not versions or versions != list(range(1, len(versions) + 1)):
        raise Refused(
            f"the history of {own} is not opened from its beginning without a gap",
            code="wrong_consignment",
        )


def _check_blobs(proof: Proof) -> None:
    named = reachable(proof)
    for digest, data in proof.blobs.items():
        if digest_of(data) != digest:
            raise Refused(f"the file {digest[:16]}… has other bytes", code="wrong_digest")
        if digest not in named:
            raise Refused(f"nothing proven names the file {digest[:16]}…", code="leftover")


def _proven(proof: Proof, trust: TrustList, node: TrustedNode) -> tuple[Statement, ...]:
    said = Counter(opened.event.asserted_by.party for opened in proof.events)
    voices = ", ".join(f"{party} ({count})" for party, count in sorted(said.items()))
    return (
        Statement(
            "log",
            f"The log {proof.origin} of {node.party} signed a head of {proof.checkpoint.size} "
            f"leaves; its key {node.log.key.fingerprint} stands in the trust list {trust.name}.",
        ),
        Statement(
            "events",
            f"{len(proof.events)} events are in that log as they were written: opened "
            f"{len(proof.events)} of {proof.checkpoint.size}.",
        ),
        Statement("speakers", f"Each was signed with a key of whoever is named: {voices}."),
        Statement(
            "files", f"{len(proof.blobs)} enclosed files are the very ones that the events name."
        ),
    )


def _witnessed(proof: Proof, witnessed: Witnessed) -> tuple[Statement, ...]:
    if not witnessed.by:
        return ()
    by, when = ", ".join(witnessed.by), Utc.from_unix_ns(witnessed.at_s * NS)
    return (
        Statement(
            "witnessed_time",
            f"All of it was written by {when} at the latest: {by} cosigned the head of "
            f"{proof.checkpoint.size} leaves by then.",
        ),
        Statement(
            "witnessed_history",
            f"The node showed one and the same log to {by}, which are a quorum of the trust "
            "list's policy.",
        ),
    )


def _unwitnessed(proof: Proof) -> tuple[Statement, ...]:
    named = proof.policy.witnesses if proof.policy else ()
    cosigned = {line.key_id for line in proof.note.signatures}
    strangers = [each.name for each in named if each.key.id in cosigned]
    why = (
        f"the trust list vouches for no witness that cosigned it ({', '.join(strangers)})"
        if strangers
        else "no witness has cosigned the log"
    )
    return (
        Statement("time", f"When anything was written down is the node's word: {why}."),
        Statement("one_history", f"That the node showed everybody the same log: {why}."),
    )


def _not_proven(proof: Proof, witnessed: Witnessed) -> tuple[Statement, ...]:
    statements = [
        *(() if witnessed.by else _unwitnessed(proof)),
        Statement(
            "unopened",
            f"What the other {proof.checkpoint.size - len(proof.events)} leaves of the log say.",
        ),
    ]
    kept = sorted({o.event.asserted_by.party for o in proof.events if o.event.custodian})
    if kept:
        statements.append(
            Statement(
                "custody",
                f"That {', '.join(kept)} spoke themselves: the node keeps their keys for them "
                "and could have signed in their place.",
            )
        )
    gaps = sorted(_partly_opened(proof))
    if gaps:
        statements.append(
            Statement("gaps", f"The whole history of {', '.join(gaps)}: only opened in part.")
        )
    return tuple(statements)


def _partly_opened(proof: Proof) -> Iterator[str]:
    versions: dict[str, list[int]] = defaultdict(list)
    for opened in proof.events:
        versions[opened.event.aggregate].append(opened.event.version)
    return (name for name, seen in versions.items() if seen[-1] != len(seen))
