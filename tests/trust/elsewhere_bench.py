"""A node's titles on a real chain: memory for the journal, anvil for the chain."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.trust.title_bench import KEYS, TitleBench

from zhidao.core.errors import ZhidaoError
from zhidao.core.journal import FixedKeyRing
from zhidao.trust.adapters.chain.json_rpc import JsonRpc
from zhidao.trust.adapters.chain.title_artefacts import load_title_contracts
from zhidao.trust.events import ChainSettled
from zhidao.trust.service.chain.external import ChainElsewhere
from zhidao.trust.service.titles.bill_tags import TitleTags
from zhidao.trust.service.titles.service import TitleService

ANVIL = 31_337


class ElsewhereBench(TitleBench):
    """Titles on a chain behind JSON-RPC, with one step of its background every few milliseconds."""

    def __init__(
        self, rpc: Any, *, confirmations: int = 1, polls_per_bump: int = 50, remote: str = ""
    ) -> None:
        self.rpc = rpc
        self.confirmations = confirmations
        self.polls_per_bump = polls_per_bump
        self.stepping: asyncio.Task[None] | None = None
        self.errors: list[ZhidaoError] = []
        self.kills = 0
        super().__init__(remote=remote)

    def start(self, *, relay: bool = True, timeout_s: float = 20.0, stepping: bool = True) -> None:
        self.elsewhere = ChainElsewhere(
            self.rpc,
            self.records,
            self.logged,
            self.accounts,
            chain_id=ANVIL,
            registry=self.registry,
            confirmations=self.confirmations,
            polls_per_bump=self.polls_per_bump,
        )
        self.log = self.elsewhere.log
        self.titles = TitleService(
            records=self.records,
            accounts=self.accounts,
            contracts=load_title_contracts,
            chain_log=self.log,
            executor=self.elsewhere,
            chain_id=ANVIL,
            tags=TitleTags(self.records, FixedKeyRing(KEYS), self.registry, ANVIL),
            bills=self.papers,
            clock=self.clock,
            timeout_s=timeout_s,
        )
        if relay:
            self.relay = asyncio.create_task(self._relay())
        if stepping:
            self.stepping = asyncio.create_task(self._steps())

    async def step(self) -> tuple[str, ...]:
        moved = await self.elsewhere.step()
        await self.titles.tell(moved)
        return moved

    async def _steps(self) -> None:
        while True:
            try:
                await self.step()
            except Killed:
                self._restart()
            except ZhidaoError as error:
                # As the node's background, which goes on.
                self.errors.append(error)
            await asyncio.sleep(0.02)

    def _restart(self) -> None:
        """All memory is gone, the journal stands; callers ask again."""
        self.kills += 1
        self.start(relay=False, stepping=False, timeout_s=0.3)

    async def stop(self) -> None:
        if self.stepping:
            self.stepping.cancel()
            await asyncio.gather(self.stepping, return_exceptions=True)
        self.stepping = None
        await super().stop()

    def settled(self) -> list[ChainSettled]:
        events = [entry.event for entry in self.journal.written]
        return [ChainSettled.of(e) for e in events if e.type == ChainSettled.TYPE]


class Killed(Exception):
    """The process ends here."""


class Through:
    """An endpoint that a test can watch, and at whose calls it kills the node."""

    def __init__(self, *urls: str) -> None:
        self.inner = JsonRpc(urls, seconds=5)
        self.sent: list[str] = []
        self.calls = 0
        # A kill before and a kill after every so many calls; 0: none.
        self.kill_every = 0

    async def call(self, method: str, *parameters: Any) -> Any:
        self.calls += 1
        turn = self.calls % (2 * self.kill_every) if self.kill_every else -1
        if turn == 0:
            raise Killed
        if method == "eth_sendRawTransaction":
            self.sent.append(parameters[0])
        answer = await self.inner.call(method, *parameters)
        if turn == self.kill_every:
            raise Killed
        return answer

    async def mine(self, blocks: int = 1) -> None:
        await self.inner.call("anvil_mine", hex(blocks), "0x1")

    async def fund(self, address: bytes, wei: int = 10**20) -> None:
        await self.inner.call("anvil_setBalance", "0x" + address.hex(), hex(wei))
