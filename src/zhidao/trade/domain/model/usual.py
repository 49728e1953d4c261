"""What usually stands in a field of an entry, where the rest of it says so: names, terms, taxes.

Each answers with the text, with nothing where another field has to be typed first, and with None
where the field itself has to be. Sources: Incoterms 2020 (who pays the carriage, where delivery
is); EN 16931 BR-O-02, BR-O-10; the marks `N/M` (no marks) by common use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from zhidao.trade.domain.codes import SELLER_PAYS_CARRIAGE
from zhidao.trade.domain.model.known_codes import KnownCodes
from zhidao.trade.domain.model.territories import EUROPEAN_UNION

Usual: TypeAlias = Callable[[Mapping[str, str], int, KnownCodes], str | None]
ITEM: Final = "includedConsignmentItem"
EQUIPMENT: Final = "utilizedTransportEquipment"
SELLERS_COUNTRY: Final = "consignorParty.postalAddress.countryId"
DELIVERY_RULE: Final = "applicableTradeDeliveryTerms.deliveryTypeCode"
# Delivery at the seller's end; under all other rules the named place is the buyer's end.
AT_ORIGIN: Final = frozenset(("EXW", "FCA", "FAS", "FOB"))
_LOADING: Final = "loadingBaseportLocation"
_UNLOADING: Final = "unloadingBaseportLocation"
_TAX_NUMBERS: Final = ("consignorParty.taxRegistrationId", "consigneeParty.taxRegistrationId")


def name_of(place: str) -> Usual:
    """The name of a known place by the path of its code."""

    def named(values: Mapping[str, str], _member: int, codes: KnownCodes) -> str | None:
        code = values.get(place, "")
        return codes.place(code) or None if code else ""

    return named


def named_place(values: Mapping[str, str], _member: int, _codes: KnownCodes) -> str | None:
    """The place that the delivery term names: the port at its own end of the way."""
    rule = values.get(DELIVERY_RULE, "")
    if not rule:
        return ""
    return values.get(f"{_LOADING if rule in AT_ORIGIN else _UNLOADING}.id", "")


def named_as(values: Mapping[str, str], _member: int, codes: KnownCodes) -> str | None:
    """The name of the named place: that of the port, if it is one of both."""
    code = values.get("applicableTradeDeliveryTerms.relevantLocation.id", "")
    if not code:
        return ""
    for port in (_LOADING, _UNLOADING):
        if values.get(f"{port}.id") == code:
            return values.get(f"{port}.name", "")
    return codes.place(code) or None


def freight_payment(values: Mapping[str, str], _member: int, _codes: KnownCodes) -> str | None:
    """Prepaid where the seller pays the main carriage."""
    rule = values.get(DELIVERY_RULE, "")
    if not rule:
        return ""
    return "PRE" if SELLER_PAYS_CARRIAGE.get(rule) else "COL"


def day_of_waybill(values: Mapping[str, str], _member: int, _codes: KnownCodes) -> str | None:
    """The day on which the goods leave, where there is an air waybill."""
    if not values.get("airWaybillDocument.id"):
        return ""
    return values.get("mainCarriageTransportMovement.departureDate", "")


def item_number(_values: Mapping[str, str], member: int, _codes: KnownCodes) -> str | None:
    """Items are numbered from 1."""
    return str(member + 1)


def no_marks(_values: Mapping[str, str], _member: int, _codes: KnownCodes) -> str | None:
    """Goods without marks."""
    return "N/M"


def only_box(values: Mapping[str, str], _member: int, _codes: KnownCodes) -> str | None:
    """The container, where there is but one."""
    if f"{EQUIPMENT}[1].id" in values:
        return None
    return values.get(f"{EQUIPMENT}[0].id", "")


def tax_category(values: Mapping[str, str], _member: int, _codes: KnownCodes) -> str | None:
    """Outside of VAT, where the seller is outside of the EU and nobody has a VAT number."""
    country = values.get(SELLERS_COUNTRY, "")
    if not country:
        return ""
    if country in EUROPEAN_UNION or any(values.get(path) for path in _TAX_NUMBERS):
        return None
    return "O"


def tax_rate(values: Mapping[str, str], member: int, _codes: KnownCodes) -> str | None:
    """No rate in a category that has none."""
    category = values.get(f"{ITEM}[{member}].taxCategoryCode", "")
    if not category:
        return ""
    return None if category == "S" else "0"


def exemption_reason(values: Mapping[str, str], _member: int, _codes: KnownCodes) -> str | None:
    """Why goods outside of VAT bear none (BR-O-10)."""
    if values.get("invoiceDocument.exemptionReasonCode"):
        return None
    categories = [text for path, text in values.items() if path.endswith("].taxCategoryCode")]
    return "Not subject to VAT" if categories and set(categories) == {"O"} else None


def rate_of_itself(values: Mapping[str, str], _member: int, _codes: KnownCodes) -> str | None:
    """One, where goods are valued in the currency of the invoice."""
    valued = values.get("customsValuation.currencyCode", "")
    if not valued:
        return ""
    return "1" if valued == values.get("invoiceDocument.currencyCode") else None


def day_of_rate(values: Mapping[str, str], _member: int, _codes: KnownCodes) -> str | None:
    """The invoice's day, where no rate is needed."""
    if rate_of_itself(values, 0, _codes) is None:
        return None
    return values.get("invoiceDocument.issueDate", "")
