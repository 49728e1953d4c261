"""How a terminal comes to its token: a window that one opens for it, one registration, a lock."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from typing import Final

from zhidao.core.errors import Refused
from zhidao.core.timescale import Utc
from zhidao.core.transitions import Guard, Machine, Transition, rows_of

NEW, INVITED, ENROLLED = "new", "invited", "enrolled"
SUSPENDED, RETIRED = "suspended", "retired"
# What a terminal may speak.
JT808, TELTONIKA = "jt808", "teltonika"
# A unit of EGTS, and a platform that passes on what units of its owner say.
EGTS, EGTS_DISPATCHER = "egts", "egts-dispatcher"
PROTOCOLS: Final = (JT808, TELTONIKA, EGTS, EGTS_DISPATCHER)
# How long a window stands open unless somebody says otherwise, and at most.
WINDOW_MINUTES: Final = 30
WINDOW_MINUTES_MAX: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Whether a terminal may come in, and by which token.

    `until`: in state invited, until when a registration is answered. `token`: SHA-256 of the token
    that it was given last, empty if none was; `given`: in this window. `derived`: it holds a token
    of an older version of this program, which made it of the node's secret. `imei`: of the modem
    that showed the token first, empty if it named none. `version` counts changes. `protocol`: what
    it speaks; whoever calls by another is somebody else.
    """

    terminal: str
    state: str = NEW
    version: int = 0
    until: Utc | None = None
    token: bytes = b""
    given: bool = False
    derived: bool = False
    imei: str = ""
    protocol: str = JT808

    def is_open(self, now: Utc) -> bool:
        """Whether a registration is answered with a token."""
        return self.state == INVITED and self.until is not None and now <= self.until

    def is_shown(self, token: str) -> bool:
        """Whether this is the token that was given last."""
        return bool(self.token) and hmac.compare_digest(self.token, digest_of(token))

    @property
    def admits(self) -> bool:
        """Whether the terminal is let in at all, if it shows its token."""
        return self.state in (INVITED, ENROLLED)

    @property
    def has_token(self) -> bool:
        """Whether its protocol has a token to show; else it comes in by its name alone."""
        return self.protocol == JT808

    @property
    def serves(self) -> bool:
        """Whether a terminal that came in may stay on the line: no token of it was made void."""
        return self.admits and (bool(self.token) or self.derived or not self.has_token)


def digest_of(token: str) -> bytes:
    """What is kept of a token, which has 192 random bits."""
    return hashlib.sha256(token.encode()).digest()


_UNREGISTERED: Final = Guard[Enrolment](
    "without registration",
    lambda it: not it.has_token,
    "its protocol knows no registration",
    "terminal {it.terminal} needs a window first",
)
ENROLMENT: Final = Machine[Enrolment](
    "Enrolment of a terminal",
    NEW,
    (
        *rows_of((NEW, INVITED, ENROLLED, SUSPENDED), "invite", "operator", INVITED),
        Transition(INVITED, "enrol", "terminal", ENROLLED),
        Transition(NEW, "enrol", "terminal", ENROLLED, (_UNREGISTERED,)),
        *rows_of((INVITED, ENROLLED), "suspend", "operator", SUSPENDED),
        *rows_of((NEW, INVITED, ENROLLED, SUSPENDED), "retire", "operator", RETIRED),
    ),
)


def invited(before: Enrolment, until: Utc, *, void: bool = False) -> Enrolment:
    """A window is open. The token from before stays good until another is given, unless `void`.

    A terminal that was suspended needs another in any case.
    """
    after = _moved(before, "invite")
    kept = not void and before.state != SUSPENDED
    return replace(
        after,
        until=until,
        given=False,
        token=before.token if kept else b"",
        derived=before.derived and kept,
        imei=before.imei if kept else "",
    )


def given(before: Enrolment, token: str) -> Enrolment:
    """A registration was answered with this token; no other is good from now on."""
    return replace(
        before,
        version=before.version + 1,
        token=digest_of(token),
        given=True,
        derived=False,
        imei="",
    )


def enrolled(before: Enrolment) -> Enrolment:
    """The token of this window was shown: the window is closed."""
    return replace(_moved(before, "enrol"), until=None, given=False)


def pinned(before: Enrolment, imei: str) -> Enrolment:
    """The modem is known from now on."""
    return replace(before, version=before.version + 1, imei=imei)


def suspended(before: Enrolment) -> Enrolment:
    """It is not let in until it is invited again."""
    return replace(_moved(before, "suspend"), until=None, given=False)


def retired(before: Enrolment) -> Enrolment:
    """It never comes back; its number is free for another."""
    return replace(_moved(before, "retire"), until=None, given=False, token=b"", derived=False)


def _moved(before: Enrolment, act: str) -> Enrolment:
    why_not = ENROLMENT.why_not(before.state, act, before)
    if why_not:
        raise Refused(
            f"terminal {before.terminal} is {before.state}: nobody can {act} it",
            code="enrolment_state",
        )
    (row,) = ENROLMENT.leads(before.state, act)
    return replace(before, state=row.then, version=before.version + 1)
