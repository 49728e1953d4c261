"""`zhidao devices`: what a device sent, field by field, without a node."""

from __future__ import annotations

import argparse
import json
import re
import sys
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.outputs import tell
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.devices.wire.frame_view import Explained, FrameView

_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z")
_WIDE: Final = 40  # Characters of a value in hexadecimal; longer ones are cut.
# Of one call: a day's log of one terminal.
HEX_DIGITS_MAX: Final = 4 * 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    decoding = actions.add_parser("decode", help="explain frames field by field, without a node")
    decoding.add_argument(
        "frames",
        nargs="+",
        metavar="HEX",
        help="frames in hexadecimal, with blanks or without; - reads them from standard input",
    )
    decoding.add_argument("--json", action="store_true", help="answer in JSON")
    decoding.set_defaults(run=_decode)
    parser.epilog = (
        "All 71 messages of JT/T 808 (2011, 2013, 2019) are explained; parts of a divided message\n"
        "are put together if all are given. Of Teltonika (codecs 8, 8 Extended, 16, and texts\n"
        "in 12 to 14) one greeting, frame or datagram is told, of EGTS every packet and what its\n"
        "records say. Nothing is sent anywhere.\n"
        "examples:\n"
        "  zhidao devices decode 7E000200000138001380000001AB7E\n"
        "  zhidao devices decode 0100000B0003006C430004010000ACFB\n"
        "  zhidao devices decode - < frames.hex\n"
        "status: 0 all read, 1 some not read, 2 no frame at all"
    )


def _decode(options: argparse.Namespace) -> int:
    data = _bytes_of(options.frames)
    told = _explained(data)
    if not told:
        raise MalformedInput(
            "no frame between delimiters (7E)", remedy="give the bytes from 7E to 7E"
        )
    if options.json:
        tell(json.dumps([_as_json(each) for each in told], ensure_ascii=False, indent=1))
    else:
        tell("\n\n".join(_in_words(each) for each in told))
    return 1 if any(each.wrong for each in told) else 0


def _explained(data: bytes) -> list[FrameView]:
    """By the protocol whose frames begin so; a checksum that is right tells more than a shape."""
    from zhidao.devices.wire.egts import views as egts
    from zhidao.devices.wire.jt808 import explained as jt808
    from zhidao.devices.wire.teltonika import explained as teltonika

    if egts.has_egts_header(data):
        return egts.explained(data)
    if teltonika.is_of_teltonika(data):
        return teltonika.explained(data)
    return egts.explained(data) if egts.resembles_egts(data) else jt808.explained(data)


def _bytes_of(words: list[str]) -> bytes:
    text = sys.stdin.read(HEX_DIGITS_MAX + 1) if words == ["-"] else " ".join(words)
    if len(text) > HEX_DIGITS_MAX:
        raise MalformedInput(f"more than {HEX_DIGITS_MAX} characters", remedy="give fewer frames")
    digits = re.sub(r"0[xX]|[\s,:-]", "", text)
    if not _HEX.match(digits):
        raise MalformedInput(
            f"not hexadecimal: {text.strip()[:40]!r}", remedy="two digits for each byte"
        )
    return bytes.fromhex(digits)


def _in_words(each: FrameView) -> str:
    lines = [each.title]
    if each.about:
        lines.append("  " + ", ".join(f"{name} {value}" for name, value in each.about.items()))
    lines += _aligned([_row(each, field) for field in each.fields])
    if each.wrong:
        lines.append(f"  not read: {each.wrong}")
    if each.wrong and each.body:
        lines.append(f"  body {each.body.hex()}")
    return "\n".join(lines)


def _row(each: FrameView, field: Explained) -> tuple[str, str, str, str]:
    raw = each.body[field.start : field.end].hex() or "-"
    cut = raw if len(raw) <= _WIDE else raw[: _WIDE - 3] + "..."
    value = _shown(field.value)
    told = f"{value} ({field.meaning})" if field.meaning and value else value or field.meaning
    return str(field.start), cut, field.name, told


def _aligned(rows: list[tuple[str, str, str, str]]) -> list[str]:
    start, raw, name = (max((len(row[at]) for row in rows), default=0) for at in range(3))
    return [
        f"  {row[0]:>{start}}  {row[1]:<{raw}}  {row[2]:<{name}}  {row[3]}".rstrip() for row in rows
    ]


def _shown(value: Any) -> str:
    return "" if isinstance(value, bytes) else str(value)


def _as_json(each: FrameView) -> dict[str, Any]:
    return {
        "title": each.title,
        "header": each.about,
        "fields": [
            {
                "byte": field.start,
                "hex": each.body[field.start : field.end].hex(),
                "name": field.name,
                "value": field.value.hex() if isinstance(field.value, bytes) else field.value,
                "meaning": field.meaning,
            }
            for field in each.fields
        ],
        "read": not each.wrong,
        "wrong": each.wrong,
        "raw": each.raw.hex(),
    }
