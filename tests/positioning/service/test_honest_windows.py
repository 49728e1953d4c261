"""Whoever is honest is not blocked: simulated windows whose noise is fitted to real recordings."""

from __future__ import annotations

from collections import Counter

from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.domain.synthesis.arrival_study import honest_window, sky
from zhidao.positioning.events import Site
from zhidao.positioning.service.evaluation import evaluate
from zhidao.positioning.wire.position_evidence import PositionEvidence, Question
from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations

SKIES = 3
EACH = 12


def decision(window, navigation: bytes) -> str:
    seen, place = window.seen, window.place
    hour_ns = 3_600 * 10**9
    question = Question(
        consignment="C-1",
        terminal="T-1",
        site=Site(
            name="Yard",
            latitude_ndeg=place.latitude_ndeg,
            longitude_ndeg=place.longitude_ndeg,
            radius_mm=150_000,
        ),
        not_before=str(seen.utc(0).plus_ns(-hour_ns)),
        not_after=str(seen.utc(-1).plus_ns(hour_ns)),
        risk_ppb=10_000,
    )
    data = evaluate(question, write_observations(seen), navigation, Settings.of_arrivals())
    return PositionEvidence.decode(data).result.decision


def test_no_honest_window_is_blocked_by_its_signals():
    said: Counter[str] = Counter()
    for of_sky in range(SKIES):
        navigation = sky(of_sky)
        data = write_navigation(navigation)
        for number in range(EACH):
            said[decision(honest_window(navigation, of_sky=of_sky, number=number), data)] += 1
    assert said.total() == SKIES * EACH
    blocked = {what: n for what, n in said.items() if what.startswith(("signals", "unchecked"))}
    assert blocked == {}
    # Most also prove what they are asked, so that nothing was passed over.
    assert said["inside"] >= 0.75 * said.total()
