"""What `zhidao people`, `party` and `token` share: a node asked by token or as a person."""

from __future__ import annotations

import argparse
import json
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final

from zhidao.cli.console.outputs import check_private, take, tell
from zhidao.cli.console.prompts import ask_hidden
from zhidao.cli.console.remote import RemoteNode, add_node
from zhidao.core.errors import MalformedInput
from zhidao.core.hosts.shown import escaped

_PASSWORD_BYTES_MAX: Final = 1024
# 128 bits, in characters that nobody confuses when reading them aloud.
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_LENGTH: Final = 26
# What a shell says of a program that a signal ended.
_BY_SIGNAL: Final = 128


def add_caller(parser: argparse.ArgumentParser) -> None:
    """Adds the node's address and who asks it: a token, or a person with a password."""
    add_node(parser, public=True)
    parser.add_argument("--as", dest="person", default="", metavar="NAME", help="sign in as NAME")
    parser.add_argument(
        "--password-file", type=Path, metavar="FILE", help="NAME's password, instead of a prompt"
    )


def add_question(
    parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int], epilog: str
) -> None:
    """Makes a command of one question to a node: who asks, what answers, what its help ends with.

    Options of its own are added before.
    """
    add_caller(parser)
    parser.set_defaults(run=run)
    parser.epilog = epilog


def node_of(options: argparse.Namespace) -> RemoteNode:
    """The node, asked as its options or a profile say. Raises MalformedInput for nobody."""
    if options.person and options.token_file:
        raise MalformedInput(
            "who asks? name one of --token-file FILE and --as NAME, not both",
            remedy="--as NAME signs in with a password, --token-file FILE uses a token",
        )
    node = RemoteNode(options)
    if options.person:
        signed_in(options, node, password_of(options))
    elif not node.knows_caller:
        raise MalformedInput("who asks?", code="no_caller")
    return node


def signed_in(options: argparse.Namespace, node: RemoteNode, password: str) -> None:
    """Signs in for this one command: its session ends with it (`options.sign_out`).

    Also where the command is told to end, or its terminal is closed.
    """
    before: dict[signal.Signals, Any] = {}
    with suppress(ValueError):  # Signals go to the main thread; elsewhere somebody else ends it.
        for order in (signal.SIGTERM, signal.SIGHUP):
            before[order] = signal.signal(order, _leave)

    def sign_out() -> None:
        node.sign_out()
        for order, handler in before.items():
            signal.signal(order, handler)

    options.sign_out = sign_out
    node.sign_in(options.person, password)


def _leave(order: int, _frame: FrameType | None) -> None:
    """Ends as the signal would have, but by way of all that must still be done."""
    for other in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(_BY_SIGNAL + order)


def password_of(options: argparse.Namespace) -> str:
    """The password of whoever asks, from a file or a prompt."""
    if options.password_file:
        return _kept(options.password_file)
    return ask_hidden(f"password of {options.person}", instead="--password-file FILE")


def fresh_password(name: str, file: Path | None) -> str:
    """A password that a person chose, from a file or typed twice."""
    if file:
        return _kept(file)
    instead = "--new-password-file FILE"
    first = ask_hidden(f"new password of {name}", instead=instead)
    if ask_hidden("new password once more", instead=instead) != first:
        raise MalformedInput("the two are not the same", remedy="type the new password twice")
    return first


def _kept(file: Path) -> str:
    told = take(file, bytes_max=_PASSWORD_BYTES_MAX, beside=True)
    check_private(file)
    return told.decode(errors="replace").strip()


def new_password() -> str:
    """A password that nobody chose."""
    import secrets

    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def say(options: argparse.Namespace, answer: object, sentence: str) -> int:
    """Prints the answer as JSON or as a sentence; status 0."""
    tell(json.dumps(answer, ensure_ascii=False) if options.json else sentence)
    return 0


def _cell(value: object) -> str:
    return escaped(str(value), one_line=True)


def table(rows: Sequence[Mapping[str, Any]], names: Sequence[str], nothing: str = "") -> str:
    """Rows under the names of their columns; without a row what `nothing` says, if it does."""
    if nothing and not rows:
        return nothing
    lines = [list(names), *([_cell(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
