"""Gaps between two contacts: how long silence is no alarm there, and what short message carries."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from zhidao.connectivity.domain.bearer_policy import Bearer, BearerPolicy, MobileLink
from zhidao.connectivity.domain.message import Form
from zhidao.connectivity.domain.radio.stretches import Service, Stretch, Terms


@dataclass(frozen=True, slots=True)
class Gap:
    """Stretches first to last, in which silence is no alarm for expected_silence_s.

    surely_silent: all of it is. short_messages: how many reports of position short message carries
    at most, if nothing is answered within; the first of them at short_after_s.
    """

    from_m: float
    to_m: float
    first: int
    last: int
    expected_silence_s: int
    surely_silent: bool
    short_messages: int
    short_after_s: float


def gaps(found: Sequence[Stretch], terms: Terms, policy: BearerPolicy) -> tuple[Gap, ...]:
    """The gaps of a route; a contact too short for a report lies within one."""
    heard = [each.service is Service.SERVED for each in found]
    # Served stretches may meet where one of them is extrapolated: they are one contact.
    for served, first, last in _runs(heard):
        lasts_s = (found[last].to_m - found[first].from_m) / terms.speed_mps
        within = first > 0 and last < len(found) - 1
        if served and within and lasts_s < terms.report_s:
            heard[first : last + 1] = [False] * (last + 1 - first)
    return tuple(
        _gap(found, first, last, terms, policy)
        for served, first, last in _runs(heard)
        if not served
    )


def _runs(values: Sequence[bool]) -> list[tuple[bool, int, int]]:
    """Each run of equal values with the indices of its first and last."""
    runs, start = [], 0
    for value, members in groupby(values):
        end = start + sum(1 for _ in members)
        runs.append((value, start, end - 1))
        start = end
    return runs


def with_silences(found: Sequence[Stretch], between: Sequence[Gap]) -> tuple[Stretch, ...]:
    """The stretches, each with the silence that is expected in its gap."""
    whole = list(found)
    for gap in between:
        for number in range(gap.first, gap.last + 1):
            whole[number] = replace(whole[number], expected_silence_s=gap.expected_silence_s)
    return tuple(whole)


def _gap(
    found: Sequence[Stretch], first: int, last: int, terms: Terms, policy: BearerPolicy
) -> Gap:
    members = found[first : last + 1]
    from_m, to_m = members[0].from_m, members[-1].to_m
    carried = _carried(members, terms, policy)
    return Gap(
        from_m,
        to_m,
        first,
        last,
        math.ceil((to_m - from_m) / terms.speed_mps - 1e-9),
        all(each.service is Service.SILENT for each in members),
        sum(len(reports) for reports in carried),
        next((reports[0] * terms.report_s for reports in carried if reports), math.inf),
    )


def _carried(members: Sequence[Stretch], terms: Terms, policy: BearerPolicy) -> list[range]:
    """Of each stretch the numbers of the reports that short message carries as well.

    Report n is due n intervals after the terminal came into the gap; the first is not answered.
    """
    link, start_m = MobileLink().tried(0.0), members[0].from_m
    result = []
    for each in members:
        begin, end = (
            math.ceil((at_m - start_m) / terms.speed_mps / terms.report_s - 1e-9)
            for at_m in (each.from_m, each.to_m)
        )

        def helps(report: int, need: Stretch = each) -> bool:
            chosen = policy.bearers(
                Form.POSITIONS, link, now_s=report * terms.report_s, need=need.short_message
            )
            return Bearer.SHORT_MESSAGE in chosen

        # Once it helps in a stretch it helps to its end.
        result.append(range(bisect_left(range(end), True, begin, end, key=helps), end))
    return result
