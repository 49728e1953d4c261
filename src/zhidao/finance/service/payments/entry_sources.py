"""What stands behind a statement's entries: each transfer bears the mark of its message.

A program that matches invoices needs what the payer wrote: the reference from end to end, who
paid, and what for. A return tells what the payment told that it gives back.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from zhidao.core.archive import Archive
from zhidao.core.errors import MalformedInput, NotFound
from zhidao.finance.domain.ledger.book import History
from zhidao.finance.domain.ledger.records import Name
from zhidao.finance.domain.payments.message import CreditTransfer, Message, Returns, Transfers
from zhidao.finance.domain.payments.payment_legs import (
    Leg,
    credit_legs,
    leg_name,
    with_uetrs,
)
from zhidao.finance.domain.payments.statement import EntryDetails, StatementEntry
from zhidao.finance.service.ports import LedgerStore, MessageIndex, Remembered
from zhidao.finance.wire.iso20022.messages.messages import decode
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope

_AT_ONCE: Final = 16
_PARTS: Final = 2_000

Told = tuple[EntryDetails, date | None]


class EntrySources:
    """Finds the messages behind entries."""

    def __init__(self, index: MessageIndex, archive: Archive, store: LedgerStore) -> None:
        self._index = index
        self._archive = archive
        self._store = store

    async def told(
        self, bank: str, shard: str, entries: Sequence[StatementEntry]
    ) -> tuple[StatementEntry, ...]:
        """The entries, each with what its message told, where there is one."""
        found: list[StatementEntry] = []
        for start in range(0, len(entries), _PARTS):
            part = entries[start : start + _PARTS]
            told = await self.behind(bank, shard, {(one.mark, one.uetr) for one in part})
            found += [_with(one, told.get((one.mark, one.uetr))) for one in part]
        return tuple(found)

    async def behind(
        self, bank: str, shard: str, wanted: set[tuple[int, str]]
    ) -> dict[tuple[int, str], Told]:
        """What messages told of payments, by mark and UETR, with the day that banks agreed on."""
        uetrs: dict[int, set[str]] = defaultdict(set)
        for mark, uetr in wanted:
            if mark and uetr:
                uetrs[mark].add(uetr)
        messages = await self._messages(bank, set(uetrs))
        told: dict[tuple[int, str], Told] = {}
        back: dict[tuple[int, str], tuple[str, str]] = {}
        for mark, file in messages.items():
            if isinstance(file, Transfers):
                told |= _details(mark, file, uetrs[mark])
            elif isinstance(file, Returns):
                back |= {
                    (mark, one.uetr): (one.reason, file.receiver)
                    for one in file.returns
                    if one.uetr in uetrs[mark]
                }
        return told | await self._came_back(bank, shard, back)

    async def _came_back(
        self, bank: str, shard: str, back: Mapping[tuple[int, str], tuple[str, str]]
    ) -> dict[tuple[int, str], Told]:
        """What the payments told that came back, each with the reason of its return.

        `back`: the reason, and the BIC of the bank that the money went back to.
        """
        paid = await self._paid(bank, shard, {(uetr, to) for (_, uetr), (_, to) in back.items()})
        return {
            key: (paid[key[1], to][0]._replace(returned=reason), None)
            for key, (reason, to) in back.items()
            if (key[1], to) in paid
        }

    async def _paid(
        self, bank: str, shard: str, wanted: set[tuple[str, str]]
    ) -> dict[tuple[str, str], Told]:
        """What the payments told that came back, by UETR and the bank that they came from."""
        legs = {one: _paid_by(bank, *one) for one in wanted}
        names = [name for many in legs.values() for name in many]
        if not names:
            return {}
        history = await self._store.find(shard, names)
        marks = {one: mark for one, many in legs.items() if (mark := _mark(history, many))}
        messages = await self._messages(bank, set(marks.values()))
        found: dict[tuple[str, str], Told] = {}
        for one, mark in marks.items():
            file = messages.get(mark)
            if isinstance(file, Transfers):
                found |= zip([one], _details(mark, file, {one[0]}).values(), strict=False)
        return found

    async def _messages(self, bank: str, marks: Iterable[int]) -> dict[int, Message]:
        remembered = await self._index.of_marks(bank, sorted(marks))
        gate = asyncio.Semaphore(_AT_ONCE)

        async def read(one: Remembered) -> Message | None:
            async with gate:
                try:
                    data = await self._archive.get(one.digest)
                    message = await asyncio.to_thread(lambda: decode(read_envelope(data)))
                except (MalformedInput, NotFound):
                    return None
            if isinstance(message, Transfers):
                return message._replace(transfers=tuple(with_uetrs(message.transfers, one.digest)))
            return message

        read_ones = await asyncio.gather(*(read(one) for one in remembered.values()))
        return {
            mark: message
            for mark, message in zip(remembered, read_ones, strict=True)
            if message is not None
        }


def _mark(history: History, names: Sequence[Name]) -> int:
    """The mark of the first of these that stands, or 0."""
    return next(
        (history.transfers[name].user_data_64 for name in names if name in history.transfers), 0
    )


def _paid_by(bank: str, uetr: str, sent_by: str) -> list[Name]:
    """The names that a payment may have that came back: as it was sent, or as it came in."""
    return [
        leg_name(bank, uetr, Leg.RESERVE),
        *credit_legs(bank, uetr, sent_by),
    ]


def _details(mark: int, file: Transfers, uetrs: set[str]) -> dict[tuple[int, str], Told]:
    return {(mark, one.uetr): _one(one, file) for one in file.transfers if one.uetr in uetrs}


def _one(one: CreditTransfer, file: Transfers) -> Told:
    # What a customer asks for is no settlement day; banks agree on one.
    day = date.fromisoformat(one.day) if file.definition.startswith("pacs") and one.day else None
    details = EntryDetails(
        instruction=one.instruction,
        end_to_end=one.end_to_end,
        payer=one.payer,
        payer_account=one.payer_account,
        payer_bank=one.payer_bank,
        payee=one.payee,
        payee_account=one.payee_account,
        payee_bank=one.payee_bank,
        remittance=one.remittance,
    )
    return details, day


def _with(one: StatementEntry, told: Told | None) -> StatementEntry:
    if told is None:
        return one
    details, day = told
    return replace(one, details=details, value_day=None if day == one.booked else day)
