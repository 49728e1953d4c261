"""A recording that is solved part after part is solved as the whole of it would be."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.positioning.conftest import PLACE, START, times

from zhidao.core.errors import MalformedInput, Refused
from zhidao.positioning.domain.integrity.authenticity import Suspicion
from zhidao.positioning.domain.positions import join_positions
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.receiver import Receiver, synthesize
from zhidao.positioning.service.by_parts import ObservationFile, Wanted, read_parts, solve_parts
from zhidao.positioning.wire.rinex.writing import write_observations

EPOCHS = 60


@pytest.fixture(scope="module")
def sky():
    return constellation(START, START.plus_ns(3600 * 10**9), seed=5)


@pytest.fixture(scope="module")
def seen(sky):
    here = PLACE.to_ecef()
    place_m = np.tile((here.x_m, here.y_m, here.z_m), (EPOCHS, 1))
    receiver = Receiver(times(EPOCHS, 10), place_m, clock_jumps=((30, 90_000.0),))
    return synthesize(receiver, sky, seed=1)


def parts_of(seen, size):
    return [seen.part(at, min(at + size, EPOCHS)) for at in range(0, EPOCHS, size)]


def solved(seen, sky, size, **wanted):
    found = list(solve_parts(parts_of(seen, size), sky, Settings(), Wanted(**wanted)))
    return join_positions([part.positions for part in found]), found


@pytest.mark.parametrize("size", [1, 7, 30])
def test_positions_and_velocities_are_those_of_the_whole(seen, sky, size):
    whole, _ = solved(seen, sky, EPOCHS, velocity=True)
    found, _ = solved(seen, sky, size, velocity=True)
    assert np.array_equal(found.gpst_ns, whole.gpst_ns)
    assert found.reason == whole.reason
    assert np.allclose(found.ecef_m, whole.ecef_m, rtol=0, atol=1e-6)
    assert np.allclose(found.horizontal_m, whole.horizontal_m, rtol=0, atol=1e-6)
    assert np.allclose(found.velocity_mps, whole.velocity_mps, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [30, 15, 20])
def test_a_jump_is_found_once_also_where_one_part_ends_and_the_next_begins(seen, sky, size):
    _, parts = solved(seen, sky, size)
    jumps = [f for part in parts for f in part.findings if f.reason is Suspicion.CLOCK_JUMP]
    assert [len(jump.epochs) for jump in jumps] == [1]
    _, parts = solved(seen, sky, size, check=False)
    assert not any(part.findings for part in parts)


def test_smoothing_goes_on_across_parts(seen, sky):
    whole, _ = solved(seen, sky, EPOCHS, smooth=True)
    found, _ = solved(seen, sky, 20, smooth=True)
    # The memory of smoothing is ten minutes, which is all of this recording.
    assert np.allclose(found.ecef_m, whole.ecef_m, rtol=0, atol=1e-6)


def file_of(seen, name):
    data = write_observations(seen)
    return ObservationFile(name, lambda: iter((data,)), len(data))


def test_files_are_taken_in_the_order_of_time_and_named_in_refusals(seen):
    early, middle, late = (file_of(part, f"{i}.rnx") for i, part in enumerate(parts_of(seen, 20)))
    (whole,) = read_parts([late, early, middle])
    assert np.array_equal(whole.gpst_ns, seen.gpst_ns)
    with pytest.raises(Refused, match="overlap"):
        list(read_parts([early, early]))
    broken = ObservationFile("bad.rnx", lambda: iter((write_observations(seen)[:-300],)), 1)
    with pytest.raises(MalformedInput, match="cut") as caught:
        list(read_parts([broken]))
    assert caught.value.where.startswith("bad.rnx, line")
    told = []
    (rest,) = read_parts([broken], warned=told.append)
    assert len(rest.gpst_ns) == EPOCHS - 1
    assert told[0].startswith("bad.rnx: ")


def test_no_more_of_a_file_is_read_than_its_parts_need(seen):
    """A recording without end gives its first part all the same."""
    data = write_observations(seen)
    at = data.index(b"\n> ") + 1
    head, first = data[:at], data[at : data.index(b"\n> ", at) + 1]
    read = 0

    def endless():
        nonlocal read
        yield head
        for second in itertools.count():
            day, rest = divmod(second, 86_400)
            stamp = f"> 2026 12 {day + 1:02d} {rest // 3600:02d} {rest // 60 % 60:02d} "
            read += 1
            yield f"{stamp}{rest % 60:10.7f}".encode() + first[29:]

    part = next(read_parts([ObservationFile("endless.rnx", endless, 10**9)]))
    assert 3_000 <= len(part.gpst_ns) < 20_000
    assert read < 30_000
