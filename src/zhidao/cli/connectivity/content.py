"""What `zhidao shortmessage send` is told to say, as a message."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.outputs import take
from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from zhidao.connectivity.domain.message import Message
    from zhidao.connectivity.domain.observation import Point

POSITIONS_BYTES_MAX: Final = 16 * 1024
_PLACE: Final = re.compile(r"\s*(-?[0-9]{1,3}(?:\.[0-9]+)?)\s*,\s*(-?[0-9]{1,3}(?:\.[0-9]+)?)\s*\Z")


def message_of(options: argparse.Namespace, *, unix_s: int) -> Message | None:
    """The message, or None if nothing is to be said but what waits. Raises MalformedInput."""
    from zhidao.connectivity.domain.message import Form, Message

    _check(options)
    if options.positions:
        return Message(Form.POSITIONS, _positions(options.positions, simulated=options.simulated))
    if options.alarm or options.gate:
        form = Form.ALARM if options.alarm else Form.GATE
        return Message(form, _notice(options, unix_s))
    if not options.text:
        return None
    if options.plain:
        return Message(Form.PLAIN, _plain(options.text))
    from zhidao.connectivity.wire.texts import pack_text

    form = Form.ORDER if options.order else Form.TEXT
    return Message(form, pack_text(options.text, unix_s=unix_s))


def _check(options: argparse.Namespace) -> None:
    notice = options.alarm or options.gate
    worded = options.plain or options.order
    if (options.positions or notice) and options.text:
        raise MalformedInput(
            f"TEXT goes with none of --alarm, --gate and --positions: {options.text[:20]!r}",
            remedy="leave out TEXT, or send it apart",
        )
    if worded and not options.text:
        raise MalformedInput("--plain and --order want a TEXT", remedy="add what to say")
    if notice and not options.place:
        raise MalformedInput("--alarm and --gate want a --place", remedy="add --place LAT,LON")


def _plain(text: str) -> bytes:
    try:
        return text.encode("gb2312")
    except UnicodeEncodeError as error:
        raise MalformedInput(
            f"a plain message is GB2312, which has no {text[error.start]!r}",
            remedy="write it without, or send it without --plain to a zhidao station",
        ) from error


def _notice(options: argparse.Namespace, unix_s: int) -> bytes:
    from zhidao.connectivity.domain.notice import Kind, Notice
    from zhidao.connectivity.wire.notices import pack_notices
    from zhidao.core.timescale import Utc

    names = {kind.name.lower(): kind for kind in Kind if kind.is_alarm}
    kind = {"in": Kind.GATE_IN, "out": Kind.GATE_OUT}.get(options.gate or "")
    kind = kind if kind is not None else names.get(options.alarm)
    if kind is None:
        raise MalformedInput(
            f"no alarm is {options.alarm[:20]!r}", remedy=f"one of {', '.join(names)}"
        )
    at = Utc.parse(options.at) if options.at else Utc.from_unix_ns(unix_s * 1_000_000_000)
    point = _point(options.place, at)
    return pack_notices(
        [Notice(kind, point, _tenths(options.temperature))], simulated=options.simulated
    )


def _tenths(celsius: float | None) -> int | None:
    if celsius is None:
        return None
    if not math.isfinite(celsius):
        raise MalformedInput("--temperature is no number", remedy="give degrees Celsius")
    return round(celsius * 10)


def _point(place: str, at: object) -> Point:
    from zhidao.connectivity.domain.observation import Point
    from zhidao.core.timescale import Utc

    match = _PLACE.match(place)
    if not match:
        raise MalformedInput(
            f"no place: {place[:40]!r}", remedy="latitude and longitude, such as 43.35,77.04"
        )
    assert isinstance(at, Utc)
    degrees = (round(float(each) * 1_000_000_000) for each in match.groups())
    latitude_ndeg, longitude_ndeg = degrees
    return Point.on_grid(at=at, latitude_ndeg=latitude_ndeg, longitude_ndeg=longitude_ndeg)


def _positions(file: Path, *, simulated: bool) -> bytes:
    from zhidao.connectivity.wire.compact import Track, pack
    from zhidao.core.timescale import Utc

    points = []
    text = take(file, bytes_max=POSITIONS_BYTES_MAX).decode("ascii", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        moment, _, place = line.partition(",")
        try:
            points.append(_point(place, Utc.parse(moment.strip())))
        except MalformedInput as error:
            raise MalformedInput(
                f"{file}:{number}: {error.args[0]}",
                remedy="write lines such as 2026-11-30T08:00:00Z,43.35,77.04",
            ) from error
    return pack(Track(tuple(sorted(points, key=lambda each: each.unix_s)), simulated))
