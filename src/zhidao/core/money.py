"""Exact amounts in minor units; no float ever carries money."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.limits import AMOUNT_MINOR_MAX

# ISO 4217 exponents that are not 2. Facts of the standard's table; not checked against a list
# newer than 2024.
_EXPONENT_NOT_TWO: Final = {
    **dict.fromkeys(
        ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF").split(), 0
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
_EXPONENT_TWO: Final = frozenset(
    (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD "
        "CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP "
        "GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD "
        "LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB "
        "PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC "
        "SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG"
    ).split()
)


@dataclass(frozen=True, slots=True, order=True)
class Currency:
    """A currency by its ISO 4217 code; commodity and test codes (XAU, XXX, XTS) are refused."""

    code: str

    def __post_init__(self) -> None:
        if self.code not in _EXPONENT_TWO and self.code not in _EXPONENT_NOT_TWO:
            raise MalformedInput(
                f"not a currency in use: {self.code[:8]!r}", remedy="give an ISO 4217 code"
            )

    @property
    def exponent(self) -> int:
        """How many decimals the minor unit has."""
        return _EXPONENT_NOT_TWO.get(self.code, 2)

    def __str__(self) -> str:
        return self.code


def currencies() -> tuple[str, ...]:
    """The codes of all currencies in use, in order."""
    return tuple(sorted({*_EXPONENT_TWO, *_EXPONENT_NOT_TWO}))


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount. `minor` counts the smallest unit of `currency` (ISO 4217 exponent)."""

    minor: int
    currency: Currency

    def __post_init__(self) -> None:
        if abs(self.minor) > AMOUNT_MINOR_MAX:
            raise Refused(f"amount beyond 2^63-1 minor units of {self.currency}")

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """From a plain decimal. Refuses exponents, blanks and more decimals than the currency has.

        >>> Money.parse("12.50", "CNY")
        Money(minor=1250, currency=Currency(code='CNY'))
        """
        unit = Currency(currency)
        digits = text.removeprefix("-").replace(".", "", 1)
        if not (digits.isascii() and digits.isdigit()) or text.strip("-").startswith("."):
            raise MalformedInput(f"not an amount: {text[:40]!r}")
        try:
            scaled = Decimal(text).scaleb(unit.exponent)
        except InvalidOperation as error:
            raise MalformedInput(f"not an amount: {text[:40]!r}") from error
        if len(digits) > 30 or scaled != scaled.to_integral_value():
            raise MalformedInput(f"{currency} has {unit.exponent} decimals: {text[:40]!r}")
        return cls(int(scaled), unit)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, with exactly the currency's decimals."""
        return Decimal(self.minor).scaleb(-self.currency.exponent)

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise Refused(f"{self.currency} and {other.currency} do not add up")

    def __str__(self) -> str:
        return f"{self.decimal:.{self.currency.exponent}f} {self.currency}"
