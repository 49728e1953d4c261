"""A person's own choices about pages: language, theme, times, borders, and how tables stand.

They are nobody's statement and change nothing for others, so no leaf of the log tells of them, and
an auditor, who changes nothing of anybody's, has them as well.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from zhidao.core.access import CALLER
from zhidao.core.actor import Actor
from zhidao.core.errors import Forbidden

MAY_PREFER: Final = CALLER
# More tables than there are lists; the pages have some thirty.
TABLES_OF_PERSON_MAX: Final = 100
AUTO: Final = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How pages look. `language`, `theme`: `auto` for what the browser says."""

    language: str = AUTO
    theme: str = AUTO
    times: str = "local"
    borders: str = "thin"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChoice:
    """How a table stands: its order (a column, `-` before it: from the end) and its columns.

    `shown` empty: those that the page shows by itself.
    """

    sort: str = ""
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What one person chose; `look` is None where nothing was."""

    look: Look | None = None
    tables: Mapping[str, TableChoice] = field(default_factory=dict)


class Store(Protocol):
    """Where choices are kept, by person."""

    async def preferences(self, person: str) -> Preferences:
        """All of one person's."""
        ...

    async def put_look(self, person: str, look: Look) -> None:
        """Keeps it in the place of the one before."""
        ...

    async def put_table(self, person: str, name: str, choice: TableChoice, *, most: int) -> None:
        """Keeps it in the place of the one before; of more than `most`, the oldest go."""
        ...


class OwnPreferences:
    """What a caller may do about them: its own, and nobody else's."""

    def __init__(self, store: Store, speak: Callable[[Actor, str], Awaitable[None]]) -> None:
        """`speak`: a person's messages are of this language from now on."""
        self._store = store
        self._speak = speak

    async def own(self, actor: Actor) -> Preferences:
        """The caller's; nothing for a token or a link, behind which anybody may stand."""
        MAY_PREFER.admit(actor)
        return await self._store.preferences(actor.person) if actor.person else Preferences()

    async def look(self, actor: Actor, look: Look) -> None:
        """Keeps how pages look; mails and pushes speak the language that was chosen.

        Raises Forbidden (`nobody_prefers`) for a token or a link.
        """
        await self._store.put_look(_person(actor), look)
        if look.language != AUTO:
            await self._speak(actor, look.language)

    async def table(self, actor: Actor, name: str, choice: TableChoice) -> None:
        """Keeps how one table stands. Raises Forbidden (`nobody_prefers`)."""
        await self._store.put_table(_person(actor), name, choice, most=TABLES_OF_PERSON_MAX)


def _person(actor: Actor) -> str:
    MAY_PREFER.admit(actor)
    if not actor.person:
        raise Forbidden(
            "a token or link is nobody whose choices could be kept",
            code="nobody_prefers",
            remedy="sign in as a person",
        )
    return actor.person
