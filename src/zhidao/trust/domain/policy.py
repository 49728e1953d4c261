"""Who must have cosigned a checkpoint before it counts: logs, witnesses, groups and a quorum.

One policy stands for one corridor. Source: C2SP tlog-policy (c2sp.org, revision 13027eee).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trust.domain.note import Cosigned, Note, NoteKey, NoteKind

NO_QUORUM: Final = "none"
LOGS_MAX: Final = 256
NAMES_MAX: Final = 512
# How far a witness's clock may be ahead of the reader's.
AHEAD_S_MAX: Final = 300


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """A log: its key, and where it is served (or ``)."""

    key: NoteKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness under a name of this policy: its key, and its submission prefix (or ``)."""

    name: str
    key: NoteKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class PolicyGroup:
    """Witnesses and earlier groups, `threshold` of which stand for the whole."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint that a quorum vouches for: by whom, and since when at the latest.

    `at_s` is the time at which the quorum was complete: the third of the house's three times.
    """

    by: tuple[str, ...]
    at_s: int


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy. Groups stand after what they name. Raises MalformedInput if it contradicts itself.

    A witness with an Ed25519 and an ML-DSA-44 key stands as two witnesses, in one group if both
    are to count as one.
    """

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[PolicyGroup, ...]
    quorum: str

    def __post_init__(self) -> None:
        if len(self.logs) > LOGS_MAX or len(self.witnesses) + len(self.groups) > NAMES_MAX:
            raise MalformedInput(f"a policy of more than {LOGS_MAX} logs or {NAMES_MAX} names")
        _check_unique("log", [log.key.key for log in self.logs])
        _check_unique("witness", [witness.key.key for witness in self.witnesses])
        if any(not witness.key.kind.timed for witness in self.witnesses):
            raise MalformedInput("a witness's key is of a cosignature type (04 or 06)")
        if any(log.key.kind is NoteKind.COSIGNATURE for log in self.logs):
            raise MalformedInput("a log's key is of type 01 or 06")
        self._check_names()

    def _check_names(self) -> None:
        known = {witness.name for witness in self.witnesses}
        if len(known) != len(self.witnesses):
            raise MalformedInput("two witnesses of the policy bear one name")
        taken: set[str] = set()
        for group in self.groups:
            if group.name in known:
                raise MalformedInput(f"the policy defines {group.name!r} twice")
            if not 1 <= group.threshold <= len(group.members):
                raise MalformedInput(f"group {group.name!r} cannot reach its threshold")
            for member in group.members:
                if member not in known or member in taken:
                    raise MalformedInput(
                        f"group {group.name!r} names {member!r}, unknown or counted already"
                    )
                taken.add(member)
            known.add(group.name)
        if NO_QUORUM in known or not (self.quorum == NO_QUORUM or self.quorum in known):
            raise MalformedInput(f"the policy defines no quorum {self.quorum!r}")

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        """The keys of all witnesses."""
        return tuple(witness.key for witness in self.witnesses)

    @property
    def needs_witnesses(self) -> bool:
        """Whether any cosignature is asked for."""
        return self.quorum != NO_QUORUM

    def log_keys(self, origin: str) -> tuple[NoteKey, ...]:
        """The keys of the log of that origin; none if the policy does not know it."""
        return tuple(log.key for log in self.logs if log.key.name == origin)

    def is_met_by(self, keys: AbstractSet[NoteKey]) -> bool:
        """Whether these witnesses are a quorum."""
        if not self.needs_witnesses:
            return True
        met: dict[str, bool] = {each.name: each.key in keys for each in self.witnesses}
        for group in self.groups:
            met[group.name] = sum(met[name] for name in group.members) >= group.threshold
        return met[self.quorum]

    def judge(self, note: Note, *, now_s: int | None = None) -> Witnessed:
        """By whom, and since when, the note is witnessed.

        `now_s`: the reader's clock (Unix seconds); a cosignature of the future proves no time.
        Raises Refused: `bad_signature`, `future_cosignature`, or `quorum_not_met` with who is
        missing.
        """
        cosigned = sorted(note.cosigned_by(self.keys), key=lambda each: each.at_s)
        if now_s is not None:
            self._check_times(cosigned, now_s)
        if not self.needs_witnesses:
            return Witnessed((), 0)
        for count in range(1, len(cosigned) + 1):
            if self.is_met_by({each.key for each in cosigned[:count]}):
                return Witnessed(self._names(cosigned), cosigned[count - 1].at_s)
        missing = sorted({each.name for each in self.witnesses} - set(self._names(cosigned)))
        raise Refused(
            f"{len(cosigned)} of {len(self.witnesses)} witnesses cosigned, which is no quorum",
            code="quorum_not_met",
            where=f"missing: {', '.join(missing)}",
        )

    def _check_times(self, cosigned: Iterable[Cosigned], now_s: int) -> None:
        ahead = [each for each in cosigned if each.at_s > now_s + AHEAD_S_MAX]
        if ahead:
            raise Refused(
                f"{self._names(ahead)[0]} dated its cosignature {ahead[0].at_s - now_s} s ahead;"
                f" at most {AHEAD_S_MAX} s are borne",
                code="future_cosignature",
                remedy="compare this machine's clock with that of the witness",
            )

    def _names(self, cosigned: Iterable[Cosigned]) -> tuple[str, ...]:
        names: Mapping[NoteKey, str] = {each.key: each.name for each in self.witnesses}
        return tuple(sorted(names[each.key] for each in cosigned))


def _check_unique(what: str, items: list[object]) -> None:
    if len(set(items)) != len(items):
        raise MalformedInput(f"the policy lists a {what} twice")
