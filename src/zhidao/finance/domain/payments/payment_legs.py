"""How a payment between banks stands in the ledger: its transfers, their names, and why not.

A payment's names follow from its UETR, so that a message that comes twice finds what it did the
first time. At the payee's bank they hold the bank that sent it too: a UETR is no secret, and what
another bank sends under it is another payment. Each transfer bears the UETR as user_data_128 and
the first eight bytes of its message's SHA-256 as user_data_64: the same payment in another message
is not the same request.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from zhidao.finance.domain.ledger.ledger import Result, TransferFlag
from zhidao.finance.domain.ledger.records import NO_NAME, Movement, Name
from zhidao.finance.domain.naming import TransferCode, transfer_id, uetr
from zhidao.finance.domain.payments.message import CreditTransfer, Transfers

_KEEP: Final = ~((0xF << 76) | (3 << 62)) & (2**128 - 1)
_SHAPE: Final = (8 << 76) | (2 << 62)
_UETR: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Leg(StrEnum):
    """The transfers that one payment may have at one bank."""

    RESERVE = "reserve"
    """At the payer's bank: from the payer to what is due to the payee's bank, until it answers."""
    POST = "post"
    VOID = "void"
    INSIDE = "inside"
    """From one customer of a bank to another."""
    CREDIT = "credit"
    """At the payee's bank: from what the payer's bank owes to the payee."""
    GIVE_BACK = "give back"
    """At the payee's bank: from the payee to what the payer's bank is owed, until it answers."""
    GIVEN_BACK = "given back"
    """The payer's bank took it: the reservation is posted."""
    NOT_GIVEN_BACK = "not given back"
    """The payer's bank refused it: the payee has the money again."""
    TAKE_BACK = "take back"
    """At the payer's bank: from what was due to the payee's bank to the payer."""


def leg_name(bank: str, uetr: str, leg: Leg, attempt: int = 0, *, sent_by: str = "") -> Name:
    """The name of a payment's transfer at a bank: an RFC 9562 section 5.8 UUID out of SHA-256.

    `attempt`: an id that failed once for want of money never holds; the next one is another.
    `sent_by`: the BIC of the bank that a payment came from; without, as earlier versions named it.
    """
    again = f"\0{attempt}" if attempt else ""
    of = f"\0from {head_office(sent_by)}" if sent_by else ""
    digest = hashlib.sha256(f"leg\0{bank}\0{leg.value}\0{uetr}{again}{of}".encode()).digest()
    number = int.from_bytes(digest[:16], "big") & _KEEP | _SHAPE
    return number.to_bytes(16, "little")


def head_office(bic: str) -> str:
    """The eleven letters of a BIC."""
    return bic.ljust(11, "X") if len(bic) == 8 else bic


def first_legs(bank: str, file: Transfers, uetr: str) -> tuple[Name, Name]:
    """The names under one of which a payment of a file begins at a bank."""
    if file.definition.startswith("pain"):
        return leg_name(bank, uetr, Leg.RESERVE), leg_name(bank, uetr, Leg.INSIDE)
    return credit_legs(bank, uetr, file.sender)


def credit_legs(bank: str, uetr: str, sent_by: str) -> tuple[Name, Name]:
    """The name under which a bank credits what another sent, and that of earlier versions.

    The second did not hold who sent it: what it credited is that bank's whose account it debits,
    and what failed under it is refused to everybody.
    """
    return (
        leg_name(bank, uetr, Leg.CREDIT, sent_by=sent_by),
        leg_name(bank, uetr, Leg.CREDIT),
    )


def mark_of(digest: str) -> int:
    """What a transfer bears of the message that asked for it. `digest`: SHA-256 in hexadecimal."""
    return int(digest[:16], 16)


class Booking(NamedTuple):
    """One transfer that a message asks for. `place`: of its payment in the message."""

    place: int
    name: Name
    debit: Name
    credit: Name
    amount_minor: int
    ledger: int
    uetr: str
    mark: int
    code: TransferCode
    flags: TransferFlag
    pending: Name = NO_NAME


def ended(name: Name, pending: Movement, *, posts: bool, place: int = 0) -> Booking:
    """The end of a reservation under this name: it is posted, or given up."""
    flag = TransferFlag.POST_PENDING_TRANSFER if posts else TransferFlag.VOID_PENDING_TRANSFER
    return Booking(
        *(place, name, NO_NAME, NO_NAME, pending.amount, pending.ledger, "", 0),
        *(TransferCode(pending.code), flag, pending.id),
    )


def movement_of(one: Booking) -> Movement:
    """The transfer as the ledger takes it."""
    return Movement(
        one.name,
        one.debit,
        one.credit,
        one.amount_minor,
        one.pending,
        int(one.uetr.replace("-", ""), 16).to_bytes(16, "little") if one.uetr else NO_NAME,
        one.mark,
        0,
        0,
        one.ledger,
        int(one.code),
        int(one.flags),
        0,
    )


def is_uetr(text: str) -> bool:
    """Whether it is written as a UETR is."""
    return _UETR.fullmatch(text) is not None


def uetr_of(name: Name) -> str:
    """The UETR that a transfer bears, or nothing: other transfers bear other data there."""
    number = int.from_bytes(name, "little")
    told = UUID(int=number)
    return str(told) if told.version == 4 else ""


def with_uetrs(transfers: Sequence[CreditTransfer], digest: str) -> list[CreditTransfer]:
    """Each with a UETR: of its own, or from the file's digest and its place."""
    return [
        one if one.uetr else one._replace(uetr=str(uetr(transfer_id(digest, str(number)))))
        for number, one in enumerate(transfers)
    ]


_CODES: Final = {
    Result.DEBIT_ACCOUNT_NOT_FOUND: "AC01",
    Result.CREDIT_ACCOUNT_NOT_FOUND: "AC01",
    Result.DEBIT_ACCOUNT_ALREADY_CLOSED: "AC04",
    Result.CREDIT_ACCOUNT_ALREADY_CLOSED: "AC04",
    Result.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER: "AM03",
    Result.TRANSFER_MUST_HAVE_THE_SAME_LEDGER: "AM03",
    Result.EXCEEDS_CREDITS: "AM04",
    Result.EXCEEDS_DEBITS: "AM04",
    Result.AMOUNT_MUST_NOT_EXCEED_INT64_MAX: "AM02",
    Result.ID_ALREADY_FAILED: "NARR",
    Result.PENDING_TRANSFER_ALREADY_POSTED: "DUPL",
    Result.PENDING_TRANSFER_ALREADY_VOIDED: "DUPL",
}


class Refusal(NamedTuple):
    """Why a payment does not go: the code of the external list, and a sentence."""

    code: str
    sentence: str


def refusal_of(result: Result) -> Refusal | None:
    """What the ledger's answer means to the sender of a message; None if the transfer stands."""
    if result.holds:
        return None
    words = result.value.replace("_", " ")
    if result is Result.ID_ALREADY_FAILED:
        return Refusal("NARR", "this payment was refused before; send it under another UETR")
    if result.value.startswith("exists_with_different"):
        return Refusal("DUPL", f"another payment has this UETR ({words})")
    if result.value.startswith("overflows"):
        return Refusal("AM02", words)
    return Refusal(_CODES.get(result, "NARR"), words)


def group_status(statuses: Sequence[str]) -> str:
    """How a whole message stands by how its payments do: their status, RJCT, or PART."""
    told = set(statuses)
    if not told:
        return ""
    return told.pop() if len(told) == 1 else "PART"
