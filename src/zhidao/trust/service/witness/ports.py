"""What a witness asks of the world: heads that stay, and other nodes that answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from zhidao.trust.domain.mirroring import Pushed
from zhidao.trust.domain.witness_rule import HeldHead


@dataclass(frozen=True, slots=True)
class Move:
    """A head to hold instead of another one: kept only if `before` still stands."""

    origin: str
    before: HeldHead
    after: HeldHead


class WitnessStore(Protocol):
    """The heads that a witness cosigned, one for each log."""

    async def bind(self, identity: str) -> bool:
        """Ties the store to the witness's keys; True if it was tied to nothing before.

        Raises Refused (`foreign_witness_state`) if it belongs to other keys.
        """
        ...

    async def held(self) -> Mapping[str, HeldHead]:
        """All heads by origin."""
        ...

    async def advance(self, moves: Sequence[Move]) -> Sequence[bool]:
        """Keeps each new head whose `before` (size and root) still stands, each origin once.

        Durable when it returns: only then may a signature leave.
        """
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What another node answered."""

    status: int
    body: bytes


class Network(Protocol):
    """Other nodes over HTTP; bounded in time and size, no redirects."""

    async def get(self, url: str) -> Answer:
        """The answer. Raises Unavailable if there is none."""
        ...

    async def post(self, url: str, body: bytes, *, kind: str, packed: bool = False) -> Answer:
        """The answer to a body of this media type. Raises Unavailable if there is none.

        `packed`: it is sent in gzip; who does not read that answers 415 (RFC 9110, RFC 7694).
        """
        ...


class CosignedNotes(Protocol):
    """This log's own notes with the cosignatures that they gathered."""

    async def keep(self, size: int, note: bytes) -> None:
        """Keeps the note of a size; a later one of the same size replaces it."""
        ...

    async def newest(self) -> bytes | None:
        """The note of the largest size, or None."""
        ...


class MirrorPositions(Protocol):
    """How far this log's mirrors have it, by their addresses."""

    async def of(self, url: str) -> Pushed:
        """What was kept last, or nothing brought yet."""
        ...

    async def keep(self, url: str, pushed: Pushed) -> None:
        """Replaces it; durable when it returns."""
        ...


class FraudBook(Protocol):
    """Fraud proofs that this node found or was told."""

    async def keep(self, name: str, data: bytes) -> bool:
        """Keeps a file under a name; False if there is one already."""
        ...

    async def names(self) -> Sequence[str]:
        """All names in order."""
        ...

    async def read(self, name: str) -> bytes | None:
        """A file, or None."""
        ...
