"""Routes of the insight room: the report of what the caller may see."""

from __future__ import annotations

from litestar import Response, Router, get

from zhidao.core.actor import Actor
from zhidao.insight.service.reports import MAY_REPORT, Reports
from zhidao.node.http.access import ACCESS


def routes(reports: Reports) -> Router:
    """Routes under /v1/insight."""

    @get("/report", media_type="application/json", opt={ACCESS: MAY_REPORT})
    async def report(actor: Actor) -> Response[bytes]:
        """Figures recomputed from the log, each with its question and the leaves used.

        An auditor's report covers every event, a party's those that it may see; it says `opened n
        of m`.
        """
        return Response(await reports.document(actor), media_type="application/json")

    @get("/report.html", media_type="text/html", opt={ACCESS: MAY_REPORT})
    async def page(actor: Actor) -> Response[bytes]:
        """The same as one HTML page to keep or print: no script, no request to anywhere."""
        headers = {"Content-Disposition": 'attachment; filename="zhidao-report.html"'}
        data = await reports.page(actor)
        return Response(data, media_type="text/html; charset=utf-8", headers=headers)

    return Router("/v1/insight", route_handlers=[report, page], tags=["insight"])
