"""Facts that rooms tell each other, signed by who says so and by the node that wrote it down.

A `Fact` is what happened; an `Event` puts it in its aggregate with owner, readers and times; a
`SignedEvent` bears two signatures. The byte form is RFC 8785 JSON of version 1, read strictly:
unknown fields, other spellings and non-canonical bytes are refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Self, TypeVar
from uuid import UUID

import msgspec

from zhidao.core.canonical import Unsigned, jcs, parse_strict
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import PartyId, parse_id, party_id
from zhidao.core.keys import PublicKey, Signer
from zhidao.core.timescale import Utc
from zhidao.core.versions import check_version_in

EVENT_BYTES_MAX: Final = 4 * 1024 * 1024
# C2SP tlog-tiles: an entry's length stands in 16 bits.
LEAF_BYTES_MAX: Final = 65_535


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every room's facts. A subclass names its TYPE, such as `trade.Delivered.v1`.

    Fields are JSON values only: str, int, bool, list, dict and nested Facts-like structs; amounts
    are minor units, instants RFC 3339 text, bytes base64url text. OPEN facts are published whole
    in the log; all others only as a salted commitment.
    """

    TYPE: ClassVar[str] = ""
    OPEN: ClassVar[bool] = False
    # Earlier types of this fact, and what a reader takes for each field that they did not have.
    FORMER: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    # Fields of earlier types that are told no more: a reader leaves them out.
    DROPPED: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    # Later types, each with its fields beyond the one before, and what that one says by being
    # without them. A type is written only for a fact that says more: whatever readers of an
    # earlier one understand is told to them as before.
    LATER: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def payload(self) -> dict[str, Any]:
        """The fact's fields as plain JSON values."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        beyond = self._beyond(self.told_as)
        return {name: value for name, value in plain.items() if name not in beyond}

    @property
    def told_as(self) -> str:
        """The type under which it is written."""
        told = self.TYPE
        for later, unsaid in self.LATER.items():
            if any(getattr(self, name) != value for name, value in unsaid.items()):
                told = later
        return told

    @classmethod
    def types(cls) -> tuple[str, ...]:
        """The types of all versions, the one that is mostly written first."""
        return (cls.TYPE, *cls.LATER, *cls.FORMER)

    @classmethod
    def is_told_by(cls, event_type: str) -> bool:
        """Whether an event of this type tells such a fact, in whatever version."""
        return event_type in cls.types()

    @classmethod
    def of(cls, event: SignedEvent) -> Self:
        """The fact inside an event. Raises MalformedInput if it is another or malformed."""
        if not cls.is_told_by(event.type):
            raise MalformedInput(f"expected a {cls.TYPE}, got a {event.type}")
        lacking = cls._lacking(event.type)
        early = sorted(lacking.keys() & event.payload.keys())
        if early:
            raise MalformedInput(f"{event.type}: a later version's field {early[0]!r}")
        plain = {**event.payload, **lacking} if lacking else event.payload
        dropped = cls.DROPPED.get(event.type, ())
        plain = {name: value for name, value in plain.items() if name not in dropped}
        try:
            fact = msgspec.convert(plain, cls, strict=True)
        except msgspec.ValidationError as error:
            raise MalformedInput(f"{event.type}: {error}") from error
        if event.type in cls.LATER and fact.told_as != event.type:
            raise MalformedInput(f"{event.type}: says no more than a {fact.told_as}")
        return fact

    @classmethod
    def _lacking(cls, event_type: str) -> Mapping[str, Any]:
        """The fields that a type has not, with what a reader takes for each."""
        return {**cls._beyond(event_type), **cls.FORMER.get(event_type, {})}

    @classmethod
    def _beyond(cls, told: str) -> dict[str, Any]:
        """The fields of types later than one, with what it says by being without them."""
        later = list(cls.LATER)
        after = later[later.index(told) + 1 :] if told in later else later
        return {name: value for each in after for name, value in cls.LATER[each].items()}


FactT = TypeVar("FactT", bound=Fact)


@dataclass(frozen=True, slots=True)
class Speaker:
    """A party and the key with which it signs."""

    party: PartyId
    key: PublicKey

    def _plain(self) -> dict[str, str]:
        return {"party": self.party, "key": self.key.multikey}


@dataclass(frozen=True, slots=True)
class SignedEvent:
    """A fact in its place, asserted by a party and recorded by a node, both signed.

    `version` counts from 1 within `aggregate` (`consignment/…`). `visible` are the parties that
    may read it beside the owner. `occurred_at` is when it happened (observed), `recorded_at` when
    the node wrote it down. `custodian` says whether the node held the asserting key.
    """

    id: UUID
    type: str
    aggregate: str
    version: int
    owner: PartyId
    visible: tuple[PartyId, ...]
    occurred_at: Utc
    recorded_at: Utc
    payload: Mapping[str, Any]
    open: bool
    custodian: bool
    asserted_by: Speaker
    recorded_by: Speaker
    assertion: bytes = b""
    record: bytes = b""
    _encoded: bytes = field(default=b"", init=False, repr=False, compare=False)

    def assertion_message(self) -> bytes:
        """What the asserting party signs: the fact, its place and its readers."""
        return jcs(self._asserted())

    def record_message(self) -> bytes:
        """What the node signs: the assertion with its signature, and when it was written down."""
        return self._unrecorded().message

    def recorded(self, key: Signer) -> Self:
        """This event with the record of a node's key."""
        form = self._unrecorded()
        record = key.sign(form.message)
        event = replace(self, record=record)
        object.__setattr__(event, "_encoded", form.signed(base64url(record)))
        return event

    def encode(self) -> bytes:
        """The one byte form of this event; made once, since log, bus and proofs all ask for it."""
        if not self._encoded:
            object.__setattr__(self, "_encoded", jcs(self._plain()))
        return self._encoded

    @property
    def digest(self) -> bytes:
        """SHA-256 of the byte form."""
        return hashlib.sha256(self.encode()).digest()

    def plain(self) -> dict[str, Any]:
        """The event as JSON values."""
        return self._plain()

    def verify(self) -> None:
        """Checks both signatures against the keys inside; who those keys are is another question.

        Raises Refused with code `bad_signature`.
        """
        if not self.asserted_by.key.verifies(self.assertion, self.assertion_message()):
            raise Refused(f"{self.type} {self.id}: wrong assertion", code="bad_signature")
        if not self.recorded_by.key.verifies(self.record, self.record_message()):
            raise Refused(f"{self.type} {self.id}: wrong record", code="bad_signature")

    def _asserted(self) -> dict[str, Any]:
        return {
            "aggregate": self.aggregate,
            "asserted_by": self.asserted_by._plain(),
            "id": str(self.id),
            "occurred_at": str(self.occurred_at),
            "open": self.open,
            "owner": self.owner,
            "payload": dict(self.payload),
            "type": self.type,
            "v": 1,
            "visible": list(self.visible),
        }

    def _unrecorded(self) -> Unsigned:
        return Unsigned(self._plain(), "record")

    def _plain(self) -> dict[str, Any]:
        return self._asserted() | {
            "assertion": base64url(self.assertion),
            "custodian": self.custodian,
            "record": base64url(self.record),
            "recorded_at": str(self.recorded_at),
            "recorded_by": self.recorded_by._plain(),
            "version": self.version,
        }

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads the byte form. Raises MalformedInput for anything but exactly that form."""
        event = cls.from_plain(parse_strict(data, bytes_max=EVENT_BYTES_MAX))
        if event.encode() != data:
            raise MalformedInput("the event is not in its canonical form")
        return event

    @classmethod
    def from_plain(cls, plain: object) -> Self:
        """From parsed JSON. Raises MalformedInput for wrong types, missing or unknown fields."""
        check_version_in(plain, form="an event", known=(1,))
        try:
            wire = msgspec.convert(plain, WireEvent, strict=True)
        except msgspec.ValidationError as error:
            raise MalformedInput(f"event: {error}") from error
        return cls(
            id=parse_id(wire.id),
            type=wire.type,
            aggregate=wire.aggregate,
            version=wire.version,
            owner=party_id(wire.owner),
            visible=tuple(party_id(p) for p in wire.visible),
            occurred_at=Utc.parse(wire.occurred_at),
            recorded_at=Utc.parse(wire.recorded_at),
            payload=wire.payload,
            open=wire.open,
            custodian=wire.custodian,
            asserted_by=wire.asserted_by.speaker(),
            recorded_by=wire.recorded_by.speaker(),
            assertion=parse_base64url(wire.assertion),
            record=parse_base64url(wire.record),
        )


class WireSpeaker(msgspec.Struct, forbid_unknown_fields=True):
    """A party and the key that it signed with, as an event carries them."""

    party: str
    key: str

    def speaker(self) -> Speaker:
        """The same, read."""
        return Speaker(party_id(self.party), PublicKey.from_multikey(self.key))


class WireEvent(msgspec.Struct, forbid_unknown_fields=True):
    """An event as its JSON has it: on the bus, in the log of an open fact, in a proof."""

    v: int
    id: str
    type: str
    aggregate: str
    version: int
    owner: str
    visible: list[str]
    occurred_at: str
    recorded_at: str
    payload: dict[str, Any]
    open: bool
    custodian: bool
    asserted_by: WireSpeaker
    recorded_by: WireSpeaker
    assertion: str
    record: str


def leaf_bytes(event: SignedEvent, salt: bytes) -> bytes:
    """The public log entry of an event: whole if open, else a commitment to salt and event.

    commitment = SHA-256(salt || event bytes), salt 32 bytes: without the salt nobody can guess it.
    """
    if event.open:
        return jcs({"event": event._plain(), "kind": "open", "v": 1})
    commitment = hashlib.sha256(salt + event.encode()).digest()
    return jcs({"commitment": base64url(commitment), "kind": "commitment", "v": 1})


def latest(events: tuple[SignedEvent, ...], fact: type[FactT]) -> FactT | None:
    """The newest fact of one kind in an aggregate's history, or None."""
    for event in reversed(events):
        if fact.is_told_by(event.type):
            return fact.of(event)
    return None


def every(events: tuple[SignedEvent, ...], fact: type[FactT]) -> list[FactT]:
    """All facts of one kind in an aggregate's history, oldest first."""
    return [fact.of(event) for event in events if fact.is_told_by(event.type)]
