"""Anchoring: the log's newest head goes to a chain of others, where nobody of ours can change it.

A head there proves that the log had it in that block, and that it never became smaller since. What
it does not prove is that the history in between is one: that takes the heads' consistency proof.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from zhidao.core.errors import Refused
from zhidao.trust.domain.evm import Address
from zhidao.trust.domain.note import Checkpoint
from zhidao.trust.service.chain.json_rpc import RpcReceipt
from zhidao.trust.service.chain.ports import Account
from zhidao.trust.wire.evm.log_anchor import anchor_call, check_anchored, head_call, head_of
from zhidao.trust.wire.log.note import decode_note, parse_checkpoint

# Measured: 60,000 at most for a head after the first one.
ANCHOR_GAS: Final = 120_000


class AnchorChain(Protocol):
    """What anchoring asks of a chain; `RpcChain` is one."""

    async def call(self, to: Address, data: bytes) -> bytes:
        """What a contract answers in the newest block."""
        ...

    async def send(
        self, account: Account, *, to: Address | None, data: bytes, gas: int
    ) -> RpcReceipt:
        """Sends a transaction and waits until it is final."""
        ...


@dataclass(frozen=True, slots=True)
class Anchored:
    """A head that stands on the chain; `block` 0 where this process did not see it arrive."""

    size: int
    root: bytes
    block: int
    transaction: bytes


class Anchoring:
    """Publishes the heads of one log under one account."""

    def __init__(
        self,
        chain: AnchorChain,
        account: Account,
        contract: Address,
        checkpoint: Callable[[], Awaitable[bytes]],
    ) -> None:
        self._chain = chain
        self._account = account
        self._contract = contract
        self._checkpoint = checkpoint
        self.last: Anchored | None = None

    async def step(self) -> Anchored | None:
        """Publishes the newest head if the chain has an older one; None for an empty log.

        Raises Refused: `anchored_ahead` or `anchored_otherwise` if the chain has more of this log,
        or another head of its size, than the log itself: it lost leaves, or told two histories.
        Raises what the chain refuses, and Unavailable.
        """
        head = parse_checkpoint(decode_note(await self._checkpoint()).text)
        if not head.size:
            return None
        asked = head_call(self._account.address, head.origin)
        kept = head_of(await self._chain.call(self._contract, asked))
        if kept.size > head.size:
            raise Refused(
                f"the chain has {kept.size} leaves of this log, which shows {head.size}",
                code="anchored_ahead",
                remedy="the log lost leaves: restore a newer backup before you go on",
            )
        if kept.size == head.size:
            if kept.root != head.root:
                raise Refused(
                    f"the chain has another head of {head.size} leaves of this log",
                    code="anchored_otherwise",
                )
            if self.last is None or self.last.size != head.size:
                self.last = Anchored(head.size, head.root, 0, b"")
            return self.last
        self.last = await self._publish(head)
        return self.last

    async def _publish(self, head: Checkpoint) -> Anchored:
        receipt = await self._chain.send(
            self._account, to=self._contract, data=anchor_call(head), gas=ANCHOR_GAS
        )
        if not receipt.succeeded:
            raise Refused("the anchor contract refused the head", code="not_anchored")
        check_anchored(head, receipt.logs, contract=self._contract, publisher=self._account.address)
        return Anchored(head.size, head.root, receipt.block_number, receipt.hash)
