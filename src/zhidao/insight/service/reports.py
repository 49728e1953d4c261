"""Makes reports for whoever asks, of what they may see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.insight.domain.report import Report, make_report
from zhidao.insight.domain.selection import ALL, Selection
from zhidao.insight.service.ports import LogSource
from zhidao.insight.wire.document import encode_report
from zhidao.insight.wire.page import encode_page

MAY_REPORT: Final = access(
    Role.PARTY, Role.AUDITOR, Role.OPERATOR, Role.NODE, relation=Relation.PEER, of="each event"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which consignments a report tells of, and whether in figures alone."""

    selection: Selection = ALL
    is_summary: bool = False


WHOLE: Final = Asked()


class Reports:
    """Reports over one source."""

    def __init__(self, source: LogSource) -> None:
        self._source = source

    async def page(self, actor: Actor, asked: Asked = WHOLE) -> bytes:
        """The report as an HTML page; an auditor's covers all, a party's what it may see."""
        return await self._made(actor, asked, partial(encode_page, is_summary=asked.is_summary))

    async def document(self, actor: Actor, asked: Asked = WHOLE) -> bytes:
        """The report as JSON."""
        return await self._made(actor, asked, partial(encode_report, is_summary=asked.is_summary))

    async def _made(self, actor: Actor, asked: Asked, encode: Callable[[Report], bytes]) -> bytes:
        MAY_REPORT.admit(actor)
        log = await self._source.opened(actor.viewer)
        # Folding and writing take tens of milliseconds for a thousand events.
        return await asyncio.to_thread(lambda: encode(make_report(log, asked.selection)))
