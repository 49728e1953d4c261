"""`zhidao devices decode` tells a person what a device sent, and says so where it cannot."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from tests.devices.egts_unit import packet as egts_packet
from tests.devices.egts_unit import position as egts_position
from tests.devices.egts_unit import record as egts_record
from tests.devices.egts_unit import satellites

from zhidao.cli.devices.frames import HEX_DIGITS_MAX
from zhidao.cli.main import main
from zhidao.devices.wire.jt808.bodies import write_body
from zhidao.devices.wire.jt808.frame import Edition, Frame, Header
from zhidao.devices.wire.jt808.messages import Transparent
from zhidao.devices.wire.jt808.packets import frames_of

PLACE = {
    "alarm": 1,
    "status": 0x80003,
    "latitude": 43_354_000,
    "longitude": 77_012_000,
    "altitude": 640,
    "speed": 605,
    "course": 90,
    "time": "261124160000",
}
ITEMS = [{"id": 0x01, "value": (12_345).to_bytes(4, "big")}, {"id": 0xEB, "value": b"\1"}]


def frame(number: int, body: bytes, **header: int) -> str:
    head = Header(number, "013800138000", 7, Edition.E2013, 0, **header)
    return Frame(head, body).encode().hex()


def position() -> str:
    return frame(0x0200, write_body(0x0200, {**PLACE, "items": ITEMS}, Edition.E2013))


def test_a_position_is_told_field_by_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "decode", position()]) == 0
    told = capsys.readouterr().out
    for words in (
        "0x0200 position",
        "terminal 013800138000",
        "emergency (SOS)",
        "ignition on, positioned, by BeiDou",
        "43.354 degrees",
        "60.5 km/h",
        "2026-11-24 16:00:00 at GMT+8",
        "odometer 1234.5 km",
        "a maker's own",
    ):
        assert words in told, words


def test_the_same_as_json_holds_every_byte_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "decode", "--json", position()]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["read"]
    body = "".join(each["hex"] for each in told["fields"])
    assert body in position()
    assert len(body) // 2 == told["header"]["body_bytes"]
    assert told["fields"][2] == {
        "byte": 8,
        "hex": "02958790",
        "name": "latitude",
        "value": 43_354_000,
        "meaning": "43.354 degrees",
    }


@pytest.mark.parametrize("form", ["blanks", "prefixed", "standard input", "without delimiters"])
def test_frames_are_taken_as_people_copy_them(
    form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = frame(0x0002, b"")
    words = [raw]
    match form:
        case "blanks":
            words = [raw[i : i + 2].upper() for i in range(0, len(raw), 2)]
        case "prefixed":
            words = ["0x" + raw]
        case "standard input":
            monkeypatch.setattr("sys.stdin", io.StringIO(f"{raw}\n{raw}\n"))
            words = ["-"]
        case _:
            words = [raw[2:-2]]
    assert main(["devices", "decode", *words]) == 0
    assert "0x0002 heartbeat" in capsys.readouterr().out


def test_parts_are_put_together(capsys: pytest.CaptureFixture[str]) -> None:
    parts = frames_of(
        Transparent(0x41, bytes(1_500)), phone="013800138000", edition=Edition.E2013, serial=1
    )
    words = [each.encode().hex() for each in parts]
    assert main(["devices", "decode", *words]) == 0
    told = capsys.readouterr().out
    assert "part 2 of 2" in told
    assert "serial port 1" in told
    assert main(["devices", "decode", words[1]]) == 0
    assert "serial port 1" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (frame(0x0F01, b"\1\2"), "none of the 71 messages"),
        (frame(0x0200, b"\1\2"), "missing their last"),
        (frame(0x0200, b"\1", encryption=1), "encrypted"),
        (frame(0x0002, b"")[:-4] + "ff7e", "checksum is 0xFF"),
        (frame(0x0900, b"")[:-4] + "007e", "checksum"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_bytes(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["devices", "decode", words]) == 1
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("words", [["7E7E"], ["xyz"], ["7E0"], [""]])
def test_what_is_no_frame_is_bad_input(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["devices", "decode", *words]) == 2
    assert capsys.readouterr().err


@pytest.mark.bound("cli.devices.frames.HEX_DIGITS_MAX")
def test_so_much_is_taken_and_no_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = frame(0x0002, b"")
    text = raw + " " * (HEX_DIGITS_MAX - len(raw))
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(["devices", "decode", "-"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(text + " "))
    assert main(["devices", "decode", "-"]) == 2
    assert "more than" in capsys.readouterr().err


def test_packets_of_egts_are_told_by_every_byte(
    capsys: pytest.CaptureFixture[str], shared: Path
) -> None:
    """Those of real units: nothing is said to be unreadable, and each byte stands in one field."""
    text = (shared / "connectivity" / "traccar" / "egts.jsonl").read_text()
    rows = [json.loads(line)["frame_hex"] for line in text.splitlines()]
    assert main(["devices", "decode", "--json", *rows]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told) == len(rows)
    for each, raw in zip(told, rows, strict=True):
        body = "".join(field["hex"] for field in each["fields"])
        assert (each["read"], each["raw"], body) == (True, raw, raw[22:-4])


def test_a_position_of_egts_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    where = egts_record(egts_position(1_795_521_600), satellites(9), oid=295_855)
    assert main(["devices", "decode", egts_packet(where).hex()]) == 0
    told = capsys.readouterr().out
    for words in (
        "EGTS data",
        "295855 (the unit that it is about)",
        "2 (telematic data)",
        "POS_DATA.latitude",
        "43.200000 degrees",
        "60.5 km/h",
        "2026-11-24T12:00:00Z",
        "valid, in 3D, WGS 84, moving",
        "EXT_POS_DATA.satellites",
    ):
        assert words in told, words


def test_a_packet_of_egts_with_a_wrong_checksum_is_said_to_be_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    raw = egts_packet(egts_record(egts_position(1_795_521_600)))
    for wrong, words in ((raw[:-1] + b"\0", "CRC-16"), (raw[:10] + b"\0" + raw[11:], "CRC-8")):
        assert main(["devices", "decode", wrong.hex()]) == 1
        assert words in capsys.readouterr().out
