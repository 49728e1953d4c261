"""From an account at one bank to an account at another: each bank's own books balance by itself."""

from __future__ import annotations

from uuid import UUID

from zhidao.finance.domain.naming import AccountCode
from zhidao.finance.service.ledger.accounts import Accounts


async def legs_between(
    accounts: Accounts, payer_bank: str, payee_bank: str, currency: str, *, first: UUID, last: UUID
) -> list[tuple[UUID, UUID]]:
    """The movements (from, to): inside one bank, or over what one bank owes the other."""
    if payer_bank == payee_bank:
        return [(first, last)]
    payer, payee = await accounts.bank(payer_bank), await accounts.bank(payee_bank)
    due_to = await accounts.technical(payer, AccountCode.DUE_TO_BANK, payee.bank, currency)
    due_from = await accounts.technical(payee, AccountCode.DUE_FROM_BANK, payer.bank, currency)
    return [(first, due_to), (due_from, last)]
