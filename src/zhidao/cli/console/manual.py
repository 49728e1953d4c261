"""The commands as pages of a manual, read off their parsers; nothing is written twice."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.cli.console.commands import COMMANDS, parser_of

# A page is as wide as roff makes it; argparse may not break its lines.
_WIDE: Final = 10_000
_STATUS: Final = (
    ("0", "done"),
    ("1", "the answer is no: not valid, not proven, not paid, refused by a rule"),
    ("2", "bad input or usage"),
    ("3", "the outside world failed: a database, a disk, a network"),
    ("70", "a defect of this program"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """One command or action: its words, what it does, its actions, its options."""

    prog: str
    line: str
    parser: argparse.ArgumentParser
    actions: Mapping[str, str]
    options: Sequence[str]


def pages() -> Iterator[Page]:
    """All commands and their actions, the overview first. It imports every command."""
    yield _page(parser_of(""), "from raw satellite signal to settled payment")
    for name, _, line in COMMANDS:
        root = parser_of(name)
        yield from _below(dict(_named(root))[name], line)


def _below(parser: argparse.ArgumentParser, line: str) -> Iterator[Page]:
    page = _page(parser, line)
    yield page
    for name, child in _named(parser):
        yield from _below(child, page.actions[name])


def _page(parser: argparse.ArgumentParser, line: str) -> Page:
    groups = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    helps = {each.dest: str(each.help or "") for group in groups for each in group._choices_actions}
    actions = {name: helps.get(name, "") for name, _ in _named(parser)}
    options = [each for each in parser._option_string_actions if each.startswith("--")]
    return Page(parser.prog, line, parser, actions, options)


def _named(parser: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    groups = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    return [pair for group in groups for pair in group.choices.items()]


def roff(page: Page, *, version: str) -> str:
    """A page of section 1 of the manual (man(7))."""
    name = page.prog.replace(" ", "-")
    lines = [
        f'.TH "{name.upper()}" "1" "" "zhidao {version}" "Zhidao"',
        *(".SH NAME", f"{_safe(name)} \\- {_safe(page.line)}"),
        *(".SH SYNOPSIS", _safe(_usage(page.parser))),
    ]
    if page.parser.description and page.parser.description != page.line:
        lines += [".SH DESCRIPTION", _safe(page.parser.description)]
    if page.actions:
        lines += [".SH ACTIONS" if " " in page.prog else ".SH COMMANDS"]
        for action, line in page.actions.items():
            lines += [".TP", f"\\fB{_safe(action)}\\fR", _safe(line) or "\\&"]
        lines += [f"See \\fB{_safe(name)}\\-\\fIACTION\\fR(1) for each."]
    lines += [".SH OPTIONS", *_options(page.parser)]
    if page.parser.epilog:
        lines += [".SH NOTES AND EXAMPLES", ".nf", _safe(page.parser.epilog), ".fi"]
    lines += [".SH EXIT STATUS"]
    for status, meaning in _STATUS:
        lines += [".TP", f"\\fB{status}\\fR", _safe(meaning)]
    return "\n".join(lines) + "\n"


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    formatter = argparse.HelpFormatter(parser.prog, width=_WIDE)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) or action.help == argparse.SUPPRESS:
            continue
        yield ".TP"
        yield f"\\fB{_safe(formatter._format_action_invocation(action))}\\fR"
        yield _safe(formatter._expand_help(action)) if action.help else "\\&"


def _usage(parser: argparse.ArgumentParser) -> str:
    return " ".join(parser.format_usage().removeprefix("usage: ").split())


def _safe(text: str) -> str:
    """Text in which roff sees no request and no escape."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    plain = "".join(each if each < "\x7f" else f"\\[u{ord(each):04X}]" for each in escaped)
    return re.sub(r"^\.", r"\\&.", plain, flags=re.MULTILINE)
