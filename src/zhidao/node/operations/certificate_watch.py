"""Alarms before a certificate ends: nobody may see the pages any more once it did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.node.operations.alarms import Alarms

# Time to get a new one from an authority; and when nothing else may come before it.
DAYS_BEFORE: Final = 30
DAYS_BEFORE_SOON: Final = 7
_LOOK_S: Final = 3_600.0
_ENDS: Final = "certificate_ends"
_ENDS_SOON: Final = "certificate_ends_soon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """When a certificate ends. days_left: whole days, below zero once it has. own: the node's."""

    names: Sequence[str]
    ends_at: str
    days_left: int
    own: bool


class CertificateWatch:
    """Looks at the certificates that the node shows, every hour."""

    def __init__(
        self, certificates: Callable[[], Awaitable[Sequence[Ending]]], alarms: Alarms
    ) -> None:
        self._certificates = certificates
        self._alarms = alarms

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Raises an alarm for the certificate that ends first, or takes it back."""
        first = min(await self._certificates(), key=lambda each: each.days_left, default=None)
        ends = first is not None and first.days_left < DAYS_BEFORE
        soon = first is not None and first.days_left < DAYS_BEFORE_SOON
        self._turn(_ENDS, first if ends and not soon else None)
        self._turn(_ENDS_SOON, first if soon else None)

    def _turn(self, code: str, ending: Ending | None) -> None:
        if ending is None:
            self._alarms.clear(code)
            return
        when = f"in {ending.days_left} days" if ending.days_left >= 0 else "already"
        self._alarms.sound(
            code,
            f"the certificate for {', '.join(ending.names)} ends {when}, at {ending.ends_at}",
            "start the node again: it makes a new one of its own"
            if ending.own
            else "put a new certificate and its key at tls.certificate and tls.key, start again",
            args={"names": ", ".join(ending.names), "days": ending.days_left},
        )
