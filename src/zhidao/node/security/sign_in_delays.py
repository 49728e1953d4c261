"""How long a name must wait after wrong passwords: by who tries, so that no stranger locks it.

What counts is the name together with where the tries come from: a block of addresses, or a device
that signed in before. So a stranger's failures never keep the owner out, and one who tries slows
only himself. It is the same for names that exist and for those that do not.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections import OrderedDict
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.errors import Refused
from zhidao.core.retry_policy import RetryPolicy
from zhidao.core.timescale import NS, Utc

# So many tries are free; each one after doubles the wait, up to a quarter of an hour.
TRIES_FREE: Final = 5
WAIT_S_MAX: Final = 15 * 60
_WAITS: Final = RetryPolicy(first_s=1, longest_s=WAIT_S_MAX)
# A count is forgotten after a day without a try.
FORGOTTEN_S: Final = 24 * 3600
KEPT_MAX: Final = 100_000
# What one household or office has: RFC 6177 gives a site a /56; of IPv4 neighbours share a /24.
IPV4_BITS: Final = 24
IPV6_BITS: Final = 56


class TooManyTries(Refused):
    """A try that came before its time."""

    http_status = 429
    default_code = "too_many_tries"


def address_block(address: str) -> str:
    """The block of addresses that counts as one place; empty for what is no address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    bits = IPV4_BITS if parsed.version == 4 else IPV6_BITS
    return str(ipaddress.ip_network((parsed, bits), strict=False))


def wait_s(tries: int) -> int:
    """Seconds until the next try after so many wrong ones in a row."""
    over = tries - TRIES_FREE
    return 0 if over < 0 else int(_WAITS.ceiling_s(over + 1))


class Attempts:
    """Counts tries in this process: what is counted is bounded, and only its oldest is dropped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counted: OrderedDict[bytes, tuple[int, Utc, Utc]] = OrderedDict()

    def check(self, name: str, source: str) -> None:
        """Raises TooManyTries (`too_many_tries`) if this source must still wait for this name."""
        now = self._clock.now()
        _, _, until = self._counted.get(_key(name, source), (0, now, now))
        if until > now:
            left_s = -((now.tai_ns - until.tai_ns) // NS)
            raise TooManyTries(
                f"too many tries from here; the next one counts in {left_s} s",
                remedy="wait, or sign in from a device that you used before",
            )

    def count(self, name: str, source: str) -> int:
        """Counts a try before its password is looked at; returns how many there were in a row."""
        now = self._clock.now()
        key = _key(name, source)
        tries, last, _ = self._counted.pop(key, (0, now, now))
        if now.tai_ns - last.tai_ns > FORGOTTEN_S * NS:
            tries = 0
        tries += 1
        self._counted[key] = (tries, now, now.plus_ns(wait_s(tries) * NS))
        if len(self._counted) > KEPT_MAX:
            self._counted.popitem(last=False)
        return tries

    def forget(self, name: str, source: str) -> None:
        """Starts anew after the right password."""
        self._counted.pop(_key(name, source), None)


def _key(name: str, source: str) -> bytes:
    """Never the name as typed: people type passwords into the wrong field."""
    parts = [part.encode("utf-8", "surrogatepass") for part in (name, source)]
    return hashlib.sha256(len(parts[0]).to_bytes(4, "big") + b"".join(parts)).digest()[:16]
