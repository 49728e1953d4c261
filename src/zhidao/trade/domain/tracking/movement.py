"""One movement event, in the words that EPCIS 2.0 and DCSA Track and Trace share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.trade.domain.codes import container_number, unlocode
from zhidao.trade.domain.model.identifiers import imo


class Kind(StrEnum):
    """What happened; values are DCSA's codes of transport and equipment events."""

    ARRIVED = "ARRI"
    DEPARTED = "DEPA"
    LOADED = "LOAD"
    DISCHARGED = "DISC"
    GATE_IN = "GTIN"
    GATE_OUT = "GTOT"
    STUFFED = "STUF"
    STRIPPED = "STRP"
    INSPECTED = "INSP"


class Classifier(StrEnum):
    """Whether it happened, is planned, or is estimated."""

    ACTUAL = "ACT"
    PLANNED = "PLN"
    ESTIMATED = "EST"


OF_TRANSPORT: Final = frozenset((Kind.ARRIVED, Kind.DEPARTED))
MODES: Final = ("VESSEL", "RAIL", "TRUCK", "BARGE")
# No semicolon: it parts the remarks of a DCSA event.
_SHORT: Final = re.compile(r"[ -:<-~]{0,50}")


@dataclass(frozen=True, slots=True)
class Movement:
    """A fact about a means of transport or a container.

    `call` names the transport call; `means_id` is a ship's IMO number or ``; `equipment` is a
    container number, `` for events of the means. `corrects` is the id of the event that this one
    replaces, or ``. `temperature_c` is what was measured then, None if nothing was. Times are of
    the event and of its recording.
    """

    id: str
    kind: Kind
    classifier: Classifier
    occurred_at: Utc
    recorded_at: Utc
    place: str
    mode: str
    call: str
    means: str = ""
    means_id: str = ""
    voyage: str = ""
    equipment: str = ""
    is_empty: bool = False
    temperature_c: Decimal | None = None
    corrects: str = ""

    def __post_init__(self) -> None:
        for name in ("id", "corrects"):
            text = getattr(self, name)
            if text or name == "id":
                _uuid(text, name)
        unlocode(self.place)
        self._check_equipment()
        self._check_means()
        if self.temperature_c is not None and not self.temperature_c.is_finite():
            raise MalformedInput("a temperature is a number", where=self.id)

    def _check_means(self) -> None:
        if self.means_id and (imo(self.means_id) != self.means_id or not self.means):
            raise MalformedInput("a ship with a number has a name too", where=self.id)
        if self.mode not in MODES:
            raise MalformedInput(
                f"unknown mode {self.mode[:20]!r}", remedy="one of " + " ".join(MODES)
            )
        if not self.call or any(
            not _SHORT.fullmatch(t) for t in (self.call, self.means, self.voyage)
        ):
            raise MalformedInput("call, means and voyage are short plain texts", where=self.id)

    def _check_equipment(self) -> None:
        if self.equipment:
            container_number(self.equipment)
        elif self.kind not in OF_TRANSPORT:
            raise MalformedInput(f"{self.kind.name} names no equipment", where=self.id)
        if self.kind in OF_TRANSPORT and self.equipment:
            raise MalformedInput(f"{self.kind.name} is of the means, not of a container")


def _uuid(text: str, name: str) -> None:
    try:
        right = str(UUID(text)) == text
    except ValueError:
        right = False
    if not right:
        raise MalformedInput(f"not a UUID in lower case: {text[:40]!r}", where=name)
