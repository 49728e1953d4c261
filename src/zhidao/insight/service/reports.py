"""Makes reports for whoever asks, of what they may see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.insight.domain.report import Report, make_report
from zhidao.insight.service.ports import LogSource
from zhidao.insight.wire.document import encode_report
from zhidao.insight.wire.page import encode_page

MAY_REPORT: Final = access(
    Role.PARTY, Role.AUDITOR, Role.OPERATOR, Role.NODE, relation=Relation.PEER, of="each event"
)


class Reports:
    """Reports over one source."""

    def __init__(self, source: LogSource) -> None:
        self._source = source

    async def page(self, actor: Actor) -> bytes:
        """The report as an HTML page; an auditor's covers all, a party's what it may see."""
        return await self._made(actor, encode_page)

    async def document(self, actor: Actor) -> bytes:
        """The report as JSON."""
        return await self._made(actor, encode_report)

    async def _made(self, actor: Actor, encode: Callable[[Report], bytes]) -> bytes:
        MAY_REPORT.admit(actor)
        log = await self._source.opened(actor.viewer)
        # Folding and writing take tens of milliseconds for a thousand events.
        return await asyncio.to_thread(lambda: encode(make_report(log)))
