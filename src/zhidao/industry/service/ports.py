"""What the industry room asks of the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from zhidao.industry.domain.quality import Sample


class Machines(Protocol):
    """Machines that can be asked for their values."""

    async def samples(self, endpoint: str, names: Sequence[str], count: int) -> list[Sample]:
        """`count` values of each name, oldest first, from the machine at `endpoint`.

        Raises Unavailable if it does not answer in time, MalformedInput if a name is unknown
        there or its value is no number, Refused if the address is not allowed.
        """
        ...
