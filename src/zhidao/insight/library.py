"""What the command line uses of insight without a node: a report of any log that is opened."""

from __future__ import annotations

from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.insight.service.ports import LogSource
from zhidao.insight.service.reports import Reports

# Whoever holds the files or the data folder may read all that is in them.
_READER: Final = Actor(party_id("reader"), Role.AUDITOR)


async def report(source: LogSource, *, as_json: bool) -> bytes:
    """The report as one page, or as JSON."""
    reports = Reports(source)
    return await (reports.document(_READER) if as_json else reports.page(_READER))
