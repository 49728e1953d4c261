"""What a process of the node may do, in the words of the setting `node.roles`."""

from __future__ import annotations

from typing import Final

from zhidao.core.errors import MalformedInput, Refused

ALL: Final = "all"
# Any number of processes at once.
MANY: Final = ("api", "page")
# One process at a time, under a lease.
SINGLE: Final = ("gateway", "recorder", "relay", "ledger", "log", "chain", "federation", "batch")
ROLES: Final = (*MANY, *SINGLE)


def parse_roles(text: str) -> frozenset[str]:
    """The roles of a process. Raises MalformedInput for a word that is none.

    Raises Refused (`roles_together`) for some of those of one writer without the others: they
    share what is in memory, so this release runs them in one process.
    """
    words = frozenset(word.strip() for word in text.split(",")) - {""}
    if ALL in words:
        words |= frozenset(ROLES)
        words -= {ALL}
    if not words or (unknown := sorted(words - frozenset(ROLES))):
        raise unknown_role(", ".join(unknown) if words else "")
    missing = sorted(frozenset(SINGLE) - words)
    if missing and len(missing) < len(SINGLE):
        raise Refused(
            f"node.roles names some roles of one writer without {', '.join(missing)}",
            code="roles_together",
            remedy=f"name all of {', '.join(SINGLE)}, or none of them",
        )
    return words


def unknown_role(named: str) -> MalformedInput:
    """What is said of a word that is none of the roles."""
    return MalformedInput(
        f"{named[:80]!r} is no role of a process",
        code="unknown_role",
        where="node.roles",
        remedy=f"name {ALL}, or some of {', '.join(ROLES)}",
    )


def single(roles: frozenset[str]) -> tuple[str, ...]:
    """Those that need a lease, in order of name."""
    return tuple(sorted(roles & frozenset(SINGLE)))
