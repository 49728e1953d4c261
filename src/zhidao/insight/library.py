"""What the command line uses of insight without a node: reports of logs, questions of standards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.insight.domain.standards import Pack, chosen
from zhidao.insight.service.ports import LogSource
from zhidao.insight.service.reports import Reports
from zhidao.insight.wire.packs import installed_packs

# Whoever holds the files or the data folder may read all that is in them.
_READER: Final = Actor(party_id("reader"), Role.AUDITOR)


async def report(source: LogSource, *, as_json: bool) -> bytes:
    """The report as one page, or as JSON."""
    reports = Reports(source)
    return await (reports.document(_READER) if as_json else reports.page(_READER))


def packs(wanted: Sequence[str] = ()) -> tuple[Pack, ...]:
    """The standards' questions that come with this version: those named as ID or ID@DIGEST, or all.

    Raises NotFound for one that is not there, Refused where its digest is another.
    """
    return chosen(installed_packs(), wanted)
