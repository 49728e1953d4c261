"""The node's own chain: signed title transactions a second with their journal write, and restarts.

A life is a mint and ten transfers on the unmodified TradeTrust contracts. The short run does two
thousand; `--long` does twenty thousand, and a hundred thousand for the restart. The journal is
PostgreSQL's where the embedded server can start; log leaves are counted by `spine`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measuring import claim

ROOT = Path(__file__).resolve().parents[3]
BATCH = 64
SHORT, LONG, RESTART = 2_000, 20_000, 100_000
# Of the chain that falls with its length: the blocks on either side of its 1,200th.
ANVIL_FROM, ANVIL_TIMED, ANVIL_LIMIT_S = 1_088, 256, 60
KEPT = ROOT / "build" / "bench-trust-chain"


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the common form)
    """The claims."""
    sys.path.insert(0, str(ROOT))
    if not long:
        with tempfile.TemporaryDirectory(prefix="zhidao-chain-") as folder:
            yield from asyncio.run(_measured(Path(folder), total=SHORT))
            yield from _restart(Path(folder), SHORT)
        return
    # A long run that was stopped goes on: with the lines that it has, and from its last snapshot.
    KEPT.mkdir(parents=True, exist_ok=True)
    lines = KEPT / "lines.json"
    if not lines.exists():
        with tempfile.TemporaryDirectory(prefix="zhidao-chain-") as folder:
            found = asyncio.run(_measured(Path(folder), total=LONG))
        lines.write_text(json.dumps(found))
    yield from json.loads(lines.read_text())
    yield from _restart(KEPT, RESTART)
    shutil.rmtree(KEPT)


async def _measured(folder: Path, *, total: int) -> list[dict[str, Any]]:
    from tests.trust.title_bench import CHAIN, TitleBench

    from zhidao.core.actor import Actor, Role
    from zhidao.core.ids import PartyId
    from zhidao.store.database import Database
    from zhidao.store.embedded import EmbeddedPostgres
    from zhidao.store.journal import PostgresJournal
    from zhidao.store.migrate import migrate
    from zhidao.trust.service.chain.submissions import ChainLog, Submission, aggregate_of

    server = EmbeddedPostgres(folder / "postgres")
    url = server.start()
    database = await Database.open(url)
    try:
        await migrate(database)
        bench = TitleBench()
        records = type(bench.records)(
            PostgresJournal(database, "trust", lambda: None), bench.records._scribe
        )
        log = ChainLog(records, CHAIN)
        chain = _chain(bench.registry)
        actor = Actor(PartyId("carrier"), Role.PARTY)
        lives = _Lives(bench)
        speeds: list[float] = []
        costs_s: list[float] = []
        done = 0
        while done < total:
            raws = lives.next(BATCH)
            started, cpu_s = time.perf_counter(), time.process_time()
            await log.submit(lambda _, raws=raws: [Submission(actor, r, "life", "") for r in raws])
            for raw in raws:
                done += 1
                receipt = chain.execute(raw, number=done, recorded_s=1_790_000_000)
                assert receipt.refusal is None, receipt.refusal
            speeds.append(BATCH / (time.perf_counter() - started))
            costs_s.append(time.process_time() - cpu_s)
        assert (await records.history(aggregate_of(CHAIN)))[-1].version == done
    finally:
        await database.close()
        server.stop()
    lines = [claim("chain_signed_life_cycle_tx_per_s", speeds, "1/s", target=60)]
    part = max(1, min(1_000, total // 2) // BATCH)
    # The set-up transactions in the first batch are dear and happen once.
    # Of this process's own time, so that others on the machine do not count.
    ratio = [sum(costs_s[1 : part + 1]) / sum(costs_s[-part:])]
    lines.append(claim("chain_last_beside_first_thousand", ratio, "ratio", target=0.85))
    theirs = await asyncio.to_thread(_anvil)
    if theirs:
        lines.append(
            claim(
                "chain_tx_per_s_at_block_1200",
                speeds[ANVIL_FROM // BATCH : (ANVIL_FROM + ANVIL_TIMED) // BATCH],
                "1/s",
                target=1,
                rival="anvil 1.7.1 in memory, a block each transaction, each receipt read",
                rival_values=theirs,
            )
        )
    return lines


def _anvil() -> list[float]:
    """Transactions a second of the same lives on anvil around its block 1,200; empty without it."""
    import httpx
    import pytest
    from tests.trust.anvil import running
    from tests.trust.title_bench import CHAIN, TitleBench

    def ask(method: str, *words: str) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": words}
        answer = client.post(url, json=body).json()
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def send(count: int) -> float:
        raws = lives.next(count)
        began = time.perf_counter()
        for raw in raws:
            name = ask("eth_sendRawTransaction", f"0x{raw.hex()}")
            # As here, what came of one is known before the next is sent.
            while (receipt := ask("eth_getTransactionReceipt", name)) is None:
                assert time.perf_counter() - began < ANVIL_LIMIT_S, "anvil made no block"
            assert receipt["status"] == "0x1"
        return count / (time.perf_counter() - began)

    lives = asyncio.run(_lives(TitleBench))
    try:
        with running(CHAIN) as url, httpx.Client(timeout=30) as client:
            send(ANVIL_FROM)
            return [send(BATCH) for _ in range(ANVIL_TIMED // BATCH)]
    except pytest.skip.Exception as reason:
        print(f"trust_chain: {reason}", file=sys.stderr)
        return []


def _chain(registry: Any) -> Any:
    from tests.trust.title_bench import CHAIN

    from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
    from zhidao.trust.service.chain.embedded import TitleChain

    return TitleChain(PyEvmEngine(CHAIN), chain_id=CHAIN, registry=registry)


def _restart(folder: Path, total: int) -> list[dict[str, Any]]:
    """From nothing to the same chain, with the most transactions that a snapshot may lack."""
    from tests.trust.title_bench import CHAIN, TitleBench

    from zhidao.trust.adapters.chain.snapshot_files import SnapshotFiles
    from zhidao.trust.service.chain.executor import SNAPSHOT_EVERY

    kept = SnapshotFiles(folder / "chain")
    lives = asyncio.run(_lives(TitleBench))
    chain = _chain(lives.registry)
    begun = kept.load(CHAIN)
    if begun is not None:
        chain.restore(*begun)
        # The same lives again up to there: their signatures repeat.
        lives.next(chain.height)
    saved = chain.height
    while chain.height < total:
        for raw in lives.next(SNAPSHOT_EVERY):
            chain.execute(raw, number=chain.height + 1, recorded_s=1_790_000_000)
        kept.save(chain.entries(saved + 1), chain.changes(), chain.head)
        saved = chain.height
    if not saved:
        kept.save(chain.entries(), chain.changes(), chain.head)
    rest = lives.next(SNAPSHOT_EVERY - 1)
    before = [chain.execute(raw, number=chain.height + 1, recorded_s=1_790_000_000) for raw in rest]
    seconds, costs_s = [], []
    for _ in range(3):
        started, cpu_s = time.perf_counter(), time.process_time()
        found = SnapshotFiles(folder / "chain").load(CHAIN)
        assert found is not None, "the snapshot is whole"
        again = _chain(lives.registry)
        again.restore(*found)
        after = [
            again.execute(raw, number=again.height + 1, recorded_s=1_790_000_000) for raw in rest
        ]
        seconds.append(time.perf_counter() - started)
        costs_s.append(time.process_time() - cpu_s)
        assert after == before, "the restarted chain is another"
    name = f"chain_restart_with_{chain.height // 1000 * 1000}_tx"
    return [
        claim(f"{name}_s", seconds, "s", target=5, at_most=True),
        # Of this process's own time, so that others on the machine do not count.
        claim(f"{name}_processor_s", costs_s, "s", target=3, at_most=True),
    ]


async def _lives(bench: Any) -> _Lives:
    return _Lives(bench())


class _Lives:
    """Signed transactions of title after title: a mint and ten transfers of both roles."""

    def __init__(self, bench: Any) -> None:
        self.registry = bench.registry
        self._accounts = bench.accounts
        self._nonces: dict[bytes, int] = {}
        self._made = 0
        self._waiting: list[bytes] = self._setup()

    def next(self, count: int) -> list[bytes]:
        """The next transactions in order."""
        while len(self._waiting) < count:
            self._waiting.extend(self._life())
        chosen, self._waiting = self._waiting[:count], self._waiting[count:]
        return chosen

    def _setup(self) -> list[bytes]:
        from zhidao.trust.adapters.chain.title_artefacts import load_title_contracts
        from zhidao.trust.wire.evm.title_contract import MINTER_ROLE, grant_call, registry_code

        contracts = load_title_contracts()
        registrar = self._accounts.registrar()
        minter = self._party("carrier").address
        token = registry_code(contracts.token_code, self.registry.factory)
        return [
            self._signed(registrar, None, contracts.factory_code, gas=9_000_000),
            self._signed(registrar, None, token, gas=9_000_000),
            self._signed(registrar, self.registry.token, grant_call(MINTER_ROLE, minter)),
        ]

    def _life(self) -> list[bytes]:
        from zhidao.trust.wire.evm.title_contract import mint_call, transfer_call

        self._made += 1
        title = hashlib.sha256(self._made.to_bytes(8, "big")).digest()
        escrow = self.registry.escrow(title)
        holders = [self._party(name) for name in ("exporter", "importer-bank", "importer")]
        made = [
            self._signed(
                self._party("carrier"), self.registry.token, mint_call(title, holders[0].address)
            )
        ]
        # Ten transfers of both roles: to the bank, to the importer, back and on again.
        for turn in range(10):
            giver, taker = holders[turn % 3], holders[(turn + 1) % 3]
            made.append(self._signed(giver, escrow, transfer_call(taker.address)))
        return made

    def _party(self, name: str) -> Any:
        from zhidao.core.ids import PartyId

        return self._accounts.of_party(PartyId(name))

    def _signed(self, account: Any, to: Any, data: bytes, *, gas: int = 600_000) -> bytes:
        from tests.trust.title_bench import CHAIN

        from zhidao.trust.wire.evm.transaction import Draft, sign

        nonce = self._nonces.get(account.address, 0)
        self._nonces[account.address] = nonce + 1
        draft = Draft(chain_id=CHAIN, nonce=nonce, to=to, data=data, gas=gas)
        return sign(draft, account.sign_digest)
