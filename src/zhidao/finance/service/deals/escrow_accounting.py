"""The money of conditional payments: held, paid to the payee, or given back; each step repeatable.

Between two banks the payer's bank comes to owe the payee's. Room for that is claimed and reserved
in the same moment as the payer's money, so that no decision to pay meets a bank that says no.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from zhidao.core.actor import Actor
from zhidao.core.ambient import Clock
from zhidao.core.errors import NotFound, Refused
from zhidao.core.events import Fact
from zhidao.core.journal import Handled, Records
from zhidao.core.retry_policy import RetryPolicy
from zhidao.core.timescale import NS
from zhidao.finance.domain.deals.escrow import Escrow, fold
from zhidao.finance.domain.ledger.ledger import Result, Transfer, TransferFlag, ledger_number
from zhidao.finance.domain.ledger.records import name_of
from zhidao.finance.domain.naming import AccountCode, TransferCode
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.correspondents import legs_between
from zhidao.finance.service.payments.credit_lines import NO_ROOM, CreditLines, Pair

ATTEMPTS_MAX: Final = 64
"""So often a decided payment that the ledger refuses is tried under the next ids."""
_WAITS: Final = RetryPolicy(first_s=1, longest_s=3_600)
"""Between two such attempts: each that fails uses up its ids."""


class EscrowBooks:
    """Histories of conditional payments by their keys, and their transfers."""

    def __init__(
        self,
        *,
        records: Records,
        ledger: Ledger,
        accounts: Accounts,
        lines: CreditLines,
        clock: Clock,
    ) -> None:
        self._records = records
        self._ledger = ledger
        self._accounts = accounts
        self._lines = lines
        self._clock = clock
        self._waits: dict[str, tuple[int, Refused]] = {}

    async def find(self, key: str) -> Escrow | None:
        """A conditional payment, or None."""
        return fold(await self._records.history(f"escrow/{key}"))

    async def known(self, key: str, actor: Actor | None = None) -> Escrow:
        """A conditional payment, if the actor may see it. Raises NotFound."""
        if actor is not None:
            await self._records.history(f"escrow/{key}", actor)
        escrow = await self.find(key)
        if escrow is None:
            raise NotFound("no conditional payment of that name")
        return escrow

    async def write(
        self, escrow: Escrow, *facts: Fact, by: Actor, handled: Handled | None = None
    ) -> None:
        """Continues a history."""
        await self._records.record(
            by,
            f"escrow/{escrow.key}",
            facts,
            after=escrow.version,
            owner=escrow.owner,
            visible=escrow.readers,
            handled=handled,
        )

    async def check_line(self, escrow: Escrow) -> None:
        """Raises Refused (`credit_line`) if the payer's bank would owe too much now."""
        if _is_between_banks(escrow):
            async with self._lines.claim_all(_pair(escrow), _wanted(escrow)):
                pass

    async def hold(self, escrow: Escrow) -> tuple[str, str] | str:
        """Reserves the money, and the payee's bank's claim for it; the transfers, or why not.

        A word of `finance.EscrowDecided.v1` says why not: `no_funds`, `no_line`.
        """
        opened = escrow.opened
        payer = await self._accounts.customer(opened.payer_bank, opened.payer, opened.currency)
        hold = Transfer(
            id=escrow.transfer("hold"),
            debit_account_id=UUID(payer.account),
            credit_account_id=await self._account(escrow),
            amount=escrow.amount.minor,
            ledger=ledger_number(escrow.amount.currency),
            code=TransferCode.RESERVE,
            flags=TransferFlag.PENDING,
        )
        if not _is_between_banks(escrow):
            [result] = await self._ledger.submit(opened.currency, [hold])
            return (str(hold.id), "") if result.holds else "no_funds"
        payee = await self._accounts.customer(opened.payee_bank, opened.payee, opened.currency)
        *_, (due_from, _) = await self._legs(escrow, UUID(payee.account))
        claim = Transfer(
            id=escrow.transfer("claim"),
            debit_account_id=due_from,
            credit_account_id=UUID(payee.account),
            amount=escrow.amount.minor,
            ledger=hold.ledger,
            code=TransferCode.PAYMENT,
            flags=TransferFlag.PENDING,
        )
        both = [_linked(hold), claim]
        try:
            async with self._lines.claim_all(_pair(escrow), _wanted(escrow)):
                results = await self._ledger.submit(opened.currency, both)
        except Refused as error:
            if error.code != NO_ROOM:
                raise
            return "no_line"
        # The chain is one: its first member stands for both.
        return (str(hold.id), str(claim.id)) if results[0].holds else "no_funds"

    async def apply(self, escrow: Escrow) -> None:
        """Gives the money back, or pays the decided share. Raises Refused while it cannot."""
        decided = escrow.decided
        assert decided is not None, "only a decision is applied"
        if int(decided.to_payee_minor) == 0:
            await self._give_back(escrow)
        else:
            await self._pay(escrow, int(decided.to_payee_minor))

    async def _give_back(self, escrow: Escrow) -> None:
        held = ["hold", *(["claim"] if escrow.held is None or escrow.held.claim else [])]
        voids = [
            Transfer(
                id=escrow.transfer("void" if step == "hold" else f"void {step}"),
                pending_id=escrow.transfer(step),
                flags=TransferFlag.VOID_PENDING_TRANSFER,
            )
            for step in held
        ]
        # Nothing to void if the money was never held, and it cannot be any more.
        never = (Result.PENDING_TRANSFER_NOT_FOUND, Result.ID_ALREADY_FAILED)
        for result in await self._ledger.submit(escrow.opened.currency, voids):
            _require(escrow, result, result.holds or result in never)

    async def _pay(self, escrow: Escrow, share: int) -> None:
        """Pays the share, under the next ids where earlier ones failed for want of something."""
        until_ns, refused = self._waits.get(escrow.key, (0, None))
        now_ns = self._clock.now().unix_ns
        if refused is not None and now_ns < until_ns:
            raise refused
        # An id that failed once fails for ever, whatever was paid in since: the next attempt has
        # others.
        results, attempt = [Result.ID_ALREADY_FAILED], 0
        for attempt in range(ATTEMPTS_MAX):
            moves = await self.moves(escrow, share, attempt)
            results = await self._ledger.submit(escrow.opened.currency, moves)
            # If it is posted, a later attempt did it and answers that it stands.
            later = (Result.ID_ALREADY_FAILED, Result.PENDING_TRANSFER_ALREADY_POSTED)
            if not any(result in later for result in results):
                break
        if _is_between_banks(escrow) and not (escrow.held and escrow.held.claim):
            self._lines.forget(_pair(escrow))  # Held before claims were: owed without one.
        why = next((r for r in results if r is not Result.LINKED_EVENT_FAILED), results[0])
        try:
            _require(escrow, why, results[0].holds)
        except Refused as error:
            wait_s = int(_WAITS.ceiling_s(attempt + 1))
            self._waits[escrow.key] = (now_ns + wait_s * NS, error)
            raise
        self._waits.pop(escrow.key, None)

    async def moves(self, escrow: Escrow, share: int, attempt: int = 0) -> list[Transfer]:
        """Posts the share (the rest of the reservation is free by that) and pays it, as one."""
        opened = escrow.opened
        payee = await self._accounts.customer(opened.payee_bank, opened.payee, opened.currency)
        legs = await self._legs(escrow, UUID(payee.account))
        again = f" again {attempt}" if attempt else ""
        chain = [_post(escrow, "hold", f"post{again}", share)]
        claim = escrow.held.claim if escrow.held is not None else ""
        for place, (debit, credit) in enumerate(legs):
            if claim and place:
                chain.append(_post(escrow, "claim", f"post claim{again}", share))
                continue
            chain.append(
                Transfer(
                    id=escrow.transfer(f"leg {place}{again}"),
                    debit_account_id=debit,
                    credit_account_id=credit,
                    amount=share,
                    ledger=ledger_number(escrow.amount.currency),
                    code=TransferCode.PAYMENT,
                )
            )
        return [*map(_linked, chain[:-1]), chain[-1]]

    async def _legs(self, escrow: Escrow, payee: UUID) -> Sequence[tuple[UUID, UUID]]:
        opened = escrow.opened
        return await legs_between(
            self._accounts,
            opened.payer_bank,
            opened.payee_bank,
            opened.currency,
            first=await self._account(escrow),
            last=payee,
        )

    async def _account(self, escrow: Escrow) -> UUID:
        bank = await self._accounts.bank(escrow.opened.payer_bank)
        return await self._accounts.technical(
            bank, AccountCode.ESCROW, f"escrow {escrow.name}", escrow.opened.currency
        )


def _post(escrow: Escrow, held: str, step: str, share: int) -> Transfer:
    return Transfer(
        id=escrow.transfer(step),
        pending_id=escrow.transfer(held),
        amount=share,
        flags=TransferFlag.POST_PENDING_TRANSFER,
    )


def _linked(one: Transfer) -> Transfer:
    return replace(one, flags=one.flags | TransferFlag.LINKED)


def _is_between_banks(escrow: Escrow) -> bool:
    return escrow.opened.payer_bank != escrow.opened.payee_bank


def _pair(escrow: Escrow) -> Pair:
    opened = escrow.opened
    return Pair(opened.payee_bank, opened.payer_bank, opened.currency)


def _wanted(escrow: Escrow) -> list[tuple[bytes, int]]:
    return [(name_of(escrow.transfer("claim")), escrow.amount.minor)]


def _require(escrow: Escrow, result: Result, holds: bool) -> None:  # noqa: FBT001 (one line's use)
    if not holds:
        raise Refused(
            f"escrow {escrow.name}: the ledger does not follow the decision: {result.value}",
            code="ledger_contradicts",
            remedy="an operator must look at the payment's transfers",
        )
