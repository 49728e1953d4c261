"""`zhidao shortmessage send`, `listen` and `outbox` by twins of units on real lines."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.connectivity.unit_twin import Air, Twin, Wires

from zhidao.cli.connectivity import content, unit
from zhidao.cli.main import main
from zhidao.connectivity.adapters import outbox_file
from zhidao.connectivity.wire.datagram import DATAGRAM_BYTES_MAX

LORRY, STATION = "4207733", "0179773"


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system gives the name of a pseudo-terminal again: what waited there is another test's."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def air() -> Air:
    return Air()


@pytest.fixture
def wires(air: Air) -> Iterator[Wires]:
    served = Wires(air)
    yield served
    served.close()


def program(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "zhidao.cli", "shortmessage", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("kind", ["pty", "tcp"])
def test_an_alarm_goes_from_unit_to_unit_and_is_acknowledged(
    kind: str, wires: Wires, capsys: pytest.CaptureFixture[str]
) -> None:
    lorry, station = Twin(LORRY, 1), Twin(STATION, 1, old=False)
    device, other = getattr(wires, kind)(lorry), getattr(wires, kind)(station)
    listening = program("listen", "--device", other, "--json", "--count", "1", "--wait", "50")
    try:
        words = f"send --device {device} --to {STATION} --alarm seal_cut --place 43.35,77.04"
        more = "--at 2026-11-30T08:00:00Z --temperature -18.5 --simulated --wait 25 --json"
        assert main(["shortmessage", *words.split(), *more.split()]) == 0
        told = json.loads(capsys.readouterr().out)
        out, err = listening.communicate(timeout=60)
    finally:
        listening.kill()
    assert told["acknowledged"], err
    arrived = json.loads(out)
    assert (arrived["sender"], arrived["form"], arrived["name"]) == (LORRY, "alarm", told["name"])
    assert arrived["content"]["notices"] == [
        {
            "kind": "seal_cut",
            "at": "2026-11-30T08:00:00Z",
            "place": "43.35000,77.04000",
            "temperature_c": -18.5,
        }
    ]
    assert arrived["content"]["simulated"]
    assert (lorry.faults, station.faults) == ([], [])


def test_what_is_not_acknowledged_waits_and_the_next_run_keeps_the_interval(
    wires: Wires, air: Air, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Two programs, one after the other, on a card of 4 s: the strict twin finds no fault."""
    lorry = Twin(LORRY, 4)
    device, outbox = wires.pty(lorry), tmp_path / "unit.json"
    words = f"send --device {device} --outbox {outbox}".split()
    said = ["seal is on", "--to", "179773", "--wait", "2"]
    assert main(["shortmessage", *words, *said]) == 3
    assert "not acknowledged after 2 s" in capsys.readouterr().err
    assert main(["shortmessage", "outbox", "--device", device, "--outbox", str(outbox)]) == 0
    assert "text to 0179773, sent 1 times: seal is on" in capsys.readouterr().out
    assert main(["shortmessage", *words, "again", "--to", STATION, "--wait", "7"]) == 3
    assert len(lorry.sent_at) == 2
    assert lorry.sent_at[1] - lorry.sent_at[0] >= 4
    assert lorry.faults == []
    owed = ["shortmessage", "outbox", "--device", device, "--outbox", str(outbox)]
    capsys.readouterr()
    assert main([*owed, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert sorted(row["content"]["text"] for row in rows) == ["again", "seal is on"]
    for row in rows:
        assert main([*owed, "--remove", row["name"]]) == 0
    assert main([*owed, "--remove", rows[0]["name"]]) == 2
    capsys.readouterr()
    assert main(["shortmessage", *words, "--wait", "5"]) == 0
    assert "nothing waits" in capsys.readouterr().out


def test_who_is_killed_while_sending_keeps_message_and_interval(
    wires: Wires, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lorry = Twin(LORRY, 3, silent=1.0)
    device, outbox = wires.pty(lorry), tmp_path / "unit.json"
    words = ["send", "--device", device, "--outbox", str(outbox)]
    sending = program(*words, "killed", "--to", STATION, "--wait", "60")
    until_s = time.monotonic() + 30
    while not lorry.sent_at and time.monotonic() < until_s:
        time.sleep(0.02)
    sending.send_signal(signal.SIGKILL)
    sending.communicate(timeout=10)
    assert lorry.sent_at
    kept, next_s = outbox_file.load(outbox, now_s=time.time())
    assert len(kept.waiting) == 1
    assert next_s >= time.time() + 3
    assert main(["shortmessage", *words, "--wait", "3"]) == 3
    assert len(lorry.sent_at) == 1
    assert lorry.faults == []


def test_a_plain_message_is_any_units_text(
    wires: Wires, air: Air, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[bytes] = []
    lorry = Twin(LORRY, 1)
    device = wires.pty(lorry)
    lorry.air = lambda _sender, _receiver, data: heard.append(data)
    words = f"send 北斗到了 --plain --device {device} --to {STATION} --wait 20".split()
    assert main(["shortmessage", *words]) == 0
    assert heard == ["北斗到了".encode("gb2312")]
    assert "nobody acknowledges it" in capsys.readouterr().out
    words[1] = "字" * 40
    assert main(["shortmessage", *words]) == 1
    assert "77 of text at once" in capsys.readouterr().err
    assert lorry.faults == []


def test_a_unit_without_a_card_or_without_a_word_is_told(
    wires: Wires, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit, "_CARD_S", 1.0)
    for twin, said in ((Twin("0000000", 0), "has no card"), (Twin("1", 1), "does not tell")):
        device = wires.pty(twin)
        if twin.card == "1":
            twin.take = lambda data, now: b""  # type: ignore[method-assign]
        words = f"send hello --device {device} --to {STATION} --wait 5".split()
        assert main(["shortmessage", *words]) == 3
        assert said in capsys.readouterr().err


def test_positions_go_in_one_message(
    wires: Wires, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    track = tmp_path / "track.csv"
    lines = [f"2026-11-30T08:{n:02}:00Z,{43.35 + n / 1000:.5f},77.04" for n in range(30)]
    track.write_text("\n".join(lines))
    lorry, station = Twin(LORRY, 1), Twin(STATION, 1)
    device, other = wires.pty(lorry), wires.pty(station)
    listening = program("listen", "--device", other, "--json", "--count", "1", "--wait", "50")
    try:
        words = f"send --device {device} --to {STATION} --positions {track} --wait 25".split()
        assert main(["shortmessage", *words]) == 0
        out, _ = listening.communicate(timeout=60)
    finally:
        listening.kill()
    points = json.loads(out)["content"]["points"]
    assert len(points) == 30
    assert points[29] == {"at": "2026-11-30T08:29:00Z", "place": "43.37900,77.04000"}
    track.write_text("2026-11-30T08:00:00Z,43.35,77.04\nnoon,43.35,77.04\n")
    assert main(["shortmessage", *words]) == 2
    assert "track.csv:2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("hello --to CARD", "--to wants the receiver's card"),
        ("hello", "--to wants the receiver's card"),
        ("hello --to 1 --alarm sos --place 1,2", "TEXT goes with none"),
        ("--to 1 --alarm sos", "want a --place"),
        ("--to 1 --alarm fire --place 1,2", "no alarm is 'fire'"),
        ("--to 1 --gate in --place here", "no place"),
        ("--to 1 --gate in --place 91,0", "no such place"),
        ("--to 1 --gate in --place 1,2 --temperature nan", "is no number"),
        ("--to 1 --gate in --place 1,2 --temperature 900", "2046"),
        ("--to 1 --plain", "want a TEXT"),
        ("😀 --to 1 --plain", "GB2312"),
        ("hello --to 1 --bytes 19", "a card sends 20 to 1750"),
    ],
)
def test_what_cannot_be_said_is_told_before_anything_is_sent(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["shortmessage", "send", "--device", "/dev/null", *words.split()]
    assert main(given) == 2
    assert said in capsys.readouterr().err


@pytest.mark.bound("cli.connectivity.unit.SECONDS_MAX")
@pytest.mark.bound("cli.connectivity.content.POSITIONS_BYTES_MAX")
def test_numbers_and_files_past_their_bounds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert unit.seconds(str(unit.SECONDS_MAX)) == unit.SECONDS_MAX
    words = ["send", "--device", "x", "--wait", str(unit.SECONDS_MAX + 1)]
    with pytest.raises(SystemExit):
        main(["shortmessage", *words])
    assert str(unit.SECONDS_MAX) in capsys.readouterr().err
    assert unit.room_of(DATAGRAM_BYTES_MAX) == DATAGRAM_BYTES_MAX
    track = tmp_path / "track.csv"
    line = "2026-11-30T08:00:00Z,43.35,77.04"
    monkeypatch.setattr(content, "POSITIONS_BYTES_MAX", 60)
    track.write_text(line.ljust(60, "\n"))
    assert content._positions(track, simulated=False)
    track.write_text(line.ljust(61, "\n"))
    words = ["send", "--device", "/dev/null", "--to", "1", "--positions", str(track)]
    assert main(["shortmessage", *words]) == 2
    assert "60 bytes" in capsys.readouterr().err


def test_an_outbox_stands_among_a_persons_own_data(tmp_path: Path) -> None:
    parsed = unit.argparse.Namespace(outbox=None, device="tcp://10.0.0.5:4001")
    home = {"XDG_DATA_HOME": str(tmp_path)}
    expected = tmp_path / "zhidao" / "short-messages" / "tcp-10-0-0-5-4001.json"
    assert unit.outbox_of(parsed, home) == expected
    assert unit.outbox_of(parsed, {}).is_absolute()
