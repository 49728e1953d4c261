"""Builds the anchoring of the log on a chain of others, where the settings name one."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

import msgspec
from litestar import Router, get

from zhidao.core.access import OPEN
from zhidao.core.errors import MalformedInput, ZhidaoError
from zhidao.core.keys import Algorithm
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.http.access import ACCESS
from zhidao.node.operations.alarms import Alarms
from zhidao.node.runtime.runtime_context import Room
from zhidao.trust.domain.evm import Address, address_text, parse_address
from zhidao.trust.service.log.reader import LogReader

BLOCK_S: Final = 4.0
_LOG: Final = logging.getLogger("zhidao.anchor")
_ALARMING: Final = frozenset(("anchored_ahead", "anchored_otherwise"))


@dataclass(frozen=True, slots=True)
class AnchorSettings:
    """Where the log's heads go. `urls`: JSON-RPC endpoints of one chain, asked in turn."""

    urls: tuple[str, ...]
    chain_id: int
    contract: Address
    confirmations: int
    every_s: float


class AnchorState(msgspec.Struct, kw_only=True):
    """What stands on the chain. `block` is 0 where it stood there before this node started."""

    chain_id: int
    contract: str
    publisher: str
    size: int
    root: str
    block: int
    transaction: str
    problem: str


def anchor_settings(
    urls: str, chain_id: int, contract: str, *, confirmations: int, every_minutes: int
) -> AnchorSettings | None:
    """From the node's settings; None where no endpoint is named. Raises MalformedInput."""
    endpoints = tuple(url.strip() for url in urls.split(",") if url.strip())
    if not endpoints:
        return None
    if chain_id < 1 or confirmations < 0 or every_minutes < 1:
        raise MalformedInput(
            "an anchor needs the chain's id, confirmations and an interval of a minute at least",
            where="anchor.chain_id, anchor.confirmations, anchor.every_minutes",
        )
    return AnchorSettings(
        endpoints, chain_id, parse_address(contract.lower()), confirmations, 60.0 * every_minutes
    )


def build(
    chosen: AnchorSettings, keys: KeyFiles, reader: LogReader, alarms: Alarms | None = None
) -> Room:
    """The account is a key of the node's own, `anchor`; its operator gives it money for gas."""
    # No node needs an HTTP client for this before it anchors.
    from zhidao.trust.adapters.chain.chain_accounts import SecretAccount
    from zhidao.trust.adapters.chain.json_rpc import JsonRpc
    from zhidao.trust.service.chain.anchoring import Anchoring
    from zhidao.trust.service.chain.json_rpc import RpcChain

    async def one_block() -> None:
        await asyncio.sleep(BLOCK_S)

    account = SecretAccount(keys.make("anchor", Algorithm.SECP256K1).secret)
    rpc = JsonRpc(chosen.urls)
    chain = RpcChain(rpc, chosen.chain_id, confirmations=chosen.confirmations, sleep=one_block)
    anchoring = Anchoring(chain, account, chosen.contract, reader.checkpoint)
    problem = ""

    async def anchor() -> None:
        nonlocal problem
        while True:
            try:
                await anchoring.step()
                problem = ""
            except ZhidaoError as error:
                problem = error.code
                _LOG.warning("the log's head was not anchored: %s", error)
                if alarms and error.code in _ALARMING:
                    alarms.sound(error.code, str(error), "look at GET /v1/trust/anchor")
            await asyncio.sleep(chosen.every_s)

    @get("/v1/trust/anchor", opt={ACCESS: OPEN})
    async def anchor_state() -> AnchorState:
        """The newest head of this node's log that it published on a chain of others."""
        last = anchoring.last
        return AnchorState(
            chain_id=chosen.chain_id,
            contract=address_text(chosen.contract),
            publisher=address_text(account.address),
            size=last.size if last else 0,
            root=last.root.hex() if last else "",
            block=last.block if last else 0,
            transaction=f"0x{last.transaction.hex()}" if last and last.transaction else "",
            problem=problem,
        )

    return Room(
        name="anchor",
        routers=(Router("/", route_handlers=[anchor_state], tags=["trust"]),),
        background=(anchor,),
    )
