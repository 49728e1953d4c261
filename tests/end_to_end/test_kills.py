"""Never lost, never twice: kill -9 at random moments of the road, then a look from outside.

A node, a database and a bus are victims here; the other parts of either node by `--long`, and forty
in `./run bench kills --long`. The name of a failed test holds its seed:
`pytest 'tests/end_to_end/test_kills.py' -k 'exporter-database-1'`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from zhidao.cli.main import main
from zhidao.simulation.kills import carry, judge, read_both
from zhidao.simulation.scenario import Scenario, simulated_scenario

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(240)]
_TODAY = datetime.now(UTC).toordinal()
_VICTIMS = (
    # One a day, in turn; all by `--long`.
    *(
        pytest.param(victim, seed, marks=[] if turn == _TODAY % 3 else pytest.mark.long)
        for turn, (victim, seed) in enumerate(
            (("exporter-node", 2), ("importer-database", 2), ("importer-bus-folder", 1))
        )
    ),
    *(
        pytest.param(victim, seed, marks=pytest.mark.long)
        for victim, seed in (
            ("importer-node", 1),
            ("exporter-bus", 1),
            ("exporter-machine", 1),
            ("importer-node", 2),
            ("exporter-node", 1),
            ("importer-database", 1),
            ("exporter-database", 1),
            ("importer-bus", 1),
            ("importer-machine", 1),
        )
    ),
)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return simulated_scenario("zd-2026-0417", fail="", seed=417)


@pytest.mark.every_days(2)
async def test_a_refusal_is_decided_and_applied_once_whatever_dies(tmp_path: Path):
    scenario = simulated_scenario("zd-2026-0417", fail="spoof", seed=417)
    voyage = await carry(scenario, tmp_path, seed=5, victim="importer-node", kills=2, fail="spoof")
    told = f"victim importer-node, seed 5, kills {voyage.kills}"
    assert voyage.outcome.reason == "network_disagrees", told
    assert judge(voyage, await read_both(tmp_path)) == [], told


@pytest.mark.every_days(2)
@pytest.mark.parametrize(("victim", "seed"), _VICTIMS, ids=str)
async def test_whatever_dies_on_the_road_nothing_is_lost_and_nothing_done_twice(
    victim: str, seed: int, scenario: Scenario, tmp_path: Path
):
    kills = 2 if victim.endswith(("node", "machine")) else 3
    voyage = await carry(scenario, tmp_path, seed=seed, victim=victim, kills=kills)
    told = f"victim {victim}, seed {seed}, kills {voyage.kills}"
    assert voyage.kills, told
    assert judge(voyage, await read_both(tmp_path)) == [], told
    proof, trust = voyage.outcome.proof, voyage.outcome.trust
    assert main(["verify", str(proof), "--trust", str(trust)]) == 0, told
