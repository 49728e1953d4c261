"""How long a sender waits before it tries a peer again, and when it gives a document up."""

from __future__ import annotations

from typing import Final

from zhidao.core.retry_policy import RetryPolicy

# A peer that comes back is met again within ten seconds. Full jitter keeps many senders from
# meeting again at a peer that has just come back.
PAUSES: Final = RetryPolicy(first_s=0.1, longest_s=10.0, jitter=1.0)
# Long enough for a long week-end without power; then a person must look.
GIVE_UP_S: Final = 4 * 24 * 3600
