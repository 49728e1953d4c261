"""Every check finds what it is for, and lets pass what the articles let pass."""

from __future__ import annotations

import random
from datetime import date

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.finance.credit_cases import (
    DIGITAL,
    DIGITAL_HARMLESS,
    GOODS,
    HARMLESS,
    PLANTED,
    Change,
    Plain,
    clean,
    clean_digital,
    mutated,
)

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.credit.calendar import BankingCalendar
from zhidao.finance.domain.credit.checks import CHECKS
from zhidao.finance.domain.credit.examination import Examination, examine
from zhidao.finance.wire.credit import (
    examination_plain,
    read_calendar,
    read_credit,
    read_presentation,
)

SUZHOU = BankingCalendar(
    "Suzhou",
    holidays=frozenset(date(2026, 10, day) for day in range(2, 8)),
    worked=frozenset({date(2026, 9, 19)}),
)


def _ask(credit: Plain, presentation: Plain) -> Examination:
    return examine(read_credit(jcs(credit)), read_presentation(jcs(presentation)), SUZHOU)


def test_the_clean_presentation_complies_and_names_what_was_disregarded() -> None:
    answer = _ask(*clean())
    assert answer.discrepancies == ()
    assert answer.complies
    assert answer.checks >= 60
    assert any("good repute" in what for what in answer.disregarded)


def test_every_check_has_a_planted_case() -> None:
    _ask(*clean())
    assert set(PLANTED) | set(DIGITAL) == set(CHECKS)


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_a_planted_discrepancy_is_found_with_its_article_and_both_data(name: str) -> None:
    credit, presentation = clean()
    PLANTED[name](credit, presentation)
    found = {one.check: one for one in _ask(credit, presentation).discrepancies}
    assert name in found
    one = found[name]
    assert any(source in one.article for source in ("UCP 600", "ISBP 821", "eUCP 2.1", "MLETR"))
    assert " = " in one.left
    assert " = " in one.right
    assert not {one.left.split()[-1], one.right.split()[-1]} & {"True", "False", "None"}


def _of_two_kinds() -> tuple[Plain, Plain]:
    """20 pumps at 2,000 and 4 seal kits at 1,100: as many and as much as the clean one's pumps."""
    credit, presentation = clean()
    lines = [
        {"description": "Pump SP-40", "quantity": 20, "unit_price_minor": 200_000},
        {"description": "Seal kit", "quantity": 4, "unit_price_minor": 110_000},
    ]
    credit["goods"] |= {"description": f"{GOODS}, seal kit", "lines": lines, "unit_price_minor": 0}
    (invoice,) = [each for each in presentation["documents"] if each["kind"] == "invoice"]
    invoice["unit_price_minor"] = 0
    invoice["lines"] = [
        {**lines[0], "description": "Centrifugal pump SP-40, steel"},
        {**lines[1], "description": "Seal kit for pump"},
    ]
    return credit, presentation


def _line(place: int, **changes: object) -> Change:
    def change(_: Plain, presentation: Plain) -> None:
        (invoice,) = [each for each in presentation["documents"] if each["kind"] == "invoice"]
        invoice["lines"][place] |= changes

    return change


def _moved(credit: Plain, presentation: Plain) -> None:
    _line(0, quantity=21)(credit, presentation)
    _line(1, quantity=3)(credit, presentation)


def test_goods_of_several_kinds_comply_line_by_line() -> None:
    assert _ask(*_of_two_kinds()).discrepancies == ()


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (_line(1, unit_price_minor=110_001), "invoice.price invoice.sum"),
        (_line(1, description="Spare motor"), "invoice.goods invoice.partial"),
        (_line(1, quantity=5), "invoice.sum invoice.over_quantity"),
        (_moved, "invoice.over_quantity invoice.partial invoice.sum"),
    ],
    ids=["price", "goods", "quantity", "moved"],
)
def test_what_is_wrong_with_one_kind_is_found(change: Change, wanted: str) -> None:
    credit, presentation = _of_two_kinds()
    change(credit, presentation)
    discrepancies = _ask(credit, presentation).discrepancies
    assert {one.check for one in discrepancies} == set(wanted.split())
    # The page shows each beside the line of the document that it names.
    assert any(one.right.startswith("invoice:lines = ") for one in discrepancies)


