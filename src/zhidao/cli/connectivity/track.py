"""`zhidao network track` and `mark`: for which share of a way networks saw the terminal there."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.outputs import taken_as
from zhidao.core.hosts.shown import escaped

_PERMILLE: Final = 1000
# As `zhidao` says of what is not so, and of what could not be checked in whole.
_NOT_SO: Final = 1
_IN_PART: Final = 4
_STATUS: Final = {"match": 0, "mismatch": _NOT_SO}


def add_actions(actions: Any) -> None:
    """Adds `track` and `mark` to the actions of `zhidao network`."""
    track = actions.add_parser(
        "track", help="have a node ask for which share networks confirm a way"
    )
    mark = actions.add_parser(
        "mark", help="the same by a file of what networks said, without a node"
    )
    for parser in (track, mark):
        parser.add_argument(
            "track",
            type=Path,
            metavar="TRACK",
            help="the way as CSV: at, latitude_deg, longitude_deg, bound_m",
        )
    track.add_argument("phone", metavar="PHONE", help="the number of its SIM")
    mark.add_argument("seen", type=Path, metavar="SEEN", help="what networks said, as JSON")
    mark.add_argument("--json", action="store_true", help="answer in JSON")
    add_caller(track)
    track.set_defaults(run=_track)
    mark.set_defaults(run=_mark)


def _track(options: argparse.Namespace) -> int:
    return _told(options, _by_node(options))


def _mark(options: argparse.Namespace) -> int:
    return _told(options, _by_file(options))


def _told(options: argparse.Namespace, found: dict[str, Any]) -> int:
    say(options, found, _in_words(found))
    return _STATUS.get(found["verdict"], _IN_PART)


def _by_file(options: argparse.Namespace) -> dict[str, Any]:
    from zhidao.connectivity.domain.track_mark import mark_of
    from zhidao.connectivity.wire import seen_files, track_files

    fixes = taken_as(track_files.read_fixes, options.track, bytes_max=track_files.TRACK_BYTES_MAX)
    seen = taken_as(seen_files.read_seen, options.seen, bytes_max=seen_files.SEEN_BYTES_MAX)
    mark = mark_of(fixes, seen)
    return {
        "verdict": mark.verdict.value,
        "corroborated_permille": round(mark.share(mark.corroborated_s) * _PERMILLE),
        "partial_permille": round(mark.share(mark.partial_s) * _PERMILLE),
        "contradicted_permille": round(mark.share(mark.contradicted_s) * _PERMILLE),
        "whole_s": round(mark.whole_s),
        "fixes": mark.fixes,
        "networks": list(mark.networks),
        "reasons": list(mark.reasons),
        "simulated": mark.simulated,
        "spans": [
            {
                "since": str(each.since),
                "until": str(each.until),
                "verdict": each.agreement.value,
                "reason": each.reason,
                "gap_mm": round(each.gap_m * _PERMILLE),
            }
            for each in mark.spans
        ],
    }


def _by_node(options: argparse.Namespace) -> dict[str, Any]:
    from zhidao.connectivity.domain.subscriber_location import check_phone
    from zhidao.connectivity.wire import track_files

    phone = check_phone(options.phone)
    fixes = taken_as(track_files.read_fixes, options.track, bytes_max=track_files.TRACK_BYTES_MAX)
    body = {
        "phone": phone,
        "fixes": [
            {
                "at": str(each.at),
                "latitude_ndeg": each.place.latitude_ndeg,
                "longitude_ndeg": each.place.longitude_ndeg,
                "bound_mm": round(each.bound_m * _PERMILLE),
            }
            for each in fixes
        ],
    }
    found: dict[str, Any] = node_of(options).send("/v1/connectivity/track-checks", body)
    return found


def _in_words(found: dict[str, Any]) -> str:
    names = ", ".join(found["networks"]) or "no network"
    simulated = " (simulated)" if found["simulated"] else ""
    head = (
        f"{found['verdict']}: {names}{simulated} saw {found['corroborated_permille'] / 10:.1f} % of"
        f" {found['whole_s']} s, {found['contradicted_permille'] / 10:.1f} % elsewhere,"
        f" {found['partial_permille'] / 10:.1f} % across an edge; {found['fixes']} fixes"
    )
    columns = ("since", "until", "verdict", "gap_m", "reason")
    spans = [each | {"gap_m": round(each["gap_mm"] / _PERMILLE)} for each in found["spans"]]
    return "\n".join((escaped(head, one_line=True), table(spans, columns)))
