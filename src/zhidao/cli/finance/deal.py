"""`zhidao deal`: the money of a consignment under conditions, from its opening to its end."""

from __future__ import annotations

import argparse
from typing import Any, Final
from urllib.parse import quote

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.cli.console.remote import RemoteNode
from zhidao.cli.console.riders import add_riders, riders_of
from zhidao.cli.console.sites import site_of

_PATH: Final = "/v1/finance/deals"
_COLUMNS: Final = ("deal", "consignment", "payer", "payee", "amount", "state")
# A deal's name has at most so many letters; what is proposed is cut, what is given is not.
_NAME_LENGTH: Final = 35
_MARKS: Final = ("signed_by_terminal", "bound_to_goods", "recomputed", "inside_open_sky_model")
_RISK_PPB: Final = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show the deals to which you are a party")
    add_listing(listing, "deals")
    listing.set_defaults(run=_list)
    showing = actions.add_parser("show", help="one deal: its terms and what waits for whom")
    showing.set_defaults(run=_show)
    giving = actions.add_parser("give-title", help="move your title into a deal's custody")
    giving.add_argument("--elsewhere", action="store_true", help="the deal is at another node")
    giving.set_defaults(run=_give)
    for action in (showing, giving):
        action.add_argument("deal", metavar="DEAL")
    opening = actions.add_parser("open", help="reserve money on conditions; the payer's bank")
    _opening_arguments(opening)
    for action in (listing, showing, giving, opening):
        add_caller(action)
    parser.epilog = (
        "What the options of `open` do not say follows from the consignment: parties, banks,\n"
        "amount and title. SITE is GeoJSON with one polygon, or 'LAT,LON,RADIUS_M'.\n"
        "examples:\n"
        "  zhidao deal open C-0417 --terminal BDT-0417 --site yard.geojson --name Almaty \\\n"
        "      --from 2026-11-24T00:00:00Z --until 2026-12-24T00:00:00Z \\\n"
        "      --url https://localhost:8443 --token-file ~/bank.token\n"
        "  zhidao deal open C-0418 --carried CSQU3054383=BDT-1 --carried MSCU6639870=BDT-2 \\\n"
        "      --site yard.geojson --name Almaty --from 2026-11-24T00:00:00Z \\\n"
        "      --until 2026-12-24T00:00:00Z --url https://localhost:8443 --as timur\n"
        "  zhidao deal give-title deal-C-0417 --url https://localhost:8443 --as li\n"
        "  zhidao deal show deal-C-0417 --url https://localhost:8443 --as li\n"
        "  zhidao deal list\n"
        "  zhidao deal list --filter state=reserved --sort deadline\n"
        "status: 0 done, 1 refused, 2 bad input, 3 no answer"
    )


def _opening_arguments(opening: argparse.ArgumentParser) -> None:
    opening.add_argument("consignment", metavar="CONSIGNMENT")
    add_riders(opening)
    opening.add_argument("--site", required=True, help="GeoJSON file, or LAT,LON,RADIUS_M")
    opening.add_argument("--name", required=True, help="name of the site")
    opening.add_argument("--from", dest="not_before", required=True, help="RFC 3339, UTC")
    opening.add_argument("--until", dest="not_after", required=True, help="RFC 3339, UTC")
    opening.add_argument("--amount", default="", help="such as 500000.00; default: the invoice's")
    opening.add_argument("--deal", default="", help="a name; default: deal-CONSIGNMENT")
    opening.add_argument("--mark", action="append", help=f"default: {' '.join(_MARKS)}")
    opening.add_argument("--risk-ppb", type=int, default=_RISK_PPB, help="parts per billion")
    opening.add_argument(
        "--need",
        action="append",
        help="papers_agree, title_in_custody, customs_released; default: all that can be had",
    )
    opening.set_defaults(run=_open)


