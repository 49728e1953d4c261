"""Who asks: every use case takes an Actor, and rules look at nothing else about the caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from zhidao.core.errors import Forbidden
from zhidao.core.ids import PartyId

# No party has this name, so nothing is ever shown to it.
NOBODY: Final = PartyId("")


class Role(StrEnum):
    """What a token or a session may do. Least privilege: a caller bears exactly one."""

    ADMIN = "admin"  # manages tokens, people and settings; sees no party's trade data
    OPERATOR = "operator"  # runs the node: navigation data, terminals, health, backups
    PARTY = "party"  # acts for one party and sees what that party may see
    AUDITOR = "auditor"  # reads everything, changes nothing; each look is recorded
    NODE = "node"  # the node itself, acting on events


@dataclass(frozen=True, slots=True)
class Actor:
    """A caller: the party it speaks for and its role.

    `person`: who signed in with a password of their own; empty for tokens and one-time links,
    behind which anybody may stand. `credential`: by what the caller was known (`token 0a1b…`,
    `session`, `console`). Neither changes anything of what the caller may see.
    """

    party: PartyId
    role: Role
    person: str = field(default="", compare=False)
    credential: str = field(default="", compare=False)

    @property
    def viewer(self) -> PartyId | None:
        """The party whose visibility limits this actor's reading; None reads everything.

        For an admin that is nobody: who makes tokens for a party does not read what is its own.
        """
        if self.role is Role.ADMIN:
            return NOBODY
        return None if self.role in (Role.AUDITOR, Role.NODE) else self.party

    def require(self, *roles: Role) -> None:
        """Raises Forbidden unless the actor bears one of the roles."""
        if self.role not in roles:
            wanted = " or ".join(role.value for role in roles)
            raise Forbidden(f"this needs the role {wanted}; the caller is {self.role.value}")
