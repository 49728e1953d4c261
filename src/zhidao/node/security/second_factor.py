"""What stands between a first proof of who somebody is and a session, where there is more to show.

It is raised, so that a way in that does not know of it lets nobody in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from zhidao.core.errors import Unauthenticated

if TYPE_CHECKING:
    from zhidao.node.security.callers import Person
    from zhidao.node.security.gate import Origin


@dataclass(frozen=True, slots=True)
class Site:
    """Under which of its names a node is asked: the only one at which a passkey of it works.

    `origins`: what a browser says of such a page. `host` is empty where there is only an address,
    for which no authenticator makes a passkey.
    """

    host: str = ""
    origins: tuple[str, ...] = ()


class PasskeyAsked(Unauthenticated):
    """Who came so far has a passkey to show.

    `options`: what the browser asks the authenticator with; `ticket`: what goes with its answer.
    """

    default_code = "passkey_needed"

    def __init__(self, ticket: str, options: dict[str, Any]) -> None:
        super().__init__("this person signs in with a passkey, in a browser")
        self.ticket = ticket
        self.options = options


class SecondFactor(Protocol):
    """Asks for more, of whoever has more to show."""

    async def ask(
        self, person: Person, *, origin: Origin, credential: str, device: str, noted: bool
    ) -> None:
        """Raises PasskeyAsked, or Unauthenticated if it cannot be shown here.

        `credential`: by what the person came; `noted`: whether coming in is an act of its own.
        """
        ...
