"""The verdict on a proof: what it proves, what it does not, and what in it was only played."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import ZhidaoError
from zhidao.core.keys import Algorithm, PublicKey
from zhidao.core.timescale import Utc
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.domain.proof import Findings, Proof, Replay, Replayed, Statement, verify_proof
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.service.chain.ports import MakeEngine
from zhidao.verification.arrivals import replay_arrivals
from zhidao.verification.case import Case
from zhidao.verification.decisions import check_decisions
from zhidao.verification.documents import check_documents
from zhidao.verification.log_keys import check_log_keys
from zhidao.verification.other_logs import check_other_logs
from zhidao.verification.payments import check_payments
from zhidao.verification.production import check_production
from zhidao.verification.simulation import simulated_parts
from zhidao.verification.speakers import check_speakers
from zhidao.verification.titles import NOT_EXECUTED, replay_titles

HOLDS: Final = "holds"
IN_PART: Final = "holds_in_part"
REFUSED: Final = "refused"
UNTRUSTED: Final = "untrusted_root"
_LATER: Final = Statement(
    "later",
    "What was written into these histories after the head of this proof, or left out at their end.",
)
_CHECKS: Final[tuple[Callable[[Case], Replayed], ...]] = (
    check_speakers,
    check_log_keys,
    check_other_logs,
    check_production,
    check_documents,
    replay_arrivals,
    replay_titles,
    check_decisions,
    check_payments,
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A key that matters: whose, for what, and its fingerprint (the key id where it is unknown)."""

    name: str
    purpose: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`verdict` is holds, holds_in_part, refused or untrusted_root.

    `reason`: a stable code, `` if nothing was refused. `fingerprints`: the log keys that signed. A
    proof cannot vouch for its own keys: compare them. `trust` names the list that the proof was
    checked against, `judge` is that list. `promised`: what the consignment's entry said that its
    proof shows, None where it is older than promises; `shown`: what this proof shows of
    `promise.PARTS`; `missing`: what was asked for, or else promised, and is not shown. All three
    by the alphabet.
    """

    verdict: str
    reason: str
    sentence: str
    trust: str
    simulated: tuple[Statement, ...]
    proven: tuple[Statement, ...]
    not_proven: tuple[Statement, ...]
    fingerprints: tuple[Fingerprint, ...]
    promised: tuple[str, ...] | None = None
    shown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    judge: TrustList | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing was refused, and nothing is missing."""
        return self.verdict == HOLDS

    @property
    def stands(self) -> bool:
        """Whether nothing was refused, though something may be missing."""
        return self.verdict in (HOLDS, IN_PART)

    @property
    def whole(self) -> bool:
        """Whether all that the proof opens was checked: nothing was left for want of an EVM."""
        return all(each.code != NOT_EXECUTED for each in self.not_proven)


def verify(
    proof: Proof,
    lists: Sequence[TrustList],
    *,
    evm: MakeEngine | None,
    required: Collection[str] = (),
    now: Utc | None = None,
) -> Verdict:
    """Checks a proof against trust lists; the first one under which it holds decides.

    evm: makes the machine on which titles' transactions are executed again. Without one (None)
    that part stays unchecked, and the verdict says so.
    Keys never come out of the proof: without a list that knows its log it is `untrusted_root`.
    `now`: the reader's clock, after which no witness may have cosigned; None: not asked.
    `required`: parts (`promise.PARTS`) that it must show, instead of what its entry promised.
    """
    others: list[Verdict] = []
    for trust in lists:
        verdict = _under(proof, trust, evm, frozenset(required), now)
        if verdict.holds:
            return verdict
        others.append(verdict)
    # A list that knows the log and still refuses says more than one that does not know it.
    known = [each for each in others if each.verdict != UNTRUSTED]
    in_part = [each for each in others if each.stands]
    return (in_part or known or others or [_without_list(proof)])[0]


def _under(
    proof: Proof,
    trust: TrustList,
    evm: MakeEngine | None,
    required: frozenset[str],
    now: Utc | None,
) -> Verdict:
    case = Case(proof, trust, evm)
    findings = verify_proof(proof, trust, [_replay(case, check) for check in _CHECKS], now=now)
    simulated: tuple[Statement, ...] = ()
    promised: frozenset[str] | None = None
    if findings.holds:
        try:
            simulated, promised = simulated_parts(case), case.promised
        except ZhidaoError as error:
            findings = Findings(error.code, str(error))
    missing = (required or promised or frozenset()) - findings.shown
    kind = UNTRUSTED if findings.reason == UNTRUSTED else REFUSED
    if findings.holds:
        kind = IN_PART if missing else HOLDS
    return Verdict(
        verdict=kind,
        reason=findings.reason,
        sentence=findings.sentence,
        trust=trust.name,
        simulated=simulated,
        proven=findings.proven,
        not_proven=(*findings.not_proven, _LATER) if findings.holds else (),
        fingerprints=fingerprints_of(proof, trust),
        promised=None if promised is None else tuple(sorted(promised)),
        shown=tuple(sorted(findings.shown)),
        missing=tuple(sorted(missing)) if findings.holds else (),
        judge=trust,
    )


def _without_list(proof: Proof) -> Verdict:
    keys = fingerprints_of(proof, None)
    named = ", ".join(f"{key.name} ({key.fingerprint})" for key in keys)
    return Verdict(
        verdict=UNTRUSTED,
        reason=UNTRUSTED,
        sentence=f"no trust list is given or installed; the log's head is signed by {named}",
        trust="",
        simulated=(),
        proven=(),
        not_proven=(),
        fingerprints=keys,
    )


def fingerprints_of(proof: Proof, trust: TrustList | None) -> tuple[Fingerprint, ...]:
    """The keys that signed the log's head, named as far as list or proof know them.

    A key that only the proof names is told so that a person can compare it, never believed.
    """
    listed = trust.logs if trust else ()
    told = {
        opened.event.recorded_by.key
        for opened in proof.events
        if opened.event.recorded_by.key.algorithm is Algorithm.ED25519
    }
    witnesses = (trust.witnesses if trust else ()) + (proof.policy.keys if proof.policy else ())
    return tuple(
        Fingerprint(
            line.name,
            "log" if line.name == proof.origin else "witness",
            _fingerprint(line.name, line.key_id, (*listed, *witnesses), told),
        )
        for line in proof.note.signatures
    )


def _fingerprint(name: str, key_id: bytes, listed: Sequence[NoteKey], told: set[PublicKey]) -> str:
    for known in (*listed, *(NoteKey(name, key) for key in told)):
        if (known.name, known.id) == (name, key_id):
            return known.key.fingerprint
    return f"key id {key_id.hex()}"


def _replay(case: Case, check: Callable[[Case], Replayed]) -> Replay:
    def replay(proof: Proof, trust: TrustList) -> Replayed:
        assert (proof, trust) == (case.proof, case.trust), "one case is one proof"
        return check(case)

    return replay
