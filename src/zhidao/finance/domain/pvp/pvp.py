"""Payment versus payment over two ledgers: what each party may do next, as pure state machines.

Both legs are reserved without a timer; one decider writes one decision; both apply it. A
participant that has voted yes never lets go by itself. These machines are what the services run
and what the model in the tests explores state by state.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Final
from uuid import UUID

from zhidao.core.canonical import Json, jcs
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.finance.domain.pvp.fx import Conversion, Rate, convert

BATCH_MAX: Final = 512
"""The most deals of one message: their decision still fits one public leaf of the log."""
OPEN_MAX: Final = 100_000
"""Deals that one participant or decider holds undecided at most."""


class Side(StrEnum):
    """Which of the two legs."""

    FIRST = "first"
    SECOND = "second"


class Outcome(StrEnum):
    """What was decided."""

    COMMIT = "commit"
    ABORT = "abort"


class Standing(StrEnum):
    """How far one leg is at its participant."""

    UNKNOWN = "unknown"
    RESERVED = "reserved"
    DECLINED = "declined"
    POSTED = "posted"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Leg:
    """A movement on one ledger: from `debit` to `credit`."""

    ledger: str
    debit: UUID
    credit: UUID
    amount_minor: int

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int or not 0 < self.amount_minor <= AMOUNT_MINOR_MAX:
            raise MalformedInput("a leg moves between 1 and 2^63-1 minor units, as an integer")

    @property
    def plain(self) -> dict[str, Json]:
        """As JSON. The amount is text: JSON readers keep integers only to 2^53."""
        return {
            "ledger": self.ledger,
            "debit": str(self.debit),
            "credit": str(self.credit),
            "amount_minor": str(self.amount_minor),
        }


@dataclass(frozen=True)
class Terms:
    """What both sides agreed: its digest is the deal's name, so other terms are another deal.

    Keys are Multikeys. `deadline_ns` (Unix): votes that the decider hears later come too late.
    """

    nonce: str
    first: Leg
    second: Leg
    rate: Rate
    first_key: str
    second_key: str
    decider_key: str
    deadline_ns: int

    @property
    def plain(self) -> dict[str, Json]:
        """As JSON."""
        return {
            "nonce": self.nonce,
            "first": self.first.plain,
            "second": self.second.plain,
            "rate": [str(self.rate.numerator), str(self.rate.denominator)],
            "first_key": self.first_key,
            "second_key": self.second_key,
            "decider_key": self.decider_key,
            "deadline_ns": str(self.deadline_ns),
        }

    @cached_property
    def name(self) -> str:
        """SHA-256 of the canonical form, hex."""
        return hashlib.sha256(jcs(self.plain)).hexdigest()

    def leg(self, side: Side) -> Leg:
        """One of the legs."""
        return self.first if side is Side.FIRST else self.second

    def key(self, side: Side) -> str:
        """Who votes for that leg."""
        return self.first_key if side is Side.FIRST else self.second_key

    def conversion(self) -> Conversion:
        """The exact exchange. Raises Refused (`pvp_amount`) if the legs are not it."""
        exact = convert(self.first.amount_minor, self.rate)
        if exact.bought_minor != self.second.amount_minor:
            raise Refused(
                f"{self.first.amount_minor} at {self.rate.numerator}/{self.rate.denominator} buys "
                f"{exact.bought_minor}, not {self.second.amount_minor} minor units",
                code="pvp_amount",
            )
        return exact


def reserved(standing: Standing, *, held: bool) -> Standing:
    """After an attempt to reserve; what was decided before stays."""
    if standing in (Standing.POSTED, Standing.RELEASED):
        return standing
    return Standing.RESERVED if held else Standing.DECLINED


def applied(standing: Standing, outcome: Outcome) -> Standing:
    """After a decision. Applying it again changes nothing.

    Raises Refused (`pvp_contradiction`): committed without this side's yes, or decided twice.
    """
    commit = outcome is Outcome.COMMIT
    if standing is Standing.RESERVED:
        return Standing.POSTED if commit else Standing.RELEASED
    if standing is (Standing.POSTED if commit else Standing.RELEASED):
        return standing
    if not commit and standing in (Standing.UNKNOWN, Standing.DECLINED):
        return Standing.RELEASED
    raise Refused(
        f"a leg that is {standing} cannot {outcome}: the decider contradicts itself or this side",
        code="pvp_contradiction",
        remedy="stop, and show the decider's signed decisions to both parties",
    )


@dataclass(frozen=True, slots=True)
class Ballot:
    """The votes on one deal that the decider heard in time; the first of a side counts."""

    first: bool | None = None
    second: bool | None = None

    def heard(self, side: Side, *, yes: bool) -> Ballot:
        """With one more vote."""
        if (self.first if side is Side.FIRST else self.second) is not None:
            return self
        return replace(self, first=yes) if side is Side.FIRST else replace(self, second=yes)

    def outcome(self, *, late: bool) -> Outcome | None:
        """What must be decided now: commit on two yes, abort on a no or after the deadline."""
        if self.first and self.second:
            return Outcome.COMMIT
        if self.first is False or self.second is False or late:
            return Outcome.ABORT
        return None


FIRST_HEAD: Final = hashlib.sha256(b"zhidao pvp decisions 1\n").hexdigest()


def decision_head(
    previous: str, number: int, *, commits: Sequence[str], aborts: Sequence[str]
) -> str:
    """The head of a decider's chain after a decision, hex: no decision can be taken out of it."""
    body: Json = {
        "previous": previous,
        "number": number,
        "commits": list(commits),
        "aborts": list(aborts),
    }
    return hashlib.sha256(jcs(body)).hexdigest()


@dataclass(frozen=True, slots=True)
class Letter:
    """A message from another node: its kind, the node and party it is from, the party it is to."""

    kind: str
    node: str
    from_party: str
    to_party: str


@dataclass(frozen=True, slots=True)
class Channel:
    """Two banks with one ledger each: the node of the first decides, on a chain of their own."""

    first_node: str
    first_bank: str
    first_ledger: str
    second_node: str
    second_bank: str
    second_ledger: str

    @property
    def name(self) -> str:
        """What histories of this pair are called by."""
        first = f"{self.first_node}/{self.first_bank}/{self.first_ledger}"
        return f"{first}/{self.second_node}/{self.second_bank}/{self.second_ledger}"
