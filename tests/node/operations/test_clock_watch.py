"""A clock that jumps: nothing is signed until a time service agrees or an operator says so."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.timescale import NS, Utc
from zhidao.node.operations.alarms import Alarms
from zhidao.node.operations.checkup_clock import machine_time
from zhidao.node.operations.clock_watch import ClockWatch, TimeSources
from zhidao.node.operations.signing_permit import SigningPermit

START = Utc.parse("2026-05-03T00:00:00Z").unix_ns


@dataclass
class Machine:
    """A machine whose clocks move when told."""

    wall_ns: int = START
    passed_ns: int = 7 * NS
    vouched: bool = False

    def passes(self, seconds: float, *, ppm: float = 0.0) -> None:
        step_ns = int(seconds * NS)
        self.passed_ns += step_ns
        self.wall_ns += step_ns + int(step_ns * ppm / 1e6)

    def jumps(self, seconds: float) -> None:
        self.wall_ns += int(seconds * NS)

    def sources(self) -> TimeSources:
        return TimeSources(lambda: self.wall_ns, lambda: self.passed_ns, lambda: self.vouched)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def alarms() -> Alarms:
    return Alarms()


@pytest.fixture
def watch(machine: Machine, alarms: Alarms) -> ClockWatch:
    return ClockWatch(machine.sources(), alarms)


def codes(alarms: Alarms) -> list[str]:
    return [alarm.code for alarm in alarms.standing()]


@pytest.mark.parametrize("seconds", [5.1, -5.1, 2 * 86_400.0, -400 * 86_400.0])
def test_a_jump_stops_signing_and_is_an_alarm(
    machine: Machine, alarms: Alarms, watch: ClockWatch, seconds: float
) -> None:
    permit = SigningPermit()
    permit.clock = watch.wrong
    permit.check()
    machine.jumps(seconds)
    for ask in (permit.check, permit.check_clock):
        with pytest.raises(Unavailable) as caught:
            ask()
        assert caught.value.code == "clock_jumped"
        assert "zhidao clock agree" in caught.value.remedy
    assert permit.stopped
    assert codes(alarms) == ["clock_jumped"]
    assert watch.jumped_s == round(seconds)
    # It stays so, however long nobody says anything.
    machine.passes(86_400)
    assert watch.wrong()


@pytest.mark.parametrize("seconds", [0.0, 4.9, -4.9])
def test_what_is_no_jump_stops_nothing(
    machine: Machine, alarms: Alarms, watch: ClockWatch, seconds: float
) -> None:
    machine.jumps(seconds)
    assert watch.wrong() == ""
    assert not codes(alarms)


def test_a_suspend_is_time_that_passed(machine: Machine, watch: ClockWatch) -> None:
    machine.passes(3 * 86_400)
    assert watch.wrong() == ""


@pytest.mark.parametrize("ppm", [400.0, -400.0])
def test_a_clock_that_is_slewed_for_months_has_not_jumped(
    machine: Machine, watch: ClockWatch, ppm: float
) -> None:
    for _ in range(2000):
        machine.passes(3600, ppm=ppm)
        assert watch.wrong() == ""


def test_small_steps_add_up_to_a_jump(machine: Machine, watch: ClockWatch) -> None:
    for _ in range(3):
        machine.jumps(2)
        machine.passes(1)
    assert watch.wrong()


def test_a_clock_that_jumps_back_counts_again(
    machine: Machine, alarms: Alarms, watch: ClockWatch
) -> None:
    machine.jumps(3600)
    assert watch.wrong()
    machine.jumps(-3600)
    assert watch.wrong() == ""
    assert not codes(alarms)


def test_signing_goes_on_once_a_time_service_agrees(
    machine: Machine, alarms: Alarms, watch: ClockWatch
) -> None:
    machine.jumps(3600)
    assert watch.wrong()
    machine.vouched = True
    assert watch.wrong() == ""
    assert not codes(alarms)
    machine.vouched = False
    assert watch.wrong() == ""


def test_an_operator_says_what_time_it_is(
    machine: Machine, alarms: Alarms, watch: ClockWatch
) -> None:
    machine.jumps(3600)
    with pytest.raises(Refused) as caught:
        watch.agree(Utc.from_unix_ns(START))
    assert caught.value.code == "clock_differs"
    assert watch.wrong()
    assert watch.agree(Utc.from_unix_ns(machine.wall_ns + 2 * NS)) == 3600
    assert watch.wrong() == ""
    assert not codes(alarms)
    assert watch.agree(Utc.from_unix_ns(machine.wall_ns)) == 0


def test_the_machine_s_own_clocks_are_the_two_that_are_compared() -> None:
    sources = machine_time()
    before = sources.wall_ns() - sources.passed_ns()
    assert abs(sources.wall_ns() - time.time_ns()) < NS
    time.sleep(0.05)
    assert abs(sources.wall_ns() - sources.passed_ns() - before) < NS // 10
    assert sources.agrees() in (True, False)
    assert ClockWatch(sources, Alarms()).wrong() == ""
