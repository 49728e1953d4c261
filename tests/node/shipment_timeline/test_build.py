from __future__ import annotations

import pytest
from tests.web.fixture_world import World, world

from zhidao.connectivity.domain.crosscheck import compare
from zhidao.connectivity.domain.subscriber_location import SubscriberLocation
from zhidao.connectivity.events import NetworkChecked
from zhidao.core.geo import Geodetic
from zhidao.core.timescale import Utc
from zhidao.devices.events import WindowReceived
from zhidao.node.operations.signing_permit import recovering_args
from zhidao.node.shipment_timeline import reason_codes
from zhidao.node.shipment_timeline.build import build_timeline
from zhidao.node.shipment_timeline.place_positions import PLACES
from zhidao.trade.events import ConsignmentEntered, CrossCheckFinding
from zhidao.verification.simulated import trajectory_is_simulated


@pytest.fixture(scope="module")
def made() -> World:
    return world()


def test_a_played_way_is_listed_among_the_simulated_parts(made: World) -> None:
    assert "trajectory" in made.timeline("C-2038").simulated
    # Nothing was reported yet where the papers stopped the goods.
    assert "trajectory" not in made.timeline("C-2043").simulated


@pytest.mark.parametrize(
    ("reported", "played", "signals", "simulated"),
    [
        (True, True, False, True),
        (True, False, True, True),
        (True, False, False, False),
        (False, True, True, False),
    ],
)
def test_a_trajectory_is_a_play_only_if_there_is_one_and_something_says_so(
    *, reported: bool, played: bool, signals: bool, simulated: bool
) -> None:
    told = trajectory_is_simulated(reported=reported, played=played, signals=signals)
    assert told is simulated


def test_every_instant_of_a_road_names_its_scale(made: World) -> None:
    timeline = made.timeline("C-2038")
    scales = {stone.key: stone.scale for stone in timeline.milestones}
    assert scales["arrival"] == "scenario"
    assert scales["factory"] == "clock"
    assert timeline.time_scale == "scenario"
    for said in timeline.said:
        apart = abs(Utc.parse(said.recorded_at).since_ns(Utc.parse(said.occurred_at)))
        assert (said.scale == "clock") == (apart <= 60 * 10**9), said.type
    assert all(document.recorded_at for document in timeline.documents)


def test_a_refusal_comes_with_its_code_and_numbers(made: World) -> None:
    told = made.timeline("C-2039").told
    assert told is not None
    assert told.code == "reason.network_disagrees"
    assert told.args["bound"] == 17.3
    assert told.args["radius"] == 150.0
    assert 7 < float(told.args["away"]) < 9
    assert told.text == "the network contradicts the fix"


def test_a_deal_between_others_is_not_said_to_be_none(made: World) -> None:
    whole = made.of["C-2038"]
    seen = [each for each in whole if not each.event.type.startswith("finance.")]
    told = build_timeline(seen, parties=made.parties, tracks={}, whole=whole)
    states = {stone.key: stone.state for stone in told.milestones}
    assert (states["payment"], states["title"]) == ("withheld", "withheld")
    assert states["arrival"] == "done"
    # Whoever sees nothing of money hears that nothing was paid only where there is no deal.
    early = build_timeline(seen, parties=made.parties, tracks={}, whole=seen)
    assert "withheld" not in {stone.state for stone in early.milestones}


