"""Exchange of currencies in integers: rational rates, quotes that expire, remainders that stay.

A rate counts minor units of the bought currency for one minor unit of the sold one. What a
conversion leaves below a minor unit is carried, and goes to a rounding account as soon as it makes
a whole one, so that sold x rate = bought + rounded + carried, exactly and always.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc

TERM_MAX: Final = 10**15
"""The largest numerator or denominator: a rate of more digits is a mistake or an attack."""
DENOMINATORS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """Minor units bought for `denominator` minor units sold: `numerator`."""

    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        terms = (self.numerator, self.denominator)
        if any(type(term) is not int for term in terms):
            raise MalformedInput("a rate is two integers; no fraction of ours is a float")
        if not all(0 < term <= TERM_MAX for term in terms):
            raise MalformedInput(f"the terms of a rate lie between 1 and {TERM_MAX}")


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a sum becomes: whole minor units, and `remainder`/`denominator` of one left over."""

    bought_minor: int
    remainder: int
    denominator: int


def convert(sold_minor: int, rate: Rate) -> Conversion:
    """The bought amount, rounded down, and what is left. Raises Refused if it is nothing or huge.

    >>> convert(100, Rate(7, 3))
    Conversion(bought_minor=233, remainder=1, denominator=3)
    """
    if type(sold_minor) is not int or not 0 < sold_minor <= AMOUNT_MINOR_MAX:
        raise MalformedInput("a sold amount is a positive integer of at most 2^63-1 minor units")
    bought, remainder = divmod(sold_minor * rate.numerator, rate.denominator)
    if not 0 < bought <= AMOUNT_MINOR_MAX:
        raise Refused(
            f"{sold_minor} minor units buy {bought}: not an amount that a ledger holds",
            code="fx_amount",
            remedy="sell more, or less",
        )
    return Conversion(bought, remainder, rate.denominator)


def carry(
    carried: Mapping[int, int], conversions: Iterable[Conversion]
) -> tuple[int, dict[int, int]]:
    """Whole minor units for the rounding account, and what is carried on, by denominator.

    >>> carry({3: 1}, [Conversion(233, 1, 3), Conversion(233, 2, 3)])
    (1, {3: 1})
    """
    sums, whole = dict(carried), 0
    for each in conversions:
        more, rest = divmod(sums.get(each.denominator, 0) + each.remainder, each.denominator)
        whole += more
        sums[each.denominator] = rest
    kept = {denominator: rest for denominator, rest in sums.items() if rest}
    if len(kept) > DENOMINATORS_MAX:
        raise Refused(f"remainders of more than {DENOMINATORS_MAX} denominators are carried")
    return whole, kept


@dataclass(frozen=True, slots=True)
class Quote:
    """A dealer's offer to buy `sold` for `bought` at a rate, up to an amount and until a moment."""

    id: str
    dealer: str
    sold: Currency
    bought: Currency
    rate: Rate
    sold_minor_max: int
    valid_until: Utc

    def __post_init__(self) -> None:
        if self.sold == self.bought:
            raise MalformedInput("a quote exchanges two different currencies")
        if not 0 < self.sold_minor_max <= AMOUNT_MINOR_MAX:
            raise MalformedInput("a quote's largest amount lies between 1 and 2^63-1")

    def accept(self, sold: Money, *, now: Utc) -> Conversion:
        """What the dealer must give. Raises Refused: expired, too much, or another currency."""
        if now.unix_ns > self.valid_until.unix_ns:
            raise Refused(
                f"quote {self.id} was good until {self.valid_until}",
                code="quote_expired",
                remedy="ask for a new quote",
            )
        if sold.currency != self.sold:
            raise Refused(f"quote {self.id} is for {self.sold}, not {sold.currency}")
        if sold.minor > self.sold_minor_max:
            raise Refused(
                f"quote {self.id} is good for {self.sold_minor_max} minor units",
                code="quote_exceeded",
            )
        return convert(sold.minor, self.rate)
