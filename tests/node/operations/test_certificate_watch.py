"""A certificate that ends is told thirty days before, and again seven days before."""

from __future__ import annotations

import pytest

from zhidao.node.operations.alarms import Alarms
from zhidao.node.operations.certificate_watch import CertificateWatch, Ending


class World:
    """Certificates that somebody replaces."""

    def __init__(self, *days: int, own: bool = False) -> None:
        self.alarms = Alarms()
        self.put(*days, own=own)
        self.watch = CertificateWatch(self._read, self.alarms)

    def put(self, *days: int, own: bool = False) -> None:
        self.endings = [
            Ending(names=[f"n{left}"], ends_at="2027-01-01T00:00:00Z", days_left=left, own=own)
            for left in days
        ]

    async def _read(self) -> list[Ending]:
        return self.endings

    async def codes(self) -> list[str]:
        await self.watch.look()
        return [each.code for each in self.alarms.standing()]


@pytest.mark.parametrize(
    ("days", "codes"),
    [
        (30, []),
        (29, ["certificate_ends"]),
        (7, ["certificate_ends"]),
        (6, ["certificate_ends_soon"]),
        (0, ["certificate_ends_soon"]),
        (-1, ["certificate_ends_soon"]),
    ],
)
async def test_the_nearer_the_end_the_louder(days: int, codes: list[str]) -> None:
    assert await World(days).codes() == codes


async def test_no_certificate_is_no_alarm() -> None:
    assert await World().codes() == []


async def test_the_first_that_ends_is_told_and_taken_back_once_it_is_new() -> None:
    world = World(400, 12, 20)
    assert await world.codes() == ["certificate_ends"]
    assert "n12 ends in 12 days" in world.alarms.standing()[0].sentence
    world.put(400, 3)
    assert await world.codes() == ["certificate_ends_soon"]
    world.put(400, 397)
    assert await world.codes() == []


async def test_what_to_do_depends_on_whose_it_is() -> None:
    own, others = World(3, own=True), World(-2)
    await own.codes()
    await others.codes()
    assert "start the node again" in own.alarms.standing()[0].remedy
    assert "tls.certificate" in others.alarms.standing()[0].remedy
    assert "ends already" in others.alarms.standing()[0].sentence
