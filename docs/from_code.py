"""Reference tables made from the code itself, each time the documentation is built.

A page asks for one by a line `<!-- from code: NAME -->`; `conf.py` puts the Markdown there before
the page is parsed. So a setting, fact, command, route or error code cannot exist undocumented.
"""

from __future__ import annotations

import argparse
import ast
import configparser
import html
import inspect
import json
import logging
import os
import pkgutil
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent))

import state_machines

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCE: Final = ROOT / "src" / "zhidao"
MARKER: Final = re.compile(r"^<!-- from code: ([a-z-]+) -->$", re.MULTILINE)
_HELP_COLUMNS: Final = "88"

# Bounds worth knowing from outside: module, name, what it bounds. The value is read from the code.
_LIMITS: Final = (
    ("core.limits", "JSON_BYTES_MAX", "bytes of one JSON document"),
    ("core.limits", "JSON_DEPTH_MAX", "levels of nesting in JSON"),
    ("core.limits", "JSON_INTEGER_MAX", "the largest integer in JSON (RFC 7493)"),
    ("trust.domain.credential", "CONTEXTS_MAX", "contexts of one credential"),
    ("trust.domain.credential", "TYPES_MAX", "types of one credential, and of one node in it"),
    ("trust.domain.credential", "NODES_MAX", "objects in one credential"),
    ("node.http.connections", "HANDSHAKE_S", "seconds for a TLS handshake"),
    ("core.judging", "CREDENTIAL_CPU_S", "seconds of processor for judging a credential"),
    ("core.judging", "DOCUMENT_CPU_S", "seconds of processor for reading another document"),
    ("core.judging", "JUDGE_MEMORY_BYTES", "bytes of memory for either"),
    ("node.runtime.workers", "HEAVY_CPU_S", "seconds of processor for a recording"),
    ("node.runtime.workers", "HEAVY_MEMORY_BYTES", "bytes of memory for a recording"),
    ("node.runtime.workers", "EACH_MAX", "documents of one caller that wait to be judged"),
    ("node.runtime.workers", "WAITING_MAX", "documents of all that wait to be judged"),
    ("node.security.idempotency", "KEY_CHARACTERS_MAX", "characters of an idempotency key"),
    ("node.security.idempotency", "KEYS_PER_CALLER_MAX", "idempotency keys of one caller in a day"),
    ("node.security.idempotency", "KEPT_HOURS", "hours for which an idempotency key stands"),
    ("node.security.idempotency", "ANSWER_BYTES_MAX", "bytes of an answer that is given again"),
    ("core.limits", "AMOUNT_MINOR_MAX", "the largest amount, in minor units"),
    ("core.events", "EVENT_BYTES_MAX", "bytes of one signed event"),
    ("devices.wire.chunk", "PAYLOAD_BYTES_MAX", "bytes of payload in one signed chunk"),
    ("devices.wire.chunk", "CHUNKS_MAX", "chunks of one window"),
    ("devices.wire.chunk", "WINDOW_BYTES_MAX", "bytes of one window as sent"),
    ("devices.wire.jt808.frame", "BODY_BYTES_MAX", "bytes of one JT/T 808 body"),
    ("devices.wire.jt808.packets", "PACKETS_MAX", "sub-packets of one JT/T 808 message"),
    ("devices.service.windows", "NONCE_LIFETIME_S", "seconds that a nonce for a window lives"),
    ("positioning.service.evaluation", "WINDOW_BYTES_MAX", "bytes of an expanded window"),
    ("positioning.service.navigation", "NAVIGATION_BODY_BYTES_MAX", "bytes of a navigation upload"),
    (
        "positioning.wire.rinex.navigation",
        "NAVIGATION_BYTES_MAX",
        "bytes of an expanded navigation file",
    ),
    ("positioning.wire.compression", "PLAIN_BYTES_MAX", "bytes of an expanded RINEX file"),
    (
        "connectivity.wire.rdss.frame",
        "SENTENCE_CHARACTERS_MAX",
        "characters of a short-message sentence",
    ),
    ("connectivity.wire.compact", "POINTS_MAX", "positions in one compact short message"),
    ("connectivity.domain.crosscheck", "AGE_S_MAX", "seconds between fix and network location"),
    ("connectivity.adapters.open5gs", "PAGES_MAX", "pages of one list of a core"),
    ("connectivity.wire.network_tables", "SERVED_CELLS_MAX", "cells of one table of sites"),
    ("connectivity.wire.network_tables", "SIMS_MAX", "SIMs about which networks are asked"),
    ("connectivity.service.questions", "QUESTIONS_MAX", "questions about SIMs on one page"),
    ("connectivity.service.track_checks", "ASKED_FIXES_MAX", "fixes of a way compared at once"),
    ("connectivity.domain.track_mark", "FIXES_MAX", "fixes of a way compared without a node"),
    ("connectivity.domain.radio.reception", "CELLS_MAX", "cells of one judgement of coverage"),
    ("connectivity.wire.route_files", "ROUTE_POINTS_MAX", "places of one route"),
    ("connectivity.domain.radio.route_line", "SAMPLES_MAX", "samples of one route"),
    ("rules.safe_xml", "XML_BYTES_MAX", "bytes of one XML document"),
    ("rules.safe_xml", "XML_DEPTH_MAX", "levels of nesting in XML"),
    ("rules.safe_xml", "XML_NODES_MAX", "nodes of one XML document"),
    ("trade.wire.fields", "PAPER_BYTES_MAX", "bytes of one paper in JSON"),
    ("trade.wire.entry", "LINES_MAX", "lines of goods in one entry"),
    ("exchange.domain.limits", "WAITING_MAX", "documents of one party that wait for its peers"),
    ("finance.domain.ledger.ledger", "TRANSFERS_MAX", "transfers in one ledger batch"),
    (
        "finance.domain.deals.deal",
        "ARRIVAL_GRACE_S",
        "seconds after `not_after` for a window to come in",
    ),
    ("finance.domain.deals.deal", "REST_GRACE_S", "seconds after that for all other conditions"),
    ("trust.wire.proof_file.zdproof", "PROOF_BYTES_MAX", "bytes of one proof file"),
    ("trust.wire.proof_file.zdproof", "EVENTS_MAX", "events in one proof file"),
    ("trust.wire.proof_file.zdproof", "BLOBS_MAX", "enclosed files in one proof file"),
    ("trust.wire.governance.trust_list", "TRUST_BYTES_MAX", "bytes of one trust list"),
    ("trust.wire.log.tiles", "ENTRY_BYTES_MAX", "bytes of one leaf of the log"),
    (
        "trust.wire.evm.transaction",
        "TRANSACTION_BYTES_MAX",
        "bytes of one signed chain transaction",
    ),
    ("exchange.domain.limits", "CONTENT_BYTES_MAX", "bytes of one exchanged document"),
    ("exchange.domain.limits", "BUNDLE_BYTES_MAX", "bytes of one bundle in a request"),
    ("exchange.domain.limits", "AHEAD_MAX", "documents that may be ahead of a missing one"),
    ("exchange.domain.retry_policy", "GIVE_UP_S", "seconds until an undelivered document is dead"),
    ("node.http.bodies", "OPEN_BODY_BYTES_MAX", "bytes of a request body on a route for strangers"),
    (
        "node.http.bodies",
        "BODY_S",
        "seconds for a request body, and one more for each so many bytes:",
    ),
    ("node.http.bodies", "BODY_BYTES_PER_S_MIN", "bytes that win a slow body another second"),
    ("node.http.timeouts", "HEAD_S", "seconds for a request line and its headers"),
    ("node.http.timeouts", "HEAD_BYTES_MAX", "bytes of a request line and its headers"),
    ("node.security.gate", "SESSION_SECONDS", "seconds that a browser session lives"),
    ("node.security.gate", "CODE_SECONDS", "seconds that a one-time code lives"),
    (
        "node.security.sign_in_delays",
        "TRIES_FREE",
        "wrong passwords of one place before it must wait",
    ),
    ("node.security.sign_in_delays", "WAIT_S_MAX", "seconds that it waits at most"),
    ("node.security.people", "PASSWORD_CHARACTERS_MIN", "characters of a password, at least"),
    ("store.space", "RESERVE_BYTES", "free bytes below which the node raises `disk_full`"),
    ("bus.delivery", "FAILURES_MAX", "failures before an event becomes a dead letter"),
)


