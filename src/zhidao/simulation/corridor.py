"""A corridor of simulated consignments beside the one that is walked, by the node's own routes.

Whatever they are is signed by parties that are simulated too, and their entries say so. None of
them is ever paid: nothing proves that what nobody carries has arrived.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from zhidao.core.ambient import Clock, Randomness
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import NS, Utc
from zhidao.node.search.terms import check_digit
from zhidao.node.security.private_files import write_private
from zhidao.simulation import participants
from zhidao.simulation.client import Caller
from zhidao.simulation.terminal import Identity, TerminalClient, position_report

CONSIGNMENTS: Final = 40
CROSSING: Final = "khorgos"
_AT_ONCE: Final = 4
_HOUR_NS: Final = 3600 * NS
# What goes over this border, with its code of the Harmonized System 2022 and a price in CNY.
_GOODS: Final = (
    ("Solar inverter, 30 kW", "850440", 6_900),
    ("Glazed ceramic tiles, pallet", "690721", 3_400),
    ("Electric hand drill, carton", "846721", 2_150),
    ("Steel pipe fittings, crate", "730793", 4_800),
    ("LED luminaire, carton", "940542", 1_960),
    ("Tyres for lorries, bundle", "401120", 8_300),
    ("Water meter, carton", "902820", 2_750),
    ("Greenhouse film, roll", "392010", 1_240),
)
# Towns on the way, in order, with the share of the way that lies behind them.
_WAY: Final = (
    *((108.94, 34.34), (103.83, 36.06), (98.29, 39.77), (93.51, 42.83), (87.60, 43.82)),
    *((82.90, 44.60), (80.41, 44.21), (79.99, 44.17), (76.95, 43.25)),
)
_BORDER: Final = 6
# What has happened to a consignment, and how many of the forty are so far.
STAGES: Final = (
    *(("entered", 5), ("checked", 5), ("sealed", 9)),
    *(("leaving", 5), ("entering", 4), ("released", 12)),
)


@dataclass(frozen=True, slots=True)
class Simulated:
    """One consignment of the corridor: how far it is, and what it carries."""

    number: int
    stage: str
    goods: str
    code: str
    price: int
    quantity: int
    hours: tuple[int, int, int, int]
    part: float

    @property
    def name(self) -> str:
        """Its name at the node, which says what it is."""
        return f"sim-{self.number:03d}"

    @property
    def container(self) -> str:
        """A container number with its check digit (ISO 6346)."""
        stem = f"SIMU{700_000 + self.number * 137:06d}"
        return stem + check_digit(stem)

    def has(self, stage: str) -> bool:
        """Whether it has come as far as that."""
        order = [name for name, _ in STAGES]
        return order.index(self.stage) >= order.index(stage)

    @property
    def place(self) -> tuple[float, float]:
        """Where its lorry says that it is: longitude and latitude in degrees."""
        if self.stage in ("leaving", "entering"):
            return _WAY[_BORDER]
        first, last = (0, _BORDER) if self.stage == "sealed" else (_BORDER, len(_WAY) - 1)
        at = first + self.part * (last - first)
        whole = min(int(at), last - 1)
        (x1, y1), (x2, y2) = _WAY[whole], _WAY[whole + 1]
        return x1 + (x2 - x1) * (at - whole), y1 + (y2 - y1) * (at - whole)


def consignments(seed: int) -> list[Simulated]:
    """The forty, the same for one seed."""
    draw = np.random.default_rng(seed)
    stages = [name for name, count in STAGES for _ in range(count)]
    made = []
    for number, stage in enumerate(stages, 1):
        goods, code, price = _GOODS[int(draw.integers(len(_GOODS)))]
        # Hours since it left, on the far side, between the two, on the near side.
        hours = [int(draw.integers(*span)) for span in ((3, 40), (6, 31), (1, 4), (4, 20))]
        made.append(
            Simulated(
                number=number,
                stage=stage,
                goods=goods,
                code=code,
                price=price,
                quantity=int(draw.integers(8, 61)),
                hours=(hours[0], hours[1], hours[2], hours[3]),
                part=float(draw.uniform(0.05, 0.95)),
            )
        )
    return made


class Corridor:
    """Brings the simulated consignments into a node where their parties are at home."""

    def __init__(
        self,
        callers: Mapping[str, Caller],
        *,
        seed: int,
        clock: Clock,
        played_at: Utc,
        randomness: Randomness,
        folder: Path,
        devices_port: int,
    ) -> None:
        """`played_at`: the time of the play, by which terminals go; `clock`: the machine's."""
        self._callers = callers
        self._seed = seed
        self._clock = clock
        self._played_at = played_at
        self._randomness = randomness
        self._folder = folder
        self._devices_port = devices_port

    async def fill(self) -> int:
        """Brings in all of them, a few at once; those that are there already change nothing."""
        await self._open_books()
        turns = asyncio.Semaphore(_AT_ONCE)

        async def one(each: Simulated) -> None:
            async with turns:
                await self._bring(each)

        made = consignments(self._seed)
        await asyncio.gather(*(one(each) for each in made))
        return len(made)

    def _by(self, party: str) -> Caller:
        return self._callers[party]

    async def _open_books(self) -> None:
        bank = self._by("importer-bank")
        for party, name in (participants.SHIPPER, participants.BUYER):
            await bank.post(
                "/v1/finance/accounts",
                {
                    "holder": party,
                    "currency": participants.CURRENCY,
                    "name": name,
                    "town": "Almaty",
                    "country": "KZ",
                },
            )
        whole = sum(each.price * each.quantity * 100 for each in consignments(self._seed))
        await bank.post(
            "/v1/finance/deposits",
            {
                "deposit": f"simulated-{self._seed}",
                "holder": participants.BUYER[0],
                "amount_minor": whole,
                "currency": participants.CURRENCY,
            },
        )

    async def _bring(self, each: Simulated) -> None:
        steps: tuple[tuple[str, Callable[[Simulated], Awaitable[None]]], ...] = (
            ("entered", self._enter),
            ("checked", self._check),
            ("sealed", self._seal),
            ("leaving", self._cross),
            ("released", self._release),
        )
        for stage, step in steps:
            if each.has(stage):
                await step(each)

    async def _enter(self, each: Simulated) -> None:
        await self._by(participants.SHIPPER[0]).post("/v1/trade/consignments", _entry(each))

    async def _check(self, each: Simulated) -> None:
        path = f"/v1/trade/consignments/{each.name}"
        number = f"SIMB{each.number:05d}"
        asked = {"number": number, "carrier_code": participants.CARRIER_CODE}
        bill = await self._by("carrier").ask(
            "POST", f"{path}/proposed-bill", json=asked | {"on_board": "2026-09-17"}
        )
        await self._by("carrier").post(
            f"{path}/documents",
            {
                "kind": "bill_of_lading",
                "number": number,
                "media_type": "application/json",
                "content": base64.b64encode(bill.content).decode(),
            },
        )
        await self._by(participants.SHIPPER[0]).post(f"{path}/check", None)

    async def _seal(self, each: Simulated) -> None:
        terminal, phone = f"SIM-{each.number:03d}", f"+86138000{5_000 + each.number}"
        readers = [p for p in participants.OF_CORRIDOR if p != "carrier"]
        # It signs no window: all that this terminal says stays a claim.
        key = SoftwareKey(Algorithm.ED25519, self._secret_of(terminal))
        await self._by(participants.OPERATOR).post(
            "/v1/devices/terminals",
            {
                "terminal": terminal,
                "phone": phone,
                "key": key.public.multikey,
                "owner": "carrier",
                "readers": readers,
            },
        )
        await self._by("carrier").post(
            "/v1/devices/seals",
            {
                "seal": f"SIM-{each.number:06d}",
                "container": each.container,
                "consignment": each.name,
                "terminal": terminal,
                "readers": list(participants.OF_CORRIDOR),
            },
        )
        await self._promise(each, terminal)
        await self._report(each, Identity(terminal, phone.removeprefix("+"), key))

    def _secret_of(self, terminal: str) -> bytes:
        """A terminal's secret, the same for a run that goes on from the same folder."""
        kept = self._folder / "corridor.key"
        if not kept.exists():
            write_private(kept, self._randomness.token(32))
        return hmac.digest(kept.read_bytes(), terminal.encode(), "sha256")

    async def _promise(self, each: Simulated, terminal: str) -> None:
        """A deal whose money waits for an arrival that nothing will prove."""
        now = self._played_at
        await self._by("importer-bank").post(
            "/v1/finance/deals",
            {
                "deal": f"deal-{each.name}",
                "consignment": each.name,
                "payer": participants.BUYER[0],
                "payee": participants.SHIPPER[0],
                "payer_bank": "importer-bank",
                "payee_bank": "importer-bank",
                "amount_minor": each.price * each.quantity * 100,
                "currency": participants.CURRENCY,
                "terminal": terminal,
                "title": "",
                "conditions": {
                    "marks": ["signed_by_terminal", "recomputed"],
                    "site": {
                        "name": "Almaty dry port",
                        "latitude_ndeg": 43_250_000_000,
                        "longitude_ndeg": 76_950_000_000,
                        "radius_mm": 400_000,
                    },
                    "not_before": str(now.plus_ns(_HOUR_NS)),
                    "not_after": str(now.plus_ns(30 * 24 * _HOUR_NS)),
                    "risk_ppb": 10_000,
                    "needs": ["papers_agree", "customs_released"],
                },
            },
        )

    async def _report(self, each: Simulated, identity: Identity) -> None:
        longitude, latitude = each.place
        # A run that goes on from before has lost the token.
        again = f"/v1/devices/terminals/{identity.terminal}/invitation"
        await self._by(participants.OPERATOR).post(again, {})
        line = TerminalClient(
            identity, host="127.0.0.1", port=self._devices_port, randomness=self._randomness
        )
        try:
            await line.connect()
            report = position_report(
                at=self._played_at, latitude_deg=latitude, longitude_deg=longitude, satellites=14
            )
            await line.send([report])
        finally:
            await line.close()

    async def _cross(self, each: Simulated) -> None:
        since, inside, between, outside = each.hours
        now = self._clock.now()
        left_kz = now.plus_ns(-since * _HOUR_NS)
        came_kz = left_kz.plus_ns(-inside * _HOUR_NS)
        left_cn = came_kz.plus_ns(-between * _HOUR_NS)
        if each.stage == "leaving":
            await self._tell(each, "CN", now.plus_ns(-outside * _HOUR_NS), None)
            return
        await self._tell(each, "CN", left_cn.plus_ns(-outside * _HOUR_NS), left_cn)
        if each.stage == "entering":
            await self._tell(each, "KZ", came_kz, None)
        else:
            await self._tell(each, "KZ", came_kz, left_kz)

    async def _tell(self, each: Simulated, side: str, came: Utc, left: Utc | None) -> None:
        body = {"crossing": CROSSING, "side": side, **_between("entered", came)}
        path = f"/v1/trade/consignments/{each.name}/crossings"
        await self._by("carrier").post(path, body | (_between("left", left) if left else {}))

    async def _release(self, each: Simulated) -> None:
        await self._by("customs").post(
            f"/v1/devices/seals/SIM-{each.number:06d}/checks",
            {
                "container": each.container,
                "terminal": f"SIM-{each.number:03d}",
                "intact": True,
                "place": "Khorgos, the side of Kazakhstan",
            },
        )
        await self._by("customs").post(
            f"/v1/trade/consignments/{each.name}/customs-release",
            {"declaration": f"SIM-{each.number:06d}", "decision": "released"},
        )


