"""Documentary credits at a node: issue, amend, present, and the steps of each party."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from zhidao.cli.console.callers import add_caller, node_of, say
from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.cli.console.outputs import taken_as

if TYPE_CHECKING:
    from zhidao.finance.domain.credit.credit_terms import Credit

_PATH: Final = "/v1/finance/credits"
# As UCP 600 articles 19 to 25 know them; `credit_terms.Form` has the same.
FORMS: Final = (
    *("bill_of_lading", "sea_waybill", "charter_party_bill", "multimodal", "air", "road", "rail"),
    *("inland_waterway", "courier", "post"),
)
CREDIT_STEPS: Final = ("advise", "confirm", "accept_amendment", "reject_amendment")
DRAWING_STEPS: Final = (
    *("complete", "examine", "waive", "refuse", "accept", "honour", "reimburse"),
)
EXAMPLES: Final = (
    "  zhidao finance credit issue credit.json --applicant importer --beneficiary exporter \\\n"
    "      --adviser exporter-bank --calendar CN --document rail --as timur\n"
    "  zhidao finance credit list --filter beneficiary=exporter --as timur\n"
    "  zhidao finance credit show LC-2026-0042 --as timur\n"
    "  zhidao finance credit amend LC-2026-0042 --document multimodal --as timur\n"
    "  zhidao finance credit present LC-2026-0042 1 presentation.json --as li\n"
    "  zhidao finance credit step LC-2026-0042 examine --drawing 1 --as timur\n"
)


def add_actions(actions: Any) -> None:
    """Adds what is asked of a node."""
    issue = actions.add_parser("issue", help="promise to pay against papers; the issuing bank")
    issue.add_argument("terms", type=Path, metavar="TERMS", help="as zhidao trade example credit")
    for name, line in (
        ("applicant", "the party that asked for it"),
        ("beneficiary", "the party that presents papers"),
        ("adviser", "the bank that tells the beneficiary, and where it is paid"),
    ):
        issue.add_argument(f"--{name}", required=True, metavar="PARTY", help=line)
    issue.add_argument("--confirmer", default="", metavar="PARTY", help="the bank that confirms")
    issue.add_argument(
        "--calendar", required=True, metavar="NAME", help="banking days where it expires"
    )
    issue.set_defaults(run=_issue)
    listing = actions.add_parser("list", help="show the credits to which you are a party")
    add_listing(listing, "credits")
    listing.set_defaults(run=_list)
    showing = actions.add_parser("show", help="one credit: its terms, presentations and steps")
    showing.set_defaults(run=_show)
    amend = actions.add_parser("amend", help="offer other terms; the beneficiary has to agree")
    amend.add_argument(
        "--terms", type=Path, metavar="FILE", help="whole; without it those that stand"
    )
    amend.set_defaults(run=_amend)
    present = actions.add_parser("present", help="present papers; the beneficiary")
    present.set_defaults(run=_present)
    step = actions.add_parser("step", help="advise, confirm, examine, honour and so on")
    step.set_defaults(run=_step)
    for action in (showing, amend, present, step):
        action.add_argument("credit", metavar="CREDIT", help="its number")
        action.add_argument("--of", default="", metavar="BANK", help="whose, if several have it")
    present.add_argument("drawing", metavar="DRAWING", help="your name for it, such as 1")
    present.add_argument("papers", type=Path, metavar="PAPERS", help="a presentation, JSON")
    steps = (*CREDIT_STEPS, *DRAWING_STEPS)
    step.add_argument("step", choices=steps, metavar="STEP", help=", ".join(steps))
    step.add_argument("--drawing", default="", metavar="DRAWING", help="which presentation")
    for action in (issue, amend):
        action.add_argument(
            "--document", choices=FORMS, default="", metavar="FORM", help=", ".join(FORMS)
        )
    for action in (issue, listing, showing, amend, present, step):
        add_caller(action)


def _issue(options: argparse.Namespace) -> int:
    body = {name: getattr(options, name) for name in _WHO}
    body |= {"calendar": options.calendar, "terms": _plain(_terms(options.terms, options))}
    made = node_of(options).send(_PATH, body)
    return say(options, made, _words(made))


_WHO: Final = ("applicant", "beneficiary", "adviser", "confirmer")


def _list(options: argparse.Namespace) -> int:
    found = rows_of(options, node_of(options))
    told = "\n".join(map(_line, found)) or "You are a party to no credit."
    return say(options, found, told)


def _show(options: argparse.Namespace) -> int:
    found = node_of(options).get(_at(options))
    return say(options, found, _words(found))


def _amend(options: argparse.Namespace) -> int:
    from zhidao.core.canonical import jcs
    from zhidao.core.errors import MalformedInput
    from zhidao.finance.wire.credit import read_credit

    terms = _terms(options.terms, options) if options.terms else None
    node = node_of(options)
    standing = node.get(_at(options))["terms"]
    if terms is None:
        if not options.document:
            raise MalformedInput(
                "what is amended?", remedy="name --document FORM, --terms FILE, or both"
            )
        shipment = standing["shipment"] | {"document": options.document}
        changed = standing | {"version": standing["version"] + 1, "shipment": shipment}
        terms = read_credit(jcs(changed))
    amended = node.send(_at(options, "/amendments"), _plain(terms))
    return say(options, amended, f"{_words(amended)}\nan amendment waits for the beneficiary")


def _present(options: argparse.Namespace) -> int:
    from zhidao.finance.wire.credit import BYTES_MAX, plain, read_presentation

    papers = taken_as(read_presentation, options.papers, bytes_max=BYTES_MAX)
    drawing = quote(options.drawing, safe="")
    found = node_of(options).send(_at(options, f"/drawings/{drawing}"), plain(papers))
    return say(options, found, _words(found))


def _step(options: argparse.Namespace) -> int:
    from zhidao.core.errors import MalformedInput

    known = DRAWING_STEPS if options.drawing else CREDIT_STEPS
    if options.step not in known:
        what = "presentation" if options.drawing else "credit"
        more = "" if options.drawing else "; --drawing names a presentation"
        raise MalformedInput(
            f"no step {options.step[:40]!r} of a {what}",
            remedy=f"one of {', '.join(known)}{more}",
        )
    drawing = quote(options.drawing, safe="")
    place = f"/drawings/{drawing}/steps" if options.drawing else "/steps"
    found = node_of(options).send(_at(options, place), {"step": options.step})
    return say(options, found, _words(found))


def _at(options: argparse.Namespace, more: str = "") -> str:
    of = f"?{urlencode({'of': options.of})}" if options.of else ""
    return f"{_PATH}/{quote(options.credit, safe='')}{more}{of}"


def _terms(file: Path, options: argparse.Namespace) -> Credit:
    import msgspec

    from zhidao.finance.wire.credit import BYTES_MAX, read_credit

    terms = taken_as(read_credit, file, bytes_max=BYTES_MAX)
    if not options.document:
        return terms
    shipment = msgspec.structs.replace(terms.shipment, document=options.document)
    return msgspec.structs.replace(terms, shipment=shipment)


def _plain(terms: Credit) -> Any:
    from zhidao.finance.wire.credit import plain

    return plain(terms)


def _line(one: dict[str, Any]) -> str:
    terms = one["terms"]
    return (
        f"{one['credit']}  {one['issuer']} for {one['applicant']} to {one['beneficiary']}"
        f"  {_money(terms['amount_minor'], terms['currency'])}"
        f"  {terms['shipment']['document']}  until {terms['expires_on']}"
    )


def _words(one: dict[str, Any]) -> str:
    lines = [_line(one)]
    for drawing in one["drawings"]:
        claimed = _money(drawing["claimed_minor"], one["terms"]["currency"])
        lines.append(f"  presentation {drawing['drawing']}: {drawing['state']}, {claimed}")
        lines += [f"    {each['article']}: {each['sentence']}" for each in drawing["discrepancies"]]
    return "\n".join(lines)


def _money(minor: int, currency: str) -> str:
    from zhidao.core.money import Currency, Money

    return str(Money(minor, Currency(currency)))
