"""To whom a log is brought, and how far each of them has it."""

from __future__ import annotations

from dataclasses import dataclass

from zhidao.core.errors import MalformedInput
from zhidao.trust.domain.note import NoteKey


@dataclass(frozen=True, slots=True)
class MirrorTarget:
    """A mirror that the log is brought to.

    `url`: what stands before `/add-checkpoint` and `/add-entries`; `keys`: those that it cosigns
    with; `corridors`: the lists that name it.
    """

    url: str
    keys: tuple[NoteKey, ...]
    corridors: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            raise MalformedInput(f"not an address of a mirror: {self.url[:80]!r}")
        if not self.keys or any(not key.kind.timed for key in self.keys):
            raise MalformedInput(f"the mirror at {self.url} needs keys that cosign")


@dataclass(frozen=True, slots=True)
class Pushed:
    """How far a mirror has the log, by its own signed word.

    `leaves`: where to go on; `cosigned`: the size of the last head of which it said, in `lines`
    and at `at_s` by its clock, that it keeps all entries.
    """

    leaves: int = 0
    cosigned: int = 0
    at_s: int = 0
    lines: bytes = b""
