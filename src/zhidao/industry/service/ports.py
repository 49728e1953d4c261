"""What the industry room asks of the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from zhidao.industry.domain.quality import Reading


class Machines(Protocol):
    """Machines that can be asked for their values."""

    async def readings(self, endpoint: str, names: Sequence[str], count: int) -> list[Reading]:
        """`count` answers for each name, oldest first, from the machine at `endpoint`.

        With whatever status it gives. Raises Unavailable if it does not answer in time,
        MalformedInput if a name is unknown there or is no variable of numbers, Refused if the
        address is not allowed.
        """
        ...
