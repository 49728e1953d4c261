"""The demonstration: six parties and a terminal carry one consignment over two nodes' public faces.

Nothing here reaches around the nodes: parties speak HTTP with their tokens, the terminal speaks
JT/T 808, the machine OPC UA; what crosses from one node to the other goes by exchange. Every call
may be repeated, so a node that dies and comes back finds the road where it was.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from zhidao.core.ambient import Randomness
from zhidao.core.errors import Unavailable
from zhidao.core.programs.extras import command_for
from zhidao.core.timescale import NS
from zhidao.simulation import participants
from zhidao.simulation.awaiting import arrived, decided_of, ended
from zhidao.simulation.books import Books
from zhidao.simulation.carriage import Carriage
from zhidao.simulation.client import Caller, NodeRefused, client_of
from zhidao.simulation.entrance import AUDITOR, admit_each_other, let_in
from zhidao.simulation.machine import can_play_machines, machine
from zhidao.simulation.scenario import Scenario
from zhidao.simulation.sides import Sides
from zhidao.simulation.step_report import Outcome, StepReport
from zhidao.trust.domain.trust_list import trust_list
from zhidao.trust.wire.governance.trust_list import decode_trust_list, encode_trust_list

_SETTLE_S: Final = 90.0
_POLL_S: Final = 0.1

Say = Callable[[int, str], None]


class Demonstration:
    """One run of the road."""

    def __init__(
        self,
        sides: Sides,
        scenario: Scenario,
        *,
        folder: Path,
        output: Path,
        fail: str,
        randomness: Randomness,
        say: Say,
        pace_s: float,
    ) -> None:
        self._sides = sides
        self._scenario = scenario
        self._folder = folder
        self._output = output
        self._fail = fail
        self._randomness = randomness
        self._say = say
        self._pace_s = pace_s
        self._outcome = Outcome()
        self._callers: dict[str, Caller] = {}
        self._consignment = scenario.consignment
        self._deal = f"deal-{scenario.consignment}"
        self._title = ""
        # What may still come to its end while the goods go on.
        self._beside = contextlib.AsyncExitStack()
        # At the importer's side, and at the exporter's.
        self._here: dict[str, Caller] = {}
        self._there: dict[str, Caller] = {}

    async def run(self) -> Outcome:
        """Carries the consignment to its end, paid or refused."""
        here = client_of(self._sides.importer.url, timeout_s=30.0)
        there = client_of(self._sides.exporter.url, timeout_s=30.0)
        async with here, there, self._beside:
            await self._open(here, there)
            carriage = self._carriage()
            # The importer's side makes ready while the goods are made.
            books = Books(self._callers, self._sides, self._consignment)
            await asyncio.gather(self._make(), books.open(), carriage.prepare())
            await self._issue_title()
            await self._reserve()
            await carriage.travel()
            self._outcome.acknowledged = carriage.acknowledged
            await self._settle()
            await self._prove()
        return self._outcome

    def _by(self, party: str) -> Caller:
        return self._callers[party]

    def _step(self, number: int, sentence: str) -> None:
        self._outcome.steps[number] = sentence
        self._say(number, sentence)

    @property
    def _report(self) -> StepReport:
        return StepReport(
            self._scenario,
            self._outcome,
            customs=self._by("customs"),
            fail=self._fail,
            step=self._step,
            scenario_time=self._scenario_time,
        )

    async def _open(self, here: httpx.AsyncClient, there: httpx.AsyncClient) -> None:
        """Lets the participants in, or finds the tokens of an earlier run; nodes become peers."""
        if self._sides.are_two:
            exporters = participants.ON_EXPORTER_SIDE
            home = [party for party in participants.ALL if party not in exporters]
            home += [party for party, *_ in participants.BESIDE]
            self._here, self._there = await asyncio.gather(
                let_in(here, self._sides.importer, home),
                let_in(there, self._sides.exporter, exporters),
            )
            await admit_each_other(
                self._here[participants.OPERATOR], self._there[participants.OPERATOR]
            )
        else:
            self._here = self._there = await let_in(here, self._sides.importer, participants.ALL)
        self._callers = self._there | self._here
        await self._scenario_time(0)

    def _carriage(self) -> Carriage:
        return Carriage(
            self._scenario,
            self._here,
            folder=self._folder,
            fail=self._fail,
            randomness=self._randomness,
            pace_s=self._pace_s,
            devices_port=self._sides.importer.devices_port,
            step=self._step,
            say=self._say,
            scenario_time=self._scenario_time,
        )

    async def _make(self) -> None:
        """The exporter's part: goods, papers, and all of it handed over to the importer's side."""
        await self._finish_lot()
        await self._enter()
        if self._sides.are_two:
            await self._by("exporter").post(
                f"/v1/federation/consignments/{self._consignment}/hand-over",
                {"node": self._sides.importer.name},
            )
            path = f"/v1/trade/consignments/{self._consignment}"
            await self._by("carrier").ask("GET", path, until_there=True)

    async def _scenario_time(self, seconds: int) -> None:
        """Moves scenario time to that many seconds after the voyage began."""
        at = self._scenario.begins.plus_ns(seconds * NS)
        try:
            await self._by(participants.OPERATOR).put("/v1/scenario-time", {"at": str(at)})
        except NodeRefused as refusal:
            # A run that goes on finds the clock where it left it.
            if "does not go back" not in str(refusal):
                raise

    async def _finish_lot(self) -> None:
        exporter = self._by("exporter")
        await exporter.post(
            "/v1/industry/orders",
            {
                "order": self._scenario.order,
                "gtin": participants.GTIN,
                "quantity": len(participants.SERIALS),
                "limits": list(participants.LIMITS),
                "readers": participants.ALL[1:],
            },
        )
        path = f"/v1/industry/orders/{self._scenario.order}/lots"
        told = {"lot": participants.LOT, "serials": participants.SERIALS, "simulated": True}
        if not can_play_machines():
            lot = await exporter.post(path, {**told, "typed": True})
            self._step(
                1,
                f"lot {lot['lot']}: {len(lot['serials'])} pumps, by the exporter's word: no "
                f"machine was read, for that needs {command_for('opcua')}",
            )
            return
        switched_on = contextlib.AsyncExitStack()
        try:
            endpoint = await switched_on.enter_async_context(machine(self._randomness))
            lot = await exporter.post(path, {**told, "endpoint": endpoint})
        finally:
            # It takes most of a second to be switched off, for which nobody needs to wait.
            self._beside.push_async_callback(_ended, asyncio.create_task(switched_on.aclose()))
        verdict = "within limits" if lot["within_limits"] else "NOT within limits"
        self._step(
            1,
            f"lot {lot['lot']}: {len(lot['serials'])} pumps, {lot['samples']} values read over "
            f"OPC UA, {verdict}; {len(lot['epcis_hashes'])} EPCIS events",
        )

    async def _enter(self) -> None:
        body = participants.entry(
            self._consignment, self._scenario.voyage, order=self._scenario.order
        )
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
        bill = participants.bill_of_lading(self._scenario.voyage, gross_kg=weight)
        document = await carrier.post(
            f"/v1/trade/consignments/{self._consignment}/documents",
            {
                "kind": "bill_of_lading",
                "number": participants.BILL_NUMBER,
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
                "readers": participants.ALL,
            },
        )
        self._title = title["title"]
        self._step(
            3,
            f"title {self._title[:12]}… of bill {participants.BILL_NUMBER} minted to the exporter "
            f"on chain {title['chain_id']}",
        )

    async def _reserve(self) -> None:
        # Papers are checked once the deal can hear of it, so the reason of a refusal is theirs.
        await self._by("importer-bank").post("/v1/finance/deals", self._deal_body())
        deal = await self._give_title()
        amount = f"{participants.AMOUNT_MINOR / 100:,.2f} {participants.CURRENCY}"
        self._step(
            4, f"{amount} reserved ({deal['state']}); the title is in the deal's custody account"
        )
        papers = await self._by("importer-bank").post(
            f"/v1/trade/consignments/{self._consignment}/check", None
        )
        if not papers["agree"]:
            conflicts = [f["rule"] for f in papers["findings"] if f["verdict"] == "conflict"]
            self._say(4, f"the papers conflict: {', '.join(conflicts)}")

    async def _give_title(self) -> Any:
        """The exporter's title goes into the deal's custody, signed where the exporter's key is."""
        if not self._sides.are_two:
            return await self._by("exporter").post(f"/v1/finance/deals/{self._deal}/title", None)
        path = f"/v1/federation/deals/{self._deal}/title"
        sent = (await self._by("exporter").ask("POST", path, until_there=True)).json()
        decided = await decided_of(self._by("exporter"), self._consignment, sent["document"])
        if decided["outcome"] != "accepted":
            raise Unavailable(f"the title is not in custody: {decided['reason']}")
        return await self._by("importer-bank").get(f"/v1/finance/deals/{self._deal}")

    def _deal_body(self) -> dict[str, Any]:
        scenario = self._scenario
        return {
            "deal": self._deal,
            "consignment": self._consignment,
            "payer": "importer",
            "payee": "exporter",
            "payer_bank": "importer-bank",
            "payee_bank": "exporter-bank",
            "amount_minor": participants.AMOUNT_MINOR,
            "currency": participants.CURRENCY,
            "terminal": scenario.terminal,
            "title": self._title,
            "conditions": {
                "marks": [
                    *("signed_by_terminal", "bound_to_goods", "recomputed"),
                    *("corroborated", "inside_open_sky_model"),
                ],
                "site": msgspec.to_builtins(scenario.site),
                "not_before": str(scenario.not_before),
                "not_after": str(scenario.not_after),
                "risk_ppb": scenario.risk_ppb,
                "needs": ["papers_agree", "title_in_custody", "customs_released"],
            },
        }

    async def _settle(self) -> None:
        bank = self._by("importer-bank")
        deadline_s = asyncio.get_running_loop().time() + _SETTLE_S
        told: set[int] = set()
        while asyncio.get_running_loop().time() < deadline_s:
            road = await self._by("auditor").get(f"/v1/consignments/{self._consignment}/road")
            await self._report.tell(road, told)
            deal = await bank.get(f"/v1/finance/deals/{self._deal}")
            if deal["state"] in ("paid", "refused"):
                self._report.ended(deal)
                return
            await asyncio.sleep(_POLL_S)
        raise Unavailable("the deal did not come to an end in time")

    async def _prove(self) -> None:
        auditor = self._by("auditor")
        proof = self._output / "consignment.zdproof"
        trust = self._output / "trust.json"
        data = await auditor.ask("GET", f"/v1/consignments/{self._consignment}/proof")
        proof.write_bytes(data.content)
        trust.write_bytes(await self._trust())
        self._outcome.proof, self._outcome.trust = proof, trust
        came = await self._fetch_at_exporter() if self._sides.are_two else ""
        self._step(
            10, f"{came}{proof} ({len(data.content) // 1024} KiB); check it with zhidao verify"
        )

    async def _trust(self) -> bytes:
        """The lists of both nodes as one, as somebody who compared both would write it."""
        callers = [self._here, *([self._there] if self._sides.are_two else [])]
        lists = [
            decode_trust_list((await each[AUDITOR].ask("GET", "/v1/trust-list")).content)
            for each in callers
        ]
        return encode_trust_list(
            trust_list(
                lists[0].name,
                lists[0].created,
                [node for each in lists for node in each.nodes],
                [party for each in lists for party in each.parties],
                lists[0].policy,
            )
        )

    async def _fetch_at_exporter(self) -> str:
        """What came to the exporter's side: the proof for the exporter, messages for its bank."""
        exporter = self._by("exporter")
        (row,) = await arrived(exporter, self._consignment, ["zhidao.proof"])
        copy = self._output / "exporter.zdproof"
        path = f"/v1/exchange/inbox/{row['sender']}/{row['document']}/content"
        copy.write_bytes((await exporter.ask("GET", path)).content)
        self._outcome.exporter_proof = copy
        came = "the proof"
        if self._outcome.paid:
            messages = ["finance.pacs.008", "finance.camt.054"]
            await arrived(self._by("exporter-bank"), self._consignment, messages)
            came = "pacs.008, camt.054 and the proof"
        await ended(exporter, self._consignment)
        return f"the exporter's node got {came} by exchange; "


async def _ended(task: asyncio.Task[None]) -> None:
    await task
