"""Makes the facts of what is final on a chain of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhidao.core.errors import Refused, Unavailable
from zhidao.trust.domain.evm import Transaction, address_text
from zhidao.trust.events import ChainSettled, SettledTitle
from zhidao.trust.service.chain.external_view import ChainView, Mined
from zhidao.trust.service.chain.json_rpc import RpcRefusal
from zhidao.trust.service.chain.settled import NONCE_TAKEN

_DATA_BYTES_MAX: Final = 16 * 1024


async def settled_fact(
    view: ChainView, told: Mined, titles: Sequence[SettledTitle], own: Transaction | None
) -> ChainSettled:
    """The fact of a mined transaction. `own`: its signed form, if this node wrote it.

    Raises Unavailable (`chain_behind`) if the endpoint does not have it any more, or not yet.
    """
    sent = own or await view.transaction(told.hash)
    found, at_s = await view.block(told.block)
    if found != told.block_hash:
        raise Unavailable("a receipt is of another branch", code="chain_behind")
    refusal = None if told.succeeded else await _reason(view, sent, told.block)
    return ChainSettled(
        chain_id=view.chain_id,
        hash="0x" + told.hash.hex(),
        block=told.block,
        block_hash="0x" + told.block_hash.hex(),
        at_s=at_s,
        sender=address_text(sent.sender),
        nonce=sent.nonce,
        to=address_text(sent.to) if sent.to else "",
        data="" if own or len(sent.data) > _DATA_BYTES_MAX else sent.data.hex(),
        gas_used=told.gas_used,
        fee_wei=str(told.fee_wei),
        created=address_text(told.created) if told.created and told.succeeded else "",
        foreign=own is None,
        code=refusal.code if refusal else "",
        reason=str(refusal.args[0]) if refusal else "",
        titles=list(titles),
    )


def lost_fact(sent: Transaction, final: int) -> ChainSettled:
    """The fact that an act never counts: up to block `final` its number went to other bytes."""
    return ChainSettled(
        chain_id=sent.chain_id,
        hash="0x" + sent.hash.hex(),
        block=final,
        block_hash="",
        at_s=0,
        sender=address_text(sent.sender),
        nonce=sent.nonce,
        to=address_text(sent.to) if sent.to else "",
        data="",
        gas_used=0,
        fee_wei="0",
        created="",
        foreign=False,
        code=NONCE_TAKEN,
        reason="another transaction of this account took the number; decide anew",
        titles=[],
    )


async def _reason(view: ChainView, sent: Transaction, block: int) -> Refused:
    """Why a mined transaction failed: asked again on the state before its block."""
    try:
        refusal = await view.reason(sent, block - 1)
    except RpcRefusal as told:
        return told
    return refusal or Refused("the chain executed it without success", code="execution_failed")
