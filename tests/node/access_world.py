"""A whole node in this process, over the data of a carried consignment and of much more besides.

What a running program cannot be asked, this one can: what was written, and what happens without
one of its guards.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import httpx
import pytest
from tests.finance.credit_cases import clean
from tests.node.live_node import one_node_corridor

from zhidao.core.judging import DOCUMENT
from zhidao.finance.domain.payments.message import CreditTransfer, Transfers
from zhidao.finance.wire.iso20022.messages.credit_transfers import INITIATION
from zhidao.finance.wire.iso20022.messages.messages import encode
from zhidao.finance.wire.iso20022.syntax.trees import account, bank, lines, person
from zhidao.node.adapters.scenario_clock import KeptClock
from zhidao.node.config import Config, load
from zhidao.node.runtime.jobs import JobKeeper
from zhidao.node.runtime.workers import Workers
from zhidao.node.serve import JUDGES, start_servers
from zhidao.node.wiring.node import build_node
from zhidao.node.wiring.process import SCENARIO_FILE, settings_of
from zhidao.simulation import participants as p
from zhidao.store.database import Database

Answer = TypeVar("Answer")
CONSIGNMENT: Final = "zd-2026-0417"
NODE: Final = "corridor"
STRANGER: Final = "stranger"
ROLES: Final = ("party", "operator", "admin", "auditor")
# What a request may change: every event but an auditor's look, and what is kept beside events.
_MADE_TAI_NS: Final = 1_790_000_000_000_000_000
_KEPT: Final = (
    *("trade.draft", "finance.batch", "finance.message", "finance.named"),
    *("node.party", "node.person", "exchange.outgoing", "exchange.incoming", "exchange.peer"),
    *("devices.terminal", "connectivity.scenario"),
)


class AccessWorld:
    """The node, callers of every party in every role, and the names of what exists."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._folder = folder
        self._tokens: dict[tuple[str, str], str] = {}
        self._jobs: list[asyncio.Task[None]] = []
        self.names: dict[str, str] = {}
        self.document: dict[str, Any] = {}

    def start(self) -> None:
        """Carries the consignment, then opens its data in this process and fills in the rest."""
        assert asyncio.run(one_node_corridor(self._folder)).paid
        settings = {
            "node.data": str(self._folder / "node"),
            "node.name": NODE,
            "node.demo": True,
            "http.tls": "off",
            "http.requests_per_second": 0,
            "http.refusals_per_second": 0,
            "industry.machine_networks": "127.0.0.0/8",
            "log.leaves_per_party_hour": 0,
        }
        config = load(None, {}, settings)
        self._servers = start_servers(config)
        self._thread.start()
        self.run(self._open(config))
        self.run(self._fill())

    def stop(self) -> None:
        """Lets go of everything."""
        self.run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._servers.stop()

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """What a coroutine on the node's own loop answers."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(240)

    def ask(
        self, method: str, path: str, party: str = "", role: str = "party", **more: Any
    ) -> httpx.Response:
        """One request as a party in a role; `` is a stranger without any credential."""
        return self.run(self._ask(method, path, party, role, **more))

    def ask_together(
        self, times: int, method: str, path: str, party: str = "", role: str = "party", **more: Any
    ) -> list[httpx.Response]:
        """One request several times at once."""

        async def together() -> list[httpx.Response]:
            await self._token(party, role)  # Not two of them, which were two callers.
            asked = (self._ask(method, path, party, role, **more) for _ in range(times))
            return list(await asyncio.gather(*asked))

        return self.run(together())

    @property
    def app(self) -> Any:
        """The node's application."""
        return self._node.app

    def kept(self) -> int:
        """How much stands: events of all rooms but looks of auditors, and rows beside them."""
        return self.run(self._count())

    async def _open(self, config: Config) -> None:
        self._workers = ThreadPoolExecutor(2)
        self._judges = Workers(JUDGES, effort=DOCUMENT)
        self._node = await build_node(
            settings_of(
                config,
                database_url=self._servers.database_url,
                bus_url=self._servers.bus_url,
                own_database=True,
                passphrase=(self._folder / "passphrase").read_bytes().strip(),
            ),
            self._workers,
            self._judges,
        )
        keeper = JobKeeper(self._node.alarms, self._node.job_book)
        self._jobs = [asyncio.create_task(keeper.keep(job)) for job in self._node.jobs()]
        transport = httpx.ASGITransport(self._node.app)
        self._http = httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", timeout=120
        )
        self._database = await Database.open(self._servers.database_url, connections_max=2)
        self.document = (await self._ask("GET", "/schema/openapi.json")).json()

    async def _close(self) -> None:
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        await self._http.aclose()
        await self._database.close()
        await self._node.close()
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._judges.shutdown(wait=False, cancel_futures=True)

    async def _token(self, party: str, role: str) -> str:
        """Kept as an agreed one would be: whose yes a token needs is not what is asked here."""
        known = self._tokens.get((party, role))
        if known is None:
            name, secret = uuid4().hex[:16], uuid4().hex
            async with self._database.session() as session:
                await session.execute(
                    "INSERT INTO node.token (token_id, party, role, label, secret_hash, key,"
                    " revoked, created_tai_ns, agreed) VALUES (%s, %s, %s, 't', %s, '', false, %s,"
                    " 'own')",
                    (name, party, role, hashlib.sha256(secret.encode()).digest(), _MADE_TAI_NS),
                )
            known = self._tokens[party, role] = f"zd_{name}_{secret}"
        return known

    async def _ask(
        self, method: str, path: str, party: str = "", role: str = "party", **more: Any
    ) -> httpx.Response:
        headers = dict(more.pop("headers", {}))
        if party:
            headers["Authorization"] = f"Bearer {await self._token(party, role)}"
        return await self._http.request(method, path, headers=headers, **more)

    async def made(self, path: str, party: str, body: Any = None, role: str = "party") -> Any:
        """What a request that succeeds answers."""
        answer = await self._ask("POST", path, party, role, json=body)
        assert answer.is_success, (path, answer.status_code, answer.text)
        return answer.json()

    async def _got(self, path: str, party: str) -> Any:
        answer = await self._ask("GET", path, party)
        assert answer.is_success, (path, answer.status_code, answer.text)
        return answer.json()

    async def _count(self) -> int:
        found = await self._database.read(
            "select table_schema as room from information_schema.tables where table_name = 'event'"
        )
        sums = [
            f"(select count(*) from {row['room']}.event where aggregate not like 'read/%%')"
            for row in found
        ]
        sums += [f"(select count(*) from {table})" for table in _KEPT]
        [total] = await self._database.read(f"select {' + '.join(sums)} as kept")
        return int(total["kept"])

    async def _fill(self) -> None:
        await self._name_the_carried()
        for fill in (self._trade, self._receivable, self._escrow, self._credit, self._netting):
            await fill()
        await self.made("/v1/finance/passport", "exporter")

    async def _name_the_carried(self) -> None:
        road = await self._got(f"/v1/consignments/{CONSIGNMENT}/road", "exporter")
        paper = road["documents"][0]
        for held in await self._got("/v1/finance/accounts?limit=100", "importer-bank"):
            if held["holder"] == "importer":
                self.names["account"] = held["account"]
        [there] = await self._got("/v1/finance/accounts", "exporter")
        self.names["account_there"] = there["account"]
        moved = await self._got(
            f"/v1/finance/accounts/{self.names['account']}/movements", "importer"
        )
        self.names |= {
            "consignment": CONSIGNMENT,
            "order": p.ORDER,
            "lot": p.LOT,
            "terminal": p.TERMINAL,
            "phone": p.PHONE,
            "seal": p.SEAL,
            "title": road["title"]["title"],
            "deal": f"deal-{CONSIGNMENT}",
            "message": "pacs008",
            "event_id": paper["event"],
            "digest": paper["digest"],
            "credential": paper["credential"],
            "evidence": road["arrival"]["evidence"],
            "transfer": moved["movements"][0]["transfer"],
            "ledger_name": p.CURRENCY,
            "currency": p.CURRENCY,
            "bank": "importer-bank",
        }

    async def _trade(self) -> None:
        entry = (Path(__file__).parents[1] / "trade" / "data" / "set_entry.json").read_bytes()
        content = base64.b64encode(entry).decode()
        file = {"name": "entry.json", "content": content}
        told = await self.made("/v1/trade/entries/import", "exporter", file)
        self.fields = told["fields"]
        await self.made("/v1/trade/entries/drafts/one", "exporter", {"fields": self.fields})
        self.declarations: list[str] = []
        paper = await self._ask(
            *("POST", "/v1/trade/entries/documents/export_declaration", "exporter"),
            json={"fields": self.fields},
        )
        asked = {
            "kind": "export_declaration",
            "content": base64.b64encode(paper.content).decode(),
            "customs": "customs",
            "agencies": ["carrier"],
        }
        lodged = await self.made("/v1/trade/declarations", "exporter", asked)
        asked = {"entry": content, "bank": "importer-bank"}
        shown = await self.made("/v1/trade/presentations", "exporter", asked)
        self.entry = content
        self.names |= {
            "name": "one",
            "kind": "invoice_ubl",
            "declaration": lodged["declaration"],
            "presentation": shown["presentation"],
        }

    async def _receivable(self) -> None:
        owed = {
            "obligor": "DK 12345674",
            "obligor_party": "importer",
            "supplier": "CN 91320594MA1ABCDE7X",
            "invoice": "INV-2026-0417",
            "shipment": CONSIGNMENT,
            "amount_minor": 4_440_000,
            "currency": "CNY",
            "due_on": "2027-12-15",
        }
        made = await self.made("/v1/finance/receivables", "exporter", owed)
        one = f"/v1/finance/receivables/{made['token']}"
        await self.made(f"{one}/confirmation", "importer")
        share = {"share": "s1", "holder": "exporter-bank", "amount_minor": 5}
        await self.made(f"{one}/shares", "exporter", share)
        self.names |= {"token": made["token"], "share": "s1"}

    async def _escrow(self) -> None:
        asked = {"deposit": "more", "holder": "importer", "currency": "CNY"}
        await self.made("/v1/finance/deposits", "importer-bank", {**asked, "amount_minor": 10**9})
        word = {"kind": "word", "by": "carrier", "word": "goods_ok"}
        escrow = {
            "escrow": "E-1",
            "payer": "importer",
            "payee": "exporter",
            "payee_bank": "exporter-bank",
            "amount_minor": 1_000,
            "currency": "CNY",
            "condition": {"kind": "by", "until": "2030-05-02T00:00:00Z", "of": word},
            "refund_after": "2030-06-01T00:00:00Z",
            "arbiter": "customs",
        }
        await self.made("/v1/finance/escrows", "importer-bank", escrow)
        self.names["escrow"] = "E-1"

    async def _credit(self) -> None:
        terms, presentation = clean()
        credit = {
            "beneficiary": "exporter",
            "applicant": "importer",
            "adviser": "exporter-bank",
            "calendar": {"place": "Suzhou", "rest": [5, 6], "holidays": ["2026-10-01"]},
            "terms": json.loads(json.dumps(terms)),
        }
        await self.made("/v1/finance/credits", "importer-bank", credit)
        one = f"/v1/finance/credits/{terms['number']}"
        await self.made(f"{one}/steps", "exporter-bank", {"step": "advise"})
        self.names |= {"credit": terms["number"], "drawing": "1"}
        self.papers = presentation | {"presented_on": self._day()}
        await self.made(f"{one}/drawings/1", "exporter", self.papers)
        self.credit = credit

    def _day(self) -> str:
        """Today in scenario time, by which counters of banks open and close."""
        return str(KeptClock(self._folder / "node" / SCENARIO_FILE).now())[:10]

    async def _netting(self) -> None:
        other = {"holder": "carrier", "name": "Carrier", "town": "Almaty", "country": "KZ"}
        await self.made("/v1/finance/accounts", "importer-bank", {**other, "currency": "CNY"})
        cycle = {"cycle": "C-1", "currency": "CNY", "participants": ["carrier", "importer"]}
        await self.made("/v1/finance/netting", "importer-bank", cycle)
        self.names["cycle"] = "C-1"

    def payment(self) -> bytes:
        """A pain.001 that pays the exporter ten fen from the importer's account."""
        one = CreditTransfer(
            group="G-1",
            instruction="I-1",
            end_to_end="E-1",
            uetr="8a562c67-ca16-48ba-b074-65581be6f011",
            amount_minor=10,
            currency="CNY",
            day="2026-12-01",
            charges="SHAR",
            payer=person("Alatau Water Supply LLP", "Almaty", "KZ"),
            payer_account=account(UUID(self.names["account"]).hex),
            payer_bank=bank("ALTBKZKA"),
            payee=person("Chang'an Pump Works Co., Ltd.", "Xi'an", "CN"),
            payee_account=account(UUID(self.names["account_there"]).hex),
            payee_bank=bank("WEIHCNB1"),
            remittance=lines("invoice 7"),
        )
        now = "2026-12-01T08:00:00+00:00"
        return encode(Transfers(*(INITIATION, "M-1", now, "", ""), (one,)))

    def another_credit(self) -> dict[str, Any]:
        """A credit under another number."""
        terms = self.credit["terms"] | {"number": "LC-2026-0043"}
        return self.credit | {"terms": terms}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessWorld]:
    """The world, one a module: whoever asks for it imports it."""
    made = AccessWorld(tmp_path_factory.mktemp("a"))
    made.start()
    try:
        yield made
    finally:
        made.stop()
