"""`zhidao industry`: capture EPCIS events, follow things, weigh lots, judge a link."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from zhidao.cli.console.callers import add_caller, node_of, say, table
from zhidao.cli.console.outputs import taken_as
from zhidao.cli.industry import recall
from zhidao.core.errors import MalformedInput

_DOCUMENT_BYTES_MAX: Final = 20 * 1024 * 1024
# A tree of more lines helps nobody; --json has all of them.
_LINES: Final = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    tracing = actions.add_parser("trace", help="where a thing went, or what it came from")
    tracing.add_argument("thing", metavar="THING", help="EPC, Digital Link or other identifier")
    tracing.add_argument("--back", action="store_true", help="to its origin instead of onward")
    tracing.add_argument("--at", default="", metavar="TIME", help="what it was in at that instant")
    tracing.set_defaults(run=_trace)
    capturing = actions.add_parser("capture", help="say that the events of a document happened")
    capturing.add_argument("file", type=Path, metavar="FILE", help="EPCIS 2.0 document in JSON")
    capturing.add_argument(
        "--reader", action="append", default=[], metavar="PARTY", help="who sees the events as well"
    )
    capturing.set_defaults(run=_capture)
    asking = actions.add_parser("events", help="events by the parameters of SimpleEventQuery")
    asking.add_argument(
        "query", nargs="*", metavar="NAME=VALUE", help="such as MATCH_anyEPC=urn:epc:id:sscc:..."
    )
    asking.set_defaults(run=_events)
    weighing = actions.add_parser("balance", help="what went into a lot and what was taken of it")
    weighing.add_argument("lot", metavar="LOT", help="EPC class, Digital Link or other identifier")
    weighing.set_defaults(run=_balance)
    for action in (tracing, capturing, asking, weighing):
        add_caller(action)
    recalling = actions.add_parser("recall", help="call a lot back, see who holds it, end it")
    recall.add_arguments(recalling)
    judging = actions.add_parser("link", help="judge a GS1 Digital Link; needs no node")
    judging.add_argument("link", metavar="LINK", help="https://host/01/...")
    judging.add_argument("--json", action="store_true", help="as JSON")
    judging.set_defaults(run=_link)
    hashing = actions.add_parser("hash", help="CBV hashes of a document's events; needs no node")
    hashing.add_argument("file", type=Path, metavar="FILE", help="EPCIS 2.0 document in JSON")
    hashing.add_argument("--json", action="store_true", help="as JSON")
    hashing.set_defaults(run=_hash)
    parser.epilog = (
        "A trace tells what the events say that you may see, and where nobody told you more.\n"
        "examples:\n"
        "  zhidao industry capture events.json --reader importer --url https://localhost:8443\n"
        "  zhidao industry events eventType=AggregationEvent perPage=100 --json\n"
        "  zhidao industry trace https://id.gs1.org/01/09506000134352/10/L-1\n"
        "  zhidao industry trace urn:epc:id:sscc:4012345.3111111111 --back --json\n"
        "  zhidao industry balance https://id.gs1.org/01/09506000134352/10/L-1\n"
        "  zhidao industry recall open --lot https://id.gs1.org/01/09506000134352/10/L-1 --drill\n"
        "  zhidao industry link https://id.gs1.org/01/09506000134352/21/7\n"
        "  zhidao industry hash events.json\n"
        "status: 0 done, 1 refused, 2 bad input, 3 no answer"
    )


def _trace(options: argparse.Namespace) -> int:
    asked = {"thing": options.thing, "direction": "backward" if options.back else "forward"}
    if options.at:
        asked["at"] = options.at
    told = node_of(options).get(f"/v1/epcis/trace?{urlencode(asked)}")
    return say(options, told, "\n".join(_told(told)))


def _told(told: dict[str, Any]) -> list[str]:
    made = "came from" if told["direction"] == "backward" else "made of it"
    figures = f"{made}: {told['made']}; carried: {told['carried']}; beside it: {told['beside']}"
    return [told["thing"], f"  {figures}", *_steps(told["steps"]), *_ends(told)]


def _steps(steps: list[dict[str, Any]]) -> list[str]:
    led = [step for step in steps if step["before"]]
    lines = [
        f"  {step['before']} -> {step['thing']} ({step['role']}, says {step['by']})"
        for step in led[:_LINES]
    ]
    if len(led) > _LINES:
        lines.append(f"  ... {len(led) - _LINES} more steps; --json has all")
    return lines


def _ends(told: dict[str, Any]) -> list[str]:
    reasons = Counter(end["why"] for end in told["ends"])
    ends = ", ".join(f"{why} {count}" for why, count in sorted(reasons.items()))
    return [
        f"  branches end: {ends or 'nowhere'}",
        f"  {'complete' if told['complete'] else 'NOT COMPLETE: somebody knows more'}",
        *(f"  a circle: {' -> '.join(cycle)}" for cycle in told["cycles"]),
        *(
            f"  a contradiction: {thing} in {one} and in {other} at once"
            for thing, one, _, other, _ in told["contradictions"]
        ),
        *_imbalances(told),
    ]


def _imbalances(told: dict[str, Any]) -> list[str]:
    return [
        f"  MORE TAKEN THAN WENT IN: {each['lot']}, says {each['by']}: in {each['put_in']},"
        f" out {each['taken_out']}, scrap {each['scrapped']}{_stock(each)}"
        f" {each['unit'] or 'pieces'};\n    in by {each['said_in']}"
        f"\n    over by {each['said_over']}"
        for each in told["imbalances"]
    ]


def _stock(each: dict[str, Any]) -> str:
    return f", stock {each['stock']}" if each["stock"] else ""


def _balance(options: argparse.Namespace) -> int:
    told = node_of(options).get(f"/v1/epcis/balance?{urlencode({'lot': options.lot})}")
    rows = [
        each
        | {
            "says": each["by"],
            "unit": each["unit"] or "pieces",
            "in": each["put_in"],
            "out": each["taken_out"],
            "scrap": each["scrapped"],
        }
        for each in told
    ]
    over = _imbalances({"imbalances": [each for each in told if not each["holds"]]})
    shown = table(rows, ("says", "unit", "in", "out", "scrap", "stock"))
    say(options, told, "\n".join([shown, *over]))
    return 1 if over else 0


def _capture(options: argparse.Namespace) -> int:
    from zhidao.core.canonical import parse_strict
    from zhidao.industry.library.identifiers import checked_document

    data = taken_as(checked_document, options.file, bytes_max=_DOCUMENT_BYTES_MAX)
    readers = f"?readers={quote(','.join(options.reader))}" if options.reader else ""
    answer = node_of(options).upload(f"/v1/epcis/capture{readers}", data, "application/json")
    told = parse_strict(answer)
    aside = f"; {len(told['aside'])} kept aside" if told["aside"] else ""
    done = f"captured {len(told['events'])} events as {told['job']}{aside}"
    return say(options, told, "\n".join([done, *_imbalances(told)]))


def _events(options: argparse.Namespace) -> int:
    asked = []
    for text in options.query:
        name, equals, value = text.partition("=")
        if not equals:
            raise MalformedInput(
                f"{text[:60]!r} is no parameter",
                where="NAME=VALUE",
                remedy="write such as eventType=ObjectEvent",
            )
        asked.append((name, value))
    told = node_of(options).get(f"/v1/epcis/events?{urlencode(asked)}")
    events = told["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    rows = [
        {
            "time": event["eventTime"],
            "type": event["type"],
            "step": event.get("bizStep", "").rpartition("-")[2],
            "says": event["zhidao:assertedBy"],
        }
        for event in events
    ]
    return say(options, told, table(rows, ("time", "type", "step", "says")))


def _link(options: argparse.Namespace) -> int:
    from zhidao.industry.library.identifiers import judged_link

    told = judged_link(options.link)
    return say(options, told, told["canonical"])


def _hash(options: argparse.Namespace) -> int:
    from zhidao.industry.library.identifiers import event_names

    names = taken_as(event_names, options.file, bytes_max=_DOCUMENT_BYTES_MAX)
    return say(options, names, "\n".join(names))
