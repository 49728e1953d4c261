"""The line to a unit, over a real pseudo-terminal and a real socket; the outbox on a real disk."""

from __future__ import annotations

import json
import os
import socket
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.connectivity.unit_twin import Air, Twin, Wires

from zhidao.connectivity.adapters import outbox_file, unit_line
from zhidao.connectivity.adapters.unit_line import open_line
from zhidao.connectivity.domain.message import Form, Message
from zhidao.connectivity.service.inbox import Inbox
from zhidao.connectivity.service.outbox import WAITING_MAX, Outbox
from zhidao.connectivity.service.terminal_session import (
    Acknowledged,
    Arrived,
    TerminalSession,
)
from zhidao.core.errors import MalformedInput, Unavailable

TO = "0179773"


@pytest.fixture
def wires() -> Iterator[Wires]:
    served = Wires(Air())
    yield served
    served.close()


@pytest.mark.parametrize("kind", ["pty", "tcp"])
@pytest.mark.parametrize("old", [True, False], ids=["2.1", "BDS-3"])
def test_a_message_and_its_acknowledgement_over_real_lines(wires: Wires, kind: str, old) -> None:
    """A lorry and a station, each a session on a line of its own; 300 bytes go in pieces."""
    lorry, station = Twin("4207733", 1, old=old), Twin(TO, 1)
    devices = [getattr(wires, kind)(each) for each in (lorry, station)]
    ends = [TerminalSession(Outbox(), Inbox()) for _ in devices]
    here, there = (open_line(device, speed=115_200) for device in devices)
    with here, there:
        said = Message(Form.TEXT, b"t" * 150)
        told: list[object] = []
        until_s = time.monotonic() + 40
        while time.monotonic() < until_s and not any(isinstance(x, Acknowledged) for x in told):
            for session, line in ((ends[0], here), (ends[1], there)):
                out, more = session.tick(time.monotonic())
                told += more
                line.write(out)
                data = line.read(0.02)
                told += session.feed(data, time.monotonic()) if data else ()
            card = ends[0].card
            if card and not ends[0].outbox.waiting and not lorry.sent_at:
                ends[0].outbox.add(said, receiver=TO, room=card.room, now_s=time.monotonic())
    assert [each.message for each in told if isinstance(each, Arrived)] == [said]
    assert any(isinstance(each, Acknowledged) for each in told)
    assert (lorry.faults, station.faults) == ([], [])
    assert len(lorry.sent_at) >= 3
    gaps = [b - a for a, b in zip(lorry.sent_at, lorry.sent_at[1:], strict=False)]
    assert min(gaps) >= 1


def test_a_serial_port_is_raw_with_eight_bits_at_its_speed() -> None:
    ours, theirs = os.openpty()
    with open_line(os.ttyname(theirs), speed=9600) as line:
        attributes = termios.tcgetattr(theirs)
        assert attributes[4] == attributes[5] == termios.B9600
        assert attributes[2] & termios.CSIZE == termios.CS8
        assert not attributes[3] & (termios.ECHO | termios.ICANON)
        line.write(b"$CCICA,0,00*7B\r\n")
        assert os.read(ours, 100) == b"$CCICA,0,00*7B\r\n"
        os.write(ours, b"\x00\x03\x11\xff")
        assert line.read(1) == b"\x00\x03\x11\xff", "no letter of the line means anything"
        assert line.read(0.01) == b""
        os.close(ours)
        with pytest.raises(Unavailable, match="is gone"):
            line.read(1)
    os.close(theirs)


def test_a_socket_whose_other_end_goes_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with open_line(f"tcp://127.0.0.1:{port}", speed=0) as line:
            link, _ = server.accept()
            link.sendall(b"$BDDEF,OK*69\r\n")
            assert line.read(5) == b"$BDDEF,OK*69\r\n"
            link.close()
            with pytest.raises(Unavailable, match="it ended"):
                line.read(5)
    with pytest.raises(Unavailable, match="nobody answers"):
        open_line(f"tcp://127.0.0.1:{port}", speed=0)


