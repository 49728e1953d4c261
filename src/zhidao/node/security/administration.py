"""The trace of administration: each act is one signed event with a leaf in the log.

An act is written in the same transaction as what it did. While the node may sign nothing (it is
recovering), and for what commands do beside a running node, the act waits unsigned in the database
and is signed as soon as it can be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

import msgspec

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import Unavailable
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import Entry, Scribe
from zhidao.core.timescale import Utc
from zhidao.node.events import Administered

PREFIX: Final = "administration/"
CONSOLE: Final = "console"
SIGNED_AT_ONCE: Final = 100


class Act(StrEnum):
    """What somebody may do to a node that leaves a trace."""

    TOKEN_MADE = "token_made"  # noqa: S105 (names of acts, no secrets)
    TOKEN_AGREED = "token_agreed"  # noqa: S105
    TOKEN_WITHDRAWN = "token_withdrawn"  # noqa: S105
    CODE_MADE = "code_made"
    CODE_ENTERED = "code_entered"
    FIRST_ADMIN_MADE = "first_admin_made"
    PERSON_MADE = "person_made"
    PERSON_INVITED = "person_invited"
    INVITATION_ACCEPTED = "invitation_accepted"
    PERSON_AGREED = "person_agreed"
    PERSON_CHANGED = "person_changed"
    PERSON_WITHDRAWN = "person_withdrawn"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_RESET = "password_reset"  # noqa: S105
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_UNLINKED = "identity_unlinked"
    SESSIONS_ENDED = "sessions_ended"
    SIGNED_IN = "signed_in"
    SIGN_INS_FAILED = "sign_ins_failed"
    LOCKED = "locked"
    PARTY_MADE = "party_made"
    SETTINGS_AT_START = "settings_at_start"
    BACKUP_BEGUN = "backup_begun"
    RESTORED = "restored"
    EARLIER_ADOPTED = "earlier_adopted"
    CLOCK_AGREED = "clock_agreed"
    PEER_INVITED = "peer_invited"
    PEER_INVITATION_WITHDRAWN = "peer_invitation_withdrawn"


class PendingAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An act before it is signed."""

    id: str
    at: str
    by: str
    fact: Administered


@dataclass(frozen=True, slots=True)
class Record:
    """An act to be written: signed, or to be signed later."""

    pending: PendingAct
    entry: Entry | None

    @property
    def id(self) -> UUID:
        """The act's identifier."""
        return UUID(self.pending.id)

    def encode(self) -> bytes:
        """The unsigned form, for the database."""
        return msgspec.json.encode(self.pending)


def pending_act(
    actor: Actor,
    act: Act,
    *,
    id: UUID,  # noqa: A002 (what it is called in events)
    at: Utc,
    subject: str,
    party: PartyId,
    values: Mapping[str, str] | None = None,
) -> PendingAct:
    """An act of an actor, not signed yet. `party`: whom it concerns."""
    fact = Administered(
        act=act.value,
        subject=subject,
        party=party,
        person=actor.person,
        role=actor.role.value,
        credential=actor.credential,
        values=dict(values or {}),
    )
    return PendingAct(id=str(id), at=str(at), by=actor.party, fact=fact)


class PendingActs(Protocol):
    """Acts that wait for their signature."""

    async def add(self, record: Record) -> None:
        """Writes an act by itself, signed or waiting."""
        ...

    async def waiting(self, limit: int) -> Sequence[bytes]:
        """Unsigned acts, oldest first."""
        ...

    async def signed(self, record: Record) -> None:
        """Puts the signed event in the place of the waiting act, in one transaction."""
        ...


class Administration:
    """Makes records of acts, and signs those that had to wait."""

    def __init__(self, scribe: Scribe, ids: IdSource, clock: Clock, acts: PendingActs) -> None:
        self._scribe = scribe
        self._ids = ids
        self._clock = clock
        self._acts = acts

    @property
    def node(self) -> PartyId:
        """The party name of this node."""
        return self._scribe.node

    def record(
        self,
        actor: Actor,
        act: Act,
        *,
        subject: str,
        party: PartyId,
        values: Mapping[str, str] | None = None,
    ) -> Record:
        """What to write with an act; unsigned while this node may sign nothing."""
        pending = pending_act(
            actor,
            act,
            id=self._ids.new(),
            at=self._clock.now(),
            subject=subject,
            party=party,
            values=values,
        )
        try:
            return Record(pending, self._entry(pending))
        except Unavailable:
            return Record(pending, None)

    async def note(
        self,
        actor: Actor,
        act: Act,
        *,
        subject: str,
        party: PartyId,
        values: Mapping[str, str] | None = None,
    ) -> None:
        """Writes an act that changes nothing else in the database."""
        await self._acts.add(self.record(actor, act, subject=subject, party=party, values=values))

    async def sign_waiting(self) -> None:
        """Signs what waits, if this node may sign now."""
        for data in await self._acts.waiting(SIGNED_AT_ONCE):
            pending = msgspec.json.decode(data, type=PendingAct)
            try:
                entry = self._entry(pending)
            except Unavailable:
                return
            await self._acts.signed(Record(pending, entry))

    def _entry(self, pending: PendingAct) -> Entry:
        by = PartyId(pending.by)
        speaks = self._scribe.speaks_for(by)
        return self._scribe.write(
            pending.fact,
            by=by if speaks else self._scribe.node,
            aggregate=f"{PREFIX}{pending.id}",
            version=1,
            owner=self._scribe.node,
            visible=[PartyId(pending.fact.party)],
            occurred_at=Utc.parse(pending.at),
        )


def console(node: PartyId) -> Actor:
    """Who works at the machine itself."""
    return Actor(node, Role.NODE, credential=CONSOLE)
