"""Frames of real devices and of another implementation's tests give the values stated for them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.jt808.bodies import KINDS, read_body
from zhidao.devices.wire.jt808.frame import Deframer, Edition, Frame, decode_frame, escape
from zhidao.devices.wire.jt808.messages import (
    Authentication,
    PlatformAnswer,
    Registration,
    RegistrationAnswer,
    Transparent,
    Unknown,
    decode_message,
    encode_message,
)
from zhidao.devices.wire.jt808.packets import Reassembler
from zhidao.devices.wire.jt808.position import (
    STATUS_POSITIONED,
    PositionBatch,
    PositionReport,
    time_from_bcd,
)

# Of the 75 shared frames of real devices.
READ, KEPT_RAW, REFUSED, NO_FRAME = 64, 3, 7, 1


def _load(shared: Path, name: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(
        (shared / "connectivity" / "jt808" / name).read_bytes()
    )
    return items


def _line(frame: bytes) -> bytes:
    """The escaped frame: some vectors were written down after their reader had unescaped them."""
    inside = frame[1:-1]
    follows = [part[:1] for part in inside.split(b"\x7d")[1:]]
    is_plain = b"\x7e" in inside or any(byte not in (b"\x01", b"\x02") for byte in follows)
    (raw,) = Deframer().feed(b"\x7e" + (escape(inside) if is_plain else inside) + b"\x7e")
    return raw


def _check_real(case: dict[str, Any]) -> str:
    """What becomes of a frame, compared with what is told of it: read, kept raw or refused."""
    fields = case["standard_fields"]
    raw = _line(bytes.fromhex(case["frame"]))
    good = fields.get("checksum_ok") and fields.get("body_len_ok")
    if not good:
        with pytest.raises(MalformedInput):
            decode_frame(raw)
        return "refused"
    frame = decode_frame(raw)
    head = frame.header
    assert f"0x{head.message_id:04x}" == fields["msg_id"]
    assert len(frame.body) == fields["body_len"]
    assert (head.phone, head.serial) == (fields["terminal_phone"], fields["serial"])
    assert head.is_2019 == fields["version_flag"]
    assert head.encryption == fields["encrypt"]
    message = decode_message(head.message_id, frame.body, head.edition)
    if isinstance(message, PositionReport):
        _check_report(message, fields)
    if head.message_id not in KINDS or head.packets_total:
        return "kept raw"
    assert read_body(head.message_id, frame.body, head.edition).encode() == frame.body
    return "read"


def _check_report(report: PositionReport, fields: dict[str, Any]) -> None:
    assert (report.alarm, report.status) == (fields["alarm"], fields["status"])
    assert report.signed_latitude_udeg / 1e6 == pytest.approx(fields["lat"])
    assert report.signed_longitude_udeg / 1e6 == pytest.approx(fields["lon"])
    assert report.altitude_m == fields["alt_m"]
    assert report.speed_kmh == pytest.approx(fields["speed_kmh"])
    assert report.course_deg == fields["course"]
    assert bool(report.status & STATUS_POSITIONED) == fields["located"]
    whole = [(f"{item.id:02x}", item.value.hex()) for item in report.items]
    assert whole == [(i, value) for i, value, complete in fields["items"] if complete]
    if fields.get("time_gmt8"):
        assert time_from_bcd(report.time_bcd).to_datetime().isoformat()[:19] == _utc(
            fields["time_gmt8"]
        )


def _utc(text: str) -> str:
    from datetime import UTC, datetime

    return datetime.fromisoformat(text).astimezone(UTC).isoformat()[:19]


def test_real_device_frames(shared: Path):
    cases = _load(shared, "real_device_frames.json")
    failed, counted = [], Counter[str]()
    for case in cases:
        try:
            if case["standard_fields"].get("msg_id") is None:
                assert Deframer().feed(bytes.fromhex(case["frame"])) == []
                counted["no frame"] += 1
            else:
                counted[_check_real(case)] += 1
        except (AssertionError, MalformedInput, ValueError) as error:
            failed.append((case["id"], str(error)[:200]))
        except pytest.fail.Exception as error:
            failed.append((case["id"], str(error)[:200]))
    sys.stdout.write(
        json.dumps(
            {
                "suite": "jt808-real-frames",
                **counted,
                "total": len(cases),
                "failed": failed,
            }
        )
    )
    assert failed == []
    assert counted == {"read": READ, "kept raw": KEPT_RAW, "refused": REFUSED, "no frame": NO_FRAME}


def _message(case: dict[str, Any]) -> tuple[list[Frame], Any]:
    deframer = Deframer()
    frames = [
        decode_frame(raw) for text in case["frames"] for raw in deframer.feed(bytes.fromhex(text))
    ]
    whole = Reassembler()
    bodies = [body for frame in frames if (body := whole.add(frame)) is not None]
    head = frames[0].header
    if not bodies:
        # One vector's sub-packets have serials that do not follow each other.
        return frames, Unknown(head.message_id, b"")
    return frames, decode_message(head.message_id, bodies[-1], head.edition)


_RESULTS = {"succeed": 0, "success": 0, "terminal_not_database": 4}


def _value(name: str, head: Any, message: Any) -> Any:
    """What our decoder says about a field of the other implementation; KeyError if unknown."""
    simple = name.rpartition(".")[2]
    if simple == "MsgId":
        return f"0x{head.message_id:04X}"
    if name == "Header.MsgNum":
        return head.serial
    if simple == "TerminalPhoneNo":
        return int(head.phone)
    if simple == "ProtocolVersion":
        return head.protocol_version or 1
    readers = {
        Registration: {
            "AreaID": lambda m: m.province,
            "CityOrCountyId": lambda m: m.city,
            "MakerId": lambda m: int(m.maker),
            "PlateColor": lambda m: m.plate_colour,
            "PlateNo": lambda m: m.plate,
            "TerminalId": lambda m: m.terminal,
            "TerminalModel": lambda m: m.model,
        },
        Authentication: {"Code": lambda m: int(m.token)},
        PositionReport: {
            "AlarmFlag": lambda m: m.alarm,
            "StatusFlag": lambda m: m.status,
            "Lat": lambda m: m.latitude_udeg,
            "Lng": lambda m: m.longitude_udeg,
            "Speed": lambda m: m.speed_tenth_kmh,
            "Mileage": lambda m: int.from_bytes(m.item(1), "big"),
            "Oil": lambda m: int.from_bytes(m.item(2), "big"),
        },
        Transparent: {
            "PassthroughType": lambda m: m.kind,
            "PassthroughContent": lambda m: m.content.decode("gbk"),
        },
        PlatformAnswer: {
            "AckMsgId": lambda m: f"0x{m.message_id:04X}",
            "MsgNum": lambda m: m.serial,
            "JT808PlatformResult": lambda m: m.result,
        },
        RegistrationAnswer: {
            "AckMsgNum": lambda m: m.serial,
            "Code": lambda m: m.token,
            "JT808TerminalRegisterResult": lambda m: m.result,
        },
    }
    return readers[type(message)][simple](message)


def test_standard_messages(shared: Path):
    cases = _load(shared, "standard_messages.json")
    failed, compared, read, refused, kept_raw, whole = [], 0, 0, 0, 0, 0
    for case in cases:
        try:
            frames, message = _message(case)
            told = _read_whole(frames)
            whole += told
            kept_raw += not told
        except MalformedInput as error:
            refused += 1
            if all(case["checksum_ok"]) and error.code != "bad_length":
                failed.append((case["id"], str(error)))
            continue
        if isinstance(message, Unknown):
            continue
        read += 1
        head = frames[0].header
        for name, expected in case["expected"].items():
            try:
                ours = _value(name, head, message)
            except KeyError:
                continue
            compared += 1
            wanted = _RESULTS.get(expected, expected) if isinstance(expected, str) else expected
            if ours != wanted:
                failed.append((case["id"], f"{name}: {ours!r} is not {expected!r}"))
        edition = head.edition
        if isinstance(message, Registration) and not head.is_2019 and len(frames[0].body) < 37:
            edition = Edition.E2011
        if b"".join(f.body for f in frames) != encode_message(message, edition):
            failed.append((case["id"], "encode(decode(x)) differs"))
    sys.stdout.write(
        json.dumps(
            {
                "suite": "jt808-standard-messages",
                "read": whole,
                "read_by_sessions": read,
                "fields_compared": compared,
                "kept_raw": kept_raw,
                "refused": refused,
                "total": len(cases),
                "failed": failed,
            }
        )
    )
    assert failed == []
    assert (read, compared) >= (10, 60)
    assert (whole, kept_raw, refused) == (23, 2, 8)


def _read_whole(frames: list[Frame]) -> bool:
    """Whether the message is read into values and written back byte by byte."""
    head = frames[0].header
    if head.message_id not in KINDS:
        return False
    body = b"".join(frame.body for frame in frames)
    try:
        found = read_body(head.message_id, body, head.edition)
    except MalformedInput:
        return False  # Parts of which others are not among the vectors.
    return found.encode() == body and not found.rest


def test_a_batch_of_a_real_device_is_read_and_written_back(shared: Path):
    batches = [
        c
        for c in _load(shared, "real_device_frames.json")
        if c["standard_fields"].get("msg_id") == "0x0704"
    ]
    for case in batches:
        frame = decode_frame(_line(bytes.fromhex(case["frame"])))
        batch = decode_message(0x0704, frame.body, frame.header.edition)
        assert isinstance(batch, PositionBatch)
        assert encode_message(batch, frame.header.edition) == frame.body
