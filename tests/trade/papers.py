"""Strategies for entries and papers whose every field is within its bounds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from zhidao.core.ids import party_id
from zhidao.core.money import Currency
from zhidao.core.text.plain_text import unseen_in
from zhidao.trade.domain.codes import container_check_digit
from zhidao.trade.domain.consignment import (
    Address,
    ConsignmentEntry,
    DeliveryTerms,
    GoodsLine,
    InvoiceTerms,
    Packages,
    Place,
    TradeParty,
    Transport,
    Vat,
)
from zhidao.trade.domain.invoice import EXEMPT_CATEGORIES
from zhidao.trade.domain.papers import BillOfLading, Cargo

_letters = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cf"))


def text(size: int, *, least: int = 1):
    return st.text(_letters, min_size=least, max_size=size).filter(
        lambda t: t == t.strip() and not unseen_in(t)
    )


def number(places: int = 6, high: int = 10**6):
    return st.decimals(min_value=0, max_value=high, places=places, allow_nan=False)


positive = st.decimals(min_value=Decimal("0.001"), max_value=10**6, places=3)
reference = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,20}", fullmatch=True)
country = st.from_regex(r"[A-Z]{2}", fullmatch=True)
days = st.dates(date(2000, 1, 1), date(2090, 1, 1))
places = st.builds(Place, st.from_regex(r"[A-Z]{2}[A-Z2-9]{3}", fullmatch=True), text(40))
addresses = st.builds(Address, text(40), text(40), text(20, least=0), country)
packages = st.builds(Packages, st.integers(1, 10**6), st.from_regex(r"[A-Z0-9]{2}", fullmatch=True))
vats = st.one_of(
    st.builds(Vat, st.just("S"), number(2, 30)),
    st.builds(Vat, st.sampled_from(["Z", "E", "AE", "K", "G", "O"]), st.just(Decimal(0))),
)


@st.composite
def containers(draw) -> str:
    ten = draw(st.from_regex(r"[A-Z]{3}[UJZ][0-9]{6}", fullmatch=True))
    return ten + str(container_check_digit(ten))


@st.composite
def parties(draw, name: str) -> TradeParty:
    return TradeParty(
        id=party_id(name),
        name=draw(text(40)),
        address=draw(addresses),
        registration=draw(text(20, least=0)),
        vat=draw(text(20, least=0)),
    )


@st.composite
def lines(draw, index: int) -> GoodsLine:
    net, packaging = draw(number(3)), draw(number(3))
    return GoodsLine(
        id=str(index),
        description=draw(text(60)),
        gtin=draw(st.from_regex(r"[0-9]{14}", fullmatch=True)),
        hs=draw(st.from_regex(r"[0-9]{6}", fullmatch=True)),
        origin=draw(country),
        origin_criterion=draw(st.sampled_from(["WO", "PE", "CTC", "RVC"])),
        quantity=draw(positive),
        unit=draw(st.sampled_from(["H87", "KGM", "LTR"])),
        unit_price=draw(number()),
        vat=draw(vats),
        net_kg=net,
        gross_kg=net + packaging,
        packages=draw(packages),
        lot=draw(text(20, least=0)),
    )


@st.composite
def entries(draw) -> ConsignmentEntry:
    issued, due = sorted((draw(days), draw(days)))
    made = draw(st.booleans())
    goods = tuple(draw(lines(i)) for i in range(draw(st.integers(1, 3))))
    exempt = any(line.vat.category in EXEMPT_CATEGORIES for line in goods)
    names = ("exporter", "importer", "carrier", "importer_bank", "exporter_bank", "customs")
    return ConsignmentEntry(
        id=draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)),
        parties={name: draw(parties(name.replace("_", "-"))) for name in names},
        lines=goods,
        invoice=InvoiceTerms(
            number=draw(reference),
            issued_on=issued,
            due_on=due,
            currency=Currency(draw(st.sampled_from(["EUR", "CNY", "JPY", "KZT"]))),
            account=draw(text(20)),
            exemption_code=draw(text(20, least=0)) if exempt else "",
            exemption_reason=draw(text(40, least=0)) if exempt else "",
        ),
        packing_list=draw(reference),
        origin_statement=draw(reference),
        terms=DeliveryTerms(
            draw(st.sampled_from(["EXW", "FOB", "CIF", "DDP"])), 2020, draw(places)
        ),
        transport=Transport(
            mode=draw(st.sampled_from(["sea", "rail", "road", "air"])),
            means=draw(text(30)),
            voyage=draw(text(20)),
            loading=draw(places),
            discharge=draw(places),
        ),
        container=draw(containers()),
        order=draw(text(20)) if made else "",
        lot=draw(text(20)) if made else "",
        simulated=draw(st.booleans()),
    )


@st.composite
def cargoes(draw) -> Cargo:
    return Cargo(
        description=draw(text(60)),
        hs=tuple(draw(st.lists(st.from_regex(r"[0-9]{6}", fullmatch=True), max_size=3))),
        container=draw(containers()),
        weight=draw(positive),
        weight_unit=draw(st.sampled_from(["KGM", "TNE", "LBR"])),
        packages=draw(packages),
    )


@st.composite
def bills(draw) -> BillOfLading:
    cargo = tuple(draw(st.lists(cargoes(), min_size=1, max_size=3)))
    to_order = draw(st.booleans())
    return BillOfLading(
        number=draw(text(20)),
        to_order=to_order,
        freight=draw(st.sampled_from(["PRE", "COL", ""])),
        shipper=draw(text(40)),
        consignee=draw(text(40, least=0 if to_order else 1)),
        notify=tuple(draw(st.lists(text(40), max_size=3))),
        loading=draw(places).unlocode,
        discharge=draw(places).unlocode,
        on_board=draw(days),
        containers=tuple(dict.fromkeys(item.container for item in cargo)),
        means=draw(text(30, least=0)),
        voyage=draw(text(20, least=0)),
        clauses=tuple(draw(st.lists(text(40), max_size=2))),
        cargo=cargo,
    )
