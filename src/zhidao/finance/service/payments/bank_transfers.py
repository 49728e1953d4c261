"""A bank moves money between accounts that it keeps: its customers' and its cash.

What is held for a deal, a credit or another bank is not moved here; those have acts of their own.
What one caller's word moves is counted with all else that it moved (`daily_totals`).
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import NotFound, Refused
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.ledger.ledger import Result, Transfer, TransferFlag
from zhidao.finance.domain.ledger.records import (
    NO_NAME,
    RECORD_BYTES,
    Movement,
    Name,
    Records,
    from_bytes,
    from_transfers,
    movements_of,
)
from zhidao.finance.domain.naming import AccountCode
from zhidao.finance.domain.payments.approval import Approval, Demand
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.directory import Directory, Owned

TRANSFERS: Final = "transfers"
MAY_MOVE: Final = access(Role.PARTY, relation=Relation.BANK_OF, of="each account in the body")

_CASH: Final = AccountCode.CASH.name.lower()
_MOVABLE: Final = (AccountCode.CUSTOMER.name.lower(), _CASH)
_RESOLVING: Final = int(TransferFlag.POST_PENDING_TRANSFER | TransferFlag.VOID_PENDING_TRANSFER)
_Named: TypeAlias = tuple[set[Name], set[Name]]
"""The accounts that transfers name, and the reservations that they post or void."""
FIRST_MAX: Final = 20
"""Transfers that are shown of each approval in a list; of one alone all, see `SAID_BYTES_MAX`."""
# So few are looked at one by one: columns cost more than they save.
_FEW_MAX: Final = 16


class BankTransfers:
    """Transfers as the ledger has them, for the bank that keeps both accounts."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        directory: Directory,
        ledger: Ledger,
        approvals: Approvals,
    ) -> None:
        """`approvals`: above their limits two persons of the bank speak."""
        self._accounts = accounts
        self._directory = directory
        self._ledger = ledger
        self._approvals = approvals
        self._banks: dict[str, BankAdmitted] = {}
        approvals.carries_out(TRANSFERS, self._said, became=self._became)
        approvals.shows(TRANSFERS, self._shown)

    async def move(
        self, actor: Actor, currency: str, transfers: Sequence[Transfer]
    ) -> list[Result]:
        """One answer a transfer, once those that hold are durable. Again: the same.

        Raises Forbidden for anybody but a bank, NotFound for an account that it does not keep,
        Refused (`needs_two_persons`) for a sum above the limit of one caller, `reserved_id`.
        """
        return await self.move_records(actor, currency, from_transfers(transfers))

    async def move_records(self, actor: Actor, currency: str, records: Records) -> list[Result]:
        """The same for a batch in columns, shape (n,)."""
        MAY_MOVE.admit(actor)
        bank = self._banks.get(actor.party)
        if bank is None:
            bank = self._banks[actor.party] = await self._accounts.require_bank(actor)
        few = len(records) <= _FEW_MAX
        named = _named_by(movements_of(records)) if few else _named(records)
        await self._require_kept(bank.bank, currency, named)
        demand = None
        if self._approvals.limits.above_minor:
            demand = await self._demanded(bank.bank, currency, records)
        if demand is None:
            return await self._ledger.submit_records(currency, records)
        async with self._approvals.allowed(actor, demand) as counted:
            results = await self._ledger.submit_records(currency, records)
            if counted and not any(one.holds for one in results):
                await self._approvals.came_to_nothing(actor.party, demand)
            return results

    async def _demanded(self, bank: str, currency: str, records: Records) -> Demand | None:
        """What of a batch takes a word that counts: what stands was counted when it moved.

        What leaves the bank's cash counts by the account that it is for, as a deposit does, all
        else by the account that it leaves. What posts or voids a reservation was counted with that.
        """
        known = (await self._ledger.find(currency, records["id"].tolist())).transfers
        new = records[[name not in known for name in records["id"].tolist()]]
        if not len(new):
            return None
        # All of a request together: many small ones are the same caller's large one.
        parts: dict[str, int] = defaultdict(int)
        for move in movements_of(new[(new["flags"] & _RESOLVING) == 0]):
            cash = self._is_cash(bank, move.debit_account_id)
            account = move.credit_account_id if cash else move.debit_account_id
            parts[account[::-1].hex()] += move.amount
        data = np.ascontiguousarray(records).tobytes()
        return Demand(
            TRANSFERS,
            hashlib.sha256(data).hexdigest()[:32],
            Money(_sum(new), Currency(currency)),
            {
                "currency": currency,
                "transfers": len(new),
                "records": base64.b64encode(data).decode(),
            },
            # To resolve what was counted is judged by its own sum, and adds nothing to others.
            list(parts.items()) or [("", 0)],
        )

    async def _said(self, actor: Actor, said: Mapping[str, Any]) -> object:
        data = base64.b64decode(str(said["records"]))
        return await self.move_records(actor, str(said["currency"]), from_bytes(data))

    async def _became(self, _actor: Actor, said: Mapping[str, Any]) -> str:
        """Approved if anything of it is booked: the rest is another sum, and asked for so."""
        names = from_bytes(base64.b64decode(str(said["records"])))["id"].tolist()
        booked = (await self._ledger.find(str(said["currency"]), names)).transfers
        return "approved" if booked else ""

    async def _shown(self, approval: Approval, *, whole: bool) -> Approval:
        """With who pays whom how much: of a list the first, alone all that one approval can hold.

        What resolves a reservation shows that one's sides, and its whole amount if it names none.
        """
        asked = approval.asked
        text = str(asked.said["records"])
        if not whole:
            # Four letters of base64 are three bytes: so many rows whole, and few of the others.
            text = text[: -(-FIRST_MAX * RECORD_BYTES // 3) * 4]
        data = base64.b64decode(text)
        moves = movements_of(from_bytes(data[: len(data) // RECORD_BYTES * RECORD_BYTES]))
        currency = str(asked.said["currency"])
        resolved = {move.pending_id for move in moves if move.flags & _RESOLVING}
        held = (await self._ledger.find(currency, [*resolved])).transfers if resolved else {}
        rows = [(move, held.get(move.pending_id, move)) for move in moves]
        sides = {name for _, row in rows for name in (row.debit_account_id, row.credit_account_id)}
        kept = await self._directory.kept(approval.party, {_number(name) for name in sides})
        first = [_row(move, row, kept) for move, row in rows]
        said = {**asked.said, "first": first}
        return replace(approval, asked=msgspec.structs.replace(asked, said=said))

    def _is_cash(self, bank: str, name: Name) -> bool:
        owned = self._directory.known(bank, name[::-1].hex())
        return owned is not None and owned.purpose == _CASH

    async def _require_kept(self, bank: str, currency: str, named: _Named) -> None:
        names, pending = named
        if pending:
            # A post or void may leave accounts blank: they are those of what it resolves.
            history = await self._ledger.find(currency, [*pending])
            for name in pending:
                held = history.transfers.get(name)
                if held is None:
                    raise NotFound("no reservation of that name")
                names |= {held.debit_account_id, held.credit_account_id}
            names.discard(NO_NAME)
        numbers = {name[::-1].hex() for name in names}
        unknown = [one for one in numbers if self._directory.known(bank, one) is None]
        if unknown:
            await self._directory.kept(bank, unknown)
        for number in numbers:
            owned = self._directory.known(bank, number)
            if owned is None or owned.currency != currency or owned.purpose not in _MOVABLE:
                raise NotFound(
                    f"no account {number} in {currency} that you may move",
                    remedy="give accounts of your customers, or your cash",
                )


def _number(name: Name) -> str:
    return name[::-1].hex()


def _row(move: Movement, row: Movement, kept: Mapping[str, Owned]) -> dict[str, str]:
    """What one transfer does, for persons. `row`: itself, or the reservation that it resolves."""
    debit, credit = _number(row.debit_account_id), _number(row.credit_account_id)
    does = "moves"
    if move.flags & TransferFlag.PENDING:
        does = "reserves"
    elif move.flags & _RESOLVING:
        does = "books" if move.flags & TransferFlag.POST_PENDING_TRANSFER else "frees"
    return {
        "does": does,
        "debtor": kept[debit].named if debit in kept else "",
        "debit": debit,
        "creditor": kept[credit].named if credit in kept else "",
        "credit": credit,
        "amount_minor": str(move.amount or row.amount),
    }


def _sum(records: Records) -> int:
    """All amounts of a batch, minor units, or the most that there are."""
    if records["amount_high"].any():
        return AMOUNT_MINOR_MAX
    amounts: list[int] = records["amount"].tolist()
    return min(sum(amounts), AMOUNT_MINOR_MAX)


def _named(records: Records) -> _Named:
    """The accounts and the reservations that a batch names. Raises Refused (`reserved_id`)."""
    for column in ("id", "pending_id"):
        names = np.ascontiguousarray(records[column]).view(np.uint8).reshape(len(records), 16)
        # Little-endian: RFC 9562 version 8 and its variant.
        if np.any((names[:, 9] >> 4 == 8) & (names[:, 7] >> 6 == 2)):
            raise _reserved(column)
    accounts = {*records["debit_account_id"].tolist(), *records["credit_account_id"].tolist()}
    return accounts, {*records["pending_id"][(records["flags"] & _RESOLVING) != 0].tolist()}


def _named_by(moves: Sequence[Movement]) -> _Named:
    """The same for a few."""
    accounts: set[Name] = set()
    pending: set[Name] = set()
    for move in moves:
        for column, name in (("id", move.id), ("pending_id", move.pending_id)):
            if name[9] >> 4 == 8 and name[7] >> 6 == 2:
                raise _reserved(column)
        accounts.add(move.debit_account_id)
        accounts.add(move.credit_account_id)
        if move.flags & _RESOLVING:
            pending.add(move.pending_id)
    return accounts, pending


def _reserved(column: str) -> Refused:
    """For a name such as the node gives its own transfers.

    Those follow from what they name (`domain.naming`). Whoever took one would stand in the way of
    a deal, and whoever resolved one would undo a reservation that others rely on.
    """
    return Refused(
        "transfers of version 8 (RFC 9562) are the node's own",
        code="reserved_id",
        where=column,
        remedy="name transfers by UUIDs of version 4 or 7",
    )
