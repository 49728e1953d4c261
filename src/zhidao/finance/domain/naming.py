"""Identifiers that follow from what they name, so that a repeated act finds its first trace.

All are RFC 9562 section 5.8 UUIDs (version 8) made from SHA-256, except the UETR, whose message
format asks for version 4.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import Final
from uuid import UUID

from zhidao.core.timescale import Utc

_VERSION_8: Final = 8 << 76
_VARIANT: Final = 2 << 62
_KEEP: Final = ~((0xF << 76) | (3 << 62)) & (2**128 - 1)


class AccountCode(IntEnum):
    """What an account is for; the ledger's `code`."""

    CUSTOMER = 100
    CASH = 200  # what the bank holds elsewhere against its customers' money
    ESCROW = 300  # money under one deal's conditions
    DUE_TO_BANK = 400  # another bank's account on this bank's books (vostro)
    DUE_FROM_BANK = 410  # this bank's account on another bank's books (nostro)
    CREDIT_CLAIMS = 500  # what this bank paid under documentary credits and has yet to get back
    CLEARING = 600  # through which a netting cycle moves; nought before and after
    FX_POSITION = 620  # a dealer's own position, from which remainders go to the next
    FX_ROUNDING = 630


class TransferCode(IntEnum):
    """Why money moves; the transfer's `code`."""

    DEPOSIT = 1
    RESERVE = 2
    BETWEEN_BANKS = 3
    PAYMENT = 4
    PVP_LEG = 5
    PVP_ROUNDING = 6
    NETTING = 7
    RETURN = 8


def _digest(*words: str) -> int:
    return int.from_bytes(hashlib.sha256("\0".join(words).encode()).digest()[:16], "big")


def account_id(*, bank: str, code: AccountCode, holder: str, currency: str) -> UUID:
    """The account that a holder has at a bank for a purpose in a currency."""
    number = _digest("account", bank, code.name, holder, currency)
    return UUID(int=number & _KEEP | _VERSION_8 | _VARIANT)


def transfer_id(*words: str, at: Utc | None = None) -> UUID:
    """The transfer of an act. With `at`, ids of later acts sort later, which indexes like."""
    number = _digest("transfer", *words)
    if at is not None:
        number = (at.unix_ns // 1_000_000) << 80 | number & (2**80 - 1)
    return UUID(int=number & _KEEP | _VERSION_8 | _VARIANT)


def uetr(transfer: UUID) -> UUID:
    """The unique end-to-end transaction reference of a payment: the shape of a version 4 UUID."""
    number = _digest("uetr", str(transfer))
    return UUID(int=number & _KEEP | 4 << 76 | _VARIANT)
