"""People's choices in memory."""

from __future__ import annotations

from zhidao.node.preferences.choices import Look, Preferences, TableChoice


class MemoryPreferences:
    """Implements `preferences.choices.Store`."""

    def __init__(self) -> None:
        self._looks: dict[str, Look] = {}
        self._tables: dict[str, dict[str, TableChoice]] = {}

    async def preferences(self, person: str) -> Preferences:
        """All of one person's; see the port."""
        return Preferences(look=self._looks.get(person), tables=dict(self._tables.get(person, {})))

    async def put_look(self, person: str, look: Look) -> None:
        """Keeps it; see the port."""
        self._looks[person] = look

    async def put_table(self, person: str, name: str, choice: TableChoice, *, most: int) -> None:
        """Keeps it; see the port."""
        tables = self._tables.setdefault(person, {})
        tables.pop(name, None)
        tables[name] = choice
        for oldest in list(tables)[:-most]:
            del tables[oldest]
