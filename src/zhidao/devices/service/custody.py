"""What other rooms may ask: windows by digest, bindings, phone numbers."""

from __future__ import annotations

from zhidao.core.archive import Archive, check_digest
from zhidao.core.ids import PartyId
from zhidao.devices.events import Binding, RawWindow, Ride
from zhidao.devices.service.ports import Vault
from zhidao.devices.service.seals import Seals
from zhidao.devices.wire.chunk import decode_chunk


class KeptData:
    """Implements `commands.Custody`."""

    def __init__(self, vault: Vault, archive: Archive, seals: Seals) -> None:
        self._vault = vault
        self._archive = archive
        self._seals = seals

    async def window(self, digest: str, *, terminal: str = "") -> RawWindow:
        """A stored window with its signed chunks. Raises NotFound."""
        found = await self._vault.window(check_digest(digest), terminal)
        chunks = await self._vault.chunks(found.terminal, found.window)
        return RawWindow(
            terminal=found.terminal,
            key=found.key.multikey,
            digest=found.digest,
            data=await self._archive.get(found.digest),
            # Only chunks whose signature and nonce stood are ever stored as chunks.
            signed=True,
            simulated=found.simulated,
            chunk_digests=[decode_chunk(chunk.content).digest for chunk in chunks],
            nonce=found.nonce.hex(),
            chunks=[chunk.content for chunk in chunks],
        )

    async def window_before(self, digest: str, *, terminal: str) -> bytes:
        """The terminal's window before this one; empty if there is none. Raises NotFound."""
        window = await self._vault.window(check_digest(digest), terminal)
        before = await self._vault.window_before(window)
        return b"" if before is None else await self._archive.get(before.digest)

    async def surroundings(self, terminal: str) -> str:
        """The class that the terminal is registered with. Raises NotFound."""
        return (await self._vault.terminal(terminal)).surroundings

    async def binding(self, *, terminal: str, consignment: str, container: str = "") -> Binding:
        """Whether the terminal is bound to the consignment, or to one container, and by whom."""
        return await self._seals.binding(
            terminal=terminal, consignment=consignment, container=container
        )

    async def rides(self, terminal: str) -> list[Ride]:
        """When the terminal rode with whose goods, by its seals, the oldest first."""
        return await self._seals.rides(terminal)

    async def phone(self, terminal: str) -> str:
        """The terminal's phone number. Raises NotFound."""
        return (await self._vault.terminal(terminal)).phone

    async def owner(self, terminal: str) -> PartyId:
        """Whose terminal it is. Raises NotFound."""
        return (await self._vault.terminal(terminal)).owner

    async def keyed(self, terminal: str) -> bool:
        """Whether the terminal has a key. Raises NotFound."""
        return bool((await self._vault.terminal(terminal)).multikey)

    async def audience(self, terminal: str) -> frozenset[PartyId]:
        """Who may see the terminal. Raises NotFound."""
        found = await self._vault.terminal(terminal)
        return frozenset((found.owner, *found.visible))
