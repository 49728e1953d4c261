"""A core of Open5GS tells where a SIM is, and what it cannot tell is no disagreement."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from tests.connectivity.served import (
    NCI,
    PHONE,
    PLMN,
    STATION,
    SUPI,
    Core,
    Send,
    answer,
    device,
    located,
    serving,
)

from zhidao.connectivity.adapters import open5gs
from zhidao.connectivity.adapters.open5gs import Open5gsNetwork
from zhidao.connectivity.domain.served_cell import CellId, ServedCell
from zhidao.connectivity.domain.sim import Sim
from zhidao.connectivity.domain.subscriber_location import DRIFT_MPS, NetworkAnswer, Presence
from zhidao.connectivity.service.ports import NetworkAway
from zhidao.connectivity.wire.network_files import Open5gsPlan
from zhidao.core.ambient import HandClock
from zhidao.core.geo import Geodetic
from zhidao.core.timescale import NS, Utc

SIM = Sim(PHONE, "corridor", (), SUPI)
OTHER = Sim("+77010000002", "corridor", (), "imsi-999700000000002")
SITE = Geodetic(43.35, 77.04)
CELLS = {CellId(PLMN, NCI): ServedCell(CellId(PLMN, NCI), SITE, 5_000.0)}


class Asked:
    """A core that is served, and the network that asks it."""

    def __init__(self, url: str, core: Core, *, smf: bool = False) -> None:
        self.core = core
        self.clock = HandClock(now())
        self.plan = Open5gsPlan("corridor", PLMN, url, "sites.csv", url if smf else "")
        self.change(sims=(SIM, OTHER))

    async def answer(self, sim: Sim = SIM) -> NetworkAnswer:
        return await self.network.answer(sim)

    def change(self, cells: Any = CELLS, sims: tuple[Sim, ...] = (SIM,)) -> None:
        """Before anything was asked: the network with other tables."""
        self.network = Open5gsNetwork(self.plan, cells, sims, self.clock)

    async def close(self) -> None:
        await self.network.close()


def now() -> Utc:
    return Utc.from_unix_ns(time.time_ns())


@asynccontextmanager
async def asked(*items: Any, smf: bool = False, **lists: Any) -> AsyncIterator[Asked]:
    core = Core({"/ue-info": list(items), "/gnb-info": [STATION]} | lists)
    with serving(core) as url:
        made = Asked(url, core, smf=smf)
        try:
            yield made
        finally:
            await made.close()


async def test_a_device_is_where_its_cell_serves():
    async with asked(device()) as a:
        found = await a.answer()
        (seen,) = found.locations
        assert (seen.centre, seen.network, seen.simulated) == (SITE, "corridor", False)
        assert abs(seen.at.since_ns(now())) < 5 * NS
        assert 5_000 <= seen.radius_m < 5_000 + 5 * DRIFT_MPS
        assert found.presence is Presence.REACHABLE


async def test_an_older_location_stands_at_its_time_in_a_wider_circle():
    """The core changes the cell without the time; so it was there at some time since then."""
    ago_us = round((time.time() - 300) * 1e6)
    async with asked(device(location=located(timestamp=ago_us), cm_state="idle")) as a:
        found = await a.answer()
        (seen,) = found.locations
        assert seen.at.unix_ns // 1000 == ago_us
        assert seen.radius_m == pytest.approx(5_000 + 300 * DRIFT_MPS, abs=200)
        assert found.presence is Presence.IDLE
    long_ago = device(location=located(timestamp=round((time.time() - 3_000) * 1e6)))
    async with asked(long_ago) as a:
        assert (await a.answer()).why == "its network noted a location last 50 min ago"


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (device(location=located(nci=5)), "in a cell whose place this node does not know"),
        (device(location=located(plmn="40101")), "in a network of others"),
        (device(location=located(timestamp=0)), "has noted no location"),
        (device(location={"tai": {"plmn": PLMN}}), "has noted no location"),
        (device(msisdn=["77019999999"]), "gives the number to another SIM"),
        (device(2), "does not know the SIM now"),
        (device(supi=""), "does not know the SIM now"),
        (device(location=located(timestamp=(time.time() + 900) * 1e6 // 1)), "clock"),
    ],
)
async def test_what_a_core_cannot_tell_it_says_with_its_reason(item: Any, why: str):
    async with asked(item) as a:
        found = await a.answer()
        assert found.locations == ()
        assert why in found.why
        # What is told to whoever asks names no SUPI, no cell, no address.
        assert not any(each in found.why for each in (SUPI[5:], str(NCI), "127.0.0.1", PLMN))


@pytest.mark.parametrize(
    ("pei", "places"),
    [
        ("imeisv-3535938300494799", 1),  # Another version of its software.
        ("imei-353593830049470", 1),
        ("imeisv-3535938300494815", 0),
        ("", 1),  # The core did not ask it.
        ("mac-00-00-5E-00-53-00", 1),
        (None, 1),
    ],
)
async def test_a_sim_in_another_device_than_its_own_is_not_the_terminal(pei: Any, places: int):
    async with asked(device(pei=pei)) as a:
        bound = replace(SIM, device="35359383004947")
        found = await a.network.answer(bound)
        assert len(found.locations) == places
        if not places:
            assert found.why == "the SIM is in another device than the table says"
        assert "35359383004947" not in repr(bound) + repr(found)


async def test_a_number_that_the_core_gives_to_another_sim_is_located_for_nobody():
    """The SIM of the table is there too; whose place would it be?"""
    async with asked(device(), device(7, msisdn=[PHONE[1:]])) as a:
        found = await a.answer()
        assert found.locations == ()
        assert "another SIM" in found.why
    async with asked(device(msisdn=[PHONE[1:], "1"])) as a:
        assert len((await a.answer()).locations) == 1


async def test_a_clock_that_is_off_spoils_every_time():
    async with asked(device()) as a:
        a.core.ahead_s = -600.0
        assert "clock" in (await a.answer()).why
        state = await a.network.state()
        assert not state.answers
        assert "-600 s off" in state.why or "-601 s off" in state.why


async def test_a_device_beyond_the_first_page_is_found_and_the_newest_of_two_counts():
    older = device(150, location=located(timestamp=round((time.time() - 60) * 1e6)))
    late = Sim("+77010000150", "corridor", (), older["supi"])
    async with asked(*(device(number) for number in range(1, 150)), device(150), older) as a:
        a.change(sims=(late,))
        (seen,) = (await a.answer(late)).locations
        assert abs(seen.at.since_ns(now())) < 10 * NS
        assert [page for path, page in a.core.asked if path == "/ue-info"] == [0, 1]


async def test_an_answer_is_kept_for_seconds_and_a_switched_off_device_shows_after_them():
    async with asked(device()) as a:
        await asyncio.gather(*(a.answer() for _ in range(20)))
        assert a.core.asked == [("/ue-info", 0)]
        a.core.lists["/ue-info"] = []
        assert (await a.answer()).locations
        a.clock.advance(open5gs.KEPT_S)
        gone = await a.answer()
        assert (gone.locations, gone.presence) == ((), Presence.UNREACHABLE)
        # Where the clock is set back, nothing that was kept counts as new.
        a.clock.set(Utc.from_unix_ns(a.clock.now().unix_ns - 3600 * NS))
        count = len(a.core.asked)
        await a.answer()
        assert len(a.core.asked) == count + 1


async def test_a_handover_changes_the_cell():
    cells = CELLS | {
        CellId(PLMN, 9): ServedCell(CellId(PLMN, 9), Geodetic(43.5, 77.2), 800.0),
    }
    async with asked(device()) as a:
        a.change(cells)
        assert (await a.answer()).locations[0].centre == SITE
        a.core.lists["/ue-info"] = [device(location=located(nci=9))]
        a.clock.advance(open5gs.KEPT_S)
        assert (await a.answer()).locations[0].centre == Geodetic(43.5, 77.2)


async def test_sessions_tell_of_a_device_that_the_amf_calls_idle():
    running = {"supi": SUPI, "pdu": [{"psi": 1, "pdu_state": "active"}], "ue_activity": "active"}
    idle = device(cm_state="idle")
    async with asked(idle, smf=True, **{"/pdu-info": [running]}) as a:
        assert (await a.answer()).presence is Presence.REACHABLE
    async with asked(
        idle, smf=True
    ) as a:  # Its SMF does not answer: where it is stands without it.
        found = await a.answer()
        assert (len(found.locations), found.presence) == (1, Presence.IDLE)
        assert "without sessions" in (await a.network.state()).why
        # Nobody waits for it at each reading.
        for _ in range(3):
            a.clock.advance(open5gs.KEPT_S)
            await a.answer()
        assert [path for path, _ in a.core.asked].count("/pdu-info") == 1
        a.core.lists["/pdu-info"] = [running]
        a.clock.advance(60)
        assert (await a.answer()).presence is Presence.REACHABLE


async def test_the_state_tells_what_the_core_lists():
    strange = STATION | {"gnb_id": 4_000}
    async with asked(device(), device(2), **{"/gnb-info": [STATION, strange]}) as a:
        state = await a.network.state()
        assert (state.answers, state.devices, state.stations, state.cells) == (True, 2, 2, 1)
        assert state.why == "1 base stations have no cell in the table of sites"
        await a.network.state()
        assert [path for path, _ in a.core.asked] == ["/ue-info", "/gnb-info"]


async def endless(send: Send, _: str) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(1_000):
        await send({"type": "http.response.body", "body": b" " * 65_536, "more_body": True})


async def drop(send: Send, _: str) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await asyncio.sleep(3_600)


def lying(body: bytes, status: int = 200, **headers: str) -> Any:
    async def lie(send: Send, _: str) -> None:
        named = [(name.encode(), value.encode()) for name, value in headers.items()]
        await answer(send, body, status, named)

    return lie


_PACKED = gzip.compress(b" " * 1_000_000)


async def packed(send: Send, _: str) -> None:
    headers = [(b"content-encoding", b"gzip")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _PACKED})


_PAGER = b'"pager": {"page": 0}'
LIES = {
    "endless": (endless, "more than"),
    "packed": (packed, "in a packing that nobody asked for"),
    "silent": (drop, "no whole answer"),
    "deep": (lying(b'{"items": ' + b"[" * 100_000), "what nobody can read"),
    "twice": (lying(b'{"items": [], "items": [], ' + _PAGER + b"}"), "what nobody can read"),
    "nan": (lying(b'{"items": [NaN], ' + _PAGER + b"}"), "what nobody can read"),
    "did not fit": (lying(b"{}"), "did not fit"),
    "cut": (lying(b'{"items": [], "pager": {"page": 0, "truncated": true}}'), "cut"),
    "other page": (lying(b'{"items": [], "pager": {"page": 3}}'), "page 3 where 0"),
    "for ever": (lying(b'{"items": [], "pager": {"page": 0, "next": "/x"}}'), "empty page"),
    "no object": (lying(b"[1]"), "no object"),
    "items": (lying(b'{"items": [7], ' + _PAGER + b"}"), "items[0]"),
    "many": (lying(b'{"items": [' + b"{}," * 100 + b"{}], " + _PAGER + b"}"), "101 items"),
    "elsewhere": (lying(b"", 302, location="http://127.0.0.1:1/ue-info"), "302"),
    "broken": (lying(b"", 500), "500"),
    "page": (lying(b"<html>", 200), "what nobody can read"),
}


@pytest.mark.parametrize("name", LIES)
async def test_a_core_that_lies_is_one_that_does_not_answer(name: str, monkeypatch):
    monkeypatch.setattr(open5gs, "_SECONDS", 0.5)
    lie, why = LIES[name]
    async with asked(device()) as a:
        a.core.lie = lie
        with pytest.raises(NetworkAway) as caught:
            await a.answer()
        assert caught.value.retry_after_s == open5gs.KEPT_S
        assert "127.0.0.1" not in str(caught.value)
        # For some seconds nobody waits for it again, and then its truth counts.
        count = len(a.core.asked)
        with pytest.raises(NetworkAway):
            await a.answer()
        state = await a.network.state()
        assert (state.answers, why in state.why) == (False, True), state.why
        assert len(a.core.asked) == count
        a.core.lie = None
        a.clock.advance(open5gs.KEPT_S)
        assert len((await a.answer()).locations) == 1


async def test_a_core_that_is_not_there_does_not_answer():
    async with asked() as a:
        pass
    with pytest.raises(NetworkAway):
        await a.answer()
    assert "does not answer" in (await a.network.state()).why
    await a.close()


@pytest.mark.bound("connectivity.adapters.open5gs.PAGE_BYTES_MAX")
async def test_a_page_is_read_up_to_its_bound():
    body = b'{"items": [], "pager": {"page": 0}}'.ljust(open5gs.PAGE_BYTES_MAX)
    async with asked() as a:
        a.core.lie = lying(body)
        assert (await a.answer()).presence is Presence.UNREACHABLE
    async with asked() as a:
        a.core.lie = lying(body + b" ")
        with pytest.raises(NetworkAway):
            await a.answer()


@pytest.mark.bound("connectivity.adapters.open5gs.PAGES_MAX")
async def test_a_core_without_an_end_is_read_no_further(monkeypatch):
    monkeypatch.setattr(open5gs, "PAGES_MAX", 2)
    async with asked(*(device(number) for number in range(1, 201))) as a:
        assert (await a.network.state()).devices == 200
    async with asked(*(device(number) for number in range(1, 202))) as a:
        with pytest.raises(NetworkAway):
            await a.answer()
        assert "more than 2 pages" in (await a.network.state()).why


async def test_a_base_station_is_known_by_any_length_of_its_identity():
    """Of 22 to 32 bits; the InfoAPI itself splits a cell's identity after 22."""
    nci = 0x123456789
    cells = {CellId(PLMN, nci): ServedCell(CellId(PLMN, nci), SITE, 900.0)}
    stations = [STATION | {"gnb_id": nci >> (36 - bits)} for bits in (22, 24, 32)]
    async with asked(**{"/gnb-info": [*stations, STATION | {"gnb_id": nci >> 13}]}) as a:
        a.change(cells)
        state = await a.network.state()
        assert (state.stations, state.why) == (4, "")
    async with asked(**{"/gnb-info": [STATION | {"gnb_id": (nci >> 13) ^ 1}]}) as a:
        a.change(cells)
        assert "1 base stations" in (await a.network.state()).why


async def test_a_device_whose_second_context_has_no_location_keeps_the_first():
    async with asked(device(), device(location={})) as a:
        assert len((await a.answer()).locations) == 1
    async with asked(device(location={}), device()) as a:
        assert len((await a.answer()).locations) == 1


async def test_it_covers_what_its_cells_serve():
    async with asked() as a:
        assert a.network.covers(SITE, 100.0)
        assert not a.network.covers(Geodetic(44.35, 77.04), 100.0)
        assert a.network.covers(Geodetic(44.35, 77.04), 110_000.0)
