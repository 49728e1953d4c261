"""The ids of payment messages in memory: the twin of the PostgreSQL adapter."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.finance.domain.payments.payment_legs import mark_of
from zhidao.finance.service.ports import Remembered


class MemoryMessageIndex:
    """Ids of messages in a dictionary."""

    def __init__(self) -> None:
        self._messages: dict[tuple[str, str, str], Remembered] = {}

    async def remember(self, bank: str, other: str, messages: Sequence[Remembered]) -> list[str]:
        """The digest under each id."""
        return [
            self._messages.setdefault((bank, other, one.message), one).digest for one in messages
        ]

    async def of_message(self, bank: str, other: str, message: str) -> Remembered | None:
        """A message by its id."""
        return self._messages.get((bank, other, message))

    async def of_marks(self, bank: str, marks: Sequence[int]) -> dict[int, Remembered]:
        """Messages by their marks."""
        wanted = set(marks)
        return {
            mark: one
            for (of, _, _), one in self._messages.items()
            if of == bank and (mark := mark_of(one.digest)) in wanted
        }
