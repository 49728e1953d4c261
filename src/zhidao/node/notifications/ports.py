"""What notifications ask of the world: where they are kept, who is a person, channels out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from zhidao.core.errors import Refused
from zhidao.core.timescale import Utc
from zhidao.node.notifications.choice import Choice
from zhidao.node.notifications.message import Address, AddressState, Item, Message, State


class AddressEnded(Refused):
    """Whoever was asked says that nobody is there: the address is not tried again."""

    default_code = "address_ended"


class Store(Protocol):
    """Keeps addresses, choices, what was told and what is to be sent."""

    async def choice(self, person: str) -> Choice:
        """A person's wishes; the usual ones where nothing was said."""
        ...

    async def put_choice(self, person: str, choice: Choice) -> None:
        """Keeps them."""
        ...

    async def addresses(self, person: str = "") -> list[Address]:
        """Of one person, or of all; oldest first."""
        ...

    async def add_address(self, address: Address, first: Message | None) -> bool:
        """Keeps an address and what is sent to it first; False if the person has that target."""
        ...

    async def change_address(self, address: str, state: AddressState, reason: str) -> bool:
        """Notes what it is good for now; what still waits for one that ended is dead."""
        ...

    async def count_try(self, address: str) -> int:
        """Counts a wrong code; how many there were."""
        ...

    async def remove_address(self, person: str, address: str) -> bool:
        """Forgets it with its messages, but for codes, which count on."""
        ...

    async def codes_since(self, person: str, since: Utc) -> int:
        """How many codes were sent for a person since then."""
        ...

    async def told(self, person: str) -> set[str]:
        """Keys of the things that wait and of which the person was told."""
        ...

    async def tell(
        self,
        person: str,
        *,
        new: Sequence[Item],
        gone: Collection[str],
        messages: Sequence[Message],
    ) -> bool:
        """Notes what is new and what is gone, with the messages about it, in one transaction.

        False if there was nothing new to note: somebody else did meanwhile.
        """
        ...

    async def add_message(self, message: Message) -> None:
        """One more to send, about no item."""
        ...

    async def due(self, now: Utc, limit: int) -> list[Message]:
        """Messages whose time has come, oldest first."""
        ...

    async def items(self, message: Message) -> list[Item]:
        """What a message tells of, as far as it waits still; all of it once it was tried."""
        ...

    async def settle(
        self, message: str, state: State, *, at: Utc, code: str = "", reason: str = ""
    ) -> None:
        """Notes what became of it. A message that waits again counts a failure; `at`: when due."""
        ...

    async def messages(
        self, *, person: str = "", state: str = "", after: str = "", limit: int
    ) -> list[Message]:
        """Newest first, after the one of that id."""
        ...

    async def again(self, message: str, at: Utc) -> bool:
        """Puts a dead message back; False if it is not dead, or its address not live."""
        ...

    async def forget(self, before: Utc) -> None:
        """Forgets messages that were done before this."""
        ...


class Transport(Protocol):
    """One channel on which messages leave."""

    async def send(self, address: Address, message: Message, items: Sequence[Item]) -> None:
        """Hands a message over. Raises AddressEnded, Refused (never again), Unavailable."""
        ...
