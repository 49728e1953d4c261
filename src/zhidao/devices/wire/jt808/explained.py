"""Frames explained to a person: what stands in each, field by field, without a node."""

from __future__ import annotations

from collections.abc import Iterator

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.frame_view import FrameView
from zhidao.devices.wire.jt808.bodies import KINDS, read_body
from zhidao.devices.wire.jt808.frame import (
    Deframer,
    Edition,
    Frame,
    Header,
    decode_frame,
    decode_kept,
    encode_whole,
)
from zhidao.devices.wire.jt808.packets import Reassembler


def explained(data: bytes) -> list[FrameView]:
    """Each frame in these bytes, and each divided message that they complete.

    Without delimiters they are one frame, escaped or not.
    """
    return list(_explained(data))


def _explained(data: bytes) -> Iterator[FrameView]:
    whole = Reassembler()
    for raw in _frames(data):
        try:
            frame = _frame(raw)
        except MalformedInput as error:
            yield FrameView("no frame of JT/T 808", raw, wrong=str(error))
            continue
        head = frame.header
        if not head.packets_total:
            yield _told(head, frame.body, raw)
            continue
        part = f"part {head.packet_number} of {head.packets_total}: {_title(head)}"
        yield FrameView(part, raw, _about(head, len(frame.body)), body=frame.body)
        try:
            body = whole.add(frame)
        except MalformedInput as error:
            yield FrameView(_title(head), raw, _about(head, len(frame.body)), wrong=str(error))
            continue
        if body is not None:
            yield _told(head, body, encode_whole(head, body))


def _frames(data: bytes) -> list[bytes]:
    if b"\x7e" not in data:
        return [data]
    end = b"" if data.endswith(b"\x7e") else b"\x7e"
    return Deframer().feed(data + end)


def _frame(raw: bytes) -> Frame:
    """Of frames written down without escapes some hold bytes that no escaped one does."""
    try:
        return decode_frame(raw)
    except MalformedInput as escaped:
        try:
            return decode_kept(raw)
        except MalformedInput:
            raise escaped from None


def _told(head: Header, body: bytes, raw: bytes) -> FrameView:
    about = _about(head, len(body))
    if head.encryption:
        return FrameView(_title(head), raw, about, body=body, wrong="its body is encrypted")
    try:
        found = read_body(head.message_id, body, head.edition)
    except MalformedInput as error:
        return FrameView(_title(head), raw, about, body=body, wrong=str(error))
    if found.form_name:
        about = about | {"form": found.form_name}
    return FrameView(_title(head), raw, about, found.explained, body)


def _title(head: Header) -> str:
    kind = KINDS.get(head.message_id)
    return f"0x{head.message_id:04X} {kind.name if kind else 'not in the standard'}"


def _about(head: Header, body_bytes: int) -> dict[str, str | int]:
    return {
        "edition": "2019" if head.edition is Edition.E2019 else "2011 or 2013",
        "terminal": head.phone,
        "serial": head.serial,
        "body_bytes": body_bytes,
        "encryption": head.encryption,
    }
