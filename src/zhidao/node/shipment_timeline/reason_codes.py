"""Reasons of every room as stable codes with parameters, read from the facts themselves.

Rooms sign English sentences, which stay as they are: signed. What a page needs to say the same in
another language stands in the other fields of those facts and is collected here. The catalogues
have words for each code; `tests/web/test_reason_codes.py` walks the rooms and compares.
"""

from __future__ import annotations

import re
from typing import Final

from zhidao.connectivity.domain.distance import apart_m
from zhidao.connectivity.events import NetworkChecked
from zhidao.core.geo import Geodetic
from zhidao.finance.events import DealOpened
from zhidao.node.shipment_timeline.view import FindingView, ReasonView, Scale, SideView
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven, Site
from zhidao.positioning.wire.position_evidence import PROTECTION_MM_MAX
from zhidao.trade.events import CrossCheckFinding, CustomsReleased, PapersChecked

_MM: Final = 1e3
_STATEMENT: Final = re.compile(r"([a-z_]+):\s?(.+?) = (.*)", re.DOTALL)
_LINE: Final = re.compile(r"line (\S+)(?: (.+))?")
_PART: Final = re.compile(r"(quantity of lot|freight under) (.+)")
# Of several invoices each is named by its number.
_OF: Final = re.compile(
    r"(net|currency|container|issued_on|seller|buyer|lines|minor units|"
    r"sum of quantity times unit price) of (\S+)"
)
_IN: Final = re.compile(r"(.+) in (\S+)")
# One row of the cross-check table may ask several things; the field on the left tells which.
_VARIANTS: Final = {
    ("ZD-01", "lot"): "limits",
    ("ZD-01", "GTIN"): "article",
    ("XD-05", "minor units"): "billed",
    ("XD-06", "lines"): "lines",
    ("XD-18", "kind"): "kinds",
    ("XD-22", "discharge"): "discharge",
    ("XD-32", "invoices"): "several",
    ("XD-32", "issued_on"): "day",
}
# How the connectivity room begins what it says when it could not compare.
SILENCES: Final = {
    "no network that answers": "nobody_knows",
    "the network did not answer": "silent",
    "the network has not located": "not_located",
    "the network saw the device": "too_old",
    "the terminal's own word": "own_word",
}


def of_finding(finding: CrossCheckFinding) -> FindingView:
    """A finding with its two places taken apart."""
    left, right = _side(finding.left), _side(finding.right)
    variant = _VARIANTS.get((finding.rule, left.field), "")
    if finding.rule == "XD-13" and right.value == "absent":
        variant = "absent"
    code = ".".join(filter(None, ("finding", finding.rule, variant)))
    args: dict[str, str | int | float] = {"line": left.line} if left.line else {}
    return FindingView(
        rule=finding.rule,
        verdict=finding.verdict,
        told=ReasonView(code=code, args=args, text=finding.sentence),
        left=left,
        right=right,
    )


def _side(text: str) -> SideView:
    found = _STATEMENT.fullmatch(text)
    if found is None:
        # `invoice: absent` says of a whole paper that it is not there.
        paper, _, value = text.partition(": ")
        return SideView(paper=paper if value else "", field="", value=value or text)
    paper, field, value = found.groups()
    if (line := _LINE.fullmatch(field)) is not None:
        return SideView(paper=paper, field=line[2] or "line", value=value, line=line[1])
    part = _PART.fullmatch(field) or _OF.fullmatch(field) or _IN.fullmatch(field)
    if part is not None:
        return SideView(paper=paper, field=part[1], value=value, part=part[2])
    return SideView(paper=paper, field=field, value=value)


def of_arrival_condition(proven: ArrivalProven, scale: Scale, text: str) -> ReasonView:
    """Why the arrival counts; `scale` is that of its instant."""
    return ReasonView(
        code="because.arrival",
        args={"place": proven.site.name, "at": proven.observed_at, "scale": scale},
        text=text,
    )


def of_papers_condition(checked: PapersChecked, text: str) -> ReasonView:
    """Why the papers count as agreeing."""
    return ReasonView(
        code="because.papers_agree",
        args={"checks": checked.checks, "documents": len(checked.documents)},
        text=text,
    )


def of_customs_condition(released: CustomsReleased, text: str) -> ReasonView:
    """Why the goods count as released."""
    return ReasonView(
        code="because.customs_released", args={"declaration": released.declaration}, text=text
    )


def of_title_condition(opened: DealOpened, text: str) -> ReasonView:
    """Why the title counts as being in custody."""
    return ReasonView(code="because.title_in_custody", args={"title": opened.title}, text=text)


def of_network(checked: NetworkChecked) -> ReasonView:
    """How the network's circle and the fix lie to each other, or why nothing was compared."""
    silence = next((c for words, c in SILENCES.items() if checked.reason.startswith(words)), "")
    code = f"crosscheck.{silence or checked.verdict}"
    if not checked.network_radius_mm:
        return ReasonView(code=code, args={}, text=checked.reason)
    apart = _apart_m(
        (checked.fix_latitude_ndeg, checked.fix_longitude_ndeg),
        (checked.network_latitude_ndeg, checked.network_longitude_ndeg),
    )
    radius, bound = checked.network_radius_mm / _MM, checked.fix_bound_mm / _MM
    return ReasonView(
        code=code,
        args={
            "away": round(apart, 1),
            "bound": bound,
            "radius": radius,
            "gap": max(round(apart - radius - bound, 1), 0.0),
        },
        text=checked.reason,
    )


def of_no_arrival(
    failed: ArrivalNotProven, site: Site | None, opened: DealOpened | None, scale: Scale
) -> ReasonView:
    """Why a window proved nothing, with the numbers that decided; `scale` of the asked times."""
    args: dict[str, str | int | float] = {"scale": scale}
    if site is not None and failed.observed_at and failed.protection_mm < PROTECTION_MM_MAX:
        apart = _apart_m(
            (failed.latitude_ndeg, failed.longitude_ndeg),
            (site.latitude_ndeg, site.longitude_ndeg),
        )
        args |= {
            "away": round(apart, 1),
            "bound": failed.protection_mm / _MM,
        }
        # The words of a circle: a polygon has no radius to speak of.
        if not site.corners:
            args["radius"] = site.radius_mm / _MM
    if opened is not None:
        args["until"] = opened.conditions.not_after
        args["from"] = opened.conditions.not_before
    if failed.marks.disagreed_by:
        args["who"] = failed.marks.disagreed_by[0]
    return ReasonView(code=f"reason.{failed.reason}", args=args, text=failed.sentence)


def of_decision(
    reason: str, text: str, cause: ReasonView | None, opened: DealOpened | None, scale: Scale
) -> ReasonView:
    """Why a deal ended; with the numbers of its cause where that is known."""
    args: dict[str, str | int | float] = dict(cause.args) if cause else {"scale": scale}
    if opened is not None:
        args.setdefault("until", opened.conditions.not_after)
    return ReasonView(code=f"reason.{reason}", args=args, text=text)


def _apart_m(one_ndeg: tuple[int, int], two_ndeg: tuple[int, int]) -> float:
    one, two = (
        Geodetic.from_ndeg(latitude_ndeg=latitude, longitude_ndeg=longitude)
        for latitude, longitude in (one_ndeg, two_ndeg)
    )
    return apart_m(one, two)
