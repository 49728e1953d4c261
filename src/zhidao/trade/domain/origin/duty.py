"""Duty, excise and import VAT to the minor unit, and the agreement that costs least.

Each tax of each line is rounded half up once; later taxes build on the rounded ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from typing import Final

from zhidao.core.errors import MalformedInput, NotFound
from zhidao.core.money import Currency, Money
from zhidao.trade.domain.origin.determination import Decision, Outcome

MFN: Final = "MFN"


class Joined(StrEnum):
    """How a rate's parts by value and by quantity are joined."""

    SUM = "sum"
    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Rate:
    """A duty rate: per cent of the value, an amount for each unit of quantity, or both."""

    percent: Decimal = Decimal(0)
    per_unit: Decimal = Decimal(0)
    joined: Joined = Joined.SUM


@dataclass(frozen=True, slots=True)
class TariffLine:
    """A line of a schedule. `rates` by agreement name, `MFN` among them.

    `excise_inside`: the excise is a share of a base that contains it, as in China's composite
    assessable value; else it is a share of value and duty.
    """

    code: str
    rates: Mapping[str, Rate]
    vat_percent: Decimal
    excise_percent: Decimal = Decimal(0)
    excise_inside: bool = False


@dataclass(frozen=True, slots=True)
class DeclaredLine:
    """Goods to assess: customs value in the country's currency; quantity in the schedule's unit."""

    code: str
    value: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class AssessedLine:
    """Taxes of one line with the rate that was used."""

    code: str
    regime: str
    duty: Money
    excise: Money
    vat: Money

    @property
    def total(self) -> Money:
        """All taxes of the line."""
        return self.duty + self.excise + self.vat


def assess(
    line: DeclaredLine,
    schedule: Mapping[str, TariffLine],
    currency: Currency,
    *,
    claims: Iterable[Decision] = (),
) -> AssessedLine:
    """The taxes of a line under the cheapest regime that it may claim.

    Only decisions that say `originating` are claims. Raises NotFound for a code without a line in
    the schedule, MalformedInput for a value or quantity that cannot be.
    """
    tariff = schedule.get(line.code)
    if tariff is None:
        raise NotFound(f"the schedule has no line {line.code}", remedy="import the full schedule")
    if MFN not in tariff.rates:
        raise MalformedInput(f"line {line.code} of the schedule has no MFN rate")
    for amount in (line.value, line.quantity):
        if not amount.is_finite() or amount < 0:
            raise MalformedInput(f"not an amount: {amount}", where=line.code)
    allowed = [MFN, *(d.agreement for d in claims if d.outcome is Outcome.ORIGINATING)]
    duties = {
        name: _minor(_duty(tariff.rates[name], line), currency)
        for name in allowed
        if name in tariff.rates
    }
    # An agreement that saves nothing is not claimed: it only costs a certificate.
    regime = min(duties, key=lambda name: (duties[name], name != MFN, name))
    duty = duties[regime]
    excise = _minor(_excise(tariff, line.value + _major(duty, currency)), currency)
    base = line.value + _major(duty, currency) + _major(excise, currency)
    vat = _minor(_exactly(base, tariff.vat_percent), currency)
    return AssessedLine(
        line.code, regime, Money(duty, currency), Money(excise, currency), Money(vat, currency)
    )


def _duty(rate: Rate, line: DeclaredLine) -> Decimal:
    by_value = _exactly(line.value, rate.percent)
    by_quantity = line.quantity * rate.per_unit
    if rate.joined is Joined.SUM:
        return by_value + by_quantity
    return (
        max(by_value, by_quantity) if rate.joined is Joined.HIGHER else min(by_value, by_quantity)
    )


def _excise(tariff: TariffLine, base: Decimal) -> Decimal:
    if not tariff.excise_inside:
        return _exactly(base, tariff.excise_percent)
    if tariff.excise_percent >= 100:
        raise MalformedInput("an excise inside its base is below 100 per cent", where=tariff.code)
    with localcontext() as context:
        context.prec = 60
        return base * tariff.excise_percent / (100 - tariff.excise_percent)


def _exactly(base: Decimal, percent: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        return base * percent.scaleb(-2)


def _minor(amount: Decimal, currency: Currency) -> int:
    with localcontext() as context:
        context.prec = 60
        scaled = amount.scaleb(currency.exponent)
        return int(scaled.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _major(minor: int, currency: Currency) -> Decimal:
    return Decimal(minor).scaleb(-currency.exponent)
