"""Times at a crossing hold the truth of trips that are known, and are declined with their reason."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from tests.insight.corridor_trips import (
    EAST,
    WEST,
    corridor,
    drive,
    on_road,
    reported,
)

from zhidao.core.timescale import NS
from zhidao.insight.domain.corridor.passages import (
    UNHEARD_NS,
    Crossing,
    Passage,
    Reason,
    Stay,
    Track,
    passage,
)
from zhidao.insight.wire.corridor_files import decode_corridor

(CROSSING,) = decode_corridor(corridor())


def track(*reports: tuple[float, float], bound_m: float = 30.0) -> Track:
    """Reports as (minute, kilometre of the road)."""
    places = [on_road(km) for _, km in reports]
    return Track(
        "c",
        "p",
        "road",
        np.array([int(minute * 60 * NS) for minute, _ in reports], dtype=np.int64),
        np.array([place.latitude_deg for place in places]),
        np.array([place.longitude_deg for place in places]),
        np.full(len(reports), bound_m),
    )


def told(*reports: tuple[float, float], crossing: Crossing = CROSSING) -> Passage:
    found = passage(track(*reports), crossing)
    assert found is not None
    return found


def stays(found: Passage) -> list[Stay | Reason]:
    assert [name for name, _ in found.sides] == [WEST, EAST]
    return [stay for _, stay in found.sides]


def minutes(stay: Stay | Reason) -> tuple[float, ...]:
    assert isinstance(stay, Stay)
    return tuple(each / 60 / NS for each in (*stay.entered_ns, *stay.left_ns))


# West is from 100 to 101.2 km, east from 102 to 103.5.
THROUGH = (
    (0, 90),
    (10, 99),
    (20, 100.5),
    (50, 101),
    (60, 101.6),
    (70, 102.5),
    (90, 103),
    (99, 104),
)


def test_a_time_lies_between_the_last_report_outside_and_the_first_inside():
    found = told(*THROUGH)
    west, east = stays(found)
    assert minutes(west) == (10, 20, 50, 60)
    assert minutes(east) == (60, 70, 90, 99)
    assert minutes(found.whole) == (10, 20, 90, 99)
    assert found.direction == (WEST, EAST)
    assert isinstance(west, Stay)
    assert (west.shortest_ns, west.longest_ns) == (30 * 60 * NS, 50 * 60 * NS)


def test_the_way_back_is_the_other_direction():
    back = told(*((minute, 203.5 - km) for minute, km in THROUGH))
    assert back.direction == (EAST, WEST)
    assert minutes(back.whole) == (10, 20, 90, 99)


def test_a_report_whose_bound_reaches_over_the_edge_says_nothing():
    reports = ((0, 99), (10, 99.98), (20, 100.02), (30, 100.5), (40, 101.6), (50, 102.5), (60, 104))
    assert minutes(stays(told(*reports))[0]) == (0, 30, 30, 40)
    exact = passage(track(*reports, bound_m=5.0), CROSSING)
    assert exact is not None
    assert minutes(stays(exact)[0]) == (10, 20, 30, 40)


def test_who_is_sent_back_waits_until_the_last_leaving():
    reports = ((0, 99), (5, 100.5), (15, 99.5), (60, 99.5), (70, 100.5), (80, 101.6))
    found = told(*reports, (90, 102.5), (99, 104))
    west = stays(found)[0]
    assert minutes(west) == (0, 5, 70, 80)
    assert isinstance(west, Stay)
    assert west.visits == 2
    # Also from the other country's post.
    found = told((0, 99), (5, 100.5), (9, 101.6), (20, 102.5), (30, 100.5), (40, 102.5), (50, 104))
    assert minutes(found.whole) == (0, 5, 40, 50)


@pytest.mark.parametrize("silence_ns", [UNHEARD_NS, UNHEARD_NS + NS])
def test_a_long_silence_near_the_post_may_have_been_a_visit(silence_ns: int):
    quiet = silence_ns / 60 / NS
    long = silence_ns > UNHEARD_NS
    before = told(
        (0, 97), (quiet, 98), (90, 99), (95, 100.5), (99, 101.6), (120, 102.5), (130, 104)
    )
    assert minutes(stays(before)[0])[:2] == (0 if long else 90, 95)
    after = told(
        *((0, 99), (5, 100.5), (9, 101.6), (15, 102.5), (20, 104), (30, 105), (30 + quiet, 106)),
        (200, 190),
    )
    assert minutes(stays(after)[1])[2:] == (15, 30 + quiet if long else 20)
    # Far away a driver sleeps.
    far = told((0, 80), (quiet, 81), (90, 99), (95, 100.5), (99, 101.6), (120, 102.5), (130, 104))
    assert minutes(stays(far)[0])[:2] == (90, 95)


@pytest.mark.parametrize(
    ("reports", "west", "east", "whole"),
    [
        (THROUGH[2:], Reason.BEGAN_INSIDE, None, Reason.BEGAN_INSIDE),
        (THROUGH[:-1], None, Reason.ENDED_INSIDE, Reason.ENDED_INSIDE),
        (THROUGH[:5], None, Reason.NOT_SEEN, Reason.NOT_SEEN),
        ((*THROUGH[:5], (90, 102)), None, Reason.NOT_SEEN, Reason.NOT_SEEN),
        # Seen in the west, sent back, and over by another road.
        ((*THROUGH[:4], (60, 99), (120, 40), (500, 120)), None, Reason.NOT_SEEN, Reason.NOT_SEEN),
        (((0, 90), (10, 99), (371, 104)), *(Reason.UNHEARD,) * 3),
        (((0, 104), (10, 99), (371, 104)), *(Reason.RETURNED,) * 3),
        (
            (*THROUGH, *((200 - m, km) for m, km in reversed(THROUGH))),
            Reason.RETURNED,
            Reason.RETURNED,
            Reason.RETURNED,
        ),
    ],
)
def test_what_is_not_known_is_declined_with_its_reason(
    reports: tuple[tuple[float, float], ...],
    west: Reason | None,
    east: Reason | None,
    whole: Reason | None,
):
    found = told(*reports)
    for stay, expected in zip((*stays(found), found.whole), (west, east, whole), strict=True):
        assert isinstance(stay, Stay) if expected is None else stay is expected


def test_a_side_in_which_nobody_heard_it_takes_no_more_than_the_silence():
    found = told(*THROUGH[:5], *THROUGH[7:])
    west, east = stays(found)
    assert (minutes(west), minutes(east)) == ((10, 20, 50, 60), (60, 99, 60, 99))
    assert (found.direction, minutes(found.whole)) == ((WEST, EAST), (10, 20, 60, 99))
    # The other way round, and the side that it came to first.
    back = told(*((200 - minute, km) for minute, km in reversed((*THROUGH[:5], THROUGH[7]))))
    assert (back.direction, minutes(back.whole)) == ((EAST, WEST), (101, 140, 180, 190))
    first = told((0, 90), (10, 99), *THROUGH[5:])
    assert (first.direction, minutes(first.whole)) == ((WEST, EAST), (10, 70, 90, 99))
    assert isinstance(east, Stay)
    assert (east.shortest_ns, east.middle_ns) == (0, east.longest_ns / 2)


@pytest.mark.parametrize("back", [False, True])
def test_who_went_over_between_two_reports_took_no_more_than_the_time_between(*, back: bool):
    forth = ((0, 90), (10, 99), (370, 104))
    found = told(*(((0, 110), (1, 104), (361, 99), (365, 90)) if back else forth))
    assert found.direction == ((EAST, WEST) if back else (WEST, EAST))
    whole = found.whole
    assert isinstance(whole, Stay)
    assert (whole.shortest_ns, whole.longest_ns / NS / 60, whole.visits) == (0, 360, 0)


def test_who_was_never_surely_inside_nor_behind_did_not_cross_here():
    assert passage(track((0, 90), (10, 94), (20, 104)), CROSSING) is None
    assert passage(track((0, 90), (10, 99), (20, 102.2), bound_m=3_000), CROSSING) is None
    assert passage(track((0, 90), (10, 100.6), bound_m=5_000), CROSSING) is None
    assert passage(track((0, 90)), CROSSING) is None


def held(count: int, seed: int) -> None:
    """On seeded trips the truth lies inside the bounds, and the mean is the truth's."""
    draw = random.Random(seed)
    asked, reasons, inside = 0, Counter[str](), 0
    told_h, true_h = 0.0, 0.0
    for number in range(count):
        trip = drive(draw)
        found = passage(reported(trip, draw, f"c{number}", "p"), CROSSING)
        every = (*stays(found), found.whole) if found else (Reason.NOT_SEEN,) * 3
        for side, stay in zip((WEST, EAST, "whole"), every, strict=True):
            asked += 1
            if isinstance(stay, Reason):
                reasons[stay] += 1
                continue
            hours = trip.hours(side)
            inside += stay.shortest_ns <= hours * 3600 * NS <= stay.longest_ns
            told_h += (sum(stay.left_ns) - sum(stay.entered_ns)) / 2 / 3600 / NS
            true_h += hours
    timed = asked - reasons.total()
    assert inside >= 0.995 * timed
    assert timed >= 0.97 * asked
    assert abs(told_h / true_h - 1) <= 0.02


def test_the_truth_of_three_hundred_trips_lies_inside_their_bounds():
    held(300, 25)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_truth_of_ten_thousand_trips_lies_inside_their_bounds():
    held(10_000, 26)
