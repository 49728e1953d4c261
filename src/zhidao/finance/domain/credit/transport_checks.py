"""Checks of transport documents: UCP 600 articles 19 to 25, and 26 and 27 for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from zhidao.finance.domain.credit.checks import Case, Conflict, asked, check, plain, same, told
from zhidao.finance.domain.credit.papers import Transport
from zhidao.finance.domain.credit.places import same_place
from zhidao.finance.domain.credit.transport_forms import FORMS, FormRules

_NO_SHIPS: Final = frozenset(
    "train wagon railcar truck lorry trailer tractor flight aircraft airplane".split()
)
# Trains and flights in other words: block trains of railways, numbers of trains and flights.
_NO_SHIP: Final = re.compile(
    r"(?:.* )?(?:china ?(?:europe|railway)|cr|trans ?eurasia|container|block|rail(?:way)?)"
    r" express\b.*"
    r"|x ?\d{4,5}|[a-z]{2} ?\d{3,4}"
)


def _each(case: Case) -> Iterator[tuple[Transport, FormRules]]:
    """Each transport document with what its form asks."""
    for paper in case.transports:
        yield paper, FORMS[paper.form]


@check("transport.form", "UCP 600 14(a), 19 to 25", "It is another transport document than asked.")
def _form(case: Case) -> Iterator[Conflict]:
    wanted = case.credit.shipment.document
    for paper in case.transports:
        if paper.form != wanted:
            yield asked("46A transport", wanted), told(paper, "form", paper.form)


@check("transport.carrier", "UCP 600 19 to 25", "The carrier is not named.")
def _carrier(case: Case) -> Iterator[Conflict]:
    for paper, rules in _each(case):
        if rules.carrier and not paper.carrier:
            yield told(paper, "carrier", "none"), "rule:carrier = named", rules.at("carrier")


@check("transport.capacity", "UCP 600 19 to 25", "Nobody signed who may sign such a document.")
def _capacity(case: Case) -> Iterator[Conflict]:
    for paper, rules in _each(case):
        stranger = paper.capacity == "agent for carrier" and not same(
            paper.principal, paper.carrier
        )
        if paper.capacity not in rules.signers or stranger:
            yield (
                told(paper, "capacity", f"{paper.capacity} {paper.principal}".strip()),
                told(paper, "carrier", paper.carrier),
                rules.at("capacity"),
            )


@check("transport.on_board", "UCP 600 19 to 25", "Nothing shows that the goods were shipped.")
def _on_board(case: Case) -> Iterator[Conflict]:
    for paper, rules in _each(case):
        # A record that states no shipment was shipped on its date of issue (eUCP article e11).
        stated = paper.on_board_on is not None or (paper.record and paper.issued_on is not None)
        if not (stated if rules.shipped == "on board" else paper.shipped_on is not None):
            field = "on_board_on" if rules.shipped == "on board" else "issued_on"
            yield told(paper, field, "none"), "rule:shipment = dated", rules.at("on_board")


@check("transport.accepted", "UCP 600 23(a)(ii)", "The goods were not accepted for carriage.")
def _accepted(case: Case) -> Iterator[Conflict]:
    for paper, rules in _each(case):
        if rules.shipped == "accepted" and not paper.accepted:
            yield told(paper, "accepted", "no"), "rule:accepted for carriage = yes"


@check("transport.vessel", "UCP 600 20(a)(ii)", "No vessel is named.")
def _vessel(case: Case) -> Iterator[Conflict]:
    for paper, rules in _each(case):
        named = plain(paper.vessel)
        is_ship = named and not _NO_SHIPS & set(named.split()) and not _NO_SHIP.fullmatch(named)
        if rules.vessel and not is_ship:
            yield (
                told(paper, "vessel", paper.vessel or "none"),
                "rule:vessel = named",
                rules.at("vessel"),
            )


@check("transport.intended_vessel", "UCP 600 20(a)(ii)", "The vessel is only intended.")
def _intended(case: Case) -> Iterator[Conflict]:
    for paper, rules in _each(case):
        if rules.vessel and paper.intended_vessel:
            vessel = told(paper, "vessel", f"intended {paper.vessel}")
            yield vessel, "rule:vessel = named on board", rules.at("vessel")


@check("transport.latest", "UCP 600 19 to 25, 14(d)", "The goods were shipped too late.")
def _latest(case: Case) -> Iterator[Conflict]:
    latest = case.credit.shipment.latest_on
    for paper, rules in _each(case):
        shipped = paper.shipped_on
        if shipped is not None and shipped > latest:
            field = "on_board_on" if paper.on_board_on else "taken_on"
            yield asked("44C", latest), told(paper, field, shipped), rules.at("latest")


@check("transport.loading", "UCP 600 19 to 25", "The goods were shipped from another place.")
def _loading(case: Case) -> Iterator[Conflict]:
    wanted = case.credit.shipment.loading
    for paper, rules in _each(case):
        if not same_place(paper.loading, wanted):
            found = told(paper, "loading", paper.loading)
            yield asked("44A/44E", wanted), found, rules.at("loading")


@check("transport.discharge", "UCP 600 19 to 24", "The goods go to another place.")
def _discharge(case: Case) -> Iterator[Conflict]:
    wanted = case.credit.shipment.discharge
    for paper, rules in _each(case):
        if rules.arrives and not same_place(paper.discharge, wanted):
            found = told(paper, "discharge", paper.discharge)
            yield asked("44B/44F", wanted), found, rules.at("discharge")


@check("transport.full_set", "UCP 600 19 to 22", "Not all originals that were issued are there.")
def _full_set(case: Case) -> Iterator[Conflict]:
    for paper, rules in _each(case):
        short = paper.originals < paper.originals_issued
        if rules.originals == "issued" and not paper.record and short:
            yield (
                told(paper, "originals_issued", paper.originals_issued),
                told(paper, "originals", paper.originals),
                rules.at("originals"),
            )


@check("transport.consignor", "UCP 600 23(a)(v), 24(b)(i)", "It is not the consignor's original.")
def _consignor(case: Case) -> Iterator[Conflict]:
    for paper, rules in _each(case):
        # Of road documents one without a mark serves, too.
        ours = ("consignor", "") if rules.article == 24 else ("consignor",)
        if rules.originals == "consignor" and paper.original_for not in ours:
            marked = told(paper, "original_for", paper.original_for or "none")
            yield marked, "rule:original for = consignor", rules.at("originals")


@check("transport.terms", "UCP 600 19 to 23", "It has no terms of carriage and names none.")
def _terms(case: Case) -> Iterator[Conflict]:
    for paper, rules in _each(case):
        if rules.terms and not paper.has_terms:
            lack = told(paper, "has_terms", "no")
            yield lack, "rule:terms of carriage = there or named", rules.at("terms")


@check("transport.charter_party", "UCP 600 19 to 21", "It is subject to a charter party.")
def _charter(case: Case) -> Iterator[Conflict]:
    for paper, rules in _each(case):
        if rules.charter == "never" and paper.charter_party:
            said = told(paper, "charter_party", "yes")
            yield said, asked("46A", case.credit.shipment.document), rules.at("charter")


@check("transport.no_charter_party", "UCP 600 22(a)", "It is not subject to a charter party.")
def _no_charter(case: Case) -> Iterator[Conflict]:
    for paper, rules in _each(case):
        if rules.charter == "always" and not paper.charter_party:
            yield told(paper, "charter_party", "no"), asked("46A", case.credit.shipment.document)


@check("transport.transhipment", "UCP 600 20(c)(ii)", "Transhipment, though it is not allowed.")
def _transhipment(case: Case) -> Iterator[Conflict]:
    allowed = case.credit.shipment.transhipment_allowed
    for paper, rules in _each(case):
        # In containers the bill may say that transhipment will take place all the same.
        if (
            rules.transhipment == "asked"
            and paper.transhipment
            and not (paper.in_containers or allowed)
        ):
            said = told(paper, "transhipment", "yes")
            yield asked("43T", "not allowed"), said, rules.at("transhipment")


@check("transport.whole", "UCP 600 19 to 21, 23, 24", "It does not cover the whole carriage.")
def _whole(case: Case) -> Iterator[Conflict]:
    for paper, rules in _each(case):
        if rules.transhipment != "any" and not paper.covers_whole:
            said = told(paper, "covers_whole", "no")
            yield said, "rule:carriage = whole by one document", rules.at("transhipment")


@check("transport.negotiable", "UCP 600 21, 23, 24", "What is not negotiable is made out to order.")
def _negotiable(case: Case) -> Iterator[Conflict]:
    for paper, rules in _each(case):
        if not rules.order and plain(paper.consignee).startswith("to order"):
            said = told(paper, "consignee", paper.consignee)
            yield said, told(paper, "form", paper.form), f"UCP 600 {rules.article}"


@check("transport.clean", "UCP 600 27", "A clause declares goods or packing defective.")
def _clean(case: Case) -> Iterator[Conflict]:
    for paper in case.transports:
        for clause in paper.clauses:
            yield told(paper, "clause", clause), "rule:clean = yes"


@check("transport.deck", "UCP 600 26(a)", "The goods are or will be on deck.")
def _deck(case: Case) -> Iterator[Conflict]:
    for paper in case.transports:
        if paper.on_deck:
            yield told(paper, "on_deck", "yes"), "rule:on deck = no"


@check("transport.consignee", "ISBP 821 E12; UCP 600 14(f)", "It is made out to somebody else.")
def _consignee(case: Case) -> Iterator[Conflict]:
    wanted = case.credit.shipment.consignee
    for paper, rules in _each(case):
        # Where the credit says nothing of its own, only a negotiable one goes to order.
        unasked = not rules.order and plain(wanted) == "to order"
        if wanted and not unasked and not same(paper.consignee, wanted):
            yield asked("46A consignee", wanted), told(paper, "consignee", paper.consignee)


@check("transport.endorsed", "ISBP 821 E13", "A bill to order is not endorsed.")
def _endorsed(case: Case) -> Iterator[Conflict]:
    for paper, rules in _each(case):
        to_order = rules.order and same(paper.consignee, "to order")
        if to_order and not paper.endorsed and not paper.record:
            yield told(paper, "consignee", paper.consignee), told(paper, "endorsed", "no")


@check("transport.notify", "ISBP 821 E14", "It names another party to notify.")
def _notify(case: Case) -> Iterator[Conflict]:
    wanted = case.credit.shipment.notify
    for paper in case.transports:
        if wanted and not same(paper.notify, wanted):
            yield asked("46A notify", wanted), told(paper, "notify", paper.notify)


@check("transport.freight", "ISBP 821 E27", "It states freight otherwise than asked for.")
def _freight(case: Case) -> Iterator[Conflict]:
    wanted = case.credit.shipment.freight
    for paper in case.transports:
        if wanted and paper.freight != wanted:
            yield asked("46A freight", wanted), told(paper, "freight", paper.freight or "nothing")


@check("transport.same_voyage", "UCP 600 31(b)", "Two conveyances, and no part is allowed.")
def _same_voyage(case: Case) -> Iterator[Conflict]:
    if case.credit.shipment.partial_allowed:
        return
    for paper in case.transports[1:]:
        first = case.transports[0]
        if not same(paper.vessel or paper.conveyance, first.vessel or first.conveyance):
            yield (
                told(first, "vessel", first.vessel or first.conveyance),
                told(paper, "vessel", paper.vessel or paper.conveyance),
            )


@check("transport.holder", "MLETR 10, 11", "Control of the record was not given.")
def _holder(case: Case) -> Iterator[Conflict]:
    for paper in case.transports:
        if paper.record and case.presentation.bank and paper.holder != case.presentation.bank:
            yield (
                told(paper, "holder", paper.holder or "nobody"),
                (f"presentation:bank = {case.presentation.bank}"),
            )
