"""Judging a cosigned checkpoint, or one entry's proof, by a policy and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from zhidao.core.errors import Refused
from zhidao.core.timescale import NS, Utc
from zhidao.trust.domain.merkle import leaf_hash, verify_inclusion
from zhidao.trust.domain.note import Checkpoint, Note
from zhidao.trust.domain.policy import Policy, Witnessed
from zhidao.trust.wire.log.note import decode_note, parse_checkpoint
from zhidao.trust.wire.log.tlog_proof import HEADER, decode_tlog_proof


@dataclass(frozen=True, slots=True)
class Judged:
    """A head that a policy accepts, by whom and since when."""

    checkpoint: Checkpoint
    witnessed: Witnessed


def judge_note(note: Note, policy: Policy, *, now: Utc | None = None) -> Judged:
    """The head in a note; `now` is the clock after which no cosignature may be dated.

    Raises MalformedInput, Refused: `unknown_log`, `bad_signature`, `future_cosignature`,
    `quorum_not_met`.
    """
    checkpoint = parse_checkpoint(note.text)
    keys = policy.log_keys(checkpoint.origin)
    if policy.logs and not keys:
        raise Refused(f"the policy does not know {checkpoint.origin}", code="unknown_log")
    if policy.logs and not note.signed_by(keys):
        raise Refused(f"{checkpoint.origin} did not sign its head", code="bad_signature")
    return Judged(checkpoint, policy.judge(note, now_s=now.unix_ns // NS if now else None))


def judge_file(
    data: bytes, policy: Policy, entry: bytes | None = None, *, now: Utc | None = None
) -> Judged:
    """A checkpoint's or a tlog-proof's bytes; with `entry` that it stands where the proof says.

    Raises MalformedInput, and Refused with `bad_inclusion` beside those of `judge_note`.
    """
    if not data.startswith(HEADER.rstrip("1").encode()):
        if entry is not None:
            raise Refused("a checkpoint alone proves no entry", code="bad_inclusion")
        return judge_note(decode_note(data), policy, now=now)
    proof = decode_tlog_proof(data)
    judged = judge_note(proof.note, policy, now=now)
    if entry is None:
        raise Refused("a tlog-proof is about an entry: give it", code="bad_inclusion")
    verify_inclusion(
        leaf=leaf_hash(entry),
        index=proof.index,
        size=judged.checkpoint.size,
        proof=proof.path,
        root=judged.checkpoint.root,
    )
    return judged
