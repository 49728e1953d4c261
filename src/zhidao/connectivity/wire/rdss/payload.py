"""What the bytes of a message may mean to a person: GB2312 text, ASCII, or one of our own forms."""

from __future__ import annotations

from zhidao.connectivity.domain.message import Form, Message
from zhidao.connectivity.wire.compact import unpack
from zhidao.connectivity.wire.datagram import is_datagram
from zhidao.connectivity.wire.message_view import datagram_line, line_of
from zhidao.core.errors import MalformedInput


def text_of(data: bytes) -> str:
    """The text of a payload, by GB 18030, which holds GB2312 and ASCII; empty if it is none.

    >>> text_of(bytes.fromhex("B9E3D6DDBAA3C1C4"))
    '广州海聊'
    """
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return text if text and all(each.isprintable() for each in text) else ""


def meaning_of(data: bytes) -> str:
    """What a payload says, in words; empty where nobody but its sender can tell."""
    try:
        if is_datagram(data):
            return datagram_line(data)
        track = unpack(data)
    except MalformedInput:
        text = text_of(data)
        return f"text: {text}" if text else ""
    simulated = ", simulated" if track.simulated else ""
    return f"compact positions{simulated}: {line_of(Message(Form.POSITIONS, data))}"
