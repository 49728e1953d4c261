"""Checks of electronic records: eUCP articles e5 to e7, e12; URDTT articles 6, 7, 9 and 10.

That a bank has nothing to read a format with is no reason to refuse (eUCP article e7), so none of
these asks for it. Whether a record that comes again after the credit expired still counts was not
checked: it is not refused for that.
"""

from __future__ import annotations

from collections.abc import Iterator

from zhidao.finance.domain.credit.checks import (
    Case,
    Conflict,
    asked,
    check,
    kind_of,
    same,
    told,
)
from zhidao.finance.domain.credit.papers import Paper


def _records(case: Case) -> list[Paper]:
    return [paper for paper in case.asked if paper.record]


@check(
    "record.complete",
    "eUCP 2.1 e6(c)",
    "Records came without a notice of completeness.",
    urdtt="URDTT 1.0 6",
)
def _complete(case: Case) -> Iterator[Conflict]:
    if _records(case) and not case.presentation.complete:
        yield "presentation:complete = no", "rule:complete = yes"


@check(
    "record.notice",
    "eUCP 2.1 e6(c)",
    "The notice of completeness is of another credit.",
    urdtt="URDTT 1.0 6",
)
def _notice(case: Case) -> Iterator[Conflict]:
    notice = case.presentation.notice
    if notice is not None and _records(case) and not same(notice.credit, case.credit.number):
        yield asked("20", case.credit.number), f"presentation:notice.credit = {notice.credit}"


@check(
    "record.place",
    "eUCP 2.1 e6(a)",
    "Records came to another address than the credit's.",
    urdtt="URDTT 1.0 6, 11",
)
def _place(case: Case) -> Iterator[Conflict]:
    wanted, given = case.credit.record_place, case.presentation.record_place
    # Addresses are compared to the sign: two of them may differ in one.
    if wanted and _records(case) and given.strip() != wanted.strip():
        yield asked("record_place", wanted), f"presentation:record_place = {given or 'none'}"


@check("record.allowed", "eUCP 2.1 e1", "Records came under a credit that asks for paper.")
def _allowed(case: Case) -> Iterator[Conflict]:
    for paper in _records(case):
        if not case.credit.takes_records:
            yield asked("rules", case.credit.regime), told(paper, "record", "yes")


@check(
    "record.format",
    "eUCP 2.1 e5",
    "A record is in another format than the credit asks for.",
    urdtt="URDTT 1.0 7",
)
def _format(case: Case) -> Iterator[Conflict]:
    for paper in _records(case):
        one = case.credit.requires(kind_of(paper))
        wanted = one.formats if one is not None else []
        if wanted and not any(same(paper.format, each) for each in wanted):
            yield (
                asked(f"46A {kind_of(paper)} formats", ", ".join(wanted)),
                told(paper, "format", paper.format or "none"),
            )


@check(
    "record.readable",
    "eUCP 2.1 e3, e7",
    "A record cannot be read with what reads its format.",
    urdtt="URDTT 1.0 7",
)
def _readable(case: Case) -> Iterator[Conflict]:
    for paper in _records(case):
        # What was corrupted and came again was read then; what did not is not there at all.
        if not paper.readable and paper.corruption is None:
            yield told(paper, "readable", "no"), "rule:readable = yes"


@check(
    "record.authentic",
    "eUCP 2.1 e6",
    "Sender, source or wholeness of a record cannot be verified.",
    urdtt="URDTT 1.0 7, 10",
)
def _authentic(case: Case) -> Iterator[Conflict]:
    for paper in _records(case):
        if not paper.authentic:
            yield told(paper, "authentic", "no"), "rule:authentic = yes"


@check(
    "record.external",
    "eUCP 2.1 e7",
    "The system to which a record refers gave no access to it.",
    urdtt="URDTT 1.0 7",
)
def _external(case: Case) -> Iterator[Conflict]:
    for paper in _records(case):
        if paper.external and not paper.reachable:
            yield told(paper, "external", paper.external), told(paper, "reachable", "no")


@check(
    "record.corrupted",
    "eUCP 2.1 e12",
    "A corrupted record did not come again in time: it counts as not presented.",
    urdtt="URDTT 1.0 9",
)
def _corrupted(case: Case) -> Iterator[Conflict]:
    for paper in _records(case):
        one = paper.corruption
        if one is not None and not one.is_mended:
            yield (
                told(paper, "corruption.again_on", one.again_on or "never"),
                f"rule:again by = {one.last_on}",
            )


@check(
    "record.paper",
    "eUCP 2.1 e1",
    "Paper came where everything must be electronic.",
    urdtt="URDTT 1.0 1, 7",
)
def _paper(case: Case) -> Iterator[Conflict]:
    if case.credit.regime != "URDTT 1.0":
        return
    for paper in case.asked:
        if not paper.record:
            yield told(paper, "record", "no"), asked("rules", case.credit.regime)
