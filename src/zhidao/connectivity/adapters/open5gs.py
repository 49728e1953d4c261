"""A core of Open5GS, asked over its InfoAPI: which cell a SIM is in, and where that cell serves.

Everything that it lists is read by page within bounds and kept for some seconds. Of a location the
core tells when it took note of it, which is when it is true; the cell may be newer (see
`wire.infoapi`), so the circle is wider by as far as a vehicle comes in the time between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import httpx
import numpy as np
import numpy.typing as npt

from zhidao.connectivity.adapters.plain_client import PlainClient
from zhidao.connectivity.domain.distance import apart_m
from zhidao.connectivity.domain.served_cell import CellId, ServedCell
from zhidao.connectivity.domain.sim import Sim
from zhidao.connectivity.domain.subscriber_location import (
    DRIFT_MPS,
    NetworkAnswer,
    Presence,
    SubscriberLocation,
)
from zhidao.connectivity.service.ports import BackendState, NetworkAway
from zhidao.connectivity.wire import infoapi
from zhidao.connectivity.wire.infoapi import CoreDevice
from zhidao.connectivity.wire.network_files import Open5gsPlan
from zhidao.core.ambient import Clock
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.geo import Geodetic
from zhidao.core.hosts.answers import Answer, ask, bad_answer, no_answer
from zhidao.core.timescale import NS, Utc

KIND: Final = "open5gs"
# A device that was switched off shows within this and the time of one reading.
KEPT_S: Final = 5
PAGES_MAX: Final = 200
PAGE_BYTES_MAX: Final = 2 * 1024 * 1024
_SECONDS: Final = 5.0
_WHOLE_S: Final = 20.0
# After a failure an SMF is left alone for so long.
_SMF_LEFT_S: Final = 60
_WAITED: Final = dict.fromkeys(("connect", "read", "write", "pool"), _SECONDS)
CLOCKS_APART_S: Final = 60
# A wider circle tells nothing.
_TOLD_M: Final = 100_000.0
# Identities of base stations have 22 to 32 of the 36 bits of a cell's (TS 38.413 section 9.3.1.6).
_GNB_BITS: Final = range(22, 33)
_WHY_CHARACTERS: Final = 200
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Core:
    """What was read at one time. apart_s: how far its clock is ahead of this node's."""

    at: Utc
    devices: Mapping[str, CoreDevice]
    holders: Mapping[str, frozenset[str]]
    active: Mapping[str, bool]
    count: int
    apart_s: float
    note: str = ""


