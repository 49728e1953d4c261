"""Header fields that say who asks, and for what, stand once in a request.

Of two, one reader takes the first and another the last: a proxy could vouch for one while the node
obeys the other (RFC 9110 section 5.3 lets only lists be repeated).
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from zhidao.core.errors import MalformedInput

SINGLE: Final = frozenset(
    {b"authorization", b"content-length", b"content-type", b"idempotency-key", b"x-csrf-token"}
)


def check_single(scope: Any) -> None:
    """Raises MalformedInput (`repeated_header`) if one of them stands more than once."""
    counts = Counter(name for name, _ in scope["headers"] if name in SINGLE)
    for name, count in counts.items():
        if count > 1:
            field = name.decode().title()
            raise MalformedInput(
                f"{field} stands {count} times in the request",
                code="repeated_header",
                where=field,
                remedy=f"send one {field}",
            )