# --- settings ---------------------------------------------------------------------------------


def settings() -> str:
    """Every setting with its environment variable, default and purpose."""
    from zhidao.node.config import SETTINGS

    rows = [
        (
            f"`{each.name}`",
            f"`{each.variable}`",
            f"`{_toml(each.default)}`",
            each.text + (" (never shown in full)" if each.secret else ""),
        )
        for each in SETTINGS
    ]
    return _table(("Setting", "Environment", "Default", "What it is for"), rows)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


# --- facts ------------------------------------------------------------------------------------


def facts() -> list[type[Any]]:
    """Every Fact class of every room, in order of its TYPE."""
    from zhidao.core.events import Fact

    for room in rooms():
        if any((SOURCE / room / face).exists() for face in ("events.py", "events/__init__.py")):
            import_module(f"zhidao.{room}.events")
    found = [fact for fact in Fact.__subclasses__() if fact.__module__.startswith("zhidao.")]
    return sorted(found, key=lambda fact: fact.TYPE)


def events() -> str:
    """Every fact by room: what it says, how it is logged, its fields."""
    by_room: dict[str, list[type[Any]]] = defaultdict(list)
    for fact in facts():
        by_room[fact.TYPE.partition(".")[0]].append(fact)
    parts = []
    for room, kinds in by_room.items():
        parts.append(f"## {room}\n")
        for fact in kinds:
            leaf = "published whole" if fact.OPEN else "a salted commitment"
            parts.append(f"### {fact.TYPE}\n")
            parts.append(f"{_prose(inspect.getdoc(fact) or '')}\n")
            parts.append(f"Leaf in the log: {leaf}.\n")
            rows = [
                (f"`{name}`", f"`{_type_text(kind)}`")
                for name, kind in fact.__annotations__.items()
                if "ClassVar" not in str(kind)
            ]
            parts.append(_table(("Field", "Type"), rows))
    return "\n".join(parts)


