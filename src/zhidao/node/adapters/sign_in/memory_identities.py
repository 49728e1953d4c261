"""Identities in memory: the twin under the contract of those in PostgreSQL."""

from __future__ import annotations

from zhidao.node.adapters.memory_callers import MemoryActs
from zhidao.node.security.administration import Record
from zhidao.node.security.openid.identities import Identity, Named


class MemoryIdentities:
    """Identities in a dictionary."""

    def __init__(self, acts: MemoryActs) -> None:
        self._acts = acts
        self._kept: dict[Named, Identity] = {}

    async def add(self, identity: Identity, record: Record | None) -> bool:
        """Keeps one; see the port."""
        issuers = {each.named.issuer for each in await self.of(identity.name)}
        if identity.named in self._kept or identity.named.issuer in issuers:
            return False
        self._kept[identity.named] = identity
        self._acts.keep(record)
        return True

    async def find(self, named: Named) -> Identity | None:
        """The one that a provider names."""
        return self._kept.get(named)

    async def of(self, name: str) -> list[Identity]:
        """Those of a person, in order of their providers."""
        own = [each for each in self._kept.values() if each.name == name]
        return sorted(own, key=lambda each: each.named.issuer)

    async def remove(self, identity: Identity, record: Record | None) -> bool:
        """Forgets one; see the port."""
        kept = self._kept.get(identity.named)
        if kept is None or kept.name != identity.name:
            return False
        del self._kept[identity.named]
        self._acts.keep(record)
        return True
