"""Which network is asked about a SIM, by the operator's table of SIMs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from zhidao.connectivity.domain.sim import Sim
from zhidao.connectivity.domain.subscriber_location import Holding, Subscriber
from zhidao.connectivity.service.ports import BackendState, NetworkBackend, SimNetwork
from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import NotFound
from zhidao.core.geo import Geodetic

MAY_SEE_NETWORKS: Final = access(Role.OPERATOR)


class NoNetwork:
    """Implements `ports.NetworkBackend` where none is connected."""

    async def holding(self, _: str, /) -> Holding:
        """Raises NotFound."""
        raise NotFound("no network is connected that knows this number")

    async def subscriber(self, _: str, /) -> Subscriber:
        """Raises NotFound."""
        raise NotFound("no network is connected that knows this number")

    def covers(self, *_: object) -> bool:
        """Nowhere."""
        return False


class Networks:
    """Implements `ports.NetworkBackend` by several networks; each is asked about its own SIMs.

    otherwise: asked about every number that no table has, such as a demonstration's.
    """

    def __init__(
        self,
        sims: Mapping[str, Sim],
        networks: Mapping[str, SimNetwork],
        otherwise: NetworkBackend,
    ) -> None:
        self._sims = sims
        self._networks = networks
        self._otherwise = otherwise

    async def holding(self, phone: str) -> Holding:
        """By the table; no network is asked. Raises NotFound."""
        sim = self._sims.get(phone)
        return sim.holding if sim else await self._otherwise.holding(phone)

    async def subscriber(self, phone: str) -> Subscriber:
        """What the SIM's network knows of it. Raises NotFound, Unavailable."""
        sim = self._sims.get(phone)
        if sim is None:
            return await self._otherwise.subscriber(phone)
        answer = await self._networks[sim.network].answer(sim)
        return Subscriber(
            phone=phone,
            applicable=True,
            readers=sim.readers,
            locations=answer.locations,
            why=answer.why,
            withheld=answer.withheld,
            presence=answer.presence,
            holder=sim.holder,
            unplaced=answer.unplaced,
        )

    def covers(self, phone: str, place: Geodetic, radius_m: float, /) -> bool:
        """Whether the SIM's network could locate a device within a circle."""
        sim = self._sims.get(phone)
        if sim is None:
            return self._otherwise.covers(phone, place, radius_m)
        return self._networks[sim.network].covers(place, radius_m)

    async def states(self, actor: Actor) -> list[BackendState]:
        """Every network with what it answers now (operator)."""
        MAY_SEE_NETWORKS.admit(actor)
        asked = await asyncio.gather(*(each.state() for each in self._networks.values()))
        return list(asked)

    async def close(self) -> None:
        """Lets go of all connections."""
        await asyncio.gather(*(each.close() for each in self._networks.values()))
