"""What the messages of a payment's life say: values that know nothing of XML.

An instruction goes out (pain.001), banks pass it on (pacs.008, pacs.009), each tells how it stands
(pain.002, pacs.002); money comes back (pacs.004), is asked back (camt.056) and that is answered
(camt.029); the account's holder hears of it (camt.054).

Named tuples because a file holds a hundred thousand of them: they are made once and only read.
Amounts are minor units; instants and days are written as in ISO 8601.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

Tree: TypeAlias = tuple[tuple[str, "str | Tree"], ...]
"""Elements by name, in order, with text or further elements inside."""


class CreditTransfer(NamedTuple):
    """One payment of a file. Parties, accounts and banks are told as the message tells them.

    `group`: the payment information that it stands in (pain.001), else empty. `payer` and `payee`
    are banks in pacs.009. `uetr`: a lower-case UUID, or empty where pain.001 gives none.
    `ultimate_payer`, `ultimate_payee`: for whom they pay and are paid, if the message says so.
    """

    group: str
    instruction: str
    end_to_end: str
    uetr: str
    amount_minor: int
    currency: str
    day: str
    charges: str
    payer: Tree
    payer_account: Tree
    payer_bank: Tree
    payee: Tree
    payee_account: Tree
    payee_bank: Tree
    remittance: Tree
    ultimate_payer: Tree = ()
    ultimate_payee: Tree = ()


class Transfers(NamedTuple):
    """A file of payments: pain.001, pacs.008 or pacs.009."""

    definition: str
    message: str
    created: str
    sender: str
    receiver: str
    transfers: tuple[CreditTransfer, ...]


class Status(NamedTuple):
    """How one payment of a file stands. `status`: ACSC, ACSP, PDNG, RJCT; `reason`: its code."""

    group: str
    instruction: str
    end_to_end: str
    uetr: str
    status: str
    reason: str
    note: str


class StatusReport(NamedTuple):
    """How a file stands: pain.002 or pacs.002. A file that could not be read has no statuses."""

    definition: str
    message: str
    created: str
    sender: str
    receiver: str
    original: str
    original_definition: str
    status: str
    reason: str
    note: str
    statuses: tuple[Status, ...]


class Return(NamedTuple):
    """Money of one payment that comes back, all of it or a part."""

    id: str
    original: str
    original_definition: str
    instruction: str
    end_to_end: str
    uetr: str
    original_minor: int
    returned_minor: int
    currency: str
    day: str
    reason: str
    note: str


class Returns(NamedTuple):
    """pacs.004: payments that come back."""

    definition: str
    message: str
    created: str
    sender: str
    receiver: str
    returns: tuple[Return, ...]


class Recall(NamedTuple):
    """One payment that its sender asks back. `reason`: DUPL, FRAD, CUST…."""

    id: str
    original: str
    original_definition: str
    instruction: str
    end_to_end: str
    uetr: str
    amount_minor: int
    currency: str
    day: str
    reason: str
    note: str


class Recalls(NamedTuple):
    """camt.056: payments that are asked back."""

    definition: str
    message: str
    created: str
    sender: str
    receiver: str
    recalls: tuple[Recall, ...]


class Answer(NamedTuple):
    """What becomes of one recall. `status`: ACCR, RJCR, PDCR; `reason`: why not."""

    id: str
    original: str
    original_definition: str
    instruction: str
    end_to_end: str
    uetr: str
    status: str
    reason: str
    note: str


class Answers(NamedTuple):
    """camt.029: the answer to recalls. `outcome`: CNCL, RJCR, PDCR."""

    definition: str
    message: str
    created: str
    sender: str
    receiver: str
    outcome: str
    answers: tuple[Answer, ...]


class NoticeEntry(NamedTuple):
    """A movement on the account. `amount_minor`: positive for a credit; `entry`: its transfer."""

    entry: str
    amount_minor: int
    day: str
    instruction: str
    end_to_end: str
    uetr: str
    payer: Tree
    payer_account: Tree
    payer_bank: Tree
    payee: Tree
    payee_account: Tree
    payee_bank: Tree
    remittance: Tree


class Notice(NamedTuple):
    """camt.054: what was booked on an account, told as it happens."""

    definition: str
    message: str
    created: str
    account: Tree
    currency: str
    entries: tuple[NoticeEntry, ...]


Message: TypeAlias = Transfers | StatusReport | Returns | Recalls | Answers | Notice
