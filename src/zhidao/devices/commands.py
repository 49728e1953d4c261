"""What other rooms may ask of the devices room."""

from __future__ import annotations

from typing import Protocol

from zhidao.core.ids import PartyId
from zhidao.devices.events import Binding, RawWindow, Ride


class Custody(Protocol):
    """The keeper of raw data and of the bond between terminal and goods."""

    async def window(self, digest: str, *, terminal: str = "") -> RawWindow:
        """A stored window of raw observations. Raises NotFound.

        Two terminals may send the same bytes: name the terminal to read its own submission, else
        the newest is given.
        """
        ...

    async def window_before(self, digest: str, *, terminal: str) -> bytes:
        """The window that the terminal sent last before this one; empty if there is none.

        Raises NotFound for a window that is not stored.
        """
        ...

    async def surroundings(self, terminal: str) -> str:
        """The class of surroundings that the terminal is registered with. Raises NotFound."""
        ...

    async def binding(self, *, terminal: str, consignment: str, container: str = "") -> Binding:
        """Whether the terminal is bound to the consignment by `Sealed` and `SealChecked`.

        `container`: to this one of its containers, and to no other.
        """
        ...

    async def rides(self, terminal: str) -> list[Ride]:
        """When the terminal rode with whose goods, by its seals, the oldest first.

        A seal that was closed and not looked at yet counts; one that was found broken or elsewhere,
        and one whose terminal was sealed elsewhere since, counts until then.
        """
        ...

    async def phone(self, terminal: str) -> str:
        """The terminal's phone number as the network knows it. Raises NotFound."""
        ...

    async def owner(self, terminal: str) -> PartyId:
        """Whose terminal it is: who carries the goods that it rides with. Raises NotFound."""
        ...

    async def keyed(self, terminal: str) -> bool:
        """Whether the terminal has a key that signs its raw signals. Raises NotFound."""
        ...

    async def audience(self, terminal: str) -> frozenset[PartyId]:
        """Who may see the terminal, its phone number with it. Raises NotFound."""
        ...
