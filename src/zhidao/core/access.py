"""Who may do what, as data: roles, and a relation to the object that is asked about or changed.

A use case declares its `Access` beside itself and asks it about every actor, so the same rule holds
over HTTP, the bus, the exchange, device protocols and commands. A route declares the `Access` of
its use case beside its handler; the gate then checks the role before a body is read. The relation
is known only once the object is: the use case asks for it with what it has just read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Forbidden

Found = TypeVar("Found")


class Relation(StrEnum):
    """How a caller's party has to stand to an object."""

    ANYBODY = "anybody"  # in no relation: the object is nobody's, or open to each of these roles
    OWNER = "owner"  # it is the party's own, or becomes so by this act
    PEER = "peer"  # the object names the party, or is shown to it; its owner is a peer too
    BANK_OF = "bank_of"  # the bank that keeps the account, or that issued or holds the money


def _nobody(_: Any) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True, eq=False)
class Access(Generic[Found]):
    """Which roles may do something, and in which relation to the object.

    roles: empty for what is open to strangers. of: the object, in words for the documentation.
    parties: the resolver: which parties stand in the relation to what was found (an event, a
    state, a parsed body). A use case whose reading is filtered by the caller's party needs none.
    """

    roles: frozenset[Role]
    relation: Relation
    of: str = ""
    parties: Callable[[Found], Iterable[str]] = _nobody

    @property
    def is_open(self) -> bool:
        """Whether strangers may, without any credential."""
        return not self.roles

    @property
    def has_resolver(self) -> bool:
        """Whether the relation is asked here, and not by what the caller's party may see."""
        return self.parties is not _nobody

    @property
    def is_for_nodes(self) -> bool:
        """Whether only another node may, which signs with its own key."""
        return self.roles == {Role.NODE}

    def __deepcopy__(self, _: dict[int, Any]) -> Access[Found]:
        """Itself: what asks for a rule, at the gate or in a use case, asks the same one."""
        return self

    def admit(self, actor: Actor) -> None:
        """Raises Forbidden unless the actor bears one of the roles."""
        if self.roles:
            actor.require(*sorted(self.roles))

    def relates(self, actor: Actor, found: Found) -> bool:
        """Whether the actor stands in the relation to what was found.

        Who reads everything (an auditor where its role is admitted, the node itself) always does.
        """
        return actor.viewer is None or actor.party in self.parties(found)

    def check(self, actor: Actor, found: Found) -> None:
        """Raises Forbidden unless role and relation are right."""
        self.admit(actor)
        if not self.relates(actor, found):
            what = f" of {self.of}" if self.of else ""
            raise Forbidden(f"only the {self.relation.value}{what} may do this, not {actor.party}")


def access(
    *roles: Role,
    relation: Relation = Relation.ANYBODY,
    of: str = "",
    parties: Callable[[Any], Iterable[str]] = _nobody,
) -> Access[Any]:
    """An `Access` for these roles."""
    return Access(frozenset(roles), relation, of, parties)


# What needs no rule of its own.
OPEN: Final = access()
CALLER: Final = access(Role.ADMIN, Role.OPERATOR, Role.PARTY, Role.AUDITOR)
# Lists show each caller what its party may see, and an admin nothing of any party's trade.
LIST: Final = access(
    *(Role.ADMIN, Role.OPERATOR, Role.PARTY, Role.AUDITOR), relation=Relation.PEER, of="each entry"
)
READ: Final = access(
    *(Role.OPERATOR, Role.PARTY, Role.AUDITOR), relation=Relation.PEER, of="what is named"
)
# Acts in the name of the caller's own party.
OWN: Final = access(Role.PARTY, relation=Relation.OWNER, of="what the caller makes or changes")
