"""Bills of materials and duty questions as JSON files; numbers are texts: none is rounded."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import msgspec

from zhidao.core.errors import MalformedInput
from zhidao.core.money import Currency
from zhidao.trade.domain.model.countries import COUNTRIES
from zhidao.trade.domain.model.forms import hs_code
from zhidao.trade.domain.origin.determination import BillOfMaterials, Material
from zhidao.trade.domain.origin.duty import DeclaredLine, Joined, Rate, TariffLine
from zhidao.trade.wire.fields import CountryCode, HsCode, Number, Text, number, read_struct
from zhidao.trade.wire.file_schema import schema_of

_LIST_MAX: Final = 5000
_Code = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6,12}\Z", max_length=12)]
_Agreement = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2,12}\Z", max_length=12)]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class _Material(_Strict, frozen=True, kw_only=True):
    description: Text
    hs: HsCode
    value: Number
    origin: CountryCode
    proofs: Annotated[list[_Agreement], msgspec.Meta(max_length=20)] = []
    weight_kg: Number = "0"

    def value_of(self) -> Material:
        return Material(
            description=self.description,
            hs=self.hs,
            value=number(self.value),
            origin=self.origin,
            proofs=frozenset(self.proofs),
            weight_kg=number(self.weight_kg),
        )


class _Costs(_Strict, frozen=True, kw_only=True):
    labour: Number = "0"
    overhead: Number = "0"
    profit: Number = "0"
    other: Number = "0"


class _Bill(_Strict, frozen=True, kw_only=True):
    product: Text
    hs: HsCode
    country: CountryCode
    fob: Number
    materials: Annotated[list[_Material], msgspec.Meta(max_length=_LIST_MAX)] = []
    costs: _Costs = _Costs()
    weight_kg: Number = "0"
    wholly_obtained: bool = False
    reacted: bool = False

    def value_of(self) -> BillOfMaterials:
        return BillOfMaterials(
            product=self.product,
            hs=self.hs,
            country=self.country,
            fob=number(self.fob),
            materials=tuple(material.value_of() for material in self.materials),
            labour=number(self.costs.labour),
            overhead=number(self.costs.overhead),
            profit=number(self.costs.profit),
            other=number(self.costs.other),
            weight_kg=number(self.weight_kg),
            wholly_obtained=self.wholly_obtained,
            reacted=self.reacted,
        )


class _BillFile(_Bill, frozen=True, kw_only=True):
    type: Literal["zhidao.BillOfMaterials.v1"]


class _Rate(_Strict, frozen=True, kw_only=True):
    percent: Number = "0"
    per_unit: Number = "0"
    joined: Joined = Joined.SUM


class _Tariff(_Strict, frozen=True, kw_only=True):
    code: _Code
    rates: Annotated[dict[_Agreement, _Rate], msgspec.Meta(min_length=1, max_length=40)]
    vat_percent: Number
    excise_percent: Number = "0"
    excise_inside: bool = False


class _Line(_Strict, frozen=True, kw_only=True):
    code: _Code
    value: Number
    quantity: Number = "0"
    bill: _Bill | None = None


class _Question(_Strict, frozen=True, kw_only=True):
    type: Literal["zhidao.DutyQuestion.v1"]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z", max_length=3)]
    schedule: Annotated[list[_Tariff], msgspec.Meta(min_length=1, max_length=_LIST_MAX)]
    lines: Annotated[list[_Line], msgspec.Meta(min_length=1, max_length=_LIST_MAX)]


@dataclass(frozen=True, slots=True)
class DutyQuestion:
    """Goods to assess by a schedule; a line's bill of materials is what a preference rests on."""

    currency: Currency
    schedule: dict[str, TariffLine]
    lines: tuple[tuple[DeclaredLine, BillOfMaterials | None], ...]


def bill_schema() -> dict[str, Any]:
    """The JSON Schema of a bill of materials."""
    return schema_of(_BillFile, "Bill of materials")


def question_schema() -> dict[str, Any]:
    """The JSON Schema of a duty question."""
    return schema_of(_Question, "Duty question")


def read_bill(data: bytes) -> BillOfMaterials:
    """The bill of materials of a file. Raises MalformedInput naming the field."""
    document = read_struct(data, _BillFile, what="bill of materials")
    _check_bill(document, "$")
    return document.value_of()


def _check_bill(bill: _Bill, at: str) -> None:
    """Refuses a country or a chapter that is none, and a profit that its own price contradicts."""
    coded = [(bill.country, bill.hs, at, "country")]
    coded += [
        (material.origin, material.hs, f"{at}.materials[{k}]", "origin")
        for k, material in enumerate(bill.materials)
    ]
    for origin, code, where, name in coded:
        if origin not in COUNTRIES:
            raise _wrong(f"{where}.{name}", f"{origin} is no country of ISO 3166-1")
        try:
            hs_code(code)
        except MalformedInput as error:
            raise _wrong(f"{where}.hs", str(error.args[0])) from error
    value = bill.value_of()
    costs = value.labour + value.overhead + value.other
    spent = costs + sum((material.value for material in value.materials), Decimal(0))
    if value.profit and spent + value.profit > value.fob * _ROUNDED:
        raise _wrong(
            f"{at}.costs.profit",
            f"a profit of {value.profit} on a price of {value.fob}, of which {spent} is spent",
        )


def _wrong(where: str, sentence: str) -> MalformedInput:
    return MalformedInput(
        f"bill of materials: {sentence}",
        code="wrong_field",
        where=where,
        remedy="correct the field and send the paper again",
    )


# Sums that were rounded part by part.
_ROUNDED: Final = Decimal("1.005")


def read_question(data: bytes) -> DutyQuestion:
    """The duty question of a file. Raises MalformedInput naming the field."""
    document = read_struct(data, _Question, what="duty question")
    for k, line in enumerate(document.lines):
        if line.bill:
            _check_bill(line.bill, f"$.lines[{k}].bill")
    return DutyQuestion(
        currency=Currency(document.currency),
        schedule={
            line.code: TariffLine(
                code=line.code,
                rates={
                    name: Rate(number(rate.percent), number(rate.per_unit), rate.joined)
                    for name, rate in line.rates.items()
                },
                vat_percent=number(line.vat_percent),
                excise_percent=number(line.excise_percent),
                excise_inside=line.excise_inside,
            )
            for line in document.schedule
        },
        lines=tuple(
            (
                DeclaredLine(line.code, number(line.value), number(line.quantity)),
                line.bill.value_of() if line.bill else None,
            )
            for line in document.lines
        ),
    )