class Open5gsNetwork:
    """Implements `service.ports.SimNetwork`."""

    def __init__(
        self,
        plan: Open5gsPlan,
        cells: Mapping[CellId, ServedCell],
        sims: Sequence[Sim],
        clock: Clock,
    ) -> None:
        """sims: its own; of all others nothing is kept."""
        self._plan = plan
        self._cells = cells
        self._circles = {identity: cell.circle for identity, cell in cells.items()}
        self._centres = np.array([_vector(each.centre) for each in self._circles.values()])
        self._reach_m = np.array([each.radius_m for each in self._circles.values()])
        identities = np.array([each.nci for each in cells], dtype=np.int64)
        self._known_gnbs = np.unique([identities >> (36 - bits) for bits in _GNB_BITS])
        self._supis = frozenset(each.supi for each in sims)
        self._numbers = frozenset(each.phone[1:] for each in sims)
        self._sims = len(sims)
        self._clock = clock
        self._client = PlainClient(_SECONDS)
        self._reading = asyncio.Lock()
        self._kept: _Core | None = None
        self._failed: tuple[Utc, str] | None = None
        self._smf_failed: tuple[Utc, str] | None = None
        self._stations: tuple[Utc, int, str] | None = None

    async def answer(self, sim: Sim) -> NetworkAnswer:
        """Where a SIM is. Raises NetworkAway."""
        core = await self._core()
        device = core.devices.get(sim.supi)
        unbound = _unbound(sim, device, core)
        if unbound:
            return NetworkAnswer(why=unbound)
        if device is None:
            away = "its network does not know the SIM now: it is switched off or elsewhere"
            return NetworkAnswer(why=away, presence=Presence.UNREACHABLE)
        active = device.connected or core.active.get(sim.supi, False)
        found = self._located(device, core)
        return replace(found, presence=Presence.REACHABLE if active else Presence.IDLE)

    def _located(self, device: CoreDevice, core: _Core) -> NetworkAnswer:
        if not device.cells:
            return NetworkAnswer(why="its network has noted no location of the SIM yet")
        cell, at = device.cells[0], device.at[0]
        age_s = core.at.since_ns(at) / NS
        if abs(core.apart_s) > CLOCKS_APART_S or age_s < -CLOCKS_APART_S:
            return NetworkAnswer(why="the clock of its network is wrong, so no time of it counts")
        circle = self._circles.get(cell)
        if circle is None and cell.plmn != self._plan.plmn:
            return NetworkAnswer(why="it is in a network of others")
        if circle is None:
            return NetworkAnswer(why="it is in a cell whose place this node does not know")
        radius_m = circle.radius_m + DRIFT_MPS * max(0.0, age_s)
        if radius_m > _TOLD_M:
            return NetworkAnswer(why=f"its network noted a location last {age_s / 60:.0f} min ago")
        seen = SubscriberLocation(circle.centre, radius_m, at, self._plan.name, simulated=False)
        return NetworkAnswer((seen,))

    def covers(self, place: Geodetic, radius_m: float, /) -> bool:
        """Whether a cell serves anything of a circle."""
        # A chord is shorter than any way over the ground, so what it leaves out is out.
        chords_m = np.linalg.norm(self._centres - _vector(place), axis=1)
        near = np.flatnonzero(chords_m <= self._reach_m + radius_m)
        circles = list(self._circles.values())
        return any(
            apart_m(place, circles[n].centre) <= circles[n].radius_m + radius_m for n in near
        )

    async def state(self) -> BackendState:
        """What it answers now."""
        state = BackendState(
            name=self._plan.name,
            kind=KIND,
            plmn=self._plan.plmn,
            sims=self._sims,
            cells=len(self._cells),
        )
        try:
            core = await self._core()
        except NetworkAway:
            why = self._failed[1] if self._failed else ""
            return replace(state, why=why, answered_at=(self._kept.at,) if self._kept else ())
        state = replace(
            state,
            answers=abs(core.apart_s) <= CLOCKS_APART_S,
            answered_at=(core.at,),
            devices=core.count,
            why=core.note,
        )
        if not state.answers:
            state = replace(state, why=f"its clock is {core.apart_s:+.0f} s off this node's")
        return await self._with_stations(state)

    async def _with_stations(self, state: BackendState) -> BackendState:
        now = self._clock.now()
        if self._stations is None or not _lately(self._stations[0], now):
            count, told = await self._read_stations()
            self._stations = (now, count, told)
        _, count, told = self._stations
        return replace(state, stations=count, why=state.why or told)

    async def _read_stations(self) -> tuple[int, str]:
        try:
            async with asyncio.timeout(_WHOLE_S):
                found, _ = await self._pages(self._plan.amf, "/gnb-info", infoapi.stations)
        except (Unavailable, TimeoutError) as error:
            return 0, f"without base stations: {error}"[:_WHY_CHARACTERS]
        strange = int(np.isin([each.gnb for each in found], self._known_gnbs, invert=True).sum())
        told = f"{strange} base stations have no cell in the table of sites" if strange else ""
        return len(found), told

    async def close(self) -> None:
        """Lets go of all connections."""
        await self._client.close()

    async def _core(self) -> _Core:
        # One reads at a time: of many who come while the core is slow, all wait for one answer.
        async with self._reading:
            now = self._clock.now()
            if self._kept and _lately(self._kept.at, now):
                return self._kept
            if self._failed and _lately(self._failed[0], now):
                raise self._away()
            try:
                async with asyncio.timeout(_WHOLE_S):
                    self._kept = await self._read(now)
            except (Unavailable, TimeoutError) as error:
                late = f"no whole list within {_WHOLE_S:.0f} s"
                why = late if isinstance(error, TimeoutError) else str(error.args[0])
                self._failed = (self._clock.now(), why[:_WHY_CHARACTERS])
                raise self._away() from error
            self._failed = None
            return self._kept

    def _away(self) -> NetworkAway:
        # Who asks about a SIM learns nothing of addresses; `state` tells its operator more.
        return NetworkAway(f"network {self._plan.name} does not answer as it should", KEPT_S)

    async def _read(self, now: Utc) -> _Core:
        found, apart_s = await self._pages(self._plan.amf, "/ue-info", infoapi.devices)
        devices: dict[str, CoreDevice] = {}
        holders: dict[str, set[str]] = {}
        for each in found:
            for number in self._numbers.intersection(each.numbers):
                holders.setdefault(number, set()).add(each.supi)
            before = devices.get(each.supi)
            # Of two contexts of one SIM the core noted one later.
            if each.supi in self._supis and (before is None or before.at <= each.at):
                devices[each.supi] = each
        active, note = await self._active(now)
        held = {number: frozenset(supis) for number, supis in holders.items()}
        return _Core(now, devices, held, active, len(found), apart_s, note)

    async def _active(self, now: Utc) -> tuple[dict[str, bool], str]:
        """Who has a session that is active, or why that is not known."""
        if not self._plan.smf:
            return {}, ""
        if self._smf_failed and 0 <= now.since_ns(self._smf_failed[0]) < _SMF_LEFT_S * NS:
            return {}, self._smf_failed[1]
        try:
            async with asyncio.timeout(_SECONDS):
                found, _ = await self._pages(self._plan.smf, "/pdu-info", infoapi.sessions)
        except (Unavailable, TimeoutError) as error:
            # It only adds to what the AMF says, so nobody waits for it at each reading.
            why = f"without sessions: {error or 'too slow'}"[:_WHY_CHARACTERS]
            self._smf_failed = (now, why)
            return {}, why
        self._smf_failed = None
        return {each.supi: each.active for each in found if each.supi in self._supis}, ""

    async def _pages(
        self, base: str, path: str, read: Callable[[object, int], tuple[tuple[T, ...], bool]]
    ) -> tuple[list[T], float]:
        """All items of a list, and how far the core's clock is ahead. Raises Unavailable."""
        found: list[T] = []
        for page in range(PAGES_MAX):
            url = f"{base.rstrip('/')}{path}"
            answer = await self._ask(url, page)
            try:
                items, more = read(answer.json(), page)
            except MalformedInput as error:
                place = f" ({error.where})" if error.where else ""
                raise bad_answer(url, f"what is no such list: {error.args[0]}{place}") from error
            found += items
            if not more:
                return found, self._apart_s(answer)
        raise bad_answer(url, f"more than {PAGES_MAX} pages")

    async def _ask(self, url: str, page: int) -> Answer:
        client = await self._client.opened()
        try:
            answer = await ask(
                client,
                "GET",
                url,
                seconds=_SECONDS,
                bytes_max=PAGE_BYTES_MAX,
                params={"page": page, "page_size": infoapi.PAGE_SIZE},
            )
        except httpx.HTTPError as error:
            raise no_answer(url, error, waited_s=_WAITED) from error
        if answer.status != httpx.codes.OK:
            raise bad_answer(url, str(answer.status))
        return answer

    def _apart_s(self, answer: Answer) -> float:
        """By the header Date, in whole seconds; 0 without one that can be read."""
        try:
            told_s = parsedate_to_datetime(answer.headers["date"]).timestamp()
        except (KeyError, ValueError, TypeError, OverflowError):
            return 0.0
        return told_s - self._clock.now().unix_ns / NS


def _unbound(sim: Sim, device: CoreDevice | None, core: _Core) -> str:
    """Why what the core sees is not the SIM of the table in its own device; empty where it is."""
    others = core.holders.get(sim.phone[1:], frozenset()) - {sim.supi}
    if others or (device and device.numbers and sim.phone[1:] not in device.numbers):
        return "the core gives the number to another SIM than the table does"
    if device and sim.device and device.modem not in ("", sim.device):
        return "the SIM is in another device than the table says"
    return ""


def _vector(place: Geodetic) -> npt.NDArray[np.float64]:
    at = place.to_ecef()
    return np.array((at.x_m, at.y_m, at.z_m))


def _lately(at: Utc, now: Utc) -> bool:
    """Not so where the clock was set back."""
    return 0 <= now.since_ns(at) < KEPT_S * NS