def _list(options: argparse.Namespace) -> int:
    deals = rows_of(options, node_of(options))
    return say(options, deals, table([_row(each) for each in deals], _COLUMNS))


def _show(options: argparse.Namespace) -> int:
    deal = node_of(options).get(_path(options.deal))
    return say(options, deal, _words(deal))


def _give(options: argparse.Namespace) -> int:
    node = node_of(options)
    if options.elsewhere:
        sent = node.send(f"/v1/federation/deals/{quote(options.deal, safe='')}/title", None)
        sentence = f"signed and sent to {sent['recipient']}, which takes it into custody"
        return say(options, sent, sentence)
    deal = node.send(f"{_path(options.deal)}/title", None)
    return say(options, deal, f"the title lies in the custody of {deal['deal']}")


def _open(options: argparse.Namespace) -> int:
    node = node_of(options)
    deal = node.send(_PATH, _body(node, options))
    return say(options, deal, _words(deal))


def _body(node: RemoteNode, options: argparse.Namespace) -> dict[str, Any]:
    from zhidao.core.money import Money

    path = f"/v1/trade/consignments/{quote(options.consignment, safe='')}"
    entered = node.get(path)["entered"]
    title = _title(node, options.consignment)
    amount = entered["amount_minor"]
    if options.amount:
        amount = Money.parse(options.amount, entered["currency"]).minor
    offered = ["papers_agree", *(["title_in_custody"] if title else []), "customs_released"]
    needs = options.need or offered
    return {
        "deal": options.deal or f"deal-{options.consignment}"[:_NAME_LENGTH],
        "consignment": options.consignment,
        "payer": entered["importer"],
        "payee": entered["exporter"],
        "payer_bank": entered["importer_bank"],
        "payee_bank": entered["exporter_bank"],
        "amount_minor": amount,
        "currency": entered["currency"],
        **riders_of(options),
        "title": title if "title_in_custody" in needs else "",
        "conditions": {
            "marks": options.mark or list(_MARKS),
            "site": site_of(options.site, options.name),
            "not_before": options.not_before,
            "not_after": options.not_after,
            "risk_ppb": options.risk_ppb,
            "needs": needs,
        },
    }


def _title(node: RemoteNode, consignment: str) -> str:
    """The living title of a consignment that the caller sees, or ``."""
    after = ""
    while True:
        page = node.get(f"/v1/trust/titles?limit=100{f'&after={after}' if after else ''}")
        for each in page["titles"]:
            if each["consignment"] == consignment and each["active"]:
                return str(each["title"])
        after = page["after"]
        if not after:
            return ""


def _path(deal: str) -> str:
    return f"{_PATH}/{quote(deal, safe='')}"


def _row(deal: dict[str, Any]) -> dict[str, Any]:
    from zhidao.core.money import Currency, Money

    return deal | {"amount": Money(deal["amount_minor"], Currency(deal["currency"]))}


def _words(deal: dict[str, Any]) -> str:
    terms, amount = deal["terms"], _row(deal)["amount"]
    lines = [
        (
            f"{deal['deal']} ({deal['state']}): {deal['payer_bank']} holds {amount} of "
            f"{deal['payer']} for {deal['payee']} at {deal['payee_bank']}"
        ),
        (
            f"  terminal {deal['terminal']} at {terms['site']['name']}, {terms['not_before']} to "
            f"{terms['not_after']}, wrong at most {terms['risk_ppb']} in 1,000,000,000"
        ),
        f"  marks: {', '.join(terms['marks']) or 'none'}",
    ]
    for each in deal["conditions"]:
        state = "holds" if each["met"] else f"waits for {each['waits_for'] or 'nothing more'}"
        lines.append(f"  {each['name']}: {state}")
    if deal["decision"]:
        lines.append(f"  decided: {deal['decision']['sentence'] or deal['decision']['outcome']}")
    else:
        lines.append(f"  the money goes back if anything is missing after {deal['deadline']}")
    return "\n".join(lines)
