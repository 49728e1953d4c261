"""How long who failed waits before he tries again, and after how many failures he gives up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from zhidao.core.ambient import Randomness
from zhidao.core.errors import Refused

# 2.0**1024 is past the largest float; no pause that anybody waits out is doubled so often.
_DOUBLINGS_MAX: Final = 60
_CHANCE_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Pauses of `first_s`, doubled with each failure in a row, of `longest_s` at most.

    jitter: the part of a pause that chance may take off it, 0 to 1. With 0 the pauses are known
    beforehand, which is right for who waits alone; with 1 ("full jitter") many who failed together
    come back spread evenly, which is right for who shares a peer with strangers.
    attempts_max: so many failures in a row, and it is given up; None for never.

    >>> RetryPolicy(0.5, 3.0).ceiling_s(1), RetryPolicy(0.5, 3.0).ceiling_s(4)
    (0.5, 3.0)

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    first_s: float
    longest_s: float
    jitter: float = 0.0
    attempts_max: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.first_s <= self.longest_s or not 0 <= self.jitter <= 1:
            raise Refused(
                f"a retry policy of {self.first_s} to {self.longest_s} s with jitter {self.jitter}",
                remedy="let the first pause be no longer than the longest, and jitter 0 to 1",
            )

    def ceiling_s(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row (1 or more), before chance is asked."""
        doublings = min(max(failures - 1, 0), _DOUBLINGS_MAX)
        return min(math.ldexp(self.first_s, doublings), self.longest_s)

    def pause_s(self, failures: int, randomness: Randomness) -> float:
        """Seconds to wait after so many failures in a row; never 0, so that nobody spins."""
        chance = int.from_bytes(randomness.token(_CHANCE_BYTES), "big") / 256.0**_CHANCE_BYTES
        # Less than 1, so that even the whole jitter leaves something to wait for.
        return self.ceiling_s(failures) * (1.0 - self.jitter * chance)

    def is_over(self, failures: int) -> bool:
        """Whether so many failures in a row are enough to give up."""
        return self.attempts_max is not None and failures >= self.attempts_max