# A gate's book has minutes, not seconds.
_WIDTH_NS: Final = 600 * NS


def _between(name: str, latest: Utc) -> dict[str, str]:
    return {f"{name}_from": str(latest.plus_ns(-_WIDTH_NS)), f"{name}_to": str(latest)}


def _entry(each: Simulated) -> dict[str, Any]:
    """The entry file, of the walked consignment's kind, with parties that are simulated."""
    voyage = replace(participants.TO_ALMATY, means=f"Simulated lorry {each.number}")
    whole = participants.entry(each.name, voyage)
    del whole["productionOrderDocument"]
    shipper, buyer = participants.SHIPPER, participants.BUYER
    item = whole["includedConsignmentItem"][0]
    del item["lotId"]
    item |= {
        "natureIdentificationCargo": {"description": f"{each.goods} (simulated)"},
        "typeCode": each.code,
        "requestedQuantity": str(each.quantity),
        "unitPriceAmount": str(each.price),
        "equipmentId": each.container,
    }
    return whole | {
        "consignorParty": whole["consignorParty"] | {"nodeId": shipper[0], "name": shipper[1]},
        "consigneeParty": whole["consigneeParty"] | {"nodeId": buyer[0], "name": buyer[1]},
        "presentingBankParty": whole["issuingBankParty"],
        "invoiceDocument": whole["invoiceDocument"] | {"id": f"SIM-INV-{each.number:03d}"},
        "packingListDocument": {"id": f"SIM-PL-{each.number:03d}"},
        "originStatementDocument": {"id": f"SIM-OS-{each.number:03d}"},
        "includedConsignmentItem": [item],
        "utilizedTransportEquipment": [{"id": each.container}],
    }
