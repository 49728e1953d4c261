"""A recall as its facts tell it, and the list of things that it froze."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.events import SignedEvent, every, latest
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.industry.domain.trace import Ending, Trace
from zhidao.industry.events import RecallLiftAsked, RecallLifted, RecallOpened

OPEN: Final = "open"
LIFTING: Final = "lifting"
LIFTED: Final = "lifted"


@dataclass(frozen=True, slots=True)
class RecallState:
    """A recall as it stands. `asked_by`: who asked first to lift it, empty before."""

    opened: RecallOpened
    by: PartyId
    at: Utc
    state: str
    asked_by: str
    version: int

    @property
    def is_over(self) -> bool:
        """Whether it was lifted."""
        return self.state == LIFTED


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a recall found, by name. not_told: where nobody says how a branch ends."""

    made: tuple[str, ...]
    carried: tuple[str, ...]
    not_told: tuple[str, ...]
    cut_short: bool

    @classmethod
    def of(cls, found: Trace) -> Frozen:
        """The list of a trace forward."""
        ends = {end.thing for end in found.ends if end.why is Ending.NOT_TOLD}
        return cls(
            tuple(sorted(found.made)), tuple(sorted(found.carried)), tuple(sorted(ends)),
            found.cut_short,
        )  # fmt: skip

    def encode(self, lot: str) -> bytes:
        """As the archive keeps it."""
        lists = {"made": self.made, "carried": self.carried, "not_told": self.not_told}
        told: dict[str, Any] = {name: list(each) for name, each in lists.items()}
        return jcs(told | {"lot": lot, "cut_short": self.cut_short})

    @classmethod
    def decode(cls, data: bytes) -> Frozen:
        """Raises MalformedInput for what is no such list."""
        told = parse_strict(data)
        return cls(
            made=tuple(told["made"]),
            carried=tuple(told["carried"]),
            not_told=tuple(told["not_told"]),
            cut_short=told["cut_short"],
        )


def recall_state(history: Sequence[SignedEvent]) -> RecallState:
    """The fold of a recall's history, which has at least its opening."""
    first = history[0]
    facts = tuple(history)
    asked = list(every(facts, RecallLiftAsked))
    state = LIFTING if asked else OPEN
    if latest(facts, RecallLifted) is not None:
        state = LIFTED
    return RecallState(
        opened=RecallOpened.of(first),
        by=first.owner,
        at=first.recorded_at,
        state=state,
        asked_by=asked[0].person if asked else "",
        version=history[-1].version,
    )


def series_of(party: PartyId, lot: str) -> str:
    """What the recalls of one lot by one party have in common in their names."""
    return hashlib.sha256(f"{party}\n{lot}".encode()).hexdigest()[:16]


def things_of(lot: str, frozen: Frozen) -> list[str]:
    """The lot and all that was made of it: what a consignment may name."""
    return [lot, *frozen.made]
