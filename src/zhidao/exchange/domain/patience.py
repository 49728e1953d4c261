"""How long a sender waits before it tries again, and when it gives up."""

from __future__ import annotations

from typing import Final

from zhidao.core.timescale import NS

FIRST_PAUSE_S: Final = 0.1
# A peer that comes back is met again within this time.
PAUSE_S_MAX: Final = 10.0
# Long enough for a long week-end without power; then a person must look.
GIVE_UP_S: Final = 4 * 24 * 3600


def pause_ns(attempts: int, chance: bytes) -> int:
    """Nanoseconds to wait after so many failures (1 or more): exponential with full jitter.

    chance: 4 random bytes. Full jitter (a uniform share of the doubled pause) keeps many senders
    from meeting again at a peer that has just come back.
    """
    ceiling_s = min(PAUSE_S_MAX, FIRST_PAUSE_S * 2 ** min(attempts, 16))
    share = (int.from_bytes(chance, "big") + 1) / 2**32
    return int(ceiling_s * share * NS)
