"""Keeps a node's titles on a chain of others, where the settings name one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
from litestar import Router, get

from zhidao.core.access import OPEN
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.journal import Journal, Records
from zhidao.node.http.access import ACCESS
from zhidao.node.operations.alarms import Alarms
from zhidao.trust.domain.evm import address_text
from zhidao.trust.service.chain.ports import Accounts, LoggedTransactions
from zhidao.trust.service.chain.submissions import aggregate_of
from zhidao.trust.wire.evm.title_contract import Registry

if TYPE_CHECKING:
    from zhidao.trust.service.chain.external import ChainElsewhere

LOOK_EVERY_S: Final = 2.0
_CHAINS_MAX: Final = 8
_LOG: Final = logging.getLogger("zhidao.titles")
_WAITING: Final = "titles_wait"
# Nothing that passes by itself: somebody has to look.
_ALARMING: Final = frozenset(
    ("chain_rewritten", "logs_missing", "wrong_chain", "registrar_used", "bad_rpc_answer")
)


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """The chain on which titles live. `urls`: JSON-RPC endpoints of it, asked in turn."""

    urls: tuple[str, ...]
    chain_id: int
    confirmations: int


class ChainState(msgspec.Struct, kw_only=True):
    """The titles' chain. `registrar` pays for gas; `waiting`: acts logged and not final there.

    `block`: the newest one of which something is recorded. `problem`: why it stands still, or ``.
    """

    chain_id: int
    registrar: str
    registry: str
    block: int
    waiting: int
    problem: str


def chain_settings(urls: str, chain_id: int, *, confirmations: int) -> ChainSettings | None:
    """From the node's settings; None where no endpoint is named. Raises MalformedInput."""
    endpoints = tuple(url.strip() for url in urls.split(",") if url.strip())
    if not endpoints:
        return None
    if not 0 < chain_id < 1 << 53 or not 0 <= confirmations <= 100_000:
        raise MalformedInput(
            "titles on a chain of others need its id, and a number of confirmations",
            where="titles.chain_id, titles.confirmations",
        )
    return ChainSettings(endpoints, chain_id, confirmations)


async def check_place(journal: Journal, chain_id: int, *, elsewhere: bool) -> None:
    """Raises Refused (`titles_on_another_chain`) if this node's titles live somewhere else.

    Its titles would be gone, and each could be minted once more.
    """
    prefix = "chain/" if elsewhere else "settled/"
    found = await journal.aggregates(prefix, viewer=None, limit=_CHAINS_MAX)
    others = [name for name in found if name != aggregate_of(chain_id)]
    if others:
        raise Refused(
            f"this node's titles live on chain {others[0].partition('/')[2]}",
            code="titles_on_another_chain",
            where="titles.rpc_urls, titles.chain_id",
            remedy="name that chain again; titles do not move from chain to chain",
        )


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The chain, its route, and what keeps it level: `look` with the one who tells of titles."""

    chain: ChainElsewhere
    route: Router
    look: Callable[[Callable[[Sequence[str]], Awaitable[None]]], Awaitable[None]]


def build(
    chosen: ChainSettings,
    records: Records,
    logged: LoggedTransactions,
    accounts: Accounts,
    alarms: Alarms,
) -> Elsewhere:
    """Asks no endpoint yet."""
    # No node needs an HTTP client for this whose titles live in it.
    from zhidao.trust.adapters.chain.json_rpc import JsonRpc
    from zhidao.trust.service.chain.external import ChainElsewhere

    registrar = accounts.registrar().address
    registry = Registry.of(registrar)
    chain = ChainElsewhere(
        JsonRpc(chosen.urls),
        records,
        logged,
        accounts,
        chain_id=chosen.chain_id,
        registry=registry,
        confirmations=chosen.confirmations,
    )
    problem = ""

    def told(code: str, sentence: str) -> None:
        nonlocal problem
        if problem and problem != code:
            alarms.clear(problem)
        if code and (code in _ALARMING or code == _WAITING):
            alarms.sound(code, sentence, "look at GET /v1/trust/chain")
        problem = code

    async def look(tell: Callable[[Sequence[str]], Awaitable[None]]) -> None:
        while True:
            chain.woken.clear()
            try:
                await tell(await chain.step())
                told(_WAITING if chain.problem else "", chain.problem)
            except ZhidaoError as error:
                _LOG.warning("titles' chain %d: %s", chosen.chain_id, error)
                told(error.code, str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await chain.woken.wait()

    @get("/v1/trust/chain", opt={ACCESS: OPEN})
    async def chain_state() -> ChainState:
        """The chain of others on which this node keeps its titles."""
        block, waiting = await chain.state()
        return ChainState(
            chain_id=chosen.chain_id,
            registrar=address_text(registrar),
            registry=address_text(registry.token),
            block=block,
            waiting=waiting,
            problem=chain.problem or problem,
        )

    _LOG.info("titles live on chain %d; %s pays for gas", chosen.chain_id, address_text(registrar))
    return Elsewhere(chain, Router("/", route_handlers=[chain_state], tags=["trust"]), look)
