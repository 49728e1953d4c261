"""Builds the title side of the trust room: the chain, its engine, its accounts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import ZhidaoError
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.core.keys import PublicKey
from zhidao.node.api.trust.titles import routes
from zhidao.node.operations.alarms import Alarms
from zhidao.node.runtime.runtime_context import Consumer, Room, RuntimeContext
from zhidao.node.wiring.trust import chain as trust_chain
from zhidao.node.wiring.trust.chain import ChainSettings
from zhidao.store.journal import PostgresJournal
from zhidao.trust.adapters.chain.chain_accounts import KeptAccounts, RemoteAccounts
from zhidao.trust.adapters.chain.logged_transactions import PostgresLoggedTransactions
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.adapters.chain.snapshot_files import SnapshotFiles
from zhidao.trust.adapters.chain.title_artefacts import load_title_contracts
from zhidao.trust.adapters.log.postgres import PostgresLogStore
from zhidao.trust.domain.chain_rules import chain_id_of
from zhidao.trust.events import ChainTransaction
from zhidao.trust.service.chain.embedded import TitleChain
from zhidao.trust.service.chain.executor import ChainExecutor
from zhidao.trust.service.chain.ports import Bills, Executor
from zhidao.trust.service.chain.submissions import ChainLog, aggregate_of
from zhidao.trust.service.titles.bill_tags import TitleTags
from zhidao.trust.service.titles.service import CONSUMER, TitleService, everybody
from zhidao.trust.service.witness.title_watch import TitleWatch
from zhidao.trust.wire.evm.title_contract import Registry

WATCH_EVERY_S: Final = 1.0
_LOG: Final = logging.getLogger("zhidao.titles")


@dataclass(frozen=True, slots=True)
class TitleServices:
    """What the title side offers: `titles` implements `trust.commands.Titles`."""

    titles: TitleService
    executor: Executor
    chain_id: int
    watch: TitleWatch
    room: Room


async def build(
    context: RuntimeContext,
    *,
    log_key: PublicKey,
    custody_secret: bytes,
    bills: Bills,
    origins: Iterable[str] = (),
    may_mint: Callable[[PartyId], Awaitable[bool]] = everybody,
    elsewhere: RemoteAccounts | None = None,
    chain: ChainSettings | None = None,
    written_runs: bool = False,
    alarms: Alarms | None = None,
) -> TitleServices:
    """Starts nothing: the engine is imported and the chain replayed when a title needs it.

    log_key: the key of the node's log, which gives the chain its id. custody_secret: 32 bytes or
    more that the node keeps like a private key; with another one its custody accounts are lost.
    bills: what the papers of a consignment say of its bill. may_mint: whether a party may mint
    (only carriers, say). origins: logs of which this node keeps copies, and its own. elsewhere:
    accounts of parties at other nodes. chain: where the titles live, if not in this node.
    written_runs: whether the node's own chain writes contract code out as Python functions.
    Raises Refused (`titles_on_another_chain`).
    """
    chain_id = chain.chain_id if chain else chain_id_of(log_key)
    journal = PostgresJournal(context.database, "trust", context.wake_relay)
    await trust_chain.check_place(journal, chain_id, elsewhere=chain is not None)
    records = Records(journal, context.scribe)
    accounts = KeptAccounts(context.chain_ring, custody_secret, elsewhere)
    registry = Registry.of(accounts.registrar().address)
    logged = PostgresLoggedTransactions(context.database)
    others = (
        trust_chain.build(chain, records, logged, accounts, alarms or Alarms()) if chain else None
    )
    executor: Executor
    if others:
        executor, chain_log = others.chain, others.chain.log
    else:
        inside = ChainExecutor(
            lambda: TitleChain(
                PyEvmEngine(chain_id, written_runs=written_runs),
                chain_id=chain_id,
                registry=registry,
            ),
            logged,
            aggregate_of(chain_id),
            SnapshotFiles(context.data / "chain" / str(chain_id)),
        )
        executor = inside
        chain_log = ChainLog(records, chain_id, executed=inside.executed, logged=logged)
    watch = TitleWatch({one: PostgresLogStore(context.database, one) for one in origins})
    titles = TitleService(
        records=records,
        accounts=accounts,
        contracts=load_title_contracts,
        chain_log=chain_log,
        executor=executor,
        chain_id=chain_id,
        tags=TitleTags(records, context.ring, registry, chain_id, elsewhere=watch),
        bills=bills,
        clock=context.clock,
        may_mint=may_mint,
    )

    async def watch_tags() -> None:
        while True:
            more = False
            try:
                more = await watch.step()
            except ZhidaoError as error:
                _LOG.warning("the logs were not searched for double titles: %s", error)
            await asyncio.sleep(0 if more else WATCH_EVERY_S)

    async def look_at_chain() -> None:
        assert others is not None, "the own chain runs when a title needs it"
        await others.look(titles.tell)

    room = Room(
        name="trust",
        background=(watch_tags, *([look_at_chain] if others else [])),
        routers=(routes(titles), *([others.route] if others else [])),
        consumers=(Consumer(CONSUMER, (ChainTransaction.TYPE,), titles.handle),),
    )
    return TitleServices(titles, executor, chain_id, watch, room)
