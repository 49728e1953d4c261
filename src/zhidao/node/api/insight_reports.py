"""Routes of the insight room: the audit annex of what the caller may see."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, Router, get
from litestar.params import Parameter

from zhidao.core.actor import Actor
from zhidao.insight.domain.selection import CONSIGNMENTS_NAMED_MAX
from zhidao.insight.service.reports import MAY_REPORT, Asked, Reports
from zhidao.insight.wire.asked import decode_selection
from zhidao.node.http.access import ACCESS

_Named = Annotated[
    list[str] | None, Parameter(query="consignment", max_items=CONSIGNMENTS_NAMED_MAX)
]
_When = Annotated[str, Parameter(max_length=40)]


def routes(reports: Reports) -> Router:
    """Routes under /v1/insight."""

    @get("/report", media_type="application/json", opt={ACCESS: MAY_REPORT})
    async def report(
        actor: Actor,
        named: _Named = None,
        since: _When = "",
        until: _When = "",
        *,
        summary: bool = False,
    ) -> Response[bytes]:
        """Figures recomputed from the log, each with its question and the leaves used.

        An auditor's report covers every event, a party's those that it may see; it says `opened n
        of m`. `since` and `until` are days or instants of entry; a day as `until` is taken
        whole. `summary` leaves out what is told of each consignment.
        """
        data = await reports.document(actor, _asked(named, since, until, summary=summary))
        return Response(data, media_type="application/json")

    @get("/report.html", media_type="text/html", opt={ACCESS: MAY_REPORT})
    async def page(
        actor: Actor,
        named: _Named = None,
        since: _When = "",
        until: _When = "",
        *,
        summary: bool = False,
    ) -> Response[bytes]:
        """The same as one HTML page to keep or print: no script, no request to anywhere.

        Of many consignments it has a list, and the steps of the newest ten or of those named.
        """
        headers = {"Content-Disposition": 'attachment; filename="zhidao-report.html"'}
        data = await reports.page(actor, _asked(named, since, until, summary=summary))
        return Response(data, media_type="text/html; charset=utf-8", headers=headers)

    return Router("/v1/insight", route_handlers=[report, page], tags=["insight"])


def _asked(named: list[str] | None, first: str, last: str, *, summary: bool) -> Asked:
    return Asked(decode_selection(consignments=named or (), first=first, last=last), summary)
