"""Terminals: registering them, and telling whether one that calls is who it says."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.core.encoding import base64url
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.journal import Scribe
from zhidao.core.keys import PublicKey
from zhidao.devices.domain.custody import Refusal, Terminal
from zhidao.devices.domain.track import LastSeen
from zhidao.devices.events import TerminalRegistered
from zhidao.devices.service.ports import Vault
from zhidao.devices.service.terminal_journal import UNKNOWN

MAY_REGISTER_TERMINAL: Final = access(Role.OPERATOR)

_LABEL: Final = b"zhidao devices token v1"
_TOKEN_BYTES: Final = 24
# What people put between the digits of a phone number.
_BETWEEN_DIGITS: Final = str.maketrans("", "", " -()")
# A registration of 2013 has seven bytes for the terminal's id; its maker writes the first seven.
_SHORT_ID: Final = 7


class Terminals:
    """The list of terminals that may connect, and their tokens."""

    def __init__(self, vault: Vault, scribe: Scribe, secret: bytes) -> None:
        """`secret`: the node's key for tokens, from `Vault.secret`."""
        self._vault = vault
        self._scribe = scribe
        self._secret = secret

    async def register(
        self,
        actor: Actor,
        *,
        terminal: str,
        phone: str,
        key: str = "",
        owner: PartyId,
        readers: Sequence[PartyId] = (),
        number: str = "",
        surroundings: str = "vehicle",
    ) -> Terminal:
        """Lets a terminal connect. The same call again changes nothing.

        `phone`: with + and the country; spaces and hyphens are left out. `key`: Multikey, empty for
        a terminal that has none, which is heard but proves nothing. `number`: the digits in its
        headers where they are not those of its phone. `surroundings`:
        the class of what stands around its antenna, which decides what its windows can prove.
        Raises Conflict if the id, a number or the key already stands for another terminal, which is
        named to whoever may see it.
        """
        MAY_REGISTER_TERMINAL.admit(actor)
        if terminal == UNKNOWN:
            raise MalformedInput(
                f"{UNKNOWN!r} is the name under which strangers are written down",
                where="$.terminal",
                remedy="give the terminal another name, such as its plate",
            )
        phone = phone.translate(_BETWEEN_DIGITS)
        wanted = Terminal(
            terminal=terminal,
            phone=phone,
            number=number.lstrip("0") or phone.removeprefix("+"),
            key=PublicKey.from_multikey(key) if key else None,
            owner=owner,
            # Who registers a terminal sees it.
            visible=tuple(sorted({*readers, actor.party} - {owner})),
            surroundings=surroundings,
        )
        before = await self._known(terminal)
        if before is not None:
            return _same(before, wanted)
        await self._is_free(actor, wanted)
        fact = TerminalRegistered(
            terminal=terminal, phone=phone, key=key, surroundings=surroundings
        )
        entry = self._scribe.write(
            fact,
            by=actor.party,
            aggregate=wanted.aggregate,
            version=1,
            owner=owner,
            visible=wanted.visible,
            occurred_at=None,
        )
        try:
            await self._vault.add_terminal(wanted, [entry])
        except Conflict:
            # Somebody registered it meanwhile, perhaps this very call, whose answer was lost.
            before = await self._known(terminal)
            if before is None:
                await self._is_free(actor, wanted)
                raise
            return _same(before, wanted)
        return wanted

    async def listed(self, actor: Actor, *, limit: int, after: str = "") -> list[Terminal]:
        """The terminals of this node that the actor may see, by id, after the id `after`.

        Not those of other nodes, of which this one may keep histories too.
        """
        return list(await self._vault.terminals(actor.viewer, limit=limit, after=after))

    async def heard(
        self, terminals: Sequence[Terminal]
    ) -> list[tuple[LastSeen | None, Refusal | None]]:
        """The newest point of each, and what was last refused."""
        found = await self._vault.heard([each.terminal for each in terminals])
        return [found[each.terminal] for each in terminals]

    async def view(self, actor: Actor, terminal: str) -> Terminal:
        """A terminal that the actor may see. Raises NotFound."""
        return (await self._vault.terminal(terminal)).seen_by(actor)

    async def calling(self, number: str, terminal_id: str) -> Terminal:
        """The terminal that asks for a token. Raises NotFound if number and id do not agree."""
        found = await self._vault.terminal_by_number(number.lstrip("0"))
        # Without a key it is known by its number alone: its maker chose the id that it sends.
        if found.key and terminal_id not in (found.terminal, found.terminal[:_SHORT_ID]):
            raise NotFound(f"no terminal {terminal_id[:30]!r} with the number {number}")
        return found

    async def authenticate(self, number: str, token: str) -> Terminal:
        """The terminal that shows this token.

        Raises NotFound for an unknown number, Refused with code `wrong_token` for another token.
        """
        found = await self._vault.terminal_by_number(number.lstrip("0"))
        if not hmac.compare_digest(self.token(found).encode(), token.encode()):
            raise Refused(
                f"terminal {found.terminal} showed a token that is not its own",
                code="wrong_token",
                remedy="register the terminal again to learn its token",
            )
        return found

    def token(self, terminal: Terminal) -> str:
        """The terminal's token: HMAC-SHA256 of id, number and key, so that it fits no other.

        The same each time: whoever registers again cannot lock the terminal out.
        """
        message = f"{terminal.terminal}\n{terminal.number}\n{terminal.multikey}".encode()
        mac = hmac.new(self._secret, _LABEL + message, hashlib.sha256)
        return base64url(mac.digest()[:_TOKEN_BYTES])

    async def _is_free(self, actor: Actor, wanted: Terminal) -> None:
        vault, own_number = self._vault, "give this device the number that its own card has"
        asked = [
            (vault.terminal_by_number, wanted.number, f"the number {wanted.number}", own_number),
            # One card is in one device, whatever number is set in the headers of another.
            (vault.terminal_by_phone, wanted.phone, f"the phone number {wanted.phone}", own_number),
        ]
        if wanted.key:
            # Else one device could stand for two containers.
            own_key = "give the key that this device made for itself"
            asked.append((vault.terminal_by_key, wanted.multikey, "this key", own_key))
        for find, what, told, remedy in asked:
            try:
                other = await find(what)
            except NotFound:
                continue
            raise Conflict(f"{told} stands for {_named_to(actor, other)} already", remedy=remedy)

    async def _known(self, terminal: str) -> Terminal | None:
        try:
            return await self._vault.terminal(terminal)
        except NotFound:
            return None


def _named_to(actor: Actor, other: Terminal) -> str:
    try:
        return f"terminal {other.seen_by(actor).terminal}"
    except NotFound:
        return "another terminal"


def _same(before: Terminal, wanted: Terminal) -> Terminal:
    if before != wanted:
        raise Conflict(f"terminal {wanted.terminal} is registered with other particulars")
    return before
