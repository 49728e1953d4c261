"""The first and the last day that a paper can be of, and what a number of an article ends with."""

from __future__ import annotations

from datetime import date

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.model.catalogue import canonical
from zhidao.trade.domain.sane_values import coded_wrongly, too_dear, why_out_of_time

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("day", "today", "good"),
    [
        ("1989-12-31", TODAY, False),
        ("1990-01-01", TODAY, True),
        ("2036-11-01", TODAY, True),
        ("2036-11-02", TODAY, False),
        ("2036-02-01", date(2026, 2, 28), True),
        ("2038-02-01", date(2028, 2, 29), True),
        ("2099-12-31", None, True),
        ("2100-01-01", None, False),
        ("9999-12-31", date(9995, 1, 1), False),
    ],
)
def test_a_paper_is_of_a_day_from_1990_to_ten_years_ahead(day, today, good):
    assert (why_out_of_time(date.fromisoformat(day), today) == "") is good


@pytest.mark.parametrize(
    ("number", "good"),
    [
        ("06901234567892", True),
        ("6901234567892", True),
        ("96385074", True),
        ("036000291452", True),
        ("06901234567890", False),
        ("96385075", False),
        ("036000291453", False),
        # A maker's own number has no check digit.
        ("SP-40", True),
        ("123456789", True),
    ],
)
def test_a_gtin_ends_with_its_check_digit(number, good):
    assert ([*coded_wrongly({"includedConsignmentItem[0].globalId": number})] == []) is good


@pytest.mark.bound("trade.domain.sane_values._AMOUNT_MAX")
def test_an_amount_beyond_any_account_is_told_at_its_larger_number():
    def told(count: str, price: str) -> list[str]:
        item = "includedConsignmentItem[3]"
        values = {f"{item}.requestedQuantity": count, f"{item}.unitPriceAmount": price}
        return [path.rpartition(".")[2] for path, _ in too_dear(values)]

    assert told("100000000000", "1000") == []
    assert told("100000000000", "1000.01") == ["requestedQuantity"]
    assert told("1000.01", "100000000000") == ["unitPriceAmount"]


@pytest.mark.parametrize("code", ["!!!!", "S", "SMLXX", "smlx", "12", "SM X"])
def test_a_carriers_code_has_two_to_four_letters(code):
    assert canonical("carrierParty.scacCode", "SMLX") == "SMLX"
    with pytest.raises(MalformedInput):
        canonical("carrierParty.scacCode", code)
