"""`zhidao positioning stream` against casters on a real socket, in a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Self

import pytest

from zhidao.positioning.wire.rtcm.frame import frame, payloads

_HEAD = b"HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\nContent-Type: gnss/data\r\n\r\n"
_MESSAGES = [bytes((number >> 4, (number & 15) << 4)) + bytes(20) for number in (1005, 1077, 1127)]
_FRAMES = b"".join(map(frame, _MESSAGES))
_TABLE = (
    b"STR;NEAR;Khorgos;RTCM 3.3;1006(10),1077(1);2;GPS+BDS;NET;KAZ;44.20;;0;0;gen;none;B;N;9600;\r\n"
    b"ENDSOURCETABLE\r\n"
)


class Caster:
    """Answers connections with one script after another; `hold` keeps the last one open."""

    def __init__(self, *scripts: bytes, hold: bool = False) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.requests: list[str] = []
        self._scripts, self._hold = list(scripts), hold
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        for script in self._scripts:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.requests.append(connection.recv(4096).decode())
                connection.sendall(script)
                if self._hold and script is self._scripts[-1]:
                    self._end.wait(60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._socket.close()
        self._thread.join(10)


def start(port: int, *words: object, mount: str = "NEAR") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "zhidao.cli", "positioning", "stream"]
    return subprocess.Popen(
        [*command, f"ntrip://127.0.0.1:{port}/{mount}", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finished(process: subprocess.Popen[bytes]) -> tuple[int, bytes, str]:
    out, told = process.communicate(timeout=60)
    return process.returncode, out, told.decode()


def test_frames_are_counted_and_kept_and_a_broken_connection_is_made_again(tmp_path):
    file = tmp_path / "base.rtcm3"
    with Caster(_HEAD + b"noise" + _FRAMES + _FRAMES[:9], _HEAD + _FRAMES, hold=True) as caster:
        process = start(caster.port, "--messages", 6, "-o", file, "--json")
        status, out, told = finished(process)
    assert status == 0, told
    assert json.loads(out)["messages"] == {"1005": 2, "1077": 2, "1127": 2}
    assert json.loads(out)["reconnected"] == 1
    assert payloads(file.read_bytes()) == _MESSAGES * 2
    assert file.read_bytes() == _FRAMES * 2


@pytest.mark.parametrize("key", [signal.SIGINT, signal.SIGTERM])
def test_a_key_ends_it_with_what_came_in_the_file(tmp_path, key):
    file = tmp_path / "base.rtcm3"
    with Caster(_HEAD + _FRAMES, hold=True) as caster:
        process = start(caster.port, "-o", file)
        until = time.monotonic() + 30
        while time.monotonic() < until and not (file.exists() and file.stat().st_size):
            time.sleep(0.05)
        process.send_signal(key)
        status, out, told = finished(process)
    assert (status, told) == (0, "")
    assert out == b"3 messages (1005:1 1077:1 1127:1)\n"
    assert file.read_bytes() == _FRAMES


def test_the_login_comes_from_a_file_that_nobody_else_may_read(tmp_path):
    login = tmp_path / "caster.login"
    login.write_text("user:secret\n")
    login.chmod(0o644)
    with Caster(_HEAD + _FRAMES, hold=True) as caster:
        status, _, told = finished(start(caster.port, "--login", login))
        assert status == 2
        assert "chmod 600" in told
        login.chmod(0o600)
        words = ("--login", login, "--messages", 3, "--at", 44.2, 80.4, 700)
        status, _, told = finished(start(caster.port, *words))
    assert status == 0
    assert "in clear" in told
    assert "secret" not in told
    assert "Authorization: Basic dXNlcjpzZWNyZXQ=" in caster.requests[0]
    assert "Ntrip-GGA: $GPGGA," in caster.requests[0]


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1/NEAR", "ntrip://user:secret@127.0.0.1/NEAR", "ntrip://127.0.0.1/a b", "x"],
)
def test_an_address_that_is_none_is_refused_without_showing_a_password(address, capfd):
    from zhidao.cli.main import main

    assert main(["positioning", "stream", address]) == 2
    told = capfd.readouterr().err
    assert "ntrips://" in told
    assert "secret" not in told


def test_a_file_that_is_there_is_neither_lost_nor_mixed_up(tmp_path):
    file = tmp_path / "base.rtcm3"
    file.write_bytes(_FRAMES)
    with Caster(_HEAD + _FRAMES, hold=True) as caster:
        status, _, told = finished(start(caster.port, "-o", file, "--messages", 3))
        assert status == 1
        assert "--append" in told
        assert finished(start(caster.port, "-o", file, "--append", "--messages", 3))[0] == 0
    assert file.read_bytes() == _FRAMES * 2


def test_an_unknown_mount_is_refused_and_time_without_messages_is_no_success():
    with Caster(b"HTTP/1.1 404 Not Found\r\n\r\n") as caster:
        assert finished(start(caster.port))[0] == 1
    with Caster(_HEAD, hold=True) as caster:
        status, out, _ = finished(start(caster.port, "--seconds", 0.5))
    assert (status, out) == (1, b"0 messages (none)\n")


def test_without_a_mount_the_table_is_listed():
    head = b"HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\nContent-Type: gnss/sourcetable\r\n\r\n"
    with Caster(head + _TABLE, head + _TABLE) as caster:
        status, out, told = finished(start(caster.port, "--json", mount=""))
        assert (status, told) == (0, "")
        (source,) = json.loads(out)
        assert source["mount"] == "NEAR"
        assert source["longitude_deg"] is None
        assert b"NEAR" in finished(start(caster.port, mount=""))[1]
