"""`zhidao shortmessage decode`: sentences of a BeiDou unit field by field, without a node."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.outputs import take, tell
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.connectivity.wire.rdss.explained import FieldView, SentenceView

# Of one call: some days of one unit's log.
LOG_BYTES_MAX: Final = 4 * 1024 * 1024
_BARE: Final = re.compile(r"[A-Z]{5},[^$]*\*[0-9A-Fa-f]{2}\s*\Z")
# A sentence whose `$NAME` the shell took for a variable.
_EATEN: Final = re.compile(r",[^/]*\*[0-9A-Fa-f]{2}\s*\Z")


def add_actions(actions: Any) -> None:
    """Adds `decode` to the actions of `zhidao shortmessage`."""
    decoding = actions.add_parser(
        "decode", help="explain sentences of a unit field by field, without a node"
    )
    decoding.add_argument(
        "sentences",
        nargs="+",
        metavar="TEXT|FILE",
        help="sentences from $ to the checksum, or files of them; - reads standard input",
    )
    decoding.add_argument("--json", action="store_true", help="answer in JSON")
    decoding.set_defaults(run=_decode)


def _decode(options: argparse.Namespace) -> int:
    from zhidao.connectivity.wire.rdss.explained import explain

    views = [explain(line) for word in options.sentences for line in _lines(word)]
    if not views:
        raise MalformedInput(
            "no sentence, which would begin with $", remedy="give a sentence, or a file of them"
        )
    if options.json:
        tell(json.dumps([_as_json(each) for each in views], ensure_ascii=False, indent=1))
    else:
        tell("\n\n".join(_in_words(each) for each in views))
    return 1 if any(each.wrong for each in views) else 0


def _lines(word: str) -> Iterator[str]:
    """The sentences of one argument."""
    from zhidao.connectivity.wire.rdss.frame import SentenceReader

    if word.lstrip().startswith("$"):
        yield word.strip()
        return
    if _BARE.match(word.strip()):
        yield f"${word.strip()}"
        return
    reader = SentenceReader()
    yield from reader.feed(_bytes_of(word) + b"\n")
    if reader.dropped:
        print(f"{word}: {reader.dropped} bytes were no sentence", file=sys.stderr)


def _bytes_of(word: str) -> bytes:
    if word == "-":
        data = sys.stdin.buffer.read(LOG_BYTES_MAX + 1)
        if len(data) > LOG_BYTES_MAX:
            raise MalformedInput(
                f"standard input has more than {LOG_BYTES_MAX} bytes", remedy="give a part of it"
            )
        return data
    if _EATEN.match(word):
        raise MalformedInput(
            f"a sentence without its beginning: {word[:40]!r}",
            remedy="write it in single quotes: the shell took $NAME for a variable",
        )
    return take(Path(word), bytes_max=LOG_BYTES_MAX)


def _in_words(each: SentenceView) -> str:
    about = ", ".join(filter(None, (each.protocol, each.direction)))
    lines = [f"{each.name} {each.title}".strip() + (f" ({about})" if about else "")]
    rows = [
        (row.name, f"{row.value} {row.unit}".strip() or "-", row.meaning) for row in each.fields
    ]
    name, value = (min(40, max((len(row[at]) for row in rows), default=0)) for at in range(2))
    lines += [f"  {row[0]:<{name}}  {row[1]:<{value}}  {row[2]}".rstrip() for row in rows]
    if each.wrong:
        lines.append(f"  not read: {each.wrong}")
        if not each.fields:
            lines.append(f"  {each.raw}")
    elif not each.understood:
        lines.append("  the checksum is right; what this sentence means is not known here")
    return "\n".join(lines)


def _as_json(each: SentenceView) -> dict[str, Any]:
    return {
        "sentence": each.raw,
        "name": each.name,
        "title": each.title,
        "protocol": each.protocol,
        "direction": each.direction,
        "fields": [_field(row) for row in each.fields],
        "read": not each.wrong,
        "understood": each.understood and not each.wrong,
        "wrong": each.wrong,
        "code": each.code,
    }


def _field(row: FieldView) -> dict[str, str]:
    return {"name": row.name, "value": row.value, "unit": row.unit, "meaning": row.meaning}
