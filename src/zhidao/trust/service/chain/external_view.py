"""What an EVM chain of others says: blocks that are final, receipts in them, events of titles.

Several endpoints may answer in turn and one may lag behind another; so whatever is taken for final
is looked up under its block's hash, and a block that an endpoint does not have yet is no empty one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from zhidao.core.encoding import parse_hex
from zhidao.core.errors import Refused, Unavailable
from zhidao.trust.domain.evm import Address, LogEntry, Outcome, Transaction, address_text
from zhidao.trust.domain.paid_rules import Fees
from zhidao.trust.service.chain.json_rpc import Rpc, RpcRefusal, fees_of
from zhidao.trust.wire.evm import eth_answers as eth
from zhidao.trust.wire.evm.title_contract import EVENT_TOPICS, refusal_of

_SPAN_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction in a block. `fee_wei`: what its sender paid for the gas."""

    hash: bytes
    block: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    fee_wei: int
    created: Address | None
    logs: tuple[LogEntry, ...]


class ChainView:
    """Reads one chain."""

    def __init__(self, rpc: Rpc, chain_id: int) -> None:
        self._rpc = rpc
        self.chain_id = chain_id
        self._span = _SPAN_MAX

    async def check_chain(self) -> None:
        """Raises Refused (`wrong_chain`) if the endpoint is another chain's."""
        found = eth.number(await self._rpc.call("eth_chainId"))
        if found != self.chain_id:
            raise Refused(
                f"the endpoint is of chain {found}, not of {self.chain_id}", code="wrong_chain"
            )

    async def height(self) -> int:
        """The newest block's number."""
        return eth.number(await self._rpc.call("eth_blockNumber"))

    async def fees(self) -> Fees:
        """What a transaction should offer now."""
        return await fees_of(self._rpc)

    async def base_fee_wei(self) -> int:
        """What a unit of gas costs in the newest block."""
        block = eth.fields(await self._rpc.call("eth_getBlockByNumber", "latest", False))
        return eth.number(block.get("baseFeePerGas", "0x0"))

    async def count(self, sender: Address, block: int | None = None) -> int:
        """How many transactions of a sender stand, in the newest block or in that one."""
        where = "latest" if block is None else hex(block)
        told = await self._rpc.call("eth_getTransactionCount", address_text(sender), where)
        return eth.number(told)

    async def balance_wei(self, holder: Address) -> int:
        """What an account has in the newest block."""
        return eth.number(await self._rpc.call("eth_getBalance", address_text(holder), "latest"))

    async def offer(self, raw: bytes) -> None:
        """Gives signed bytes to the chain. Raises RpcRefusal with the chain's own reason."""
        await self._rpc.call("eth_sendRawTransaction", "0x" + raw.hex())

    async def mined(self, transaction_hash: bytes) -> Mined | None:
        """The receipt of a transaction, or None while it has none."""
        told = await self._rpc.call("eth_getTransactionReceipt", "0x" + transaction_hash.hex())
        return None if told is None else _mined(transaction_hash, told)

    async def transaction(self, transaction_hash: bytes) -> Transaction:
        """A mined transaction as the chain tells it. Raises Unavailable if this endpoint has none.

        Its sender is the chain's word.
        """
        told = await self._rpc.call("eth_getTransactionByHash", "0x" + transaction_hash.hex())
        if told is None:
            raise _behind()
        return eth.transaction(told)

    async def block(self, number: int) -> tuple[bytes, int]:
        """Hash and time (Unix seconds) of a block. Raises Unavailable if it is not here yet."""
        told = await self._rpc.call("eth_getBlockByNumber", hex(number), False)
        if told is None:
            raise _behind()
        read = eth.fields(told)
        return eth.octets(read.get("hash")), eth.number(read.get("timestamp"))

    async def title_events(
        self, first: int, last: int
    ) -> tuple[int, list[tuple[bytes, tuple[LogEntry, ...]]]]:
        """Events of title contracts, of anybody's, by transaction in the chain's order.

        From block `first` on, as far as the endpoint tells in one answer: the last block told of,
        and (hash, events) of each transaction. Raises Unavailable if it does not have that block.
        """
        last = min(last, first + self._span - 1)
        while True:
            asked = {"fromBlock": hex(first), "toBlock": hex(last), "topics": [list(EVENT_TOPICS)]}
            try:
                told = eth.items(await self._rpc.call("eth_getLogs", asked))
                break
            except RpcRefusal:
                # Endpoints bound blocks or events of one answer, each in words of its own.
                if first == last:
                    raise
                self._span = (last - first + 1) // 2
                last = first + self._span - 1
        # An endpoint without the last block would have told of fewer events than there are.
        await self.block(last)
        self._span = min(2 * self._span, _SPAN_MAX)
        return last, list(_by_transaction(told))

    async def reason(self, transaction: Transaction, block: int | None = None) -> Refused | None:
        """The refusal that a call meets in the newest block or that one; None if it succeeds."""
        asked = {
            "from": address_text(transaction.sender),
            "gas": hex(transaction.gas),
            "data": "0x" + transaction.data.hex(),
        }
        if transaction.to is not None:
            asked["to"] = address_text(transaction.to)
        try:
            await self._rpc.call("eth_call", asked, "latest" if block is None else hex(block))
        except RpcRefusal as refusal:
            return refusal_of(Outcome(0, _revert_data(refusal), (), None, "revert"))
        return None


def _revert_data(refusal: RpcRefusal) -> bytes:
    """The contract's words in a refusal. Raises the refusal if it is the endpoint's own."""
    if not isinstance(refusal.data, str) or not refusal.data.startswith("0x"):
        raise refusal
    return parse_hex(refusal.data[2:].lower())


def _by_transaction(told: list[Any]) -> Iterator[tuple[bytes, tuple[LogEntry, ...]]]:
    placed = []
    for each in told:
        read = eth.fields(each)
        if read.get("removed"):
            continue
        place = eth.number(read.get("blockNumber")), eth.number(read.get("logIndex"))
        placed.append((place, eth.octets(read.get("transactionHash")), eth.log_entry(read)))
    placed.sort(key=lambda one: one[0])
    for transaction_hash, entries in groupby(placed, key=lambda one: one[1]):
        yield transaction_hash, tuple(entry for _, _, entry in entries)


def _mined(transaction_hash: bytes, told: Any) -> Mined:
    read = eth.fields(told)
    gas_used = eth.number(read.get("gasUsed"))
    created = read.get("contractAddress")
    return Mined(
        hash=transaction_hash,
        block=eth.number(read.get("blockNumber")),
        block_hash=eth.octets(read.get("blockHash")),
        succeeded=eth.number(read.get("status")) == 1,
        gas_used=gas_used,
        fee_wei=gas_used * eth.number(read.get("effectiveGasPrice", "0x0")),
        created=None if created is None else eth.address(created),
        logs=tuple(eth.log_entry(one) for one in eth.items(read.get("logs"))),
    )


def _behind() -> Unavailable:
    return Unavailable(
        "the endpoint does not have a block or transaction that another told of",
        code="chain_behind",
    )
