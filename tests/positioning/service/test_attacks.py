"""Of forty scripted attacks two prove an arrival, and say that they could be one."""

from __future__ import annotations

import pytest
from tests.positioning.attacks import ATTACKS, Attack, judged, made_scene, scene_of

from zhidao.core.archive import digest_of
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.service.evidence_replay import replay
from zhidao.positioning.wire.position_evidence import PositionEvidence
from zhidao.positioning.wire.rinex.writing import write_observations

USUAL = Settings.of_arrivals()
MADE = [attack for attack in ATTACKS if attack.scene == "made"]
REAL = [attack for attack in ATTACKS if attack.scene != "made"]


def test_there_are_forty_and_two_of_them_pass():
    assert len(ATTACKS) == 40
    assert [attack.passes for attack in ATTACKS if attack.passes] == [
        "coherent_simulator",
        "slow_drag_off",
    ]


def _told(attack: Attack, shared=None) -> PositionEvidence:
    scene = scene_of(attack.scene, shared)
    before = attack.earlier(scene) if attack.earlier else None
    return judged(scene, attack.make(scene), USUAL, before=before)


@pytest.mark.parametrize("attack", MADE, ids=lambda attack: attack.name)
def test_an_attack_on_a_made_window_proves_nothing_or_is_named(attack):
    _judge(attack, _told(attack))


@pytest.mark.parametrize("attack", REAL, ids=lambda attack: attack.name)
def test_an_attack_on_a_real_window_proves_nothing_or_is_named(attack, shared):
    _judge(attack, _told(attack, shared))


def _judge(attack: Attack, told: PositionEvidence) -> None:
    result = told.result
    if attack.passes:
        assert result.decision == "inside"
        assert attack.passes in result.open
        return
    assert result.decision != "inside", result.sentence
    if result.decision == "signals_suspect":
        assert result.findings or result.findings_before
    if result.decision == "fault_not_excluded":
        assert "constellations_disagree" in [each.reason for each in result.findings]


def test_a_finding_before_the_yard_is_kept_and_blocks():
    (attack,) = (each for each in ATTACKS if each.name == "5 km off until second 100")
    result = _told(attack).result
    assert result.decision == "signals_suspect"
    fast = next(each for each in result.findings if each.reason == "too_fast")
    assert fast.epochs <= 3
    assert fast.first_at < "2026-11-21T06:01:41" <= fast.last_at
    assert "no vehicle" in fast.sentence


def test_evidence_with_a_window_before_is_replayed_with_it_only():
    (attack,) = (each for each in ATTACKS if each.name == "window before with a clock that jumps")
    scene = made_scene()
    before = write_observations(attack.earlier(scene))
    told = _told(attack)
    assert told.before == digest_of(before)
    window = write_observations(attack.make(scene))
    assert replay(told, window, scene.navigation_file, before).reproduced
    assert not replay(told, window, scene.navigation_file).reproduced


def test_the_honest_window_is_proven_with_its_mark_and_its_open_questions():
    scene = made_scene()
    result = judged(scene, scene.seen, USUAL).result
    assert result.decision == "inside"
    assert (result.mark, result.systems, result.findings) == ("inside_at_risk", "CEG", [])
    assert result.open == ["coherent_simulator", "slow_drag_off", "no_window_before"]


def test_one_wrong_satellite_or_ephemeris_costs_no_proof():
    """B1I alone put it out; with all constellations the bound was infinite then."""
    from tests.positioning.attacks import made, still

    from zhidao.positioning.domain.synthesis.receiver import SatelliteBias

    scene = made_scene()
    number = int(scene.seen.systems["C"].prn[0])
    seen = made(still(), faults=[SatelliteBias(f"C{number:02d}", 60.0)])
    result = judged(scene, seen, USUAL).result
    assert result.decision == "inside", result.sentence
    assert result.excluded == [f"C{number:02d}"]
    assert result.protection_mm < 60_000


def test_the_refusal_says_what_a_broken_stretch_lacked():
    from tests.positioning.attacks import made, still

    scene = made_scene()
    outages = [(first, first + 61) for first in range(40, 200, 100)]
    seen = made(still(), outages=outages)
    result = judged(scene, seen.part(0, 150), USUAL).result
    assert result.decision == "stretch_broken"
    assert "no stretch of 60 s" in result.sentence
    assert "the longest lasts" in result.sentence