def test_a_unit_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_line, "WRITE_S", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        open_line(f"tcp://127.0.0.1:{server.getsockname()[1]}", speed=0) as line,
    ):
        link, _ = server.accept()
        with link, pytest.raises(Unavailable, match="takes nothing"):
            line.write(b"x" * 50_000_000)


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("tcp://host", "not the address"),
        ("tcp://host:0", "not the address"),
        ("tcp://host:65536", "not the address"),
        ("tcp://user@host:1", "not the address"),
        ("http://host:1", "not the address"),
        ("/dev/null", "is no serial port"),
        ("/dev/ttyMISSING", "no serial port /dev/ttyMISSING"),
    ],
)
def test_what_is_no_unit_is_told(device: str, said: str) -> None:
    with pytest.raises(MalformedInput, match=said):
        open_line(device, speed=115_200)


def test_a_file_a_pipe_and_a_speed_that_is_none_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    for name in ("file", "pipe"):
        with pytest.raises(MalformedInput, match="is no serial port"):
            open_line(str(tmp_path / name), speed=115_200)
    with pytest.raises(MalformedInput, match="speed of 12345"):
        open_line("/dev/null", speed=12_345)


# --- the outbox on disk -------------------------------------------------------------------------
def test_an_outbox_outlives_the_program(tmp_path: Path) -> None:
    file = tmp_path / "unit.json"
    outbox = Outbox()
    outbox.add(Message(Form.ALARM, b"cut"), receiver=TO, room=78, now_s=5.0)
    outbox.add(Message(Form.TEXT, b"t" * 300), receiver=TO, room=78, now_s=6.0)
    outbox.waiting[1].tries, outbox.waiting[1].index, outbox.waiting[1].sent_s = 3, 3, 90.0
    outbox_file.save(file, outbox, next_send_s=77.5)
    again, next_s = outbox_file.load(file, now_s=80.0)
    assert next_s == 77.5
    assert [each.message for each in again.waiting] == [each.message for each in outbox.waiting]
    assert (again.waiting[1].index, again.waiting[1].sent_s) == (3, 80.0)
    assert file.stat().st_mode & 0o077 == 0
    assert outbox_file.load(tmp_path / "none.json", now_s=0.0)[0].waiting == ()


def test_two_programs_do_not_send_from_one_outbox(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "unit.json"
    with (
        outbox_file.held(file),
        pytest.raises(Unavailable, match="another program"),
        outbox_file.held(file),
    ):
        pytest.fail("held twice")
    with outbox_file.held(file):
        pass


GOOD = {
    "form": 2,
    "receiver": TO,
    "body": "00",
    "queued_s": 0.0,
    "acknowledged": True,
    "tries": 0,
    "sent_s": 0.0,
    "index": 0,
}


@pytest.mark.parametrize(
    "rows",
    [
        [GOOD | {"form": 9}],
        [GOOD | {"body": "0"}],
        [GOOD | {"body": ""}],
        [GOOD | {"receiver": "CARD"}],
        [GOOD | {"index": 256}],
        [GOOD | {"tries": -1}],
        [GOOD | {"more": 1}],
        [{}],
        [GOOD] * (WAITING_MAX + 1),
    ],
)
def test_a_spoiled_outbox_is_told_and_not_sent(rows: list[object], tmp_path: Path) -> None:
    file = tmp_path / "unit.json"
    file.write_text(json.dumps({"v": 1, "next_send_s": 0.0, "waiting": rows}))
    with pytest.raises(MalformedInput) as caught:
        outbox_file.load(file, now_s=0.0)
    assert caught.value.code == "outbox_spoiled"
    assert str(file) in str(caught.value)
    file.write_text(json.dumps({"v": 2, "next_send_s": 0.0, "waiting": [GOOD]}))
    with pytest.raises(MalformedInput, match="version is 2"):
        outbox_file.load(file, now_s=0.0)
    file.write_text(json.dumps({"v": 1, "next_send_s": 0.0, "waiting": [GOOD]}))
    assert len(outbox_file.load(file, now_s=0.0)[0].waiting) == 1


@pytest.mark.bound("connectivity.adapters.outbox_file.OUTBOX_BYTES_MAX")
def test_an_outbox_of_so_many_bytes_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "unit.json"
    text = json.dumps({"v": 1, "next_send_s": 0.0, "waiting": []})
    monkeypatch.setattr(outbox_file, "OUTBOX_BYTES_MAX", 100)
    file.write_text(text.ljust(100))
    outbox_file.load(file, now_s=0.0)
    file.write_text(text.ljust(101))
    with pytest.raises(MalformedInput, match="100"):
        outbox_file.load(file, now_s=0.0)
