"""What a message says: as data for programs, as a line for people."""

from __future__ import annotations

from typing import Any

from zhidao.connectivity.domain.message import Form, Message
from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.wire.compact import unpack
from zhidao.connectivity.wire.datagram import Names, Piece, decode
from zhidao.connectivity.wire.notices import unpack_notices
from zhidao.connectivity.wire.texts import unpack_text
from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import NS, Utc


def said(message: Message) -> dict[str, Any]:
    """The content by its form; `hex` where it is none that can be read."""
    try:
        return _SAID[message.form](message.body)
    except MalformedInput as error:
        return {"hex": message.body.hex(), "unread": str(error.args[0])}


def line_of(message: Message) -> str:
    """The content in one line."""
    content = said(message)
    if "text" in content:
        return str(content["text"])
    if "notices" in content:
        return "; ".join(_notice_line(each) for each in content["notices"])
    if "points" in content:
        first, last = content["points"][0], content["points"][-1]
        ends = (f"{each['at']} at {each['place']}" for each in (first, last))
        return f"{len(content['points'])} positions: " + " to ".join(ends)
    return str(content["hex"])


def datagram_line(data: bytes) -> str:
    """The records of a datagram in one line. Raises MalformedInput."""
    lines = []
    for record in decode(data):
        match record:
            case Message():
                lines.append(f"{record.form.name.lower()} {record.name.hex()}: {line_of(record)}")
            case Piece():
                lines.append(
                    f"piece {record.index + 1} (any {record.count} make {record.size} bytes) of"
                    f" {record.form.name.lower()} {record.name.hex()}"
                )
            case Names(names):
                lines.append("acknowledged: " + ", ".join(name.hex() for name in names))
    return " | ".join(lines)


def _plain(body: bytes) -> dict[str, Any]:
    try:
        return _positions(body)
    except MalformedInput:
        try:
            text = body.decode("gb18030")
        except UnicodeDecodeError:
            text = ""
        return {"text": text} if text and text.isprintable() else {"hex": body.hex()}


def _positions(body: bytes) -> dict[str, Any]:
    track = unpack(body)
    return {"points": [_point(each) for each in track.points], "simulated": track.simulated}


def _notices(body: bytes) -> dict[str, Any]:
    notices, simulated = unpack_notices(body)
    rows = [
        {"kind": each.kind.name.lower(), **_point(each.point)}
        | ({} if each.temperature_dc is None else {"temperature_c": each.temperature_dc / 10})
        for each in notices
    ]
    return {"notices": rows, "simulated": simulated}


def _text(body: bytes) -> dict[str, Any]:
    text, unix_s = unpack_text(body)
    return {"text": text, "at": str(Utc.from_unix_ns(unix_s * NS))}


def _point(point: Point) -> dict[str, Any]:
    return {
        "at": str(point.observed_at),
        "place": f"{point.latitude_e5 / 1e5:.5f},{point.longitude_e5 / 1e5:.5f}",
    }


def _notice_line(each: dict[str, Any]) -> str:
    temperature = f", {each['temperature_c']} degrees Celsius" if "temperature_c" in each else ""
    return f"{each['kind'].replace('_', ' ')} {each['at']} at {each['place']}{temperature}"


_SAID = {
    Form.PLAIN: _plain,
    Form.POSITIONS: _positions,
    Form.ALARM: _notices,
    Form.GATE: _notices,
    Form.TEXT: _text,
    Form.ORDER: _text,
}
