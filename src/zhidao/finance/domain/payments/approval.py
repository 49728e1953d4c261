"""Two persons for large amounts: the limits, and what counts as an approval.

A person is somebody who signed in with a password of their own. Tokens never count, however many
a party has: behind two tokens may stand one program.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from zhidao.core.canonical import Json, jcs
from zhidao.core.errors import MalformedInput
from zhidao.core.events import SignedEvent
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import NS, Utc
from zhidao.finance.events.banks import ApprovalAsked, ApprovalGiven

PERSONS: Final = 2
APPROVE: Final = "approve"
REFUSE: Final = "refuse"
LAPSE: Final = "lapse"
"""A word counts no more: its person was withdrawn, or has a role that may not do the act."""
DONE: Final = "done"
"""The act was carried out: the words that it was done by stay, however old, whoever left."""
TURNED_DOWN: Final = "turned_down"
"""The refusal was carried out: so does that one."""
CLEARED: Final = "cleared"
"""Nobody need decide it any more: what it was asked for is gone. A state, and the word for it."""
ENDS: Final = {"approved": DONE, "refused": TURNED_DOWN}
"""What is written down once such a decision is carried out, by its state."""
GOOD_FOR_S: Final = 3 * 86_400
"""An approval that nothing came of for three days is asked for anew."""
_ENDED: Final = frozenset((*ENDS.values(), CLEARED))


@dataclass(frozen=True, slots=True)
class Limits:
    """Up to which amount one caller is enough, by currency. No limits: one is always enough.

    With any limit set, a currency that is not named has the limit nought: a new currency must not
    be the way around.
    """

    above_minor: Mapping[str, int]

    @classmethod
    def parse(cls, text: str) -> Limits:
        """From a setting such as `CNY 500000.00, EUR 70000.00`. Raises MalformedInput."""
        limits: dict[str, int] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            currency, blank, amount = part.partition(" ")
            if not blank or currency in limits:
                raise MalformedInput(
                    f"a limit is a currency and an amount, each currency once: {part[:40]!r}",
                    where="finance.two_persons_above",
                    remedy="write it as CNY 500000.00, EUR 70000.00",
                )
            limits[currency] = Money.parse(amount.strip(), currency).minor
        return cls(limits)

    def asks(self, amount: Money) -> bool:
        """Whether this amount needs two persons.

        >>> Limits.parse("CNY 10.00").asks(Money(1001, Currency("CNY")))
        True
        """
        return bool(self.above_minor) and amount.minor > self.above_minor.get(
            amount.currency.code, 0
        )


@dataclass(frozen=True, slots=True)
class Authorisation:
    """An amount that one caller's word moved. `person`: `` for a token."""

    name: str
    person: str
    account: str
    minor: int
    until_s: int = 0
    """The last second (Unix) in which it counts; 0: no end."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a caller wants done: as it is counted, and as two persons are asked about it.

    `amount`: what they see; `accounts`: whose money the act moves or binds, each with its amount
    in minor units. An act that the limit judges names at least one: what is not counted is
    a way around it. `counted_as`: its own name, if not all that is said: no two acts of a party
    may share it, so it names all that tells one from another (the bank, the accounts, the sum).
    `until_s`: how long (Unix) it binds anything. `formerly`: under what other name earlier
    versions counted an account; what they counted so counts on it.
    """

    act: str
    subject: str
    amount: Money
    said: Mapping[str, Any]
    accounts: Sequence[tuple[str, int]]
    counted_as: str = ""
    until_s: int = 0
    formerly: Mapping[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> list[tuple[str, int]]:
        """Each account once, with its amount as far as an amount goes."""
        by: dict[str, int] = defaultdict(int)
        for account, minor in self.accounts:
            by[account] += minor
        return [(account, min(minor, AMOUNT_MINOR_MAX)) for account, minor in sorted(by.items())]

    @property
    def whole_minor(self) -> int:
        """What it moves or binds of all accounts, minor units."""
        return min(sum(minor for _, minor in self.accounts), AMOUNT_MINOR_MAX)

    def name(self, party: str) -> str:
        """The name of its approval."""
        return approval_id(
            party=party, act=self.act, subject=self.subject, amount=self.amount, said=self.said
        )

    def counts_as(self, party: str) -> str:
        """Under what name it is counted: asked for again, it is the same."""
        return self.counted_as or self.name(party)


def authorised_minor(authorisations: Sequence[Authorisation], *, person: str, account: str) -> int:
    """What one caller authorised already, minor units: by the caller, or on the account.

    A token may be in the hands of any person, so what it authorised counts for each, and each's
    for it.

    >>> rows = [("a", "li", "x", 60), ("b", "", "y", 30), ("c", "wang", "z", 20)]
    >>> given = [Authorisation(*row) for row in rows]
    >>> [authorised_minor(given, person=who, account="q") for who in ("li", "wang", "")]
    [90, 50, 90]
    >>> authorised_minor(given, person="aigerim", account="x")
    60
    """
    by: dict[str, int] = defaultdict(int)
    for one in authorisations:
        by[one.person] += one.minor
    tokens = by.pop("", 0)
    theirs = by.get(person, 0) if person else max(by.values(), default=0)
    return max(tokens + theirs, sum(one.minor for one in authorisations if one.account == account))


def approval_id(
    *, party: str, act: str, subject: str, amount: Money, said: Mapping[str, Any]
) -> str:
    """The name of an approval: a digest of all that is approved, hex."""
    whole: list[Json] = [party, act, subject, str(amount.minor), amount.currency.code, dict(said)]
    return hashlib.sha256(jcs(whole)).hexdigest()


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval as it stands at a moment."""

    asked: ApprovalAsked
    party: str
    asked_at: Utc
    version: int
    approved_by: tuple[str, ...]
    refused_by: str
    reason: str = ""
    """Why it was refused, if that was said; or why a word that was given counts no more."""
    done: bool = False
    """Its act, or its refusal, was carried out: nothing is said to it any more."""
    counts: bool = True
    """Whether the words are young enough to carry out what they say now."""
    once: frozenset[str] = frozenset()
    """How it was decided at any moment: approved, refused."""
    cleared: bool = False
    """It ended undecided, by itself: `reason` says why. Asked for again, it is asked anew."""

    @property
    def amount(self) -> Money:
        """What it is about."""
        return Money(int(self.asked.amount_minor), Currency(self.asked.currency))

    @property
    def state(self) -> str:
        """One word: waits, approved, refused or cleared."""
        if self.cleared:
            return CLEARED
        if self.refused_by:
            return "refused"
        return "approved" if len(self.approved_by) >= PERSONS else "waits"


def fold(history: Sequence[SignedEvent], *, now: Utc) -> Approval | None:
    """The approval that a history makes, since it was asked for last.

    Words older than `GOOD_FOR_S` do not count, but those that it was carried out by.
    """
    if not history:
        return None
    start = max(n for n, event in enumerate(history) if event.type == ApprovalAsked.TYPE)
    words = history[start + 1 :]
    verdicts = [ApprovalGiven.of(event).verdict for event in words]
    ended = next((n for n, verdict in enumerate(verdicts) if verdict in _ENDED), len(words))
    moments = [
        _as_said(history[start], words[:n], now=words[n - 1].recorded_at)
        for n in range(1, ended + 1)
    ]
    version = history[-1].version
    once = frozenset(moment.state for moment in moments) - {"waits"}
    found = replace(_as_said(history[start], words[:ended], now=now), version=version, once=once)
    if ended == len(words):
        return found
    return _ended(found, moments, ApprovalGiven.of(words[ended]))


def _ended(found: Approval, moments: Sequence[Approval], end: ApprovalGiven) -> Approval:
    """What an approval is once its end was written down. `moments`: as it stood after each word."""
    if end.verdict == CLEARED:
        return replace(found, done=True, cleared=True, counts=False, reason=end.reason)
    carried = [moment for moment in moments if ENDS.get(moment.state) == end.verdict]
    if not carried:
        return found
    counts = found.state == carried[-1].state
    return replace(carried[-1], version=found.version, once=found.once, done=True, counts=counts)


def _as_said(first: SignedEvent, words: Sequence[SignedEvent], *, now: Utc) -> Approval:
    """By the words that count at a moment."""
    approved: dict[str, None] = {}
    refused = reason = lapsed = ""
    for given in _counting(words, now):
        if given.verdict == REFUSE:
            refused, reason = given.person, given.reason
        elif given.verdict == LAPSE:
            approved.pop(given.person, None)
            lapsed = given.reason
        else:
            approved[given.person] = None
    waits = not refused and len(approved) < PERSONS
    return Approval(
        asked=ApprovalAsked.of(first),
        party=first.owner,
        asked_at=first.recorded_at,
        version=first.version,
        approved_by=tuple(approved),
        refused_by=refused,
        reason=lapsed if waits else reason,
    )


def _counting(words: Sequence[SignedEvent], now: Utc) -> list[ApprovalGiven]:
    """Those that are not too old."""
    return [
        ApprovalGiven.of(event)
        for event in words
        if now.unix_ns - event.recorded_at.unix_ns <= GOOD_FOR_S * NS
    ]
