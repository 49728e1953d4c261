"""What no consignment can be, whatever its papers say of each other: rows of common sense.

Each row names the field that is out of line, and only that one: where several values are compared,
the one that stands apart from the others. Source of the bounds: ISO 668 (a box of 20 or 40 feet has
at most 36,000 kg with its own weight; one of 45 feet holds some 86 cubic metres), Incoterms 2020
(FAS, FOB, CFR and CIF are for carriage by water), EN 16931 BR-O-02 and BR-S-05; ISO 668 and the
Incoterms were not at hand. Which states have no coast is geography, not a standard's word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median_low
from typing import Final

from zhidao.core.errors import Refused
from zhidao.core.text.confusable import skeletons
from zhidao.trade.domain.comparison import names_anybody, words
from zhidao.trade.domain.model.catalogue import EQUIPMENT, FIELDS, ITEM
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.model.countries import COUNTRIES
from zhidao.trade.domain.model.forms import country, day
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes
from zhidao.trade.domain.model.numbers import number_key
from zhidao.trade.domain.model.usual import AT_ORIGIN
from zhidao.trade.domain.sane_goods import PAYLOAD_KG, goods_out_of_line, too_much_for_its_boxes
from zhidao.trade.domain.sane_values import coded_wrongly, out_of_time, too_dear

_VOLUME_M3: Final = Decimal(90)
# No goods are denser than osmium, and a parcel of feathers is not lighter than air.
_DENSITY_KG_M3: Final = (Decimal(1), Decimal(22_600))
# Papers of one consignment are written within some months; payment may be years away.
_APART_DAYS: Final = 730
_DUE_DAYS: Final = 1_825
_JOURNEY_DAYS: Final = 200
_RATES: Final = (Decimal("0.000001"), Decimal(1_000_000))
_BY_WATER: Final = frozenset(("FAS", "FOB", "CFR", "CIF"))
# Carriage of scrap may cost more than the scrap; nobody pays five times the goods' worth for it.
_FREIGHT_TIMES: Final = 5
_INSURED_TIMES: Final = 3
_IN_MONEY: Final = ("invoice", "insurance")
_NAMED_MAX: Final = 10
# States without a coast; those on the Caspian are reached by sea from one another only.
_NO_COAST: Final = frozenset(
    "AD AF AM AT BF BI BO BT BW BY CF CH CZ ET HU KG LA LI LS LU MK ML MN MW NE NP RS RW SK SM SS"
    " SZ TD TJ UG UZ VA XK ZM ZW".split()
)
_CASPIAN: Final = frozenset(("AZ", "IR", "KZ", "RU", "TM"))
_ONLY_CASPIAN: Final = frozenset(("AZ", "KZ", "TM"))

_INVOICED: Final = "invoiceDocument.issueDate"
_DEPARTS: Final = "mainCarriageTransportMovement.departureDate"
_ARRIVES: Final = "mainCarriageTransportMovement.arrivalDate"
_TERMS: Final = "applicableTradeDeliveryTerms"


@dataclass(frozen=True, slots=True)
class Absurdity:
    """A field whose value cannot be, and why."""

    path: str
    sentence: str


def absurdities(
    consignment: CanonicalConsignment,
    codes: KnownCodes = SHORT_CODES,
    *,
    today: date | None = None,
    coded: bool = False,
) -> list[Absurdity]:
    """Every field that is out of line, each once, in the order of the rows.

    A value that nobody typed is told at the field that it follows from. today: the day of the
    clock; coded: whether codes and prices are asked too, which no form has checked.
    """
    lone = [*out_of_time(consignment.values, today), *too_dear(consignment.values)]
    if coded:
        lone += coded_wrongly(consignment.values)
    found = {path: Absurdity(path, sentence) for path, sentence in lone}
    rest = consignment.without(found.__contains__)
    for row in _ROWS:
        for one in row(rest, codes):
            found.setdefault(one.path, one)
        if found:
            # A value that was named is no measure for the others.
            rest = rest.without(found.__contains__)
    return _at_typed_fields(found, consignment)


def _at_typed_fields(
    found: Mapping[str, Absurdity], consignment: CanonicalConsignment
) -> list[Absurdity]:
    """What was found, at fields that were typed; the same words once."""
    told = {path: one for path, one in found.items() if _typed_at(consignment, path) == path}
    said = {one.sentence for one in told.values()}
    for path, one in found.items():
        if one.sentence not in said:
            typed = _typed_at(consignment, path)
            told.setdefault(typed, Absurdity(typed, one.sentence))
    return list(told.values())


def _typed_at(consignment: CanonicalConsignment, path: str) -> str:
    """The field that a value follows from, which is the field itself where it was typed."""
    source = consignment.sources.get(path)
    return source.place if source and source.place in consignment.values else path


def check_sane(
    consignment: CanonicalConsignment,
    codes: KnownCodes = SHORT_CODES,
    *,
    today: date | None = None,
) -> None:
    """Refuses a consignment of which no paper should be made (`implausible`), naming each field."""
    refuse(absurdities(consignment, codes, today=today, coded=True))


def refuse(found: Sequence[Absurdity]) -> None:
    """Raises Refused (`implausible`) for what was found, naming each field; for nothing, nothing.

    Its place is that of the first.
    """
    if not found:
        return
    told = "; ".join(f"{one.path}: {one.sentence}" for one in found[:_NAMED_MAX])
    more = f"; and {len(found) - _NAMED_MAX} more" if len(found) > _NAMED_MAX else ""
    raise Refused(told + more, code="implausible", where=found[0].path)


def _day(consignment: CanonicalConsignment, path: str) -> date | None:
    text = consignment.get(path)
    return date.fromisoformat(text) if text else None


def lone_day(path: str, one: date, consignment: CanonicalConsignment) -> Absurdity | None:
    """A paper's day that lies years away from those of a consignment."""
    # What follows from a day is no second witness of it.
    days = (_day(consignment, each) for each in _WITNESSES if _typed_at(consignment, each) == each)
    known = [day for day in days if day is not None]
    if not known or abs((one - median_low(known)).days) <= _APART_DAYS:
        return None
    told = f"{one} lies years away from the other papers' days ({median_low(known)})"
    return Absurdity(path, told)


