"""What a report asks of the world: a log, opened."""

from __future__ import annotations

from typing import Protocol

from zhidao.core.ids import PartyId
from zhidao.insight.domain.opened import OpenedLog


class LogSource(Protocol):
    """Somewhere that events can be opened against their leaves."""

    async def opened(self, viewer: PartyId | None) -> OpenedLog:
        """Every event that `viewer` may see (None: every event), checked against its leaf.

        Raises Refused if an event is not what its leaf says: then nothing is reported.
        """
        ...
