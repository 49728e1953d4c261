"""What the chain made of one logged transaction."""

from __future__ import annotations

from dataclasses import dataclass

from zhidao.core.errors import ZhidaoError
from zhidao.trust.domain.evm import Address, Block, Transaction
from zhidao.trust.domain.title_state import TitleState


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the chain made of one logged transaction.

    `transaction` is None if the bytes were no transaction of this chain. `refusal` is None on
    success. `titles` are the titles that it touched, as they stand after it; `action` says how.
    """

    hash: bytes
    block: Block
    transaction: Transaction | None
    action: str
    gas_used: int
    created: Address | None
    titles: tuple[TitleState, ...]
    refusal: ZhidaoError | None

    @property
    def was_executed(self) -> bool:
        """Whether the chain took it, even if the contract then refused it."""
        return self.gas_used > 0

    def state_of(self, title: bytes) -> TitleState:
        """A touched title as it stood after this transaction."""
        return next(state for state in self.titles if state.title == title)
