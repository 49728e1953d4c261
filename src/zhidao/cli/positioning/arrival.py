"""`zhidao arrival`: wait for a consignment at a place, change that, see what came of it."""

from __future__ import annotations

import argparse
from typing import Any, Final
from urllib.parse import quote

from zhidao.cli.console.callers import add_caller, node_of, say
from zhidao.cli.console.riders import add_riders, ridden, riders_of
from zhidao.cli.console.sites import site_of
from zhidao.cli.console.trust_folder import shown

_PATH: Final = "/v1/positioning/arrivals"
_RISK_PPB: Final = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    showing = actions.add_parser("show", help="what is awaited, and what was proven so far")
    showing.set_defaults(run=_show)
    waiting = actions.add_parser("await", help="wait for it; its importer or the importer's bank")
    add_riders(waiting)
    waiting.add_argument("--site", required=True, help="GeoJSON file, or LAT,LON,RADIUS_M")
    waiting.add_argument("--name", required=True, help="name of the site")
    waiting.add_argument("--not-before", required=True, metavar="TIME", help="UTC")
    waiting.add_argument("--not-after", required=True, metavar="TIME", help="UTC")
    waiting.add_argument("--risk-ppb", type=int, default=_RISK_PPB, help="parts per billion")
    waiting.set_defaults(run=_await)
    changing = actions.add_parser("change", help="wait in another way, until it is decided")
    add_riders(changing, required=False)
    changing.add_argument("--site", default="", help="GeoJSON file, or LAT,LON,RADIUS_M")
    changing.add_argument("--name", default="", help="name of the site")
    changing.add_argument("--not-before", default="", metavar="TIME", help="UTC")
    changing.add_argument("--not-after", default="", metavar="TIME", help="UTC")
    changing.add_argument("--risk-ppb", type=int, default=0, help="parts per billion")
    changing.set_defaults(run=_change)
    withdrawing = actions.add_parser("withdraw", help="wait no more, until it is decided")
    withdrawing.set_defaults(run=_withdraw)
    for action in (changing, withdrawing):
        action.add_argument("--reason", default="", help="why, for whoever sees the arrival")
        action.add_argument(
            "--seen-version", type=int, metavar="VERSION", help="refuse if a newer one stands"
        )
    for action in (showing, waiting, changing, withdrawing):
        action.add_argument("consignment", metavar="CONSIGNMENT")
        add_caller(action)
    parser.epilog = (
        "A deal that is opened later asks for the same place, terminal, time and risk.\n"
        "examples:\n"
        "  zhidao arrival await C-0417 --terminal BDT-0417 --site yard.geojson --name Almaty \\\n"
        "      --not-before 2026-09-20T00:00:00Z --not-after 2026-09-27T00:00:00Z \\\n"
        "      --url https://localhost:8443 --as aida\n"
        "  zhidao arrival await C-0418 --carried CSQU3054383=BDT-1 \\\n"
        "      --carried MSCU6639870=BDT-2 --site yard.geojson --name Almaty \\\n"
        "      --not-before 2026-09-20T00:00:00Z --not-after 2026-09-27T00:00:00Z\n"
        "  zhidao arrival show C-0417 --url https://localhost:8443 --as aida\n"
        "  zhidao arrival change C-0417 --not-after 2026-10-04T00:00:00Z \\\n"
        "      --reason 'the train is late' --url https://localhost:8443 --as aida\n"
        "  zhidao arrival withdraw C-0417 --url https://localhost:8443 --as aida\n"
        "status: 0 done, 1 refused, 2 bad input, 3 no answer"
    )


def _show(options: argparse.Namespace) -> int:
    found = node_of(options).get(f"{_PATH}/{quote(options.consignment, safe='')}")
    return say(options, found, _words(found))


def _await(options: argparse.Namespace) -> int:
    found = node_of(options).send(
        _PATH,
        {
            "consignment": options.consignment,
            **riders_of(options),
            "site": site_of(options.site, options.name),
            "not_before": options.not_before,
            "not_after": options.not_after,
            "risk_ppb": options.risk_ppb,
        },
    )
    return say(options, found, _words(found))


def _change(options: argparse.Namespace) -> int:
    """What an option does not name stays as it is awaited."""
    node, path = node_of(options), f"{_PATH}/{quote(options.consignment, safe='')}"
    standing = node.get(path)
    wish, containers = standing["expected"], standing["containers"]
    body = {
        **_riders(options, wish, containers),
        "site": _site(options, wish["site"]),
        "not_before": options.not_before or wish["not_before"],
        "not_after": options.not_after or wish["not_after"],
        "risk_ppb": options.risk_ppb or wish["risk_ppb"] * max(1, len(containers)),
        "seen_version": _seen(options, standing),
        "reason": options.reason,
    }
    found = node.send(f"{path}/change", body)
    return say(options, found, _words(found))


def _seen(options: argparse.Namespace, standing: dict[str, Any]) -> int:
    given: int | None = options.seen_version
    return int(standing["version"]) if given is None else given


def _site(options: argparse.Namespace, standing: dict[str, Any]) -> dict[str, Any]:
    if options.site:
        return site_of(options.site, options.name or standing["name"])
    return standing | ({"name": options.name} if options.name else {})


def _riders(
    options: argparse.Namespace, wish: dict[str, Any], containers: list[dict[str, Any]]
) -> dict[str, Any]:
    if options.terminal or options.carried:
        return riders_of(options)
    kept = [{name: each[name] for name in ("container", "terminal")} for each in containers]
    return {"terminal": "" if kept else wish["terminal"], "carried": kept}


def _withdraw(options: argparse.Namespace) -> int:
    node, path = node_of(options), f"{_PATH}/{quote(options.consignment, safe='')}"
    seen = _seen(options, node.get(path))
    found = node.send(f"{path}/withdrawal", {"seen_version": seen, "reason": options.reason})
    return say(options, found, _words(found))


def _words(found: dict[str, Any]) -> str:
    wish, containers = found["expected"], found["containers"]
    by, risk = ridden(wish["terminal"], containers), wish["risk_ppb"] * max(1, len(containers))
    lines = [
        f"{wish['consignment']}: {found['state'].replace('_', ' ')}",
        f"  {by} at {wish['site']['name']}, wrong at most {risk} ppb",
        f"  {wish['not_before']} to {wish['not_after']}",
    ]
    if containers:
        there = sum(each["state"] == "proven" for each in containers)
        lines.append(f"  {there} of {len(containers)} containers arrived")
        lines += [
            f"  {each['container']}: {each['state'].replace('_', ' ')}" for each in containers
        ]
    lines += [f"  not proven: {each['sentence']}" for each in found["not_proven"]]
    if found["proven"]:
        lines.append(f"  proven at {found['proven']['observed_at']}")
    return shown("\n".join(lines))
