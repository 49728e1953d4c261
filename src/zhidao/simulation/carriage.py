"""The carrier's part: terminal, seal and mobile network made ready, then the way to the site."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from zhidao.core.ambient import Randomness
from zhidao.core.errors import Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import NS
from zhidao.devices.wire.jt808.position import PositionReport
from zhidao.node.security.private_files import write_private
from zhidao.simulation import participants
from zhidao.simulation.client import Caller
from zhidao.simulation.scenario import CARD, Reported, Scenario
from zhidao.simulation.terminal import Identity, TerminalClient, position_report

_TIMEOUT_S: Final = 90.0
Say = Callable[[int, str], None]


class Carriage:
    """One carriage of a scenario's goods; all may be repeated at a node that came back."""

    def __init__(
        self,
        scenario: Scenario,
        callers: Mapping[str, Caller],
        *,
        folder: Path,
        fail: str,
        randomness: Randomness,
        pace_s: float,
        devices_port: int,
        step: Say,
        say: Say,
        scenario_time: Callable[[int], Awaitable[None]],
    ) -> None:
        """`callers`: those at the node where the terminal is at home. `folder`: its key's."""
        self._scenario = scenario
        self._callers = callers
        self._folder = folder
        self._fail = fail
        self._randomness = randomness
        self._pace_s = pace_s
        self._devices_port = devices_port
        self._step = step
        self._say = say
        self._scenario_time = scenario_time
        self.acknowledged: frozenset[bytes] = frozenset()

    def _by(self, party: str) -> Caller:
        return self._callers[party]

    async def prepare(self) -> None:
        """Registers orbits, terminal and card, and sets what the simulated network will say."""
        operator, scenario = self._by(participants.OPERATOR), self._scenario
        await operator.ask(
            "POST",
            "/v1/positioning/navigation",
            content=scenario.navigation,
            headers={"Content-Type": "application/octet-stream"},
        )
        await operator.post(
            "/v1/devices/terminals",
            {
                "terminal": scenario.terminal,
                "phone": scenario.phone,
                "key": self._key().public.multikey,
                "owner": "carrier",
                # On a lorry: what its windows prove, they prove by the model of an open sky.
                "surroundings": "vehicle",
                "readers": [*participants.ALL[:1], *participants.ALL[2:]],
            },
        )
        await self._network()

    async def travel(self) -> None:
        """Binds the terminal to the goods and drives to the site."""
        if self._fail != "unbound":
            await self._seal(self._by("carrier"))
        await self._drive(self._key())

    async def _seal(self, carrier: Caller) -> None:
        scenario = self._scenario
        await carrier.post(
            "/v1/devices/seals",
            {
                "seal": scenario.seal,
                "container": participants.CONTAINER,
                "consignment": scenario.consignment,
                "terminal": scenario.terminal,
                "readers": participants.ALL,
            },
        )
        await self._by("customs").post(
            f"/v1/devices/seals/{scenario.seal}/checks",
            {
                "container": participants.CONTAINER,
                "terminal": scenario.terminal,
                "intact": True,
                "place": "gate of the factory",
            },
        )

    async def _network(self) -> None:
        """Sets what the simulated mobile network will answer about the terminal."""
        circle = self._scenario.network
        await self._by(participants.OPERATOR).put(
            f"/v1/connectivity/scenario/{self._scenario.phone}",
            {
                "sightings": [
                    {
                        "latitude_ndeg": round(circle.latitude_deg * 1e9),
                        "longitude_ndeg": round(circle.longitude_deg * 1e9),
                        "radius_mm": round(circle.radius_m * 1000),
                        "at": str(self._scenario.window_at),
                    }
                ],
                "readers": participants.ALL,
                "network": "simulated mobile network",
            },
        )
        await self._by(participants.OPERATOR).post(
            "/v1/connectivity/cards",
            {
                "card": CARD,
                "terminal": self._scenario.terminal,
                "owner": "carrier",
                "readers": [party for party in participants.ALL if party != "carrier"],
            },
        )

    async def _drive(self, key: SoftwareKey) -> None:
        scenario, kept = self._scenario, self._folder / "terminal.token"
        lying = self._fail == "wrong-token"
        terminal = TerminalClient(
            Identity(scenario.terminal, scenario.phone.removeprefix("+"), key),
            host="127.0.0.1",
            port=self._devices_port,
            randomness=self._randomness,
            token="not the token" if lying else kept.read_text() if kept.exists() else "",
            keep=None if lying else lambda token: write_private(kept, token.encode()),
            timeout_s=_TIMEOUT_S,
        )
        try:
            await terminal.connect()
            await self._report(terminal)
            await terminal.heartbeat()
            # A window is sent when it is over: nothing that follows from it happens before it.
            await self._scenario_time(-(-scenario.window_ends.since_ns(scenario.begins) // NS))
            await self._send_window(terminal)
        except Refused as refusal:
            self._step(5, f"the node did not accept the terminal: {refusal}")
            return
        finally:
            self.acknowledged = frozenset(terminal.acknowledged)
            await terminal.close()
        self._step(
            5,
            f"terminal {scenario.terminal} sent {len(scenario.track)} positions and a raw window "
            f"of {len(scenario.window)} bytes in signed chunks",
        )

    async def _report(self, terminal: TerminalClient) -> None:
        """Positions over the network; while the link is down, by short message, then both."""
        scenario = self._scenario
        down, up = scenario.link_down
        for number, point in enumerate(scenario.track):
            await self._scenario_time(point.at.since_ns(scenario.begins) // NS)
            if number == down:
                await terminal.close()
                answer = await self._by(participants.OPERATOR).post(
                    "/v1/connectivity/short-messages", {"sentence": scenario.short_message()}
                )
                self._say(5, f"the link is down: {len(answer['points'])} positions came by BeiDou")
            if down <= number < up:
                await asyncio.sleep(self._pace_s)
                continue
            late = scenario.track[down:up] if number == up else ()
            await terminal.send([_report_of(each) for each in (*late, point)])
            await asyncio.sleep(self._pace_s)

    async def _send_window(self, terminal: TerminalClient) -> None:
        scenario = self._scenario
        window = scenario.window
        if self._fail == "replay":
            old = self._randomness.token(16)
            await terminal.send_window(window, simulated=scenario.simulated, nonce=old)
        elif self._fail == "forged":
            stranger = SoftwareKey(Algorithm.ED25519, self._randomness.token(32))
            await terminal.send_window(window, simulated=scenario.simulated, key=stranger)
        else:
            await terminal.send_window(window, simulated=scenario.simulated)

    def _key(self) -> SoftwareKey:
        """The terminal's own key: kept in its folder, never in the node."""
        kept = self._folder / "terminal.key"
        if not kept.exists():
            kept.touch(mode=0o600)
            kept.write_bytes(self._randomness.token(32))
        return SoftwareKey(Algorithm.ED25519, kept.read_bytes())


def _report_of(point: Reported) -> PositionReport:
    return position_report(
        at=point.at,
        latitude_deg=point.latitude_deg,
        longitude_deg=point.longitude_deg,
        satellites=18,
    )
