"""A receivable and the shares in it: what names it, where it is registered, what is still free."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency

_LOOKALIKES = str.maketrans("OIL", "011")


@dataclass(frozen=True, slots=True)
class Receivable:
    """What an obligor owes a supplier for one verified shipment.

    `obligor` and `supplier`: registration identifiers such as an LEI or `CN 91320594MA1ABCDE7X`.
    `shipment`: what the goods travelled under, the registry-wide id of its title or consignment.
    """

    obligor: str
    supplier: str
    invoice: str
    shipment: str
    amount_minor: int
    currency: Currency
    due_on: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int or not 0 < self.amount_minor <= AMOUNT_MINOR_MAX:
            raise MalformedInput("a receivable is 1 to 2^63-1 minor units, as an integer")
        for name in ("obligor", "supplier", "invoice", "shipment"):
            if not folded(getattr(self, name)) or len(getattr(self, name)) > 120:
                raise MalformedInput(f"a receivable's {name} has 1 to 120 characters")
        try:
            date.fromisoformat(self.due_on)
        except ValueError as error:
            raise MalformedInput(f"no such day: {self.due_on[:20]!r}", where="due_on") from error

    @property
    def invoice_key(self) -> bytes:
        """What two registrations of one invoice have in common, however it is spelled.

        Neither amount nor day is part of it: the same number with another amount is the same
        invoice, and that is the point.
        """
        return invoice_key(self.obligor, self.supplier, invoice=self.invoice)

    @property
    def shipment_key(self) -> bytes:
        """What an invoice written anew over the same goods still has in common."""
        return jcs(["shipment", folded(self.shipment)])


def invoice_key(obligor: str, supplier: str, *, invoice: str) -> bytes:
    """The key of an invoice, however its parts are spelled. Raises MalformedInput for an empty one.

    >>> invoice_key("DK 1", "CN 2", invoice="A-7") == invoice_key("dk-i", "CN2", invoice="a7")
    True
    """
    parts = [folded(obligor), folded(supplier), folded(invoice)]
    if not all(parts):
        raise MalformedInput("an invoice is known by obligor, supplier and number")
    return jcs(["invoice", *parts])


def folded(text: str) -> str:
    """Letters and digits only, in capitals, with look-alikes (O and 0, I, L and 1) made equal.

    >>> folded("inv-2O26/0417 ") == folded("INV 2026 04I7")
    True
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(letter for letter in plain if letter.isalnum()).translate(_LOOKALIKES)


def home_of(obligor: str, nodes: Sequence[str]) -> str:
    """The one node that registers this obligor's debts: highest hash of obligor and node wins.

    When a node joins or leaves only its own share of obligors moves.
    """
    if not nodes:
        raise Refused("a registry has at least one node")
    name = folded(obligor)
    return max(nodes, key=lambda node: (hashlib.sha256(f"{name}\n{node}".encode()).digest(), node))


@dataclass(frozen=True, slots=True)
class Shares:
    """Who holds how much of a receivable, in minor units. The supplier holds what is left.

    `pledges`: by name, holder and amount. `confirmed`: the obligor said that it owes. `paid_on`:
    the day of the transfer that paid it, ISO 8601, or ``. `disputed`: why its obligor disputes it.
    """

    receivable: Receivable
    confirmed: bool = False
    paid_on: str = ""
    disputed: str = ""
    pledges: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def free_minor(self) -> int:
        """What nobody holds yet."""
        return self.receivable.amount_minor - sum(amount for _, amount in self.pledges.values())

    def pledged(self, name: str, holder: str, amount_minor: int) -> Shares:
        """With one more share. Raises Refused: unconfirmed, or more than is free."""
        if type(amount_minor) is not int or amount_minor <= 0:
            raise MalformedInput("a share is a positive whole number of minor units")
        if not self.confirmed:
            raise Refused(
                "the obligor has not confirmed this receivable",
                code="not_confirmed",
                remedy="ask the obligor to confirm it on this node",
            )
        if self.paid_on or self.disputed:
            raise Refused(
                f"it was paid on {self.paid_on}" if self.paid_on else "its obligor disputes it",
                code="paid" if self.paid_on else "disputed",
            )
        if amount_minor > self.free_minor:
            raise Refused(
                f"{self.free_minor} minor units are free, not {amount_minor}",
                code="double_pledge",
            )
        return replace(self, pledges={**self.pledges, name: (holder, amount_minor)})

    def assigned(self, name: str, *, by: str, to: str) -> Shares:
        """With a share in other hands. Raises Refused unless its holder gives it."""
        holder, amount = self._held(name)
        if holder != by:
            raise Refused(f"share {name} is not {by}'s to assign", code="not_holder")
        return replace(self, pledges={**self.pledges, name: (to, amount)})

    def released(self, name: str, *, by: str) -> Shares:
        """Without a share: its holder was paid or let go."""
        holder, _ = self._held(name)
        if holder != by:
            raise Refused(f"share {name} is not {by}'s to release", code="not_holder")
        rest = {key: value for key, value in self.pledges.items() if key != name}
        return replace(self, pledges=rest)

    def _held(self, name: str) -> tuple[str, int]:
        if name not in self.pledges:
            raise Refused(f"no share {name[:40]!r}", code="no_share")
        return self.pledges[name]
