"""Since when the node that bears a peer's name bears it, and whose keys were a former one's."""

from __future__ import annotations

from dataclasses import dataclass

from zhidao.core.events import SignedEvent
from zhidao.core.journal import Records
from zhidao.core.timescale import Utc
from zhidao.exchange.events import PeerAdmitted, PeerKeysLearned


@dataclass(frozen=True, slots=True)
class Succession:
    """`since` is None while there was but one node of the name. `former`: Multikeys."""

    since: Utc | None
    former: frozenset[str]

    def is_past(self, at: Utc) -> bool:
        """Whether another node bore the name then."""
        return self.since is not None and at < self.since


class PeerSuccession:
    """Reads it from the signed admissions: keys of which none was there before are another node.

    A peer that goes over to new keys, by its log or by a list, keeps one of them meanwhile. One
    that is no peer any more stays who it was.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._read: dict[str, Succession] = {}

    async def of(self, peer: str) -> Succession:
        """How it stands with a name."""
        if peer not in self._read:
            self._read[peer] = _read(await self._records.history(f"peer/{peer}"))
        return self._read[peer]

    def forget(self) -> None:
        """A peer was admitted, or is none any more."""
        self._read.clear()


def _read(history: tuple[SignedEvent, ...]) -> Succession:
    since, former, present = None, frozenset[str](), frozenset[str]()
    for event in history:
        if PeerAdmitted.is_told_by(event.type):
            keys = frozenset(PeerAdmitted.of(event).keys)
            if present and not keys & present:
                since, former, present = event.recorded_at, former | present, keys
            present |= keys
        elif PeerKeysLearned.is_told_by(event.type):
            present |= frozenset(PeerKeysLearned.of(event).keys)
    return Succession(since, former - present)
