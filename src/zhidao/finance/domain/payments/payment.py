"""A payment as its messages tell it, checked when it is made."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.money import Money

# ISO 20022 ActiveCurrencyAndAmount: 18 digits in all.
MESSAGE_AMOUNT_MAX: Final = 10**18 - 1
_BIC: Final = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?\Z", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}\Z", re.ASCII)
# A reference without slashes: SWIFT's older formats give the slash a meaning of its own.
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*\Z", re.ASCII)
_ACCOUNT_CHARACTERS_MAX: Final = 34


@dataclass(frozen=True, slots=True)
class Person:
    """Who owes or is owed, with a structured address: town and country at least."""

    name: str
    town: str
    country: str

    def __post_init__(self) -> None:
        _text(self.name, "name", 140)
        _text(self.town, "town", 35)
        if not _COUNTRY.match(self.country):
            raise MalformedInput(f"not a country code: {self.country[:8]!r}")


@dataclass(frozen=True, slots=True)
class Payment:
    """A customer's credit transfer between two banks.

    `created` has whole seconds, in UTC. References have at most 35 characters.
    """

    message: str
    instruction: str
    end_to_end: str
    uetr: UUID
    created: datetime
    settled_on: date
    amount: Money
    payer: Person
    payer_account: str
    payer_bank: str
    payee: Person
    payee_account: str
    payee_bank: str
    remittance: str

    def __post_init__(self) -> None:
        for reference in (self.message, self.instruction, self.end_to_end):
            if not _REFERENCE.match(reference) or len(reference) > 35:
                raise MalformedInput(f"not a message reference: {reference[:40]!r}")
        for bic in (self.payer_bank, self.payee_bank):
            if not _BIC.match(bic):
                raise MalformedInput(f"not a BIC: {bic[:16]!r}")
        for account in (self.payer_account, self.payee_account):
            if len(account) > _ACCOUNT_CHARACTERS_MAX:
                raise MalformedInput(
                    f"an account identification has at most {_ACCOUNT_CHARACTERS_MAX} characters"
                )
            if not _REFERENCE.match(account):
                raise MalformedInput(f"not an account identification: {account[:40]!r}")
        _text(self.remittance, "remittance information", 140)
        if not 0 < self.amount.minor <= MESSAGE_AMOUNT_MAX:
            raise Refused(
                f"a message cannot carry {self.amount}; at most {MESSAGE_AMOUNT_MAX} minor units",
                code="AM12",
            )
        if self.created.tzinfo is not UTC or self.created.microsecond:
            raise MalformedInput("a message's time has whole seconds in UTC")
        if self.uetr.version != 4:
            raise MalformedInput("a UETR is a UUID of version 4")


def _text(text: str, what: str, longest: int) -> None:
    """Refuses text that a message cannot carry: blank, too long, or with control characters."""
    if not text.strip() or len(text) > longest:
        raise MalformedInput(f"{what}: 1 to {longest} characters are needed, not {len(text)}")
    for letter in text:
        # Cc control, Cs surrogate, Cn noncharacter: XML 1.0 section 2.2 allows few of them.
        if unicodedata.category(letter) in ("Cc", "Cs", "Cn", "Zl", "Zp"):
            raise MalformedInput(f"{what}: the character U+{ord(letter):04X} cannot be sent")
