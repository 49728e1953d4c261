"""Passkeys in memory: the twin under the contract of those in PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from zhidao.core.timescale import Utc
from zhidao.node.adapters.memory_callers import MemoryActs, MemoryCallers
from zhidao.node.security.administration import Record
from zhidao.node.security.passkeys.records import Passkey


class MemoryPasskeys:
    """Passkeys in a dictionary, beside callers in memory."""

    def __init__(self, callers: MemoryCallers, acts: MemoryActs) -> None:
        self._callers = callers
        self._acts = acts

    async def add(self, passkey: Passkey, record: Record | None) -> bool:
        """Keeps a new one; see the port."""
        if passkey.credential_id in self._callers.passkeys:
            return False
        self._callers.passkeys[passkey.credential_id] = passkey
        self._acts.keep(record)
        return True

    async def of(self, name: str) -> list[Passkey]:
        """Those of a person, oldest first."""
        return [each for each in self._callers.passkeys.values() if each.name == name]

    async def passkey(self, credential_id: bytes) -> Passkey | None:
        """The one of that credential."""
        return self._callers.passkeys.get(credential_id)

    async def used(self, before: Passkey, sign_count: int, at: Utc) -> bool:
        """Notes a use; see the port."""
        now = self._callers.passkeys.get(before.credential_id)
        if now is None or (now.sign_count >= sign_count and (now.sign_count or sign_count)):
            return False
        self._callers.passkeys[before.credential_id] = replace(
            now, sign_count=sign_count, used_at=at
        )
        return True

    async def remove(self, passkey: Passkey, record: Record | None) -> bool:
        """Forgets one; see the port."""
        if self._callers.passkeys.pop(passkey.credential_id, None) is None:
            return False
        self._acts.keep(record)
        return True

    async def mark(self, name: str, *, falls: bool) -> None:
        """Notes whether those of a person go; see the port."""
        for each in await self.of(name):
            self._callers.passkeys[each.credential_id] = replace(each, falls=falls)

    async def counts(self) -> Mapping[str, int]:
        """How many each person has, of those who have one."""
        return Counter(each.name for each in self._callers.passkeys.values())
