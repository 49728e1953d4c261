"""What the room keeps: terminals, frames, nonces, chunks and whole windows."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from zhidao.core.actor import Actor
from zhidao.core.errors import MalformedInput, NotFound
from zhidao.core.ids import PartyId
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc

# E.164 with its plus sign, as network interfaces write numbers.
_PHONE: Final = re.compile(r"\+[1-9][0-9]{4,14}\Z", re.ASCII)
# The id travels in a registration of 2019, which has 30 bytes for it.
_TERMINAL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,29}\Z", re.ASCII)
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,19}\Z", re.ASCII)
# Where an antenna may stand: on a mast or a roof, on a vehicle, in a hand.
SURROUNDINGS: Final = frozenset(("open_sky", "vehicle", "phone"))


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal that may connect.

    `phone` is how the mobile network knows it (E.164), `number` the digits that its JT/T 808
    headers bear, without leading zeros; `key` signs its raw windows, None where it has none:
    what it says is claimed then and never a proof. `surroundings`: the class of what stands around
    its antenna, `vehicle` where nobody said.
    """

    terminal: str
    phone: str
    number: str
    key: PublicKey | None
    owner: PartyId
    visible: tuple[PartyId, ...]
    surroundings: str = "vehicle"

    def __post_init__(self) -> None:
        if self.surroundings not in SURROUNDINGS:
            raise MalformedInput(
                f"not a class of surroundings: {self.surroundings[:24]!r}",
                remedy=f"one of {', '.join(sorted(SURROUNDINGS))}",
            )
        if not _TERMINAL.match(self.terminal):
            raise MalformedInput(
                f"not a terminal's id: {self.terminal[:40]!r}",
                remedy="use up to 30 letters, digits, dots, hyphens and underscores",
            )
        if not _PHONE.match(self.phone):
            raise MalformedInput(
                f"not a phone number: {self.phone[:24]!r}",
                remedy="write it with + and the country first, as +86 138 0013 8000",
            )
        if not _NUMBER.match(self.number):
            raise MalformedInput(
                f"not a terminal's number: {self.number[:24]!r}",
                remedy="give the digits that are set in the device, up to 20",
            )

    def bears(self, number: str) -> bool:
        """Whether a number in somebody's headers is this terminal's, zeros before it or not."""
        return number.lstrip("0") in (self.number, self.phone.removeprefix("+"))

    @property
    def aggregate(self) -> str:
        """The name of its history."""
        return f"terminal/{self.terminal}"

    @property
    def multikey(self) -> str:
        """Its key as text; empty if it has none."""
        return self.key.multikey if self.key else ""

    def seen_by(self, actor: Actor) -> Terminal:
        """Itself, if the actor may see it. Raises NotFound."""
        if not self.shown_to(actor.viewer):
            raise NotFound(f"no terminal {self.terminal!r}")
        return self

    def shown_to(self, viewer: PartyId | None) -> bool:
        """Whether a party may see it; None stands for whoever reads everything."""
        return viewer is None or viewer == self.owner or viewer in self.visible


def terminal_id(terminal: str) -> int:
    """The number under which the positions of a terminal are kept, in 63 bits.

    From its name alone, so that whoever stores a report need not look it up; that no two terminals
    have one is held where they are registered.

    >>> terminal_id("truck-7")
    2383590154908931309
    """
    return int.from_bytes(hashlib.sha256(terminal.encode()).digest()[:8], "big") >> 1


@dataclass(frozen=True, slots=True)
class Refusal:
    """The newest recorded refusal of something that a terminal sent."""

    reason: str
    sentence: str
    at: Utc


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a divided message a frame is; `number` 0: all of it put together.

    `completes`: with this frame the message is whole, so that nothing of it is waited for.
    """

    message_id: int
    first_serial: int
    number: int
    total: int
    completes: bool = False

    @property
    def message(self) -> tuple[int, int]:
        """What names its message among those of its terminal."""
        return self.message_id, self.first_serial


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A divided message that is not whole. `pieces`: the frames of it that are kept, by number."""

    terminal: str
    part: Part
    pieces: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A frame as it is kept. `digest`: SHA-256 of message id, packet number and body.

    The serial restarts with each connection, so it is no part of what makes two frames the same;
    but where the body bears no time of its own, serial and day of receipt (UTC) are in the digest.
    `part`: of a divided message, until that is whole; it is not read back.
    """

    terminal: str
    digest: bytes
    id: UUID
    received_at: Utc
    message_id: int
    serial: int
    plain: bytes
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk whose signature and nonce stood; `content` is what the terminal signed and sent."""

    terminal: str
    window: bytes
    sequence: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What a nonce was used for: one window of one shape. Empty `window`: not yet used."""

    window: bytes = b""
    total: int = 0
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Nonce:
    """A nonce of this node for one window of one terminal. `settled`: that window is decided."""

    terminal: str
    nonce: bytes
    expires_at: Utc
    claim: Claim = Claim()
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A whole window. `digest`: SHA-256 of its bytes, which lie in the archive under it."""

    terminal: str
    window: bytes
    nonce: bytes
    digest: str
    key: PublicKey
    simulated: bool
    received_at: Utc


@dataclass(frozen=True, slots=True)
class Suspect:
    """Bytes of an authenticated terminal that were not accepted, kept apart."""

    terminal: str
    id: UUID
    received_at: Utc
    reason: str
    raw: bytes
