"""Over what a terminal says what it has to say: the mobile network, short message, or both.

The mobile network is always tried: it costs little, and trying tells when it is back. What comes
over both counts once at the store, by its digest. Times are seconds of one clock that never goes
back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from zhidao.connectivity.domain.message import URGENT, Form
from zhidao.core.errors import MalformedInput


class Bearer(StrEnum):
    """What carries a message."""

    MOBILE = "mobile"
    SHORT_MESSAGE = "short-message"


class Need(StrEnum):
    """Whether short message must carry what a terminal has to say."""

    MUST = "must"
    MAY = "may"
    NO = "no"


@dataclass(frozen=True, slots=True)
class MobileLink:
    """What a terminal knows of its mobile network: since when nothing that it sent was answered.

    Not since when nothing came: a terminal that had nothing to say has no silence behind it.
    unanswered_since_s: infinity while nothing waits for an answer.
    """

    unanswered_since_s: float = math.inf

    def tried(self, now_s: float) -> MobileLink:
        """Something was sent, or could not be: the network was not there."""
        return replace(self, unanswered_since_s=min(self.unanswered_since_s, now_s))

    def answered(self) -> MobileLink:
        """Something that was sent is stored at the other end."""
        return MobileLink()

    def silence_s(self, now_s: float) -> float:
        """For how long the network owes an answer; 0 if it owes none."""
        return max(0.0, now_s - self.unanswered_since_s)


@dataclass(frozen=True, slots=True)
class BearerPolicy:
    """When short message helps out. Raises MalformedInput.

    silence_s: after so long without an answer. early_s: the same where coverage along the route
    says that short message must carry; a network that answers there still carries alone.
    """

    silence_s: float = 600.0
    early_s: float = 30.0

    def __post_init__(self) -> None:
        if not 0 <= self.early_s <= self.silence_s <= 86_400:
            raise MalformedInput(
                f"short message after {self.early_s:g} s, {self.silence_s:g} s of silence",
                remedy="give 0 to 86400 s, the first not longer than the second",
            )

    def bearers(
        self, form: Form, link: MobileLink, *, now_s: float, need: Need = Need.MAY
    ) -> tuple[Bearer, ...]:
        """What carries a message now; the mobile network is always among it, and first.

        Alarms and orders go over both at once. need: what coverage says of the place, MAY where
        nobody judged it.
        """
        limit_s = self.early_s if need is Need.MUST else self.silence_s
        # Even a limit of 0 begins with a try.
        overdue = link.unanswered_since_s <= now_s and link.silence_s(now_s) >= limit_s
        if form.urgency == URGENT or overdue:
            return (Bearer.MOBILE, Bearer.SHORT_MESSAGE)
        return (Bearer.MOBILE,)
