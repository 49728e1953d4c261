"""Fields of bodies that name a party as owner, holder, payee or addressee: it must be known here.

A field says so of itself, by `KNOWN` beside its type; whoever reads the body asks for each of them
before the route does anything. So an account is not opened, nor a title handed, to a slip of the
pen. A body of which a domain's own value names parties tells them by `parties_within`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, Protocol

import msgspec
from msgspec import inspect

from zhidao.core.ids import PartyId, party_id

_MARK: Final = "party_known_here"
KNOWN: Final = msgspec.Meta(extra={_MARK: True})
"""Beside a field's type: the party that it names is at home here or at an admitted peer."""


class MustBeKnown(Protocol):
    """Raises Refused (`party_unknown`) for the first party that the node does not know."""

    async def __call__(self, *parties: PartyId) -> None:
        """Asks for all of them at once."""
        ...


# Under this name in the application's state.
MUST_BE_KNOWN: Final = "party_must_be_known"


async def check_parties(body: Any, must_be_known: MustBeKnown) -> None:
    """Raises what `must_be_known` raises, MalformedInput for what is no party's name.

    A field left empty names none.
    """
    named: list[str] = list(body.parties_within()) if hasattr(body, "parties_within") else []
    kind: Any = type(body)
    for name, _ in fields_naming(kind):
        value = getattr(body, name)
        named += [value] if isinstance(value, str) else value or []
    if any(named):
        await must_be_known(*(party_id(party) for party in named if party))


@lru_cache(maxsize=512)
def fields_naming(kind: Any, mark: msgspec.Meta = KNOWN) -> tuple[tuple[str, str], ...]:
    """The fields of a struct that name known parties: attribute, and name in JSON.

    `mark`: those that have another mark beside their type, a `msgspec.Meta` with `extra`.
    """
    if not isinstance(kind, type) or not issubclass(kind, msgspec.Struct):
        return ()
    told = inspect.type_info(kind)
    fields = told.fields if isinstance(told, inspect.StructType) else ()
    return tuple((each.name, each.encode_name) for each in fields if _marked(each.type, mark))


def _marked(kind: inspect.Type, mark: msgspec.Meta) -> bool:
    if isinstance(kind, inspect.Metadata):
        extra = kind.extra or {}
        return (mark.extra or {}).items() <= extra.items() or _marked(kind.type, mark)
    return isinstance(kind, inspect.ListType) and _marked(kind.item_type, mark)
