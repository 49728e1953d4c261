"""Drafts of entries in memory."""

from __future__ import annotations

from dataclasses import replace

from zhidao.core.errors import NotFound
from zhidao.core.ids import PartyId
from zhidao.trade.service.ports import Draft


class MemoryDrafts:
    """Implements `ports.Drafts`."""

    def __init__(self) -> None:
        self._kept: dict[tuple[PartyId, str], Draft] = {}

    async def put(self, owner: PartyId, draft: Draft) -> None:
        """Keeps a draft in the place of the one that had its name."""
        self._kept[owner, draft.name] = draft

    async def get(self, owner: PartyId, name: str) -> Draft:
        """A draft. Raises NotFound."""
        if (owner, name) not in self._kept:
            raise NotFound("no draft of that name")
        return self._kept[owner, name]

    async def remove(self, owner: PartyId, name: str) -> None:
        """Drops a draft; one that is not there is no error."""
        self._kept.pop((owner, name), None)

    async def listed(self, owner: PartyId) -> list[Draft]:
        """The owner's drafts without their fields, the newest first."""
        own = [
            replace(draft, fields={}) for (party, _), draft in self._kept.items() if party == owner
        ]
        return sorted(own, key=lambda draft: (-draft.saved_at.tai_ns, draft.name))[:100]
