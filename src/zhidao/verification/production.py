"""Production: the samples are judged again, and the EPCIS events are hashed again."""

from __future__ import annotations

from typing import Any

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import Refused, ZhidaoError
from zhidao.industry.domain.event_hash import context_terms, event_hash
from zhidao.industry.domain.quality import Bound, decimal_of, judge, not_shown
from zhidao.industry.events import LotFinished, OrderOpened
from zhidao.industry.wire.quality_record import QualityRecord, decode_record
from zhidao.trade.events import NamedLot
from zhidao.trust.domain.proof import Replayed, Statement
from zhidao.verification.case import Case, OpenedFact


def check_production(case: Case) -> Replayed:
    """Judges the lot of the consignment again from its samples, and hashes its events again.

    Raises Refused: `quality_mismatch`, `epcis_mismatch`.
    """
    parts = [_check_lot(case, named) for named in case.entered.every_lot]
    return Replayed(
        tuple(one for part in parts for one in part.proven),
        tuple(one for part in parts for one in part.not_proven),
    )


def _check_lot(case: Case, named: NamedLot) -> Replayed:
    wanted = (named.order, named.lot)
    lots = [t for t in case.every(LotFinished) if (t.fact.order, t.fact.lot) == wanted]
    if not lots:
        which = f"lot {named.lot}" if len(case.entered.every_lot) > 1 else "the lot"
        lacking = Statement("lot", f"How the goods were made: {which} is not opened.")
        return Replayed(not_proven=(lacking,))
    told = lots[0]
    proven, open_questions = _quality(case, told)
    events, no_events = _epcis(case, told)
    party = told.event.asserted_by.party
    text = (
        f"That the pieces were made so: nothing was measured, the lot is {party}'s word."
        if told.fact.is_typed
        else f"That the machine measured so: the values are {party}'s word, as the node read them."
    )
    truth = Statement("machine_truth", text)
    return Replayed((*proven, *events), (*open_questions, *no_events, truth))


def _quality(
    case: Case, told: OpenedFact[LotFinished]
) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    fact = told.fact
    data = case.file(fact.quality)
    orders = [t.fact for t in case.every(OrderOpened) if t.fact.order == fact.order]
    if data is None or not orders:
        return (), (_no_record(fact),)
    try:
        record = decode_record(data)
        outside, unseen = _judged(record, _bounds(orders[0]))
    except ZhidaoError as error:
        raise Refused(f"the quality record: {error}", code="quality_mismatch") from error
    count = len(record.sifted.samples)
    said = (record.order, record.lot, count, not outside and not unseen)
    recorded = (fact.order, fact.lot, fact.samples, fact.within_limits)
    if (said, [] if outside else unseen) != (recorded, fact.not_shown):
        raise Refused(
            "the samples of the lot, judged again, say otherwise than the node recorded",
            code="quality_mismatch",
        )
    if fact.not_shown:
        return (), (_not_shown(fact, record),)
    limits = ", ".join(f"{b.name} {b.low} to {b.high} {b.unit}" for b in orders[0].limits)
    verdict = "all keep" if not outside else f"{outside} break"
    text = (
        f"Lot {fact.lot}, {len(fact.serials)} pieces of GTIN {fact.gtin}: judged again, of "
        f"{count} enclosed samples {verdict} the order's limits ({limits})."
    )
    return (Statement("quality", text),), _status(record)


def _judged(record: QualityRecord, bounds: list[Bound]) -> tuple[int, list[str]]:
    """How many samples are outside, and which limits the record does not show to be kept.

    Raises MalformedInput for a record of version 1 that lacks a limit: it shows no more than that.
    """
    samples = record.sifted.samples
    if not record.has_status:
        return sum(each.outside for each in judge(samples, bounds)), []
    measured = {sample.name for sample in samples}
    judged = judge(samples, [bound for bound in bounds if bound.name in measured])
    return sum(each.outside for each in judged), not_shown(record.sifted, bounds)


def _status(record: QualityRecord) -> tuple[Statement, ...]:
    """What is open of a record from before status was kept: a failed sensor looks like a good."""
    if record.has_status:
        return ()
    text = f"That the machine vouched for the values of lot {record.lot}"
    return (Statement("value_status", f"{text}: status of values not recorded."),)


def _not_shown(fact: LotFinished, record: QualityRecord) -> Statement:
    reasons = sorted({f"{each.name} {each.status}" for each, _ in record.sifted.left})
    why = ", ".join(reasons[:4]) or "no value"
    text = f"That lot {fact.lot} kept its limits of {', '.join(fact.not_shown)}"
    return Statement("quality", f"{text}: not shown ({why}).")


def _no_record(fact: LotFinished) -> Statement:
    why = "the lot was typed, nothing was measured" if fact.is_typed else "no record is enclosed"
    return Statement("quality", f"That the lot kept its limits: {why}.")


def _bounds(order: OrderOpened) -> list[Bound]:
    return [
        Bound(
            name=limit.name,
            low=decimal_of(limit.low, what=limit.name),
            high=decimal_of(limit.high, what=limit.name),
            unit=limit.unit,
        )
        for limit in order.limits
    ]


def _epcis(
    case: Case, told: OpenedFact[LotFinished]
) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    data = case.file(told.fact.epcis)
    if data is None:
        return (), (Statement("epcis", "What the EPCIS events say: they are not enclosed."),)
    try:
        hashes = _hashes(parse_strict(data))
    # Another's document may have any shape; whatever it lacks, it is not what was hashed.
    except (ZhidaoError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise Refused(f"the EPCIS document: {error}", code="epcis_mismatch") from error
    if hashes != told.fact.epcis_hashes:
        raise Refused("the EPCIS events bear other hashes", code="epcis_mismatch")
    text = f"The {len(hashes)} enclosed EPCIS events bear the CBV hashes that were logged."
    return (Statement("epcis", text),), ()


def _hashes(document: Any) -> list[str]:
    terms = context_terms(document["@context"])
    return [event_hash(event, terms) for event in document["epcisBody"]["eventList"]]
