"""Any EVM chain behind JSON-RPC: transactions that arrive once, and receipts that stay.

A transaction is sent again if the chain lost it, with a higher fee if it waits too long, and
counts only under so many blocks that stand on the same branch. Whoever waits may be cut off at
any line: the same signed bytes can be sent again by `resume`.

Source: the Ethereum JSON-RPC specification (execution-apis, eth namespace); EIP-1559 for fees.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from zhidao.core.errors import Refused, Unavailable
from zhidao.trust.domain.evm import Address, LogEntry, address_text
from zhidao.trust.domain.paid_rules import Fees
from zhidao.trust.service.chain.ports import Account
from zhidao.trust.wire.evm import eth_answers as eth
from zhidao.trust.wire.evm.keccak import keccak256
from zhidao.trust.wire.evm.transaction import Draft, decode, sign

CONFIRMATIONS: Final = 12
_POLLS_PER_BUMP: Final = 6
_BUMPS_MAX: Final = 8
_TIP_MIN_WEI: Final = 1_000_000_000
_ALREADY: Final = ("already known", "already imported", "known transaction")
_NONCE_USED: Final = ("nonce too low", "nonce is too low")
_UNDERPRICED: Final = ("underpriced",)
_CHEAP: Final = ("base fee", "basefee", "fee cap")


class RpcRefusal(Refused):
    """The chain answered no. `data`: revert data as `0x…`, or whatever it gave."""

    default_code = "chain_refused"

    def __init__(self, message: str, *, data: object = None) -> None:
        super().__init__(message)
        self.data = data

    def says(self, words: tuple[str, ...]) -> bool:
        """Whether its message has one of these in it."""
        return any(word in str(self.args[0]).lower() for word in words)


class Rpc(Protocol):
    """Asks a chain's endpoints."""

    async def call(self, method: str, *parameters: Any) -> Any:
        """The result. Raises RpcRefusal, Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class RpcReceipt:
    """A transaction that stands under enough blocks."""

    hash: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    created: Address | None
    logs: tuple[LogEntry, ...]


class RpcChain:
    """Sends for accounts of ours; one transaction of an account at a time."""

    def __init__(
        self,
        rpc: Rpc,
        chain_id: int,
        *,
        confirmations: int = CONFIRMATIONS,
        sleep: Callable[[], Awaitable[None]],
        polls_per_bump: int = _POLLS_PER_BUMP,
    ) -> None:
        """`sleep` waits for one block or so between two looks."""
        self._rpc = rpc
        self._chain_id = chain_id
        self._confirmations = confirmations
        self._sleep = sleep
        self._polls_per_bump = polls_per_bump
        self._locks: dict[Address, asyncio.Lock] = {}
        self._checked = False

    async def send(
        self, account: Account, *, to: Address | None, data: bytes, gas: int, polls_max: int = 600
    ) -> RpcReceipt:
        """Signs, sends and waits. Raises Unavailable (`not_final_yet`) after `polls_max` looks.

        The number is the chain's count of mined transactions, not of waiting ones: nothing of
        ours waits, since the account is locked, and a lost one must leave no gap.
        """
        await self._check_chain()
        async with self._locks.setdefault(account.address, asyncio.Lock()):
            nonce = await self._count(account.address)
            fees = await self.fees()
            draft = Draft(
                chain_id=self._chain_id,
                nonce=nonce,
                to=to,
                data=data,
                gas=gas,
                fee_max_wei=fees.fee_max_wei,
                tip_max_wei=fees.tip_max_wei,
            )
            return await self._deliver(account, draft, polls_max)

    async def resume(self, raw: bytes, *, polls_max: int = 600) -> RpcReceipt:
        """Sends bytes that were signed before, if need be, and waits for their receipt."""
        await self._check_chain()
        decode(raw)
        await self._offer(raw)
        for _ in range(polls_max):
            receipt = await self._final({keccak256(raw): raw})
            if receipt is not None:
                return receipt
            await self._sleep()
        raise _not_final()

    async def call(self, to: Address, data: bytes, *, sender: Address | None = None) -> bytes:
        """What a contract answers in the newest block. Raises RpcRefusal with its revert data."""
        asked = {"to": address_text(to), "data": "0x" + data.hex()}
        if sender is not None:
            asked["from"] = address_text(sender)
        return eth.octets(await self._rpc.call("eth_call", asked, "latest"))

    async def fees(self) -> Fees:
        """See `fees_of`."""
        return await fees_of(self._rpc)

    async def _deliver(self, account: Account, draft: Draft, polls_max: int) -> RpcReceipt:
        raw = sign(draft, account.sign_digest)
        offered = {keccak256(raw): raw}
        await self._offer(raw)
        bumps = 0
        for poll in range(1, polls_max + 1):
            receipt = await self._final(offered)
            if receipt is not None:
                return receipt
            await self._sleep()
            if poll % self._polls_per_bump == 0 and not await self._mined(offered):
                if bumps < _BUMPS_MAX:
                    bumps += 1
                    fees = Fees(draft.fee_max_wei, draft.tip_max_wei).bumped()
                    draft = replace(
                        draft, fee_max_wei=fees.fee_max_wei, tip_max_wei=fees.tip_max_wei
                    )
                    raw = sign(draft, account.sign_digest)
                    offered[keccak256(raw)] = raw
                # Offered again without a bump too: a reorganisation may have lost it.
                await self._offer(raw)
        raise _not_final()

    async def _offer(self, raw: bytes) -> None:
        """Gives signed bytes to the chain; that it has them already is as good."""
        try:
            await self._rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
        except RpcRefusal as refusal:
            if not is_known(refusal):
                raise

    async def _mined(self, offered: dict[bytes, bytes]) -> bool:
        return any([await self._receipt(each) is not None for each in offered])

    async def _final(self, offered: dict[bytes, bytes]) -> RpcReceipt | None:
        """The receipt of whichever was mined, once enough blocks of its branch stand on it."""
        for each in offered:
            told = await self._receipt(each)
            if told is None:
                continue
            number = eth.number(told.get("blockNumber"))
            head = eth.number(await self._rpc.call("eth_blockNumber"))
            if head < number + self._confirmations:
                return None
            block = await self._rpc.call("eth_getBlockByNumber", hex(number), False)
            # A block of that number with another hash: the receipt is of a branch that died.
            if isinstance(block, dict) and block.get("hash") == told.get("blockHash"):
                return _receipt(each, told)
        return None

    async def _receipt(self, transaction_hash: bytes) -> dict[str, Any] | None:
        told = await self._rpc.call("eth_getTransactionReceipt", "0x" + transaction_hash.hex())
        return None if told is None else eth.fields(told)

    async def _count(self, address: Address) -> int:
        told = await self._rpc.call("eth_getTransactionCount", address_text(address), "latest")
        return eth.number(told)

    async def _check_chain(self) -> None:
        if not self._checked:
            found = eth.number(await self._rpc.call("eth_chainId"))
            if found != self._chain_id:
                raise Refused(
                    f"the endpoint is of chain {found}, not of {self._chain_id}",
                    code="wrong_chain",
                )
            self._checked = True


async def fees_of(rpc: Rpc) -> Fees:
    """Twice the newest base fee and the tip that the chain names."""
    block = eth.fields(await rpc.call("eth_getBlockByNumber", "latest", False))
    base = eth.number(block.get("baseFeePerGas", "0x0"))
    try:
        tip = eth.number(await rpc.call("eth_maxPriorityFeePerGas"))
    except RpcRefusal:
        tip = _TIP_MIN_WEI
    return Fees(2 * base + tip, tip)


def is_known(refusal: RpcRefusal) -> bool:
    """Whether the chain refused bytes only since it has them, or others of the same number."""
    return refusal.says((*_ALREADY, *_NONCE_USED, *_UNDERPRICED))


def is_cheap(refusal: RpcRefusal) -> bool:
    """Whether the chain refused bytes since they offer too little for gas."""
    return refusal.says(_CHEAP)


def _receipt(transaction_hash: bytes, told: dict[str, Any]) -> RpcReceipt:
    created = told.get("contractAddress")
    return RpcReceipt(
        hash=transaction_hash,
        block_number=eth.number(told.get("blockNumber")),
        block_hash=eth.octets(told.get("blockHash")),
        succeeded=eth.number(told.get("status")) == 1,
        gas_used=eth.number(told.get("gasUsed")),
        created=None if created is None else eth.address(created),
        logs=tuple(map(eth.log_entry, eth.items(told.get("logs")))),
    )


def _not_final() -> Unavailable:
    return Unavailable(
        "the transaction does not stand under enough blocks yet",
        code="not_final_yet",
        remedy="ask again; nothing is done twice",
    )
