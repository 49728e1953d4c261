"""What other rooms may ask of the trust room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from zhidao.core.actor import Actor
from zhidao.core.ids import PartyId
from zhidao.trust.events import Appended, Presented, Title, UntpEnvelope


class Log(Protocol):
    """The transparency log of this node."""

    async def append(self, transaction: object, leaves: Sequence[bytes]) -> Appended:
        """Adds leaves inside the caller's database transaction (the relay marks its rows there)."""
        ...

    async def sign_checkpoint(self) -> bytes:
        """Signs the newest committed tree head; returns the signed note."""
        ...


class Titles(Protocol):
    """Bills of lading as singular titles on this node's chain."""

    async def mint(
        self, actor: Actor, *, document: str, consignment: str, holder: str, readers: Sequence[str]
    ) -> Title:
        """Mints the title of a document (its SHA-256) to a party; again: the same title."""
        ...

    async def title(self, title: str) -> Title:
        """The title as it stands. Raises NotFound."""
        ...

    async def into_custody(
        self, actor: Actor, *, title: str, deal: str, signed: bytes = b""
    ) -> Title:
        """Moves a title from the actor's party to the deal's custody account; idempotent.

        `signed`: the transaction, where the party's key is not at this node.
        """
        ...

    async def sign_from_custody(self, *, title: str, deal: str, to_party: str) -> bytes:
        """Signs, without sending, the transfer out of custody: the bytes that a decision holds."""
        ...

    async def send(self, actor: Actor, *, raw: bytes, title: str, purpose: str) -> Title:
        """Logs signed bytes, executes them and returns the title after them; idempotent."""
        ...


class Credentials(Protocol):
    """W3C verifiable credentials."""

    async def issue(
        self,
        actor: Actor,
        *,
        kind: str,
        subject: dict[str, Any],
        document: str,
        readers: Sequence[str],
        envelope: UntpEnvelope | None = None,
    ) -> dict[str, Any]:
        """Issues a VC 2.0 (eddsa-jcs-2022) as the actor's party; logs it; again: the same one.

        `envelope` makes it a credential in the shape of UNTP.
        """
        ...

    async def verify(self, credential: bytes) -> tuple[bool, str]:
        """Whether it holds, and if not the reason code."""
        ...


class SelectiveCredentials(Protocol):
    """Credentials whose holder shows one claim and keeps another (SD-JWT VC)."""

    def issue(
        self, *, kind: str, holder: PartyId, claims: Mapping[str, Any], hidden: Sequence[str]
    ) -> str:
        """A token by this node about a party, bound to the party's key.

        `hidden`: the claims that the holder may leave out. Raises Unavailable (`no_key`).
        """
        ...

    def present(
        self, token: str, *, holder: PartyId, names: Sequence[str], audience: str, nonce: str
    ) -> str:
        """The token with these hidden claims only, signed by its holder for one audience."""
        ...

    async def verify(self, presentation: str, *, audience: str, nonce: str) -> Presented:
        """Who issued it and what it shows. Raises MalformedInput or Refused with the reason."""
        ...
