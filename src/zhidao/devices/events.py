"""What the devices room tells the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from zhidao.core.events import Fact
from zhidao.core.timescale import Utc


class TerminalRegistered(Fact, frozen=True, kw_only=True):
    """A terminal may connect; `key` (Multikey) signs its raw windows. Aggregate `terminal/<id>`.

    An empty `key`: it has none, so that what it says is claimed and never a proof.
    Since version 2: `surroundings` is the class of what stands around its antenna.
    """

    TYPE: ClassVar[str] = "devices.TerminalRegistered.v2"
    # Whoever registered before was not asked: the class of which least is known.
    FORMER: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "devices.TerminalRegistered.v1": {"surroundings": "vehicle"}
    }
    terminal: str
    phone: str
    key: str
    surroundings: str = "vehicle"


class EnrolmentChanged(Fact, frozen=True, kw_only=True):
    """How a terminal stands with this node. Aggregate `terminal/<id>`; told by the node.

    `state`: invited (until `until` a registration is answered with a token, once), enrolled (the
    token was shown, and no registration is answered any more), suspended, retired. `by`: the party
    that decided, empty where the terminal itself came.
    """

    TYPE: ClassVar[str] = "devices.EnrolmentChanged.v1"
    terminal: str
    state: str
    until: str = ""
    by: str = ""


class WindowReceived(Fact, frozen=True, kw_only=True):
    """All chunks of a window of raw observations are stored. Aggregate `terminal/<id>`.

    `digest` is SHA-256 of the reassembled bytes; `chunk_digests` those of the signed chunks in
    order; `nonce` (hex) is the one that this node gave to this terminal in this session.
    """

    TYPE: ClassVar[str] = "devices.WindowReceived.v1"
    terminal: str
    key: str
    digest: str
    size_bytes: int
    chunk_digests: list[str]
    nonce: str
    simulated: bool


class SubmissionRefused(Fact, frozen=True, kw_only=True):
    """Something that a terminal sent was not accepted as trusted. Aggregate `terminal/<id>`.

    `reason`: not_invited, of_another, wrong_token, wrong_imei, suspended, in_use_elsewhere,
    unknown_terminal, unknown_key, bad_signature, replayed_nonce, bad_checksum, incomplete.
    """

    TYPE: ClassVar[str] = "devices.SubmissionRefused.v1"
    terminal: str
    reason: str
    sentence: str


class MessageIncomplete(Fact, frozen=True, kw_only=True):
    """Sub-packets of a message never came, though each that did is kept and was acknowledged.

    Aggregate `terminal/<id>`. `message_id`: as the protocol numbers it; `first_serial`: of the
    first sub-packet; `came`: which of them, from 1 to `packets_total`; `root`: Merkle root of their
    bodies, hex.
    """

    TYPE: ClassVar[str] = "devices.MessageIncomplete.v1"
    terminal: str
    message_id: int
    first_serial: int
    packets_total: int
    came: list[int]
    root: str


class PositionsRecorded(Fact, frozen=True, kw_only=True):
    """A batch of position frames is stored. Aggregate `terminal/<id>`. `root`: Merkle root, hex."""

    TYPE: ClassVar[str] = "devices.PositionsRecorded.v1"
    terminal: str
    count: int
    root: str
    first_at: str
    last_at: str


class Sealed(Fact, frozen=True, kw_only=True):
    """The carrier closed a container with a seal that this terminal is part of.

    Aggregate `seal/<number>`; asserted by the carrier.
    """

    TYPE: ClassVar[str] = "devices.Sealed.v1"
    seal: str
    container: str
    consignment: str
    terminal: str
    terminal_key: str


class SealChecked(Fact, frozen=True, kw_only=True):
    """Somebody looked at the seal and found it whole, or not. Aggregate `seal/<number>`."""

    TYPE: ClassVar[str] = "devices.SealChecked.v1"
    seal: str
    container: str
    terminal: str
    intact: bool
    place: str


class RawWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A stored window as other rooms read it.

    `signed`: every chunk bore the registered key's signature over this node's nonce.
    """

    terminal: str
    key: str
    digest: str
    data: bytes
    signed: bool
    simulated: bool
    chunk_digests: list[str]
    nonce: str = ""
    chunks: list[bytes] = msgspec.field(default_factory=list)


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """What binds a terminal to goods. Bound only if sealed by the carrier and found intact."""

    seal: str
    container: str
    terminal: str
    terminal_key: str
    sealed_by: str
    checked_by: str
    bound: bool
    reason: str


class Ride(msgspec.Struct, frozen=True, kw_only=True):
    """A span in which a seal that stands joins a terminal to a consignment's container.

    `begin`: when it was closed; `end`: from when it holds no more, by the clocks of who recorded
    it, None: it stands.
    """

    consignment: str
    container: str
    begin: Utc
    end: Utc | None
