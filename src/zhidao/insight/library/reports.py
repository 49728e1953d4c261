"""The audit annex of a log, or of a part of it, for whoever holds the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.insight.service.ports import LogSource
from zhidao.insight.service.reports import WHOLE, Asked, Reports
from zhidao.insight.wire.asked import decode_selection

__all__ = ["Asked", "asked", "report"]

# Whoever holds the files or the data folder may read all that is in them.
_READER: Final = Actor(party_id("reader"), Role.AUDITOR)


def asked(
    *, consignments: Sequence[str] = (), first: str = "", last: str = "", is_summary: bool = False
) -> Asked:
    """Which part of a report is wanted, out of the words of a command; see `decode_selection`."""
    selection = decode_selection(consignments=consignments, first=first, last=last)
    return Asked(selection, is_summary)


async def report(source: LogSource, *, as_json: bool, wanted: Asked = WHOLE) -> bytes:
    """The report as one page, or as JSON.

    Raises NotFound if a consignment that is named was not opened.
    """
    reports = Reports(source)
    made = reports.document if as_json else reports.page
    return await made(_READER, wanted)