def _number(consignment: CanonicalConsignment, path: str) -> Decimal:
    return Decimal(consignment.get(path) or 0)


def _lone_days(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    """Days that lie years away from those of the other papers."""
    days = {path: _day(consignment, path) for path in _DAYS}
    for path, one in days.items():
        if one is not None and (alone := lone_day(path, one, consignment)):
            yield alone


def _due(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    due, invoiced = _day(consignment, "invoiceDocument.dueDate"), _day(consignment, _INVOICED)
    if due is None or invoiced is None:
        return
    if (due - invoiced).days > _DUE_DAYS:
        yield Absurdity("invoiceDocument.dueDate", f"{due} lies more than five years ahead")
    if due < invoiced:
        told = f"due on {due}, before the invoice of {invoiced}"
        yield Absurdity("invoiceDocument.dueDate", told)


def _journey(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    left, there = _day(consignment, _DEPARTS), _day(consignment, _ARRIVES)
    if left is not None and there is not None:
        if there < left:
            yield Absurdity(_ARRIVES, f"it arrives on {there} and departs on {left}")
        elif (there - left).days > _JOURNEY_DAYS:
            yield Absurdity(_ARRIVES, f"a journey of {(there - left).days} days")


# A day, the one that it cannot come before, and why.
_IN_TURN: Final = (
    (
        "importDeclarationDocument.issueDate",
        "exportDeclarationDocument.issueDate",
        "imported before it was exported",
    ),
    (
        "presentationDocument.issueDate",
        "transportContractDocument.issueDate",
        "presented before the bill was issued",
    ),
)


def _in_turn(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    for later, earlier, sentence in _IN_TURN:
        second, first = _day(consignment, later), _day(consignment, earlier)
        if second is not None and first is not None and second < first:
            yield Absurdity(later, sentence)


def _boxes(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    """What one box holds."""
    boxes = consignment.each(ITEM, "equipmentId")
    for name, most, unit in (("grossWeight", PAYLOAD_KG, "kg"), ("grossVolume", _VOLUME_M3, "m3")):
        for box in dict.fromkeys(boxes):
            places = [f"{ITEM}[{k}].{name}" for k, one in enumerate(boxes) if one == box]
            total = sum((_number(consignment, place) for place in places), Decimal(0))
            if box and total > most:
                heaviest = max(places, key=lambda place: _number(consignment, place))
                yield Absurdity(heaviest, f"{total} {unit} in the box {box}, which holds {most}")


def _all_boxes(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    for path, sentence in too_much_for_its_boxes(consignment):
        yield Absurdity(path, sentence)


def _empty_boxes(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    """A box that no goods are in, where the goods say in which they are."""
    filled = set(consignment.each(ITEM, "equipmentId")) - {""}
    for k, box in enumerate(consignment.each(EQUIPMENT, "id")):
        if filled and box and box not in filled:
            yield Absurdity(f"{EQUIPMENT}[{k}].id", f"nothing is in the box {box}")


def _seals(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    """A seal closes one box."""
    seen: dict[str, str] = {}
    for k, number in enumerate(consignment.each(EQUIPMENT, "affixedSealId")):
        box = consignment.get(f"{EQUIPMENT}[{k}].id")
        key = number_key(number)
        if key and seen.setdefault(key, box) != box:
            told = f"the seal {number} is on the box {seen[key]} already"
            yield Absurdity(f"{EQUIPMENT}[{k}].affixedSealId", told)


def _density(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    for k in range(consignment.counts[ITEM]):
        volume = _number(consignment, f"{ITEM}[{k}].grossVolume")
        weight = _number(consignment, f"{ITEM}[{k}].grossWeight")
        if volume and weight and not _DENSITY_KG_M3[0] <= weight / volume <= _DENSITY_KG_M3[1]:
            yield Absurdity(
                f"{ITEM}[{k}].grossVolume", f"{weight} kg in {volume} m3: no goods weigh that"
            )


def _net_and_gross(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    for k in range(consignment.counts[ITEM]):
        net = _number(consignment, f"{ITEM}[{k}].netWeight")
        gross = _number(consignment, f"{ITEM}[{k}].grossWeight")
        if net and gross and net > gross:
            yield Absurdity(
                f"{ITEM}[{k}].netWeight", f"{net} kg without packing, {gross} kg with it"
            )


def _sums(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    """What is paid beside the goods, by what they are worth, in the currency of the invoice."""
    worth = sum(
        (
            _number(consignment, f"{ITEM}[{k}].requestedQuantity")
            * _number(consignment, f"{ITEM}[{k}].unitPriceAmount")
            for k in range(consignment.counts[ITEM])
        ),
        Decimal(0),
    )
    for name, most in (("freight", _FREIGHT_TIMES * worth), ("insurance", worth)):
        path = f"customsValuation.{name}Amount"
        if worth and (paid := _number(consignment, path)) > most:
            yield Absurdity(path, f"{paid} of {name} for goods worth {worth}")
    insured = _number(consignment, "insuranceDocument.insuredAmount")
    currencies = {consignment.get(f"{name}Document.currencyCode") for name in _IN_MONEY}
    if worth and len(currencies) == 1 and insured > _INSURED_TIMES * worth:
        told = f"{insured} insured for goods worth {worth}"
        yield Absurdity("insuranceDocument.insuredAmount", told)


def _terms_of_mode(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    rule = consignment.get(f"{_TERMS}.deliveryTypeCode")
    mode = consignment.get("mainCarriageTransportMovement.modeCode")
    if rule in _BY_WATER and mode not in ("", "sea"):
        yield Absurdity(
            f"{_TERMS}.deliveryTypeCode", f"{rule} is for carriage by water, not {mode}"
        )


def _delivery(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    """The place that the terms name lies at their own end of the way."""
    rule = consignment.get(f"{_TERMS}.deliveryTypeCode")
    named = consignment.get(f"{_TERMS}.relevantLocation.id")
    begins = {consignment.get(f"{n}Location.id") for n in ("loadingBaseport", "receipt")} - {""}
    ends = {consignment.get(f"{n}Location.id") for n in ("unloadingBaseport", "delivery")} - {""}
    at_origin = rule in AT_ORIGIN
    wrong = ends - begins if at_origin else begins - ends
    if rule and named in wrong:
        where = "where the goods arrive" if at_origin else "where the goods begin"
        yield Absurdity(f"{_TERMS}.relevantLocation.id", f"{rule} named at {named}, {where}")


def _ports_of_the_sea(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    """A ship calls only where there is a sea that leads to the other port."""
    if consignment.get("mainCarriageTransportMovement.modeCode") != "sea":
        return
    ends = {
        name: consignment.get(f"{name}BaseportLocation.id") for name in ("loading", "unloading")
    }
    for name, code in ends.items():
        others = {other[:2] for end, other in ends.items() if end != name and other}
        if code[:2] in _NO_COAST:
            yield Absurdity(
                f"{name}BaseportLocation.id",
                f"{code} by sea, and {code[:2]} has no coast; is the mode another?",
            )
        elif code[:2] in _ONLY_CASPIAN and others - _CASPIAN:
            far = min(others - _CASPIAN)
            told = f"{code} by sea, and the Caspian leads to no port of {far}; is the mode another?"
            yield Absurdity(f"{name}BaseportLocation.id", told)


def _two_ports(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    start = consignment.get("loadingBaseportLocation.id")
    if start and start == consignment.get("unloadingBaseportLocation.id"):
        yield Absurdity("unloadingBaseportLocation.id", f"loaded and unloaded at {start}")


def _places(consignment: CanonicalConsignment, codes: KnownCodes) -> Iterator[Absurdity]:
    """A place that is called by another's name, or lies in no country."""
    for name in _LOCATIONS:
        code, called = consignment.get(f"{name}.id"), consignment.get(f"{name}.name")
        if code and code[:2] not in COUNTRIES:
            yield Absurdity(f"{name}.id", f"{code[:2]} is no country")
        others = codes.places_called(called)
        if code and others and code not in others and not _alike(called, codes.place(code)):
            yield Absurdity(f"{name}.name", f"{called} is {min(others)}, not {code}")


def _alike(called: str, name: str) -> bool:
    """Whether one name is the other with more words, as a port's and its airport's are."""
    left, right = called.casefold(), name.casefold()
    return bool(right) and (left in right or right in left)


def _stations(consignment: CanonicalConsignment, codes: KnownCodes) -> Iterator[Absurdity]:
    """A station that no list of its country has, or that is another country's."""
    for name in ("receipt", "delivery"):
        number = consignment.get(f"{name}Location.stationId")
        country = consignment.get(f"{name}Location.id")[:2]
        if not number or not codes.knows_stations_of(country):
            continue
        station = codes.station(number)
        if station is None or station.country != country:
            where = f"a station of {station.country}" if station else "no station"
            yield Absurdity(f"{name}Location.stationId", f"{number} is {where}, in {country}")


def _money(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    rate = _number(consignment, "customsValuation.exchangeRate")
    valued = consignment.get("customsValuation.currencyCode")
    if rate and valued and valued == consignment.get("invoiceDocument.currencyCode") and rate != 1:
        yield Absurdity("customsValuation.exchangeRate", f"{valued} to {valued} at {rate}")
    elif rate and not _RATES[0] <= rate <= _RATES[1]:
        yield Absurdity("customsValuation.exchangeRate", f"no currency is worth {rate} of another")


def _names(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    """Seller and buyer have a name each, and not one with letters alike."""
    paths = [f"{role}Party.name" for role in ("consignor", "consignee")]
    for path in paths:
        if (text := consignment.get(path)) and not names_anybody(text):
            yield Absurdity(path, f"{text[:20]!r} names nobody")
    seller, buyer = (set(skeletons("".join(words(consignment.get(path))))) for path in paths)
    if seller & buyer - {""}:
        yield Absurdity("consigneeParty.name", "seller and buyer are the same")


def _parties(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    """Seller and buyer are two."""
    for name in ("legalRegistrationId", "taxRegistrationId", "leiId", "usccId", "dunsId"):
        seller, buyer = (
            "".join(words(consignment.get(f"{role}Party.{name}")))
            for role in ("consignor", "consignee")
        )
        if seller and seller == buyer:
            yield Absurdity(f"consigneeParty.{name}", "seller and buyer are the same")


def _goods(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    for path, sentence in goods_out_of_line(consignment):
        yield Absurdity(path, sentence)


def _codes(consignment: CanonicalConsignment, codes: KnownCodes) -> Iterator[Absurdity]:
    for path, text in consignment.values.items():
        if path.endswith(_COUNTRY_ENDS) and text not in COUNTRIES:
            yield Absurdity(path, f"{text} is no country of ISO 3166-1")
    if consignment.get("hsEditionCode", "2022") == "2022":
        for k, code in enumerate(consignment.each(ITEM, "typeCode")):
            if code and codes.is_commodity(code) is False:
                yield Absurdity(f"{ITEM}[{k}].typeCode", f"{code} is no code of the HS of 2022")


def _taxes(consignment: CanonicalConsignment, _codes: KnownCodes) -> Iterator[Absurdity]:
    """EN 16931 BR-O-02, BR-S-05 and the like: which category has a rate, which a VAT number."""
    categories = consignment.each(ITEM, "taxCategoryCode")
    for k, category in enumerate(categories):
        rate = _number(consignment, f"{ITEM}[{k}].taxRatePercent")
        if category and (rate > 0) != (category == "S"):
            yield Absurdity(f"{ITEM}[{k}].taxRatePercent", f"VAT category {category} at {rate} %")
        elif rate > 100:
            yield Absurdity(f"{ITEM}[{k}].taxRatePercent", f"VAT at {rate} %")
    if "O" in categories:
        for role in ("consignorParty", "consigneeParty"):
            if consignment.get(f"{role}.taxRegistrationId"):
                yield Absurdity(
                    f"{role}.taxRegistrationId", "a VAT number, where the goods are outside of VAT"
                )


_ROWS: Final[tuple[Callable[[CanonicalConsignment, KnownCodes], Iterator[Absurdity]], ...]] = (
    *(_lone_days, _due, _journey, _in_turn, _boxes, _all_boxes, _empty_boxes, _seals, _density),
    *(_net_and_gross, _terms_of_mode),
    *(
        _delivery,
        _ports_of_the_sea,
        _two_ports,
        _places,
        _stations,
        _money,
        _sums,
        _names,
        _parties,
    ),
    _goods,
    *(_codes, _taxes),
)
# Days of the papers; the due day and those of a credit may lie further away.
_DAYS: Final = tuple(
    path
    for path, field in FIELDS.items()
    if field.form is day and not path.startswith("documentaryCredit") and "dueDate" not in path
)
_WITNESSES: Final = (*_DAYS, "invoiceDocument.dueDate")
_COUNTRY_ENDS: Final = tuple(
    sorted({path.rpartition("[].")[2] for path, field in FIELDS.items() if field.form is country})
)
_LOCATIONS: Final = tuple(
    path.removesuffix(".id")
    for path in FIELDS
    if path.endswith("ocation.id") and f"{path.removesuffix('.id')}.name" in FIELDS
)
