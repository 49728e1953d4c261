"""The demonstration: six parties and a terminal carry one consignment over a node's public face.

Nothing here reaches around the node: parties speak HTTP with their tokens, the terminal speaks
JT/T 808, the machine OPC UA. Every call may be repeated, so a node that dies and comes back finds
the road where it was.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from zhidao.core.ambient import Randomness
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import NS
from zhidao.devices.wire.jt808.position import PositionReport
from zhidao.simulation import cast
from zhidao.simulation.client import Caller, NodeRefused
from zhidao.simulation.entrance import let_in
from zhidao.simulation.machine import machine
from zhidao.simulation.node_process import NodeProcess
from zhidao.simulation.scene import CARD, Reported, Scene
from zhidao.simulation.terminal import Identity, TerminalClient, position_report

_SETTLE_S: Final = 90.0
_POLL_S: Final = 0.1

Say = Callable[[int, str], None]


@dataclass(slots=True)
class Outcome:
    """How the road ended. `steps`: sentence of each step that was reached.

    `acknowledged`: digests of the terminal's frames for which the node has taken responsibility.
    """

    paid: bool = False
    reason: str = ""
    sentence: str = ""
    steps: dict[int, str] = field(default_factory=dict)
    proof: Path | None = None
    trust: Path | None = None
    acknowledged: frozenset[bytes] = frozenset()


class RoadRun:
    """One run of the road against one node."""

    def __init__(
        self,
        node: NodeProcess,
        scene: Scene,
        *,
        folder: Path,
        output: Path,
        fail: str,
        randomness: Randomness,
        say: Say,
        pace_s: float,
    ) -> None:
        self._node = node
        self._scene = scene
        self._folder = folder
        self._output = output
        self._fail = fail
        self._randomness = randomness
        self._say = say
        self._pace_s = pace_s
        self._outcome = Outcome()
        self._callers: dict[str, Caller] = {}
        self._consignment = scene.consignment
        self._deal = f"deal-{scene.consignment}"
        self._title = ""

    async def run(self) -> Outcome:
        """Carries the consignment to its end, paid or refused."""
        async with httpx.AsyncClient(base_url=self._node.url, timeout=30.0) as http:
            await self._open_node(http)
            await self._finish_lot()
            await self._enter()
            await self._issue_title()
            await self._reserve()
            await self._travel()
            await self._settle()
            await self._prove()
        return self._outcome

    def _by(self, party: str) -> Caller:
        return self._callers[party]

    def _step(self, number: int, sentence: str) -> None:
        self._outcome.steps[number] = sentence
        self._say(number, sentence)

    async def _open_node(self, http: httpx.AsyncClient) -> None:
        """Lets the cast in, or finds the tokens of a run that goes on."""
        self._callers = await let_in(http, self._node, self._folder)
        await self._scenario_time(0)

    async def _scenario_time(self, seconds: int) -> None:
        """Moves scenario time to that many seconds after the voyage began."""
        at = self._scene.begins.plus_ns(seconds * NS)
        try:
            await self._by(cast.OPERATOR).put("/v1/scenario-time", {"at": str(at)})
        except NodeRefused as refusal:
            # A run that goes on finds the clock where it left it.
            if "does not go back" not in str(refusal):
                raise

    async def _finish_lot(self) -> None:
        exporter = self._by("exporter")
        await exporter.post(
            "/v1/industry/orders",
            {
                "order": self._scene.order,
                "gtin": cast.GTIN,
                "quantity": len(cast.SERIALS),
                "limits": list(cast.LIMITS),
                "readers": cast.ALL[1:],
            },
        )
        async with machine(self._randomness) as endpoint:
            lot = await exporter.post(
                f"/v1/industry/orders/{self._scene.order}/lots",
                {
                    "lot": cast.LOT,
                    "serials": cast.SERIALS,
                    "endpoint": endpoint,
                    "simulated": True,
                },
            )
        verdict = "within limits" if lot["within_limits"] else "OUTSIDE limits"
        self._step(
            1,
            f"lot {lot['lot']}: {len(lot['serials'])} pumps, {lot['samples']} values read over "
            f"OPC UA, {verdict}; {len(lot['epcis_hashes'])} EPCIS events",
        )

    async def _enter(self) -> None:
        body = cast.entry(self._consignment, self._scene.voyage) | {"order": self._scene.order}
        consignment = await self._by("exporter").post("/v1/trade/consignments", body)
        documents = {d["kind"]: d for d in consignment["documents"]}
        invoice = documents["invoice"]
        refused = await self._wrong_invoice(invoice["digest"])
        self._step(
            2,
            f"invoice {invoice['number']} valid by {', '.join(invoice['rules']) or 'no pack'}; "
            f"a wrong one was refused by {refused}",
        )

    async def _wrong_invoice(self, digest: str) -> str:
        """Has the node judge the same invoice with one sum changed; tells by which rules."""
        exporter = self._by("exporter")
        path = f"/v1/trade/consignments/{self._consignment}/documents/{digest}"
        invoice = (await exporter.ask("GET", path)).content
        amount = b"327360.00"
        wrong = invoice.replace(amount, b"327361.00", 1)
        answer = await exporter.ask(
            "POST",
            "/v1/trade/invoices/validate",
            content=wrong,
            headers={"Content-Type": "application/xml"},
        )
        rules = sorted({f["rule"] for f in answer.json()["findings"] if f.get("rule")})
        return ", ".join(rules[:3]) or "no rule"

    async def _issue_title(self) -> None:
        carrier = self._by("carrier")
        weight = 1191.2 if self._fail == "short-document" else 1291.2
        bill = cast.bill_of_lading(self._scene.voyage, gross_kg=weight)
        document = await carrier.post(
            f"/v1/trade/consignments/{self._consignment}/documents",
            {
                "kind": "bill_of_lading",
                "number": cast.BILL_NUMBER,
                "media_type": "application/json",
                "content": base64.b64encode(bill).decode(),
            },
        )
        title = await carrier.post(
            "/v1/trust/titles",
            {
                "consignment": self._consignment,
                "document": document["digest"],
                "holder": "exporter",
                "readers": cast.ALL,
            },
        )
        self._title = title["title"]
        self._step(
            3,
            f"title {self._title[:12]}… of bill {cast.BILL_NUMBER} minted to the exporter "
            f"on chain {title['chain_id']}",
        )

    async def _reserve(self) -> None:
        for bank, name, bic, town, country in cast.BANKS:
            await self._by(cast.OPERATOR).post(
                "/v1/finance/banks",
                {"bank": bank, "name": name, "bic": bic, "town": town, "country": country},
            )
        for bank, holder, town, country in (
            ("importer-bank", "importer", "Almaty", "KZ"),
            ("exporter-bank", "exporter", "Xi'an", "CN"),
        ):
            name = next(n for p, n, *_ in cast.PARTIES if p == holder)
            await self._by(bank).post(
                "/v1/finance/accounts",
                {
                    "holder": holder,
                    "currency": cast.CURRENCY,
                    "name": name,
                    "town": town,
                    "country": country,
                },
            )
        await self._by("importer-bank").post(
            "/v1/finance/deposits",
            {
                "deposit": f"funds-{self._consignment}",
                "holder": "importer",
                "amount_minor": cast.FUNDS_MINOR,
                "currency": cast.CURRENCY,
            },
        )
        # Papers are checked once the deal can hear of it, so the reason of a refusal is theirs.
        await self._by("importer-bank").post("/v1/finance/deals", self._deal_body())
        deal = await self._by("exporter").post(f"/v1/finance/deals/{self._deal}/title", None)
        amount = f"{cast.AMOUNT_MINOR / 100:,.2f} {cast.CURRENCY}"
        self._step(
            4, f"{amount} reserved ({deal['state']}); the title is in the deal's custody account"
        )
        papers = await self._by("exporter").post(
            f"/v1/trade/consignments/{self._consignment}/check", None
        )
        if not papers["agree"]:
            conflicts = [f["rule"] for f in papers["findings"] if f["verdict"] == "conflict"]
            self._say(4, f"the papers conflict: {', '.join(conflicts)}")

    def _deal_body(self) -> dict[str, Any]:
        scene = self._scene
        return {
            "deal": self._deal,
            "consignment": self._consignment,
            "payer": "importer",
            "payee": "exporter",
            "payer_bank": "importer-bank",
            "payee_bank": "exporter-bank",
            "amount_minor": cast.AMOUNT_MINOR,
            "currency": cast.CURRENCY,
            "terminal": scene.terminal,
            "title": self._title,
            "conditions": {
                "marks": [
                    *("signed_by_terminal", "bound_to_goods", "recomputed"),
                    *("corroborated", "inside"),
                ],
                "site": msgspec.to_builtins(scene.site),
                "not_before": str(scene.not_before),
                "not_after": str(scene.not_after),
                "risk_ppb": scene.risk_ppb,
                "needs": ["papers_agree", "title_in_custody", "customs_released"],
            },
        }

    async def _travel(self) -> None:
        operator, carrier = self._by(cast.OPERATOR), self._by("carrier")
        scene = self._scene
        key = SoftwareKey(Algorithm.ED25519, self._terminal_secret())
        await operator.ask(
            "POST",
            "/v1/positioning/navigation",
            content=scene.navigation,
            headers={"Content-Type": "application/octet-stream"},
        )
        await operator.post(
            "/v1/devices/terminals",
            {
                "terminal": scene.terminal,
                "phone": scene.phone,
                "key": key.public.multikey,
                "owner": "carrier",
                "readers": [*cast.ALL[:1], *cast.ALL[2:]],
            },
        )
        if self._fail != "unbound":
            await self._seal(carrier)
        await self._network()
        await self._drive(key)

    async def _seal(self, carrier: Caller) -> None:
        scene = self._scene
        await carrier.post(
            "/v1/devices/seals",
            {
                "seal": scene.seal,
                "container": cast.CONTAINER,
                "consignment": self._consignment,
                "terminal": scene.terminal,
                "readers": cast.ALL,
            },
        )
        await self._by("customs").post(
            f"/v1/devices/seals/{scene.seal}/checks",
            {
                "container": cast.CONTAINER,
                "terminal": scene.terminal,
                "intact": True,
                "place": "gate of the factory",
            },
        )

    async def _network(self) -> None:
        """Sets what the simulated mobile network will answer about the terminal."""
        circle = self._scene.network
        await self._by(cast.OPERATOR).put(
            f"/v1/connectivity/scenario/{self._scene.phone}",
            {
                "sightings": [
                    {
                        "latitude_ndeg": round(circle.latitude_deg * 1e9),
                        "longitude_ndeg": round(circle.longitude_deg * 1e9),
                        "radius_mm": round(circle.radius_m * 1000),
                        "at": str(self._scene.window_at),
                    }
                ],
                "readers": cast.ALL,
                "network": "simulated mobile network",
            },
        )
        await self._by(cast.OPERATOR).post(
            "/v1/connectivity/cards",
            {
                "card": CARD,
                "terminal": self._scene.terminal,
                "owner": "carrier",
                "readers": [party for party in cast.ALL if party != "carrier"],
            },
        )

    async def _drive(self, key: SoftwareKey) -> None:
        scene = self._scene
        terminal = TerminalClient(
            Identity(scene.terminal, scene.phone.removeprefix("+"), key),
            host="127.0.0.1",
            port=self._node.devices_port,
            randomness=self._randomness,
            token="not the token" if self._fail == "wrong-token" else "",
            patience_s=90.0,
        )
        try:
            await terminal.connect()
            await self._report(terminal)
            await terminal.heartbeat()
            await self._send_window(terminal)
        except Refused as refusal:
            self._step(5, f"the node did not accept the terminal: {refusal}")
            return
        finally:
            self._outcome.acknowledged = frozenset(terminal.acknowledged)
            await terminal.close()
        self._step(
            5,
            f"terminal {scene.terminal} sent {len(scene.track)} positions and a raw window of "
            f"{len(scene.window)} bytes in signed chunks",
        )

    async def _report(self, terminal: TerminalClient) -> None:
        """Positions over the network; while the link is down, by short message, then both."""
        scene = self._scene
        down, up = scene.link_down
        for number, point in enumerate(scene.track):
            await self._scenario_time(point.at.since_ns(scene.begins) // NS)
            if number == down:
                await terminal.close()
                answer = await self._by(cast.OPERATOR).post(
                    "/v1/connectivity/short-messages", {"sentence": scene.short_message()}
                )
                self._say(5, f"the link is down: {len(answer['points'])} positions came by BeiDou")
            if down <= number < up:
                await asyncio.sleep(self._pace_s)
                continue
            late = scene.track[down:up] if number == up else ()
            await terminal.send([_report_of(each) for each in (*late, point)])
            await asyncio.sleep(self._pace_s)

    async def _send_window(self, terminal: TerminalClient) -> None:
        scene = self._scene
        window = scene.window
        if self._fail == "replay":
            old = self._randomness.token(16)
            await terminal.send_window(window, simulated=scene.simulated, nonce=old)
        elif self._fail == "forged":
            stranger = SoftwareKey(Algorithm.ED25519, self._randomness.token(32))
            await terminal.send_window(window, simulated=scene.simulated, key=stranger)
        else:
            await terminal.send_window(window, simulated=scene.simulated)

    def _terminal_secret(self) -> bytes:
        """The terminal's own key: kept in its folder, never in the node."""
        kept = self._folder / "terminal.key"
        if not kept.exists():
            kept.touch(mode=0o600)
            kept.write_bytes(self._randomness.token(32))
        return kept.read_bytes()

    async def _settle(self) -> None:
        bank = self._by("importer-bank")
        deadline_s = asyncio.get_running_loop().time() + _SETTLE_S
        told: set[int] = set()
        while asyncio.get_running_loop().time() < deadline_s:
            road = await self._by("auditor").get(f"/v1/consignments/{self._consignment}/road")
            await self._tell(road, told)
            deal = await bank.get(f"/v1/finance/deals/{self._deal}")
            if deal["state"] in ("paid", "refused"):
                self._ended(deal)
                return
            await asyncio.sleep(_POLL_S)
        raise Unavailable("the deal did not come to an end in time")

    async def _tell(self, road: dict[str, Any], told: set[int]) -> None:
        arrival = road["arrival"]
        if arrival and 6 not in told:
            told.add(6)
            self._tell_arrival(arrival)
        if road["network"] and 7 not in told:
            told.add(7)
            network = road["network"]
            self._step(7, f"the network says {network['verdict']}: {network['reason']}")
        delivered = any(s["type"] == "trade.Delivered.v1" for s in road["said"])
        if delivered and 8 not in told:
            told.add(8)
            await self._by("customs").post(
                f"/v1/trade/consignments/{self._consignment}/customs-release",
                {"declaration": "KZ-2026-884213", "decision": "released"},
            )
            self._step(8, "delivered by the proven arrival; customs released the goods")
        if (arrival and arrival["state"] == "proven") or 9 in told:
            return
        if not self._waiting_is_useless(road):
            return
        told.add(9)
        # Nothing more will come: scenario time passes the deadline.
        await self._scenario_time(self._scene.not_after.since_ns(self._scene.begins) // NS + 7200)

    def _waiting_is_useless(self, road: dict[str, Any]) -> bool:
        if road["arrival"] is not None:
            # It is not proven, and the terminal has no other window to send.
            return True
        kinds = {s["type"] for s in road["said"]}
        refused = "devices.SubmissionRefused.v1" in kinds
        return self._fail in ("wrong-token", "replay", "forged") and (
            refused or self._fail == "wrong-token"
        )

    def _tell_arrival(self, arrival: dict[str, Any]) -> None:
        if arrival["state"] == "proven":
            self._step(
                6,
                f"arrival proven: within {arrival['protection_m']:.1f} m at a risk of "
                f"{arrival['risk_ppb']} in a billion, {arrival['satellites']} satellites, "
                f"{arrival['epochs']} epochs",
            )
        else:
            self._step(6, f"arrival not proven ({arrival['reason']}): {arrival['sentence']}")

    def _ended(self, deal: dict[str, Any]) -> None:
        self._outcome.paid = deal["paid"]
        self._outcome.reason = deal["reason"]
        decision = deal["decision"] or {}
        self._outcome.sentence = decision.get("sentence", "")
        payer, payee = deal["payer_balance_minor"] or 0, deal["payee_balance_minor"] or 0
        balances = f"importer {payer / 100:,.2f}, exporter {payee / 100:,.2f} {cast.CURRENCY}"
        if deal["paid"]:
            self._step(9, f"title passed and payment posted by one decision; {balances}")
        else:
            self._step(9, f"refused ({deal['reason']}): funds released, title returned; {balances}")

    async def _prove(self) -> None:
        auditor = self._by("auditor")
        proof = self._output / "consignment.zdproof"
        trust = self._output / "trust.json"
        data = await auditor.ask("GET", f"/v1/consignments/{self._consignment}/proof")
        proof.write_bytes(data.content)
        trust.write_bytes((await auditor.ask("GET", "/v1/trust-list")).content)
        self._outcome.proof, self._outcome.trust = proof, trust
        self._step(10, f"{proof} ({len(data.content) // 1024} KiB); check it with zhidao verify")


def _report_of(point: Reported) -> PositionReport:
    return position_report(
        at=point.at,
        latitude_deg=point.latitude_deg,
        longitude_deg=point.longitude_deg,
        satellites=18,
    )
