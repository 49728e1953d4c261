"""Checks of the bill of lading: UCP 600 article 20, and 26 and 27 for every transport document."""

from __future__ import annotations

from collections.abc import Iterator

from zhidao.finance.domain.credit.checks import Case, Conflict, asked, check, same, told


@check("transport.carrier", "UCP 600 20(a)(i)", "The carrier is not named.")
def _carrier(case: Case) -> Iterator[Conflict]:
    for paper in case.transports:
        if not paper.carrier:
            yield told(paper, "carrier", "none"), "rule:carrier = named"


@check("transport.capacity", "UCP 600 20(a)(i)", "An agent signed without saying for whom.")
def _capacity(case: Case) -> Iterator[Conflict]:
    for paper in case.transports:
        if paper.capacity == "agent" or (
            paper.capacity == "agent for carrier" and not same(paper.principal, paper.carrier)
        ):
            yield (
                told(paper, "capacity", f"{paper.capacity} {paper.principal}".strip()),
                (told(paper, "carrier", paper.carrier)),
            )


@check("transport.on_board", "UCP 600 20(a)(ii)", "Nothing shows that the goods are on board.")
def _on_board(case: Case) -> Iterator[Conflict]:
    for paper in case.transports:
        # A record that states no shipment was shipped on its date of issue (eUCP article e11).
        stated = paper.on_board_on is not None or (paper.record and paper.issued_on is not None)
        if not stated:
            yield told(paper, "on_board_on", "none"), "rule:on board = dated"


@check("transport.intended_vessel", "UCP 600 20(a)(ii)", "The vessel is only intended.")
def _intended(case: Case) -> Iterator[Conflict]:
    for paper in case.transports:
        if paper.intended_vessel:
            yield told(paper, "vessel", f"intended {paper.vessel}"), "rule:vessel = named on board"


@check("transport.latest", "UCP 600 20(a)(ii), 14(d)", "The goods were shipped too late.")
def _latest(case: Case) -> Iterator[Conflict]:
    latest = case.credit.shipment.latest_on
    for paper in case.transports:
        shipped = paper.on_board_on or paper.issued_on
        if shipped is not None and shipped > latest:
            yield asked("44C", latest), told(paper, "on_board_on", shipped)


@check("transport.loading", "UCP 600 20(a)(iii)", "The goods were loaded at another port.")
def _loading(case: Case) -> Iterator[Conflict]:
    for paper in case.transports:
        if not same(paper.loading, case.credit.shipment.loading):
            yield asked("44E", case.credit.shipment.loading), told(paper, "loading", paper.loading)


@check("transport.discharge", "UCP 600 20(a)(iii)", "The goods go to another port.")
def _discharge(case: Case) -> Iterator[Conflict]:
    wanted = case.credit.shipment.discharge
    for paper in case.transports:
        if not same(paper.discharge, wanted):
            yield asked("44F", wanted), told(paper, "discharge", paper.discharge)


@check("transport.full_set", "UCP 600 20(a)(iv)", "Not all originals that were issued are there.")
def _full_set(case: Case) -> Iterator[Conflict]:
    for paper in case.transports:
        if not paper.record and paper.originals < paper.originals_issued:
            yield (
                told(paper, "originals_issued", paper.originals_issued),
                (told(paper, "originals", paper.originals)),
            )


@check("transport.terms", "UCP 600 20(a)(v)", "It has no terms of carriage and names none.")
def _terms(case: Case) -> Iterator[Conflict]:
    for paper in case.transports:
        if not paper.has_terms:
            yield told(paper, "has_terms", "no"), "rule:terms of carriage = there or named"


@check("transport.charter_party", "UCP 600 20(a)(vi)", "It is subject to a charter party.")
def _charter(case: Case) -> Iterator[Conflict]:
    for paper in case.transports:
        if paper.charter_party:
            yield told(paper, "charter_party", "yes"), asked("46A", "bill of lading")


@check("transport.transhipment", "UCP 600 20(c)(ii)", "Transhipment, though it is not allowed.")
def _transhipment(case: Case) -> Iterator[Conflict]:
    for paper in case.transports:
        # In containers the bill may say that transhipment will take place all the same.
        if (
            paper.transhipment
            and not paper.in_containers
            and not case.credit.shipment.transhipment_allowed
        ):
            yield asked("43T", "not allowed"), told(paper, "transhipment", "yes")


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
    for paper in case.transports:
        if wanted and not same(paper.consignee, wanted):
            yield asked("46A consignee", wanted), told(paper, "consignee", paper.consignee)


@check("transport.endorsed", "ISBP 821 E13", "A bill to order is not endorsed.")
def _endorsed(case: Case) -> Iterator[Conflict]:
    for paper in case.transports:
        if same(paper.consignee, "to order") and not paper.endorsed and not paper.record:
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


@check("transport.same_voyage", "UCP 600 31(b)", "Two bills show two vessels, no part allowed.")
def _same_voyage(case: Case) -> Iterator[Conflict]:
    if case.credit.shipment.partial_allowed:
        return
    for paper in case.transports[1:]:
        if not same(paper.vessel, case.transports[0].vessel):
            yield (
                told(case.transports[0], "vessel", case.transports[0].vessel),
                (told(paper, "vessel", paper.vessel)),
            )


@check("transport.holder", "MLETR 10, 11", "Control of the record was not given.")
def _holder(case: Case) -> Iterator[Conflict]:
    for paper in case.transports:
        if paper.record and case.presentation.bank and paper.holder != case.presentation.bank:
            yield (
                told(paper, "holder", paper.holder or "nobody"),
                (f"presentation:bank = {case.presentation.bank}"),
            )
