"""The journey: order changes nothing, corrections replace, exceptions are raised with proof."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import jsonschema_rs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.timescale import Utc
from zhidao.trade.domain.tracking.journey import Leg, Plan, Trouble, journey_state
from zhidao.trade.domain.tracking.movement import Classifier, Kind, Movement
from zhidao.trade.wire import tracking

HOUR = 3600 * 10**9
START = Utc.parse("2026-09-05T00:00:00Z")
BOX = "CSQU3054383"
PLAN = Plan(
    (
        Leg("CNSHA", "SGSIN", START, START.plus_ns(72 * HOUR)),
        Leg("SGSIN", "VNHPH", START.plus_ns(80 * HOUR), START.plus_ns(150 * HOUR)),
    ),
    coldest_c=Decimal(2),
    warmest_c=Decimal(8),
)


def move(n: int, kind: Kind, place: str, hour: float, **other) -> Movement:
    at = START.plus_ns(int(hour * HOUR))
    given = {"classifier": Classifier.ACTUAL, "recorded_at": at.plus_ns(HOUR)} | other
    return Movement(
        id=f"00000000-0000-4000-8000-{n:012}",
        kind=kind,
        occurred_at=at,
        place=place,
        mode="VESSEL",
        call=f"call-{place}",
        means="MERIDIAN STAR",
        means_id="9074729",
        voyage="041S",
        equipment="" if kind in (Kind.ARRIVED, Kind.DEPARTED) else BOX,
        **given,
    )


GOOD = (
    move(1, Kind.GATE_IN, "CNSHA", -20),
    move(2, Kind.LOADED, "CNSHA", -4, temperature_c=Decimal("4.5")),
    move(3, Kind.DEPARTED, "CNSHA", 1),
    move(4, Kind.ARRIVED, "SGSIN", 74),
    move(5, Kind.DEPARTED, "SGSIN", 84),
)
NOW = START.plus_ns(90 * HOUR)


def troubles(events, now=NOW) -> list[Trouble]:
    return [e.trouble for e in journey_state(events, PLAN, now=now).exceptions]


def test_a_good_journey_is_under_way_with_its_delay_and_no_exception():
    state = journey_state(GOOD, PLAN, now=NOW)
    assert (state.status, state.place) == ("under way", "SGSIN")
    assert state.eta == START.plus_ns(154 * HOUR)
    assert state.eta_basis == "plan and delay"
    assert state.exceptions == ()


@given(st.permutations(GOOD), st.lists(st.sampled_from(GOOD), max_size=4))
def test_neither_order_nor_repetition_changes_the_state(events, again):
    assert journey_state([*events, *again], PLAN, now=NOW) == journey_state(GOOD, PLAN, now=NOW)


def test_a_late_event_changes_the_state_as_if_it_had_come_in_time():
    late = move(6, Kind.ARRIVED, "VNHPH", 152)
    state = journey_state([late, *GOOD], PLAN, now=NOW)
    assert (state.status, state.eta_basis, state.eta) == ("arrived", "actual", late.occurred_at)


def test_a_correction_replaces_its_event_and_can_be_corrected_itself():
    wrong = move(7, Kind.DEPARTED, "SGSIN", 83, corrects=GOOD[4].id)
    right = move(8, Kind.DEPARTED, "SGSIN", 86, corrects=wrong.id)
    state = journey_state([right, *GOOD, wrong], PLAN, now=NOW)
    assert state.since == right.occurred_at
    assert state.replaced == (GOOD[4].id, wrong.id)
    assert state.exceptions == ()


def test_two_contents_under_one_id_count_neither_and_are_told():
    other = replace(GOOD[4], place="MYPKG")
    for events in ([*GOOD, other], [other, *GOOD]):
        state = journey_state(events, PLAN, now=NOW)
        assert state.status == "at place"
        assert [e.trouble for e in state.exceptions] == [Trouble.CONTRADICTION]


def test_the_newest_estimate_counts_until_a_newer_movement():
    first = move(9, Kind.ARRIVED, "VNHPH", 155, classifier=Classifier.ESTIMATED, recorded_at=NOW)
    second = replace(
        first, id="00000000-0000-4000-8000-000000000010", occurred_at=START.plus_ns(170 * HOUR),
        recorded_at=NOW.plus_ns(HOUR),
    )  # fmt: skip
    state = journey_state([second, *GOOD, first], PLAN, now=NOW)
    assert (state.eta, state.eta_basis) == (second.occurred_at, "estimate")
    assert [e.trouble for e in state.exceptions] == [Trouble.LATE]
    old = replace(first, recorded_at=START)
    assert journey_state([*GOOD, old], PLAN, now=NOW).eta_basis == "plan and delay"


@pytest.mark.parametrize(
    ("event", "trouble"),
    [
        (move(20, Kind.ARRIVED, "MYPKG", 86), Trouble.OFF_ROUTE),
        (move(21, Kind.INSPECTED, "SGSIN", 80, temperature_c=Decimal("8.1")), Trouble.TEMPERATURE),
        (move(22, Kind.INSPECTED, "SGSIN", 80, temperature_c=Decimal("1.9")), Trouble.TEMPERATURE),
        (move(23, Kind.DEPARTED, "SGSIN", 85), Trouble.IMPOSSIBLE),
        (move(24, Kind.DISCHARGED, "CNSHA", -5), Trouble.IMPOSSIBLE),
        (move(25, Kind.ARRIVED, "VNHPH", 163), Trouble.LATE),
    ],
)
def test_what_goes_wrong_is_raised_with_its_event(event, trouble):
    found = journey_state([*GOOD, event], PLAN, now=NOW).exceptions
    assert [e.trouble for e in found] == [trouble]
    assert event.id in found[0].events


def test_limits_themselves_are_no_exception_and_silence_is():
    at_limit = move(30, Kind.INSPECTED, "SGSIN", 80, temperature_c=Decimal(8))
    assert troubles([*GOOD, at_limit]) == []
    assert troubles([*GOOD, move(31, Kind.ARRIVED, "VNHPH", 162)]) == []
    assert troubles(GOOD, START.plus_ns((84 + 96) * HOUR)) == []
    assert troubles(GOOD, START.plus_ns((84 + 96) * HOUR + 1)) == [Trouble.SILENT]


def test_movements_survive_both_forms_without_loss():
    corrected = move(40, Kind.DEPARTED, "SGSIN", 86, corrects=GOOD[4].id)
    warm = move(
        41, Kind.INSPECTED, "SGSIN", 80, temperature_c=Decimal("-18.5"), corrects=GOOD[0].id,
        is_empty=True,
    )  # fmt: skip
    events = [*GOOD, corrected, warm]
    data = tracking.write_epcis(events, created_at=NOW)
    assert tracking.read_epcis(data) == events
    assert tracking.read_dcsa(tracking.write_dcsa(events)) == events
    assert tracking.write_epcis(tracking.read_epcis(data), created_at=NOW) == data
    train = replace(GOOD[2], mode="RAIL", means="X8083", means_id="")
    assert tracking.read_dcsa(tracking.write_dcsa([train])) == [train]
    planned = replace(GOOD[2], classifier=Classifier.PLANNED)
    assert tracking.read_dcsa(tracking.write_dcsa([planned])) == [planned]
    with pytest.raises(Refused, match="planned"):
        tracking.write_epcis([planned], created_at=NOW)


def test_our_events_are_valid_by_the_carriers_own_schema(shared):
    text = (shared / "trade/dcsa/openapi/TNT_v2.2.0-resolved.yaml").read_bytes()
    # The examples of the file bear dates, which YAML takes for more than texts.
    api = json.loads(json.dumps(yaml.load(text, Loader=yaml.CSafeLoader), default=str))
    events = [*GOOD, move(50, Kind.DEPARTED, "SGSIN", 86, corrects=GOOD[4].id)]
    for event in parse_strict(tracking.write_dcsa(events)):
        name = "transportEvent" if event["eventType"] == "TRANSPORT" else "equipmentEvent"
        validator = jsonschema_rs.Draft4Validator(
            {"$ref": f"#/components/schemas/{name}", "components": api["components"]}
        )
        assert [e.message for e in validator.iter_errors(event)] == []
        del event["eventDateTime"]
        assert not validator.is_valid(event)


def test_the_published_example_of_the_carriers_is_read(shared):
    data = (shared / "trade/dcsa/messages/tnt-220-response.json").read_bytes()
    events = parse_strict(data)
    transport = [event for event in events if event["eventType"] == "TRANSPORT"]
    found = tracking.read_dcsa(json.dumps(transport).encode())
    assert found[0].place == "FRPAR"
    assert found[0].occurred_at == Utc.parse("2021-01-09T13:12:56Z")


@given(st.binary(max_size=100) | st.sampled_from([tracking.write_dcsa(GOOD)]), st.data())
def test_any_bytes_are_read_or_refused_as_malformed(data, draw):
    at = draw.draw(st.integers(0, max(0, len(data) - 1)))
    broken = data[:at] + draw.draw(st.binary(max_size=2)) + data[at + 1 :]
    for read in (tracking.read_dcsa, tracking.read_epcis):
        with suppress(MalformedInput):
            read(broken)


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        ({"eventDateTime": "2019/11/12 07:41:00 +08:30"}, "2019/11/12"),
        ({"eventCreatedDateTime": None}, "eventCreatedDateTime"),
    ],
)
def test_a_broken_shipment_event_spoils_its_list_though_it_moves_nothing(spoiled, said):
    event = {
        "eventType": "SHIPMENT",
        "eventCreatedDateTime": "2021-01-01T14:12:56Z",
        "eventDateTime": "2019-11-12T07:41:00+08:30",
    }
    assert tracking.read_dcsa(json.dumps([event]).encode()) == []
    with pytest.raises(MalformedInput, match=said):
        tracking.read_dcsa(json.dumps([event | spoiled]).encode())


def test_a_list_of_track_and_trace_3_is_refused_by_its_name():
    with pytest.raises(MalformedInput, match="version 3"):
        tracking.read_dcsa(b'{"events": []}')