def _prose(text: str) -> str:
    # In our docstrings `` alone means an empty text; Markdown reads it as the start of code.
    return text.replace("(``", '(`""`').replace("or ``", 'or `""`').replace("`` ", '`""` ')


def _type_text(kind: object) -> str:
    return kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))


# --- commands ---------------------------------------------------------------------------------


def commands() -> str:
    """The help of every command and of its actions, as argparse prints it."""
    from zhidao.cli.main import COMMANDS

    parts = ["```text", _help(_root_parser("")).rstrip(), "```\n"]
    for name, _, line in COMMANDS:
        parts.append(f"## zhidao {name}\n")
        parser = command_parser(name)
        if parser is None:
            parts.append(f"Planned: {line}. This version names the command but cannot run it.\n")
            continue
        parts += ["```text", _help(parser).rstrip(), "```\n"]
        for action, child in sorted(subparsers(parser).items()):
            parts += [f"### zhidao {name} {action}\n", "```text", _help(child).rstrip(), "```\n"]
    return "\n".join(parts)


def command_parser(name: str) -> argparse.ArgumentParser | None:
    """The parser of a command with its options; None if this version only names it."""
    try:
        parser = _root_parser(name)
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("zhidao.cli."):
            return None
        raise
    return subparsers(parser)[name]


def subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers below a parser, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _root_parser(chosen: str) -> argparse.ArgumentParser:
    from zhidao.cli.console.commands import parser_of

    return parser_of(chosen)


def _help(parser: argparse.ArgumentParser) -> str:
    with _environment(COLUMNS=_HELP_COLUMNS, NO_COLOR="1"):
        return parser.format_help()


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


# --- HTTP -------------------------------------------------------------------------------------


