"""Proof that the holder of a key told two stories: checked with nothing but the file itself.

`split_view`: one size, two roots. `rewritten`: the larger tree does not begin with the smaller
one; hashes of subtrees show what it begins with instead. `turned_back`: a timed signature dates a
smaller head later than a larger one. These convict the key. `stale` is weaker and says so: a
witness attests that it was shown a head older than the one that it had cosigned before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trust.domain.merkle import Edge, cover, extended, span
from zhidao.trust.domain.note import Checkpoint, Note, NoteKey

_OBSERVED: Final = "zhidao.observed.v1\n"


class FraudKind(StrEnum):
    """What was done."""

    SPLIT_VIEW = "split_view"
    REWRITTEN = "rewritten"
    TURNED_BACK = "turned_back"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A note and the checkpoint that it bears."""

    note: Note
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Observation:
    """A witness's word: by this key, at this time, such a head was shown to me."""

    by: NoteKey
    at_s: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class FraudProof:
    """Two heads that one key signed and that cannot both be honest.

    `key` is the culprit's. Of `rewritten`, `first` is the smaller tree and `hashes` are the
    subtrees that lie side by side over the larger one, cut at the smaller one's size. Of
    `turned_back` and `stale`, `first` is the larger head. `observation` belongs to `stale` only.
    """

    kind: FraudKind
    key: NoteKey
    first: SignedHead
    second: SignedHead
    hashes: tuple[bytes, ...] = ()
    observation: Observation | None = None

    @property
    def origin(self) -> str:
        """The log that it is about."""
        return self.first.checkpoint.origin

    @property
    def convicts(self) -> bool:
        """Whether it proves something by itself, without anybody's word."""
        return self.kind is not FraudKind.STALE

    def check(self) -> str:
        """What is proven, as a sentence. Raises Refused (`not_proven`, `bad_signature`)."""
        one, two = self.first.checkpoint, self.second.checkpoint
        if one.origin != two.origin:
            raise _unproven("the two heads are of two logs")
        for head in (self.first, self.second):
            if self.key not in head.note.signed_by([self.key]):
                raise _unproven(f"{self.key.name} did not sign both heads")
        match self.kind:
            case FraudKind.SPLIT_VIEW:
                return self._split_view(one, two)
            case FraudKind.REWRITTEN:
                return self._rewritten(one, two)
            case FraudKind.TURNED_BACK:
                return self._turned_back(one, two)
            case FraudKind.STALE:
                return self._stale(one, two)

    def _split_view(self, one: Checkpoint, two: Checkpoint) -> str:
        if one.size != two.size or one.root == two.root:
            raise _unproven("the heads are not of one size with two roots")
        return f"{self.key.name} signed two histories of {one.size} leaves of {one.origin}"

    def _rewritten(self, one: Checkpoint, two: Checkpoint) -> str:
        if not 0 < one.size < two.size:
            raise _unproven("the first head is not the smaller one")
        if len(self.hashes) != len(needed_nodes(one.size, two.size)):
            raise _unproven("the hashes do not fit the sizes")
        count = len(cover((0, one.size)))
        start = Edge(one.size, self.hashes[:count])
        if extended(start, two.size, self.hashes[count:]).root != two.root:
            raise _unproven("the hashes are not those of the larger tree")
        if start.root == one.root:
            raise _unproven("the larger tree begins with the smaller one")
        return (
            f"{self.key.name} signed {one.size} leaves of {one.origin} and then {two.size} leaves"
            " that begin otherwise"
        )

    def _turned_back(self, one: Checkpoint, two: Checkpoint) -> str:
        earlier, later = self._time(self.first.note), self._time(self.second.note)
        if not (one.size > two.size and earlier < later):
            raise _unproven("the smaller head is not dated later")
        return (
            f"{self.key.name} signed {one.size} leaves of {one.origin} at {earlier} and, at"
            f" {later}, only {two.size}"
        )

    def _stale(self, one: Checkpoint, two: Checkpoint) -> str:
        seen = self.observation
        if seen is None or not one.size > two.size:
            raise _unproven("nobody attests to have been shown the smaller head")
        [*cosigned] = self.first.note.cosigned_by([seen.by])
        if not cosigned or cosigned[0].at_s > seen.at_s:
            raise _unproven("the observer had not cosigned the larger head by then")
        message = observed_message(seen.at_s, self.second.note.text)
        if not seen.by.key.verifies(seen.signature, message):
            raise Refused("the observer's signature is wrong", code="bad_signature")
        return (
            f"{seen.by.name} attests that {one.origin} showed {two.size} leaves at {seen.at_s},"
            f" though {one.size} had been cosigned at {cosigned[0].at_s}"
        )

    def _time(self, note: Note) -> int:
        times = [each.at_s for each in note.cosigned_by([self.key])]
        if not times:
            raise _unproven("the key's signatures bear no time")
        return times[0]


def observed_message(at_s: int, text: str) -> bytes:
    """What an observer signs about a head that was shown to it."""
    return f"{_OBSERVED}time {at_s}\n{text}".encode()


def culprits(first: SignedHead, second: SignedHead, keys: Iterable[NoteKey]) -> tuple[NoteKey, ...]:
    """Which of the keys signed both heads. Raises Refused (`bad_signature`)."""
    keys = tuple(keys)
    both = set(first.note.signed_by(keys)) & set(second.note.signed_by(keys))
    return tuple(key for key in keys if key in both)


def without_tiles(
    first: SignedHead, second: SignedHead, keys: Iterable[NoteKey]
) -> tuple[FraudProof, ...]:
    """What two heads prove by themselves, against each key that signed both."""
    one, two = first.checkpoint, second.checkpoint
    found = []
    for key in culprits(first, second, keys):
        if one.size == two.size and one.root != two.root:
            found.append(FraudProof(FraudKind.SPLIT_VIEW, key, first, second))
        elif one.size != two.size and key.kind.timed:
            larger, smaller = (first, second) if one.size > two.size else (second, first)
            proof = FraudProof(FraudKind.TURNED_BACK, key, larger, smaller)
            if _holds(proof):
                found.append(proof)
    return tuple(found)


def with_tiles(
    smaller: SignedHead, larger: SignedHead, hashes: tuple[bytes, ...], keys: Iterable[NoteKey]
) -> tuple[FraudProof, ...] | None:
    """What hashes over the larger tree prove; None if they are not that tree's.

    `hashes`: of `cover((0, smaller))`, then of `span((smaller, larger))`. An empty tuple says that
    the two are one history.
    """
    size, count = smaller.checkpoint.size, len(cover((0, smaller.checkpoint.size)))
    try:
        start = Edge(size, hashes[:count])
        end = extended(start, larger.checkpoint.size, hashes[count:])
    except (MalformedInput, Refused):
        return None
    if end.root != larger.checkpoint.root:
        return None
    if start.root == smaller.checkpoint.root:
        return ()
    return tuple(
        FraudProof(FraudKind.REWRITTEN, key, smaller, larger, hashes)
        for key in culprits(smaller, larger, keys)
    )


def needed_nodes(smaller: int, larger: int) -> list[tuple[int, int]]:
    """The subtrees whose hashes `with_tiles` takes."""
    return [*cover((0, smaller)), *span((smaller, larger))]


def _holds(proof: FraudProof) -> bool:
    try:
        proof.check()
    except Refused:
        return False
    return True


def _unproven(why: str) -> Refused:
    return Refused(f"no fraud is proven: {why}", code="not_proven")
