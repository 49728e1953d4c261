"""Currencies are exchanged in integers, and nothing is lost between them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc
from zhidao.finance.domain.pvp.fx import Conversion, Quote, Rate, carry, convert
from zhidao.finance.wire.pvp import decode_quote, decode_votes, encode_quote

DEALER = SoftwareKey(Algorithm.ED25519, b"d" * 32)
OTHER = SoftwareKey(Algorithm.ED25519, b"o" * 32)
QUOTE = Quote(
    id="Q-1",
    dealer="bank.almaty",
    sold=Currency("CNY"),
    bought=Currency("KZT"),
    rate=Rate(66_123_457, 1_000_003),
    sold_minor_max=1_000_000,
    valid_until=Utc.parse("2026-06-01T08:00:30Z"),
)
IN_TIME = Utc.parse("2026-06-01T08:00:30Z")
sums = st.integers(1, 10**9)
rates = st.builds(Rate, st.integers(10**6, 10**9), st.sampled_from([1, 3, 7, 1000, 999_983]))


@settings(max_examples=30)
@given(st.lists(st.tuples(sums, rates), max_size=8))
def test_bought_rounded_and_carried_are_exactly_what_was_sold(
    exchanged: list[tuple[int, Rate]],
) -> None:
    carried: dict[int, int] = {}
    bought = rounded = 0
    for sold, rate in exchanged:
        conversion = convert(sold, rate)
        whole, carried = carry(carried, [conversion])
        bought, rounded = bought + conversion.bought_minor, rounded + whole
    exact = sum((Fraction(sold * r.numerator, r.denominator) for sold, r in exchanged), Fraction(0))
    kept = sum((Fraction(above, below) for below, above in carried.items()), Fraction(0))
    assert exact == bought + rounded + kept
    assert all(0 < above < below for below, above in carried.items())


def test_a_rate_of_floats_or_without_size_is_refused() -> None:
    for terms in ((1.5, 2), (0, 1), (1, 0), (-1, 1), (10**16, 1)):
        with pytest.raises(MalformedInput):
            Rate(*terms)  # type: ignore[arg-type]
    with pytest.raises(MalformedInput):
        convert(1.0, Rate(1, 1))  # type: ignore[arg-type]
    with pytest.raises(Refused):
        convert(1, Rate(1, 2))


MOST = 2**63 - 1


@pytest.mark.bound("finance.domain.pvp.fx.TERM_MAX")
def test_the_terms_of_a_rate_lie_between_one_and_ten_to_the_fifteenth() -> None:
    assert Rate(1, 10**15).denominator == Rate(10**15, 1).numerator
    for terms in ((10**15 + 1, 1), (1, 10**15 + 1)):
        with pytest.raises(MalformedInput, match="lie between"):
            Rate(*terms)


def test_what_is_sold_and_bought_is_an_amount_that_a_ledger_holds() -> None:
    one = Rate(1, 1)
    assert convert(1, one).bought_minor == 1
    assert convert(MOST, one).bought_minor == MOST
    for sold in (0, -1, MOST + 1, True):
        with pytest.raises(MalformedInput, match="a sold amount"):
            convert(sold, one)
    with pytest.raises(Refused) as refused:
        convert(MOST, Rate(2, 1))
    assert refused.value.code == "fx_amount"


@pytest.mark.bound("finance.domain.pvp.fx.DENOMINATORS_MAX")
def test_remainders_of_ten_thousand_denominators_are_carried_and_of_no_more() -> None:
    carried = dict.fromkeys(range(2, 10001), 1)
    _, kept = carry(carried, [Conversion(1, 1, 10_001)])
    assert len(kept) == 10_000
    with pytest.raises(Refused, match="10000 denominators"):
        carry(kept, [Conversion(1, 1, 10_002)])


def test_a_quote_is_for_two_currencies_and_an_amount_that_a_ledger_holds() -> None:
    for most in (1, MOST):
        assert replace(QUOTE, sold_minor_max=most).sold_minor_max == most
    for wrong in ({"sold_minor_max": 0}, {"sold_minor_max": MOST + 1}, {"bought": QUOTE.sold}):
        with pytest.raises(MalformedInput):
            replace(QUOTE, **wrong)


def test_a_quote_holds_until_its_moment_and_up_to_its_amount() -> None:
    sold = Money(1_000_000, Currency("CNY"))
    exact = QUOTE.accept(sold, now=IN_TIME)
    assert exact.bought_minor * 1_000_003 + exact.remainder == 1_000_000 * 66_123_457
    with pytest.raises(Refused, match="good until"):
        QUOTE.accept(sold, now=IN_TIME.plus_ns(1_000_000_000))
    with pytest.raises(Refused, match="is good for"):
        QUOTE.accept(Money(1_000_001, Currency("CNY")), now=IN_TIME)
    with pytest.raises(Refused, match="not USD"):
        QUOTE.accept(Money(1, Currency("USD")), now=IN_TIME)


def test_a_signed_quote_comes_back_and_a_touched_or_foreign_one_does_not() -> None:
    data = encode_quote(QUOTE, DEALER)
    assert decode_quote(data, dealer_key=DEALER.public) == QUOTE
    with pytest.raises(Refused):
        decode_quote(data.replace(b'"1000000"', b'"9000000"'), dealer_key=DEALER.public)
    with pytest.raises(Refused):
        decode_quote(encode_quote(QUOTE, OTHER), dealer_key=DEALER.public)
    with pytest.raises(MalformedInput):
        decode_votes(data)


@settings(max_examples=40)
@given(st.binary(max_size=80))
def test_reading_raises_nothing_but_malformed_input(data: bytes) -> None:
    for read in (decode_votes, lambda d: decode_quote(d, dealer_key=DEALER.public)):
        with pytest.raises(MalformedInput):
            read(data)


def test_no_float_stands_in_what_counts_money() -> None:
    room = Path(__file__).resolve().parents[4] / "src" / "zhidao" / "finance"
    found = [
        f"{path.relative_to(room)}:{line}"
        for path in sorted(room.rglob("*.py"))
        for line in _floats(ast.parse(path.read_text()))
    ]
    assert not found


def _floats(node: ast.AST) -> Iterator[int]:
    if isinstance(node, ast.AnnAssign) and ast.unparse(node.target).endswith("_S"):
        return  # a constant of seconds times a loop and counts no money
    is_constant = isinstance(node, ast.Constant) and isinstance(node.value, float)
    if is_constant or (isinstance(node, ast.Name) and node.id == "float"):
        yield getattr(node, "lineno", 0)
    for child in ast.iter_child_nodes(node):
        yield from _floats(child)