@cache
def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document of a node, built from the routes without running one."""
    from litestar.testing import TestClient

    logging.getLogger("httpx").setLevel(logging.WARNING)
    with TestClient(_application()) as client:
        document: dict[str, Any] = client.get("/schema/openapi.json").json()
    return document


def _application() -> Any:
    # The handlers are never called here, so the services that they would use are left out.
    from zhidao.node import api
    from zhidao.node.api.application import application

    handlers = []
    for module in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
        routes = getattr(import_module(module.name), "routes", None)
        if routes is not None:
            wanted = inspect.signature(routes).parameters.values()
            missing = [p for p in wanted if p.default is p.empty]
            handlers.append(routes(*_positional(missing), **_keyword(missing)))
    wanted = inspect.signature(application).parameters.values()
    whole: Any = application(handlers, **_keyword([p for p in wanted if p.default is p.empty]))
    return whole._app._app


def _positional(missing: list[inspect.Parameter]) -> list[None]:
    return [None for p in missing if p.kind is not p.KEYWORD_ONLY]


def _keyword(missing: list[inspect.Parameter]) -> dict[str, Any]:
    authenticator = SimpleNamespace(meet=None, actor=None, accept=None)
    stand_ins = {"demo": True, "int": 1, "authenticator": authenticator}
    return {
        p.name: stand_ins.get(p.name, stand_ins.get(str(p.annotation)))
        for p in missing
        if p.kind is p.KEYWORD_ONLY
    }


def routes() -> str:
    """Every route by its room: method, path, what it does, which roles and relation may ask."""
    app = _application()
    said = {
        (route.path_format, method.lower()): inspect.getdoc(handler.fn) or ""
        for route in app.routes
        for method, (handler, _) in route.route_handler_map.items()
    }
    by_tag: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for path, item in sorted(openapi()["paths"].items()):
        for method, operation in item.items():
            if not isinstance(operation, dict) or "operationId" not in operation:
                continue
            line = said.get((path, method), "").partition("\n\n")[0]
            allowed = _allowed(operation["x-zhidao-access"])
            tag = (operation.get("tags") or ["node"])[0]
            by_tag[tag].append((f"`{method.upper()} {path}`", line, *allowed))
    parts = []
    for tag, rows in sorted(by_tag.items()):
        parts += [
            f"## {tag}\n",
            _table(("Route", "What it does", "Roles", "Relation to the object"), rows),
        ]
    return "\n".join(parts)


def _allowed(told: dict[str, Any]) -> tuple[str, str]:
    """Roles and relation of an operation, as it declares them."""
    of = f" of {told['of']}" if "of" in told else ""
    return ", ".join(told["roles"]) or "anybody", f"{told['relation']}{of}"


# --- errors -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kind:
    """A class of refusals as its source states it; None where the base class decides."""

    base: str
    http: int | None
    status: int | None
    code: str | None


def errors() -> str:
    """Every code of a refusal: HTTP and exit status, rooms, the message's beginning, what to do."""
    from zhidao.core.remedies import remedy_of_code

    kinds = _error_kinds()
    rows: dict[tuple[str, int, int], tuple[set[str], str, str]] = {}
    for kind in kinds.values():
        if kind.code:
            key = (kind.code, *_statuses(kind, kinds))
            rows.setdefault(key, (set(), "", ""))
    for path in sorted(SOURCE.rglob("*.py")):
        for code, name, message, remedy in _refusals(ast.parse(path.read_text()), set(kinds)):
            key = (code, *_statuses(kinds[name], kinds))
            found = rows.setdefault(key, (set(), message, remedy))
            found[0].add(_room_of(path))
    return _table(
        ("Code", "HTTP", "Exit", "Rooms", "For example", "What to do"),
        [
            (
                *(f"`{code}`", str(http), str(status), ", ".join(sorted(where)) or "any"),
                *(message, remedy_of_code(code) or remedy),
            )
            for (code, http, status), (where, message, remedy) in sorted(rows.items())
        ],
    )


def _error_kinds() -> dict[str, _Kind]:
    known: dict[str, _Kind] = {"ZhidaoError": _Kind("", 400, 2, "error")}
    classes = [
        node
        for path in SOURCE.rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and node.bases and isinstance(node.bases[0], ast.Name)
    ]
    grown = True
    while grown:
        grown = False
        for node in classes:
            base = node.bases[0]
            assert isinstance(base, ast.Name)
            if node.name not in known and base.id in known:
                known[node.name] = _Kind(
                    base.id,
                    _attribute(node, "http_status"),
                    _attribute(node, "exit_status"),
                    _attribute(node, "default_code"),
                )
                grown = True
    return known


def _attribute(node: ast.ClassDef, name: str) -> Any:
    for statement in node.body:
        targets = (
            statement.targets
            if isinstance(statement, ast.Assign)
            else [statement.target]
            if isinstance(statement, ast.AnnAssign)
            else []
        )
        if any(isinstance(t, ast.Name) and t.id == name for t in targets):
            value = getattr(statement, "value", None)
            if isinstance(value, ast.Constant):
                return value.value
    return None


def _statuses(kind: _Kind, kinds: dict[str, _Kind]) -> tuple[int, int]:
    http, status, base = kind.http, kind.status, kind.base
    while http is None or status is None:
        above = kinds[base]
        http = above.http if http is None else http
        status = above.status if status is None else status
        base = above.base
    return http, status


def _refusals(tree: ast.AST, names: set[str]) -> Iterator[tuple[str, str, str, str]]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id not in names:
            continue
        for keyword in node.keywords:
            if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                message = _literal(node.args[0]) if node.args else ""
                own = [_literal(each.value) for each in node.keywords if each.arg == "remedy"]
                yield str(keyword.value.value), node.func.id, message, "".join(own)


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values
        )
    return ""


# --- the house --------------------------------------------------------------------------------


def rooms() -> list[str]:
    """Names of all rooms, lowest floor first."""
    return [room for floor in reversed(floors()) for room in floor]


