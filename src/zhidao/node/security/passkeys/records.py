"""What is kept of a passkey, and what an act of administration says of one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from zhidao.core.actor import Actor
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.node.security.administration import Act, Administration, Record


@dataclass(frozen=True, slots=True)
class Passkey:
    """A credential of a person's authenticator; `label`: what the person calls it.

    `host`: under which name of the node it works. `falls`: it goes once the party agrees to the
    password that an admin gave.
    """

    credential_id: bytes
    name: str
    label: str
    host: str
    public_key: bytes
    sign_count: int
    created_at: Utc
    used_at: Utc | None = None
    falls: bool = False

    @property
    def id(self) -> str:
        """By what it is named."""
        return hashlib.sha256(self.credential_id).hexdigest()[:16]


class PasskeyStore(Protocol):
    """Where passkeys are kept; each change takes the record of its act."""

    async def add(self, passkey: Passkey, record: Record | None) -> bool:
        """Keeps a new one; False, and nothing written, if that credential is known already."""
        ...

    async def of(self, name: str) -> list[Passkey]:
        """Those of a person, oldest first."""
        ...

    async def passkey(self, credential_id: bytes) -> Passkey | None:
        """The one of that credential."""
        ...

    async def used(self, before: Passkey, sign_count: int, at: Utc) -> bool:
        """Notes a use; False if it is no more, or was used with as high a count meanwhile."""
        ...

    async def remove(self, passkey: Passkey, record: Record | None) -> bool:
        """Forgets one; False, and nothing written, if there is none."""
        ...

    async def mark(self, name: str, *, falls: bool) -> None:
        """Notes whether those of a person go once the party agrees to a new password."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """How many each person has, of those who have one."""
        ...


def passkey_record(
    administration: Administration, actor: Actor, act: Act, passkey: Passkey, party: PartyId
) -> Record:
    """The trace of a passkey that came or went. `party`: whose person holds it."""
    return administration.record(
        actor, act, subject=passkey.name, party=party, values=values_of(passkey)
    )


def values_of(passkey: Passkey) -> dict[str, str]:
    """What an act says of a passkey."""
    return {"id": passkey.id, "label": passkey.label, "made": digest_of(passkey)}


def digest_of(passkey: Passkey) -> str:
    """What an act says of a passkey, so that a changed row shows; its uses are no part of it."""
    parts = (passkey.name, passkey.label, passkey.host)
    told = (*parts, passkey.credential_id.hex(), passkey.public_key.hex())
    return hashlib.sha256("\n".join(told).encode()).hexdigest()
