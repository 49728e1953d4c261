"""Whether the network of a SIM confirms a way, for who may ask where the SIM is."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from litestar import Router, post

from zhidao.connectivity.domain.track_mark import Fix, Span
from zhidao.connectivity.service.location import MAY_LOCATE
from zhidao.connectivity.service.track_checks import ASKED_FIXES_MAX, CheckedTrack, TrackChecks
from zhidao.core.actor import Actor
from zhidao.core.geo import Geodetic
from zhidao.core.timescale import Utc
from zhidao.node.api.camara import Phone
from zhidao.node.api.connectivity import LatitudeNdeg, LongitudeNdeg
from zhidao.node.http.access import ACCESS

_MM: Final = 1000
_BOUND_MM_MOST: Final = 1_000_000_000


class ClaimedFix(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where a terminal says that it was, surely within `bound_mm`."""

    at: Annotated[str, msgspec.Meta(min_length=20, max_length=40)]
    latitude_ndeg: LatitudeNdeg
    longitude_ndeg: LongitudeNdeg
    bound_mm: Annotated[int, msgspec.Meta(ge=0, le=_BOUND_MM_MOST)]


class NewTrackCheck(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A way of the terminal with this SIM."""

    phone: Phone
    fixes: Annotated[list[ClaimedFix], msgspec.Meta(min_length=1, max_length=ASKED_FIXES_MAX)]


class TrackSpan(msgspec.Struct, kw_only=True):
    """A stretch of the way on which the answer was the same. `gap_mm`: the largest on it."""

    since: str
    until: str
    verdict: str
    reason: str
    gap_mm: int


class TrackCheckView(msgspec.Struct, kw_only=True):
    """How much of the way the network confirms, by time; what the shares leave is unknown."""

    check: str
    phone: str
    verdict: str
    corroborated_permille: int
    partial_permille: int
    contradicted_permille: int
    whole_s: int
    fixes: int
    first_at: str
    last_at: str
    networks: list[str]
    reasons: list[str]
    simulated: bool
    spans: list[TrackSpan]


def routes(checks: TrackChecks) -> Router:
    """The one route."""

    @post("/track-checks", status_code=HTTPStatus.OK, opt={ACCESS: MAY_LOCATE})
    async def check(data: NewTrackCheck, actor: Actor) -> TrackCheckView:
        """Compares a way with all that the network of its SIM says, and writes the answer down."""
        fixes = [
            Fix(
                Utc.parse(each.at),
                Geodetic.from_ndeg(
                    latitude_ndeg=each.latitude_ndeg, longitude_ndeg=each.longitude_ndeg
                ),
                each.bound_mm / _MM,
            )
            for each in data.fixes
        ]
        return _view(await checks.check(actor, phone=data.phone, fixes=fixes))

    return Router("/v1/connectivity", route_handlers=[check], tags=["connectivity"])


def _view(checked: CheckedTrack) -> TrackCheckView:
    fact = checked.fact
    return TrackCheckView(
        check=fact.check,
        phone=fact.phone,
        verdict=fact.verdict,
        corroborated_permille=fact.corroborated_permille,
        partial_permille=fact.partial_permille,
        contradicted_permille=fact.contradicted_permille,
        whole_s=round(checked.whole_s),
        fixes=fact.fixes,
        first_at=fact.first_at,
        last_at=fact.last_at,
        networks=fact.networks,
        reasons=fact.reasons,
        simulated=fact.simulated,
        spans=[_span(each) for each in checked.spans],
    )


def _span(span: Span) -> TrackSpan:
    return TrackSpan(
        since=str(span.since),
        until=str(span.until),
        verdict=span.agreement.value,
        reason=span.reason,
        gap_mm=round(span.gap_m * _MM),
    )