def floors() -> list[list[str]]:
    """The floors, highest first, as the import linter enforces them."""
    linter = configparser.ConfigParser()
    linter.read(ROOT / ".importlinter")
    layers = linter["importlinter:contract:rooms"]["layers"].split("\n")
    return [[room.strip() for room in layer.split("|")] for layer in layers if layer.strip()]


def arrows() -> str:
    """Which room imports which, read from the imports in the source."""
    known = set(rooms())
    seen: dict[str, set[str]] = {room: set() for room in rooms()}
    for path in SOURCE.rglob("*.py"):
        room = _room_of(path)
        if room in known:
            tree = ast.parse(path.read_text())
            names = {
                node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
            }
            below = {name.split(".")[1] for name in names if name.startswith("zhidao.")}
            seen[room] |= (below & known) - {room}
    order = rooms()
    rows = [
        (f"`{room}`", ", ".join(f"`{other}`" for other in sorted(below, key=order.index)) or "-")
        for room, below in reversed(seen.items())
    ]
    return _table(("Room", "Imports from"), rows)


def house() -> str:
    """A picture of the floors as inline SVG that follows the page's colours."""
    rows = floors()
    width, height, gap, left = 720, 46, 8, 34
    box_of_all = f'viewBox="0 0 {width} {len(rows) * (height + gap)}"'
    title = "<title>The rooms by floor; imports run down</title>"
    svg = f'<svg class="house" role="img" {box_of_all} xmlns="http://www.w3.org/2000/svg">'
    out = [svg + title]
    for index, floor in enumerate(rows):
        y = index * (height + gap)
        out.append(f'<text class="floor" x="4" y="{y + 29}">{len(rows) - index}</text>')
        box = (width - left - gap * (len(floor) - 1)) / len(floor)
        for at, room in enumerate(floor):
            x = left + at * (box + gap)
            out.append(
                f'<rect x="{x:.0f}" y="{y + 1}" width="{box - 1:.0f}" height="{height}" rx="4"/>'
                f'<text x="{x + box / 2:.0f}" y="{y + 29}" text-anchor="middle">'
                f"{html.escape(room)}</text>"
            )
    out.append("</svg>")
    return "".join(out) + "\n"


def _room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


# --- limits and figures -----------------------------------------------------------------------


def limits() -> str:
    """Bounds on input with their values as the code holds them."""
    rows = []
    for module, name, text in _LIMITS:
        value = getattr(import_module(f"zhidao.{module}"), name)
        rows.append((text, f"{value:,}", f"`{module}.{name}`"))
    return _table(("Bound", "Value", "Where it stands"), rows)


def tables() -> str:
    """How each table grows: by what it is spread, beside what, and by which time it ages."""
    from zhidao.store.families import FAMILIES

    rows = [
        (
            f"`{each.table}`",
            each.kind,
            *(each.key, each.group, each.time),
            "a day" if each.days else "",
            each.retention,
        )
        for each in FAMILIES
    ]
    return _table(("Table", "Kind", "Key", "Group", "Time", "Partition", "Retention"), rows)


def metrics() -> str:
    """What `/metrics` tells."""
    from zhidao.node.operations.metrics import Metrics

    families = list(Metrics()._registry.collect())
    return _table(
        ("Name", "Kind", "What it counts"),
        [(f"`{family.name}`", family.type, family.documentation) for family in families],
    )


def trade_files() -> str:
    """The forms of file that people write: who takes each, an example, and its JSON Schema."""
    from zhidao.cli.trade.example import FORMS, example_of

    parts = []
    for kind, form in FORMS.items():
        schema = json.dumps(form.schema(), ensure_ascii=False, indent=1)
        parts += [
            f"### {kind}",
            f"{form.about[:1].upper()}{form.about[1:]}, for `{form.command}`.",
            f"```json\n{example_of(kind).decode().strip()}\n```",
            f"Its JSON Schema:\n\n```json\n{schema}\n```",
        ]
    return "\n\n".join(parts) + "\n"


# --- Markdown ---------------------------------------------------------------------------------


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(text) for text in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    plain = " ".join(text.split()).replace("|", "\\|")
    return plain if plain.startswith("`") else plain.replace("<", "&lt;")


TABLES: Final[dict[str, Callable[[], str]]] = {
    "settings": settings,
    "events": events,
    "commands": commands,
    "routes": routes,
    "errors": errors,
    "arrows": arrows,
    "house": house,
    "limits": limits,
    "metrics": metrics,
    "tables": tables,
    "trade-files": trade_files,
    **state_machines.TABLES,
}


def filled(text: str) -> str:
    """A page's source with each marker replaced by its table. Raises KeyError for another name."""
    return MARKER.sub(lambda match: TABLES[match[1]](), text)