def test_a_road_is_drawn_from_its_beginning_when_its_way_is_known_late(
    made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = {"": [(76.88, 43.24, "2026-12-01T00:00:00Z")]}
    entered = next(each for each in made.of["C-2038"] if each.event.type == ConsignmentEntered.TYPE)
    loading = ConsignmentEntered.of(entered.event).loading
    monkeypatch.setitem(PLACES, loading, (108.94, 34.27))
    told = build_timeline(made.of["C-2038"], parties=made.parties, tracks=far)
    assert told.route[:2] == [[108.94, 34.27], [76.88, 43.24]]


def test_a_condition_tells_what_it_rested_on(made: World) -> None:
    told = {each.name: each.told for each in made.timeline("C-2038").conditions}
    assert told["papers_agree"] is not None
    assert told["papers_agree"].args == {"checks": 17, "documents": 2}
    assert told["arrival"] is not None
    assert told["arrival"].args["place"] == "Chukursay terminal"
    assert told["customs_released"] is not None
    assert str(told["customs_released"].args["declaration"])


@pytest.mark.parametrize(
    ("text", "paper", "field", "line", "part", "value"),
    [
        ("invoice:line 2 quantity = 12 C62", "invoice", "quantity", "2", "", "12 C62"),
        ("invoice:quantity of lot L-1 = 4", "invoice", "quantity of lot", "", "L-1", "4"),
        ("origin_statement:line 3 = absent", "origin_statement", "line", "3", "", "absent"),
        ("invoice: absent", "invoice", "", "", "", "absent"),
        ("entry:asked = clean", "entry", "asked", "", "", "clean"),
        ("bill_of_lading:consignee = a = b", "bill_of_lading", "consignee", "", "", "a = b"),
        ("nothing like it", "", "", "", "", "nothing like it"),
    ],
)
def test_a_side_of_a_finding_is_taken_apart(
    text: str, paper: str, field: str, line: str, part: str, value: str
) -> None:
    side = reason_codes.of_finding(
        CrossCheckFinding(rule="XD-06", verdict="conflict", sentence="", left=text, right=text)
    ).left
    assert (side.paper, side.field, side.line, side.part, side.value) == (
        *(paper, field, line, part, value),
    )


def test_the_rows_that_ask_several_things_have_a_code_each() -> None:
    def code(rule: str, left: str, right: str = "x:y = z") -> str:
        finding = CrossCheckFinding(
            rule=rule, verdict="conflict", sentence="", left=left, right=right
        )
        return reason_codes.of_finding(finding).told.code

    assert code("ZD-01", "invoice:lot = L") == "finding.ZD-01.limits"
    assert code("ZD-01", "invoice:line 1 GTIN = 0") == "finding.ZD-01.article"
    assert code("ZD-01", "invoice:quantity of lot L = 3") == "finding.ZD-01"
    assert code("XD-13", "invoice:line 1 description = a", "o:line 1 = absent") == (
        "finding.XD-13.absent"
    )


def _checked(verdict: str, reason: str, *, radius_mm: int = 900_000) -> NetworkChecked:
    return NetworkChecked(
        check="N", phone="+1", verdict=verdict, reason=reason, observed_at="2026-03-05T11:02:30Z",
        fix_latitude_ndeg=41 * 10**9, fix_longitude_ndeg=69 * 10**9, fix_bound_mm=17_300,
        network_latitude_ndeg=41_020_000_000, network_longitude_ndeg=69 * 10**9,
        network_radius_mm=radius_mm, network="n", simulated=False,
    )  # fmt: skip


def test_what_the_network_said_is_told_with_the_numbers_that_it_compared() -> None:
    fix, at = Geodetic(41.0, 69.0), Utc.parse("2026-03-05T11:02:30Z")
    location = SubscriberLocation(
        centre=Geodetic(41.02, 69.0), radius_m=900.0, at=at, network="n", simulated=False
    )
    verdict = compare(fix, bound_m=17.3, at=at, location=location)
    told = reason_codes.of_network(_checked(verdict.agreement.value, verdict.reason))
    assert told.code == "crosscheck.mismatch"
    # The room's own sentence names the same gap.
    assert f"{float(told.args['gap']):.0f} m outside" in verdict.reason
    old = compare(fix, bound_m=17.3, at=at.plus_ns(3600 * 10**9), location=location)
    assert reason_codes.of_network(_checked("unknown", old.reason)).code == "crosscheck.too_old"
    silent = _checked("unknown", "the network did not answer: no route", radius_mm=0)
    assert reason_codes.of_network(silent).code == "crosscheck.silent"


def test_a_log_that_is_behind_tells_both_sizes() -> None:
    told = recovering_args("the database has 12 leaves, the newest checkpoint 40")
    assert told == {"kind": "behind", "has": 12, "signed": 40}
    assert recovering_args("something new") == {}


def test_a_node_without_the_window_tells_its_step_by_the_arrival_that_rests_on_it(
    made: World,
) -> None:
    whole = build_timeline(made.of["C-2038"], parties=made.parties, tracks={})
    seen = [s for s in made.of["C-2038"] if s.event.type != WindowReceived.TYPE]
    assert len(seen) < len(made.of["C-2038"])
    timeline = build_timeline(seen, parties=made.parties, tracks={})
    assert {step.key: step.state for step in timeline.steps}["devices"] == "done"
    assert timeline.simulated == whole.simulated
    assert "observations" in timeline.simulated


def test_of_a_paid_road_no_step_is_still_to_come_for_who_may_not_see_it(made: World) -> None:
    seen = [s for s in made.of["C-2038"] if s.event.type != NetworkChecked.TYPE]
    timeline = build_timeline(seen, parties=made.parties, tracks={})
    assert timeline.state == "paid"
    states = {step.key: step.state for step in timeline.steps}
    assert set(states.values()) == {"done", "later"}
    under_way = [s for s in made.of["C-2041"] if s.event.type != NetworkChecked.TYPE]
    timeline = build_timeline(under_way, parties=made.parties, tracks={})
    assert [step.state for step in timeline.steps].count("next") == 1
