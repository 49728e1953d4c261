"""Never lost, never twice: kill -9 at random moments of the road, then a look from outside.

Three seeds for each victim here; forty in `./run bench kills --long`. The name of a failed test
holds its seed: `pytest 'tests/end_to_end/test_kills.py' -k 'database-2'`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from zhidao.cli.main import main
from zhidao.simulation.adapters.remains import read_remains
from zhidao.simulation.kills import carry, judge
from zhidao.simulation.scene import Scene, simulated_scene

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(240)]
_VICTIMS = (
    *[("node", seed) for seed in (1, 2, 3)],
    *[("database", seed) for seed in (1, 2, 3)],
    *[("bus", seed) for seed in (1, 2, 3)],
    ("bus-folder", 1),
    ("machine", 1),
)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return simulated_scene("zd-2026-0417", fail="", seed=417)


async def test_a_refusal_is_decided_and_applied_once_whatever_dies(tmp_path: Path):
    scene = simulated_scene("zd-2026-0417", fail="spoof", seed=417)
    voyage = await carry(scene, tmp_path, seed=5, victim="node", kills=2, fail="spoof")
    told = f"victim node, seed 5, kills {voyage.kills}"
    assert voyage.outcome.reason == "network_disagrees", told
    assert judge(voyage, await read_remains(tmp_path / "node")) == [], told


@pytest.mark.parametrize(("victim", "seed"), _VICTIMS, ids=str)
async def test_whatever_dies_on_the_road_nothing_is_lost_and_nothing_done_twice(
    victim: str, seed: int, scene: Scene, tmp_path: Path
):
    kills = 2 if victim in ("node", "machine") else 3
    voyage = await carry(scene, tmp_path, seed=seed, victim=victim, kills=kills)
    told = f"victim {victim}, seed {seed}, kills {voyage.kills}"
    assert voyage.kills, told
    assert judge(voyage, await read_remains(tmp_path / "node")) == [], told
    proof, trust = voyage.outcome.proof, voyage.outcome.trust
    assert main(["verify", str(proof), "--trust", str(trust)]) == 0, told