@pytest.mark.parametrize("quantity", [19, 21])
def test_a_credit_whose_lines_are_not_its_quantity_is_refused(quantity: int) -> None:
    credit, _ = _of_two_kinds()
    credit["goods"]["lines"][0]["quantity"] = quantity
    with pytest.raises(MalformedInput, match="lines together"):
        read_credit(jcs(credit))
    credit["goods"]["lines"] = [{"description": "Pump", "quantity": 12, "unit_price_minor": 0}] * 2
    with pytest.raises(MalformedInput, match="one description"):
        read_credit(jcs(credit))


@pytest.mark.parametrize("place", range(len(HARMLESS)))
def test_what_an_article_lets_pass_is_no_discrepancy(place: int) -> None:
    credit, presentation = clean()
    HARMLESS[place][1](credit, presentation)
    assert _ask(credit, presentation).discrepancies == ()


@pytest.mark.parametrize("name", sorted(DIGITAL))
def test_what_is_planted_among_data_is_found_under_urdtt(name: str) -> None:
    credit, presentation = clean_digital()
    DIGITAL[name](credit, presentation)
    found = {one.check: one for one in _ask(credit, presentation).discrepancies}
    assert set(found) == {name}
    assert "URDTT 1.0" in found[name].article


@pytest.mark.parametrize("place", range(len(DIGITAL_HARMLESS)))
def test_data_that_their_rules_let_pass_are_no_discrepancy(place: int) -> None:
    credit, presentation = clean_digital()
    DIGITAL_HARMLESS[place](credit, presentation)
    assert _ask(credit, presentation).discrepancies == ()


def test_time_to_examine_stands_still_while_a_corrupted_record_is_away() -> None:
    credit, presentation = clean_digital()
    assert _ask(credit, presentation).examine_until == date(2026, 9, 22)
    mend = {"asked_on": "2026-09-17", "again_on": "2026-10-09"}
    presentation["documents"][2]["corruption"] = mend
    # One day is used up on the 17th; the other four begin behind the day when it came.
    assert _ask(credit, presentation).examine_until == date(2026, 10, 15)
    del mend["again_on"]
    answer = _ask(credit, presentation)
    # Lost after thirty days: the bank may refuse from then on, for as long as it had left.
    assert [one.check for one in answer.discrepancies] == ["record.corrupted"]
    assert answer.examine_until == date(2026, 10, 22)


def test_time_runs_from_the_notice_of_completeness() -> None:
    credit, presentation = clean()
    presentation["notice"] = {"credit": "LC-2026-0042", "received_on": "2026-09-17"}
    assert _ask(credit, presentation).examine_until == date(2026, 9, 22)  # paper needs none
    presentation["documents"][-1]["record"] = True
    assert _ask(credit, presentation).examine_until == date(2026, 9, 23)


def test_one_notice_holds_all_discrepancies() -> None:
    credit, presentation, planted = mutated(random.Random(4), count=4)
    answer = _ask(credit, presentation)
    assert planted <= {one.check for one in answer.discrepancies}
    assert len(examination_plain(answer)["discrepancies"]) >= 4  # type: ignore[arg-type]


def test_five_banking_days_skip_weekends_and_holidays_and_count_worked_days() -> None:
    assert SUZHOU.examine_until(date(2026, 9, 16)) == date(2026, 9, 22)
    assert BankingCalendar("Esbjerg").examine_until(date(2026, 9, 16)) == date(2026, 9, 23)
    assert SUZHOU.examine_until(date(2026, 9, 29)) == date(2026, 10, 12)
    assert SUZHOU.next_open(date(2026, 10, 2)) == date(2026, 10, 8)


def test_unknown_fields_floats_and_wrong_days_are_refused_by_name() -> None:
    credit, presentation = clean()
    for change, path in (
        ({"amount_minor": 1.5}, "amount_minor"),
        ({"surprise": 1}, "surprise"),
        ({"expires_on": "2026-13-01"}, "expires_on"),
    ):
        with pytest.raises(MalformedInput, match=path):
            read_credit(jcs(credit | change))
    presentation["documents"][0]["kind"] = "poem"
    with pytest.raises(MalformedInput, match="poem"):
        read_presentation(jcs(presentation))


@settings(max_examples=40)
@given(
    st.binary(max_size=100)
    | st.dictionaries(st.text(max_size=9), st.integers()).map(msgspec.json.encode)
)
def test_reading_raises_nothing_but_malformed_input(data: bytes) -> None:
    for read in (read_credit, read_presentation, read_calendar):
        with pytest.raises(MalformedInput):
            read(data)
