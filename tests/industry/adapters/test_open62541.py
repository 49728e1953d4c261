"""A lot read from an OPC UA server of others: open62541, with statuses that no simulation plays."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.programs.child import free_port
from zhidao.core.timescale import Utc
from zhidao.industry.adapters.opcua import read_machine
from zhidao.industry.domain.quality import Bound, Reading, Why, judge, not_shown, sift
from zhidao.node.adapters.ambient import SystemClock

SOURCE = Path(__file__).resolve().parents[1] / "open62541_server.c"
# Where its headers and library stand if not in the system: ZHIDAO_OPEN62541=PREFIX.
PREFIX = os.environ.get("ZHIDAO_OPEN62541", "")
FLOW = Bound("Flow", Decimal(45), Decimal(51), "MQH")
pytest.importorskip("asyncua")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc: apt-get install gcc libopen62541-1.4-dev")
    out = tmp_path_factory.mktemp("open62541") / "server"
    where = []
    if PREFIX:
        libraries = f"{PREFIX}/lib/x86_64-linux-gnu"
        where = [f"-I{PREFIX}/include", f"-L{libraries}", f"-Wl,-rpath,{libraries}"]
        where.append("-Wl,--allow-shlib-undefined")
    done = subprocess.run(
        ["gcc", str(SOURCE), *where, "-lopen62541", "-o", str(out)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"open62541 is not here (libopen62541-1.4-dev): {done.stderr[-200:]}")
    return out


class Machine:
    """Starts a server with what it should say."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self._running: list[subprocess.Popen[str]] = []

    def readings(self, code: int = 0, kind: str = "double", mode: str = "live") -> list[Reading]:
        port = free_port()
        words = [str(self._program), str(port), f"{code:08x}", kind, mode]
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._running.append(process)
        assert process.stdout is not None
        while (line := process.stdout.readline()) and line.strip() != "ready":
            pass
        assert line, "the server did not start"
        for _ in range(40):
            try:
                return read_machine(f"opc.tcp://127.0.0.1:{port}", ("Flow",), 20)
            except Unavailable:
                asyncio.run(asyncio.sleep(0.05))
        raise AssertionError("the server does not answer")

    def stop(self) -> None:
        for process in self._running:
            process.terminate()
            process.wait(timeout=10)
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture
def machine(program: Path) -> Iterator[Machine]:
    made = Machine(program)
    yield made
    made.stop()


def now() -> Utc:
    return SystemClock().now()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (0x808C0000, "BadSensorFailure"),
        (0x40900000, "UncertainLastUsableValue"),
        (0x00960000, "GoodLocalOverride"),
        (0x80310000, "BadNoCommunication"),
    ],
)
def test_a_status_other_than_good_is_no_sample(machine: Machine, code: int, status: str) -> None:
    begun = now()
    readings = machine.readings(code)
    sifted = sift(readings, begun_at=begun, ended_at=now())
    assert (len(readings), sifted.samples) == (20, ())
    assert {(each.status, why) for each, why in sifted.left} == {(status, Why.STATUS)}
    assert not_shown(sifted, [FLOW]) == ["Flow"]


def test_good_values_are_samples_by_their_source_times(machine: Machine) -> None:
    begun = now()
    readings = machine.readings()
    sifted = sift(readings, begun_at=begun, ended_at=now())
    assert len(sifted.samples) == len({each.source_at for each in readings})
    assert len(sifted.samples) >= 10
    assert not_shown(sifted, [FLOW]) == []
    assert judge(sifted.samples, [FLOW])[0].outside == 0
    assert all(each.type == "Double" and each.server_at for each in readings)


def test_a_value_that_stands_still_is_one_sample(machine: Machine) -> None:
    begun = now()
    readings = machine.readings(mode="stale")
    assert len(sift(readings, begun_at=begun, ended_at=now()).samples) == 1
    # A run that begins three seconds later was not measured by it.
    later = now().plus_ns(3 * 10**9)
    assert sift(readings, begun_at=later, ended_at=later).samples == ()


def test_a_float_on_its_limit_keeps_it(machine: Machine) -> None:
    begun = now()
    readings = machine.readings(kind="float", mode="stale")
    sifted = sift(readings, begun_at=begun, ended_at=now())
    at_limit = Bound("Flow", Decimal("6.1"), Decimal("6.1"), "BAR")
    assert judge(sifted.samples, [at_limit])[0].outside == 0
    assert {each.type for each in readings} == {"Float"}


def test_whole_numbers_are_read_and_texts_refused(machine: Machine) -> None:
    assert {(each.value, each.type) for each in machine.readings(kind="int64")} == {(48, "Int64")}
    with pytest.raises(MalformedInput, match="Flow is no number"):
        machine.readings(kind="string")
