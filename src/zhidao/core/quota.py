"""How many leaves each party may put into the log: so much an hour, half of it at once."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId
from zhidao.core.timescale import NS

_PARTIES_MAX: Final = 100_000
_HOUR_S: Final = 3_600.0


class QuotaSpent(Refused):
    """More leaves than a party may write; nothing was written."""

    http_status = 429
    default_code = "leaf_quota"


class LeafQuota:
    """A token bucket for each party. A leaf stays for ever, so nobody writes without bound."""

    def __init__(self, per_hour: int, clock: Clock) -> None:
        """`per_hour`: leaves of one party; 0: no limit."""
        self._per_hour = per_hour
        self._clock = clock
        self._left: OrderedDict[PartyId, tuple[float, int]] = OrderedDict()

    def take(self, party: PartyId, count: int = 1) -> None:
        """Notes leaves that are about to be written. Raises QuotaSpent, then nothing is noted."""
        if self._per_hour == 0:
            return
        now_s = self._clock.now().unix_ns // NS
        full = max(1.0, self._per_hour / 2)
        left, since_s = self._left.pop(party, (full, now_s))
        # A clock that went back gives nothing and takes nothing.
        left = min(full, left + max(0, now_s - since_s) * self._per_hour / _HOUR_S)
        enough = left >= count
        self._left[party] = (left - count if enough else left, now_s)
        if len(self._left) > _PARTIES_MAX:
            self._left.popitem(last=False)
        if not enough:
            wait_s = round((count - left) * _HOUR_S / self._per_hour) + 1
            raise QuotaSpent(
                f"{party} wrote its share of leaves: {self._per_hour} an hour",
                remedy=f"go on in {wait_s} s, or ask the operator (log.leaves_per_party_hour)",
            )
