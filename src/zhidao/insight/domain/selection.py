"""Which consignments of a log a report tells of: those named, those entered in a time, or all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput, NotFound
from zhidao.core.timescale import Utc
from zhidao.insight.domain.journeys import Journey

CONSIGNMENTS_NAMED_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Selection:
    """Consignments by name (none: all), entered at `first` or later and before `end`.

    Whatever belongs to a chosen consignment is told, whenever it happened. Raises MalformedInput
    for more than CONSIGNMENTS_NAMED_MAX names, or an end that is not after the beginning.
    """

    consignments: tuple[str, ...] = ()
    first: Utc | None = None
    end: Utc | None = None

    def __post_init__(self) -> None:
        if len(self.consignments) > CONSIGNMENTS_NAMED_MAX:
            raise MalformedInput(
                f"at most {CONSIGNMENTS_NAMED_MAX} consignments are named,"
                f" not {len(self.consignments)}",
                remedy="choose them by the time of their entry instead",
            )
        if self.first and self.end and self.end <= self.first:
            raise MalformedInput(
                f"from {self.first} to {self.end} there is no time",
                remedy="name the earlier time first",
            )

    @property
    def is_all(self) -> bool:
        """Whether nothing is left aside."""
        return self == ALL

    def of(self, journeys: Sequence[Journey]) -> tuple[Journey, ...]:
        """The journeys chosen. Raises NotFound if a named consignment is not among them."""
        known = {journey.consignment for journey in journeys}
        for name in self.consignments:
            if name not in known:
                raise NotFound(
                    f"no entry of a consignment {name[:64]!r} was opened",
                    code="consignment_not_opened",
                )
        return tuple(journey for journey in journeys if self._takes(journey))

    def _takes(self, journey: Journey) -> bool:
        entered_at = journey.entry.time(journey.clock)
        return (
            (not self.consignments or journey.consignment in self.consignments)
            and (self.first is None or entered_at >= self.first)
            and (self.end is None or entered_at < self.end)
        )


ALL: Final = Selection()
