"""Facts of payments that wait for their day. Aggregate `payment-order/<order>`.

Payments are named by their places in the instruction, from 0, neighbours as `0-4999`; moments are
in UTC.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from zhidao.core.events import Fact


class AwaitedPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Payments that wait until one moment. `at`: empty for those that are due with their order."""

    at: str
    places: str


class AwaitedSum(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the payments of an order come to in one currency, minor units as text."""

    currency: str
    minor: str


class AwaitedPayment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment as it is shown. `day`: the one that was asked for."""

    place: int
    uetr: str
    payee: str
    account: str
    amount_minor: str
    currency: str
    reference: str
    day: str


class PaymentsAwaited(Fact, frozen=True, kw_only=True):
    """A bank took a customer's instruction, of which some payments are due later.

    `order`: SHA-256 over the bank and the instruction; `digest`: of the instruction in the archive;
    `message`: its own id; `first`: some of its payments, `count`: how many there are.
    """

    TYPE: ClassVar[str] = "finance.PaymentsAwaited.v1"
    order: str
    bank: str
    sender: str
    digest: str
    message: str
    count: int
    parts: list[AwaitedPart]
    sums: list[AwaitedSum]
    first: list[AwaitedPayment]


class PaymentsReleased(Fact, frozen=True, kw_only=True):
    """The moments came: what waited for them is executed, and cancelled by nobody any more."""

    TYPE: ClassVar[str] = "finance.PaymentsReleased.v1"
    order: str
    moments: list[str]


class PaymentsPutOff(Fact, frozen=True, kw_only=True):
    """These payments wait until another moment: their day is closed, or was over before."""

    TYPE: ClassVar[str] = "finance.PaymentsPutOff.v1"
    order: str
    places: str
    at: str


class PaymentsCancelled(Fact, frozen=True, kw_only=True):
    """Whoever may pay took these payments back before their day. `person`: `` for a token."""

    TYPE: ClassVar[str] = "finance.PaymentsCancelled.v1"
    order: str
    places: str
    person: str


class EndedPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Payments that ended alike. `code`: why they were refused; `` for those that were booked."""

    places: str
    code: str


class PaymentsEnded(Fact, frozen=True, kw_only=True):
    """What became of payments on their day: they are booked, or refused."""

    TYPE: ClassVar[str] = "finance.PaymentsEnded.v1"
    order: str
    parts: list[EndedPart]
