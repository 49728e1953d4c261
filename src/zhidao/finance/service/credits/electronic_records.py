"""Electronic records at a credit's counter: which were asked for again, what is examined at last.

The facts of a presentation are never changed: what is examined is the presentation as it came, with
each record that came again in the place of the corrupted one, and with the days on which it was
asked for and came (eUCP article e12).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput, Refused
from zhidao.finance.domain.credit.calendar import BankingCalendar
from zhidao.finance.domain.credit.checks import kind_of
from zhidao.finance.domain.credit.credit_terms import DOCUMENTS_MAX, Credit
from zhidao.finance.domain.credit.papers import AnyPaper, Corruption, Notice, Paper, Presentation
from zhidao.finance.domain.credit.states import Act, Drawing
from zhidao.finance.events import CreditActed
from zhidao.finance.wire.credit import read_presentation


def presented(steps: Sequence[CreditActed], drawing: str) -> Presentation:
    """A presentation as it came to the counter. Raises Refused if there is none."""
    for step in steps:
        if step.act == Act.PRESENT and step.drawing == drawing and step.papers:
            return read_presentation(jcs(step.papers))
    raise Refused(f"no presentation {drawing[:40]!r}", code="credit_act")


def assembled(steps: Sequence[CreditActed], drawing: str) -> Presentation:
    """What is examined: with the records that came again and the notice that came later."""
    made = presented(steps, drawing)
    documents: list[AnyPaper] = list(made.documents)
    asked: dict[int, date] = {}
    notice, complete = made.notice, made.complete
    for step in (step for step in steps if step.drawing == drawing):
        day = date.fromisoformat(step.day)
        if step.act == Act.COMPLETE:
            notice, complete = Notice(credit=step.credit, received_on=day), True
        elif step.act == Act.ASK_RECORDS:
            for place in _places(step):
                asked[place] = day
                documents[place] = _with(documents[place], Corruption(asked_on=day))
        elif step.act == Act.RE_PRESENT:
            for place, paper in _again(step):
                mended = Corruption(asked_on=asked[place], again_on=day)
                documents[place] = _with(paper, mended)
    return msgspec.structs.replace(made, documents=documents, notice=notice, complete=complete)


def check_asked(made: Presentation, terms: Credit, places: Sequence[int]) -> None:
    """Raises MalformedInput or Refused unless these documents are records that may be asked for."""
    if not places or len(set(places)) != len(places) or len(places) > DOCUMENTS_MAX:
        raise MalformedInput(
            f"name each corrupted record once, at most {DOCUMENTS_MAX}", where="records"
        )
    if not terms.takes_records:
        raise Refused(f"the credit is under {terms.regime}: no records", code="credit_act")
    for place in places:
        if not 0 <= place < len(made.documents):
            raise MalformedInput(f"there is no document {place}", where="records")
        if not made.documents[place].record:
            raise Refused(f"document {place} is paper, and cannot be corrupted", code="credit_act")
        if made.documents[place].corruption is not None:
            raise Refused(f"document {place} came again already", code="credit_act")


def check_in_time(made: Presentation, calendar: BankingCalendar, today: date) -> None:
    """Raises Refused if the time to examine is over: a request must not open it anew."""
    last = calendar.examine_until(made.counts_from, made.pauses)
    if made.complete and today > last:
        raise Refused(f"the time to examine was over on {last} (UCP 600 14(b))", code="credit_act")


def check_again(made: Presentation, waiting: Drawing, papers: Sequence[AnyPaper]) -> None:
    """Raises unless these are the records that were asked for, in their order.

    The same records come again: other kinds, numbers or issuers would be another presentation.
    """
    if len(papers) != len(waiting.asked):
        raise MalformedInput(
            f"{len(waiting.asked)} records were asked for, {len(papers)} came", where="documents"
        )
    for place, paper in zip(waiting.asked, papers, strict=True):
        before = made.documents[place]
        if not paper.record or _identity(paper) != _identity(before) or paper.corruption:
            raise Refused(
                f"document {place} is not the {kind_of(before)} {before.number} that was asked for",
                code="credit_act",
                where=f"documents[{place}]",
            )


def _places(step: CreditActed) -> list[int]:
    return [int(place) for place in (step.notice or {}).get("records", [])]


def _again(step: CreditActed) -> Iterator[tuple[int, AnyPaper]]:
    said = step.papers or {}
    papers = msgspec.convert(said["documents"], list[AnyPaper], strict=True)
    return zip((int(place) for place in said["records"]), papers, strict=True)


def _with(paper: AnyPaper, corruption: Corruption) -> AnyPaper:
    return msgspec.structs.replace(paper, corruption=corruption)


def _identity(paper: Paper) -> tuple[str, str, str]:
    return kind_of(paper), paper.number, paper.issuer
