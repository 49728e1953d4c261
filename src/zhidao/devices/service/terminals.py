"""Terminals: the list of those that may be let in, and what is known of each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import Conflict, MalformedInput, NotFound
from zhidao.core.events import Fact
from zhidao.core.ids import PartyId
from zhidao.core.journal import Scribe
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import NS
from zhidao.devices.domain.custody import Refusal, Terminal
from zhidao.devices.domain.enrolment import (
    EGTS,
    EGTS_DISPATCHER,
    JT808,
    PROTOCOLS,
    RETIRED,
    TELTONIKA,
    WINDOW_MINUTES,
    Enrolment,
    invited,
)
from zhidao.devices.domain.track import LastSeen
from zhidao.devices.events import EnrolmentChanged, TerminalRegistered
from zhidao.devices.service.ports import Vault
from zhidao.devices.service.terminal_journal import UNKNOWN

MAY_REGISTER_TERMINAL: Final = access(Role.OPERATOR)

# What people put between the digits of a phone number.
_BETWEEN_DIGITS: Final = str.maketrans("", "", " -()")
_MINUTE_NS: Final = 60 * NS
_IMEI: Final = re.compile(r"[0-9]{15}\Z", re.ASCII)
# Numbers of units and platforms of EGTS have 32 bits.
_NUMBER_OF_EGTS: Final = re.compile(r"0*[1-9][0-9]{0,9}\Z", re.ASCII)
_U32: Final = (1 << 32) - 1


class Terminals:
    """The list of terminals of this node."""

    def __init__(self, vault: Vault, scribe: Scribe, clock: Clock) -> None:
        self._vault = vault
        self._scribe = scribe
        self._clock = clock

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
        window_minutes: int = WINDOW_MINUTES,
        protocol: str = JT808,
    ) -> Terminal:
        """Adds a terminal, with a window in which it enrols. The same call again changes nothing.

        `phone`: with + and the country; spaces and hyphens are left out. `key`: Multikey, empty for
        a terminal that has none, which is heard but proves nothing. `number`: the digits in its
        headers where they are not those of its phone. `surroundings`:
        the class of what stands around its antenna, which decides what its windows can prove.
        `window_minutes`: 0 for none now. `protocol`: what it speaks; by `teltonika` its number is
        its IMEI, by `egts` that or the number of the unit, by `egts-dispatcher` that of a platform
        which passes on what units of the same owner say; none of these has a key.
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
        _may_speak(protocol, number=number, key=key)
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
            return await self._same(before, wanted, protocol)
        await self._is_free(actor, wanted)
        fact = TerminalRegistered(
            terminal=terminal, phone=phone, key=key, surroundings=surroundings
        )
        enrolment = Enrolment(terminal, protocol=protocol)
        facts: list[tuple[Fact, PartyId]] = [(fact, actor.party)]
        if window_minutes:
            enrolment = invited(enrolment, self._clock.now().plus_ns(window_minutes * _MINUTE_NS))
            facts.append((told_of(enrolment, by=actor.party), self._scribe.node))
        entries = [
            self._scribe.write(
                each,
                by=by,
                aggregate=wanted.aggregate,
                version=version,
                owner=owner,
                visible=wanted.visible,
                occurred_at=None,
            )
            for version, (each, by) in enumerate(facts, 1)
        ]
        try:
            await self._vault.add_terminal(wanted, entries, enrolment)
        except Conflict:
            # Somebody registered it meanwhile, perhaps this very call, whose answer was lost.
            before = await self._known(terminal)
            if before is None:
                await self._is_free(actor, wanted)
                raise
            return await self._same(before, wanted, protocol)
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

    async def _same(self, before: Terminal, wanted: Terminal, protocol: str) -> Terminal:
        standing = await self._vault.enrolment(before.terminal)
        if before != wanted or standing.protocol != protocol:
            raise Conflict(f"terminal {wanted.terminal} is registered with other particulars")
        if standing.state == RETIRED:
            raise Conflict(
                f"terminal {wanted.terminal} is retired",
                remedy="give the device that comes in its place another name",
            )
        return before

    async def _known(self, terminal: str) -> Terminal | None:
        try:
            return await self._vault.terminal(terminal)
        except NotFound:
            return None


def _may_speak(protocol: str, *, number: str, key: str) -> None:
    """Raises MalformedInput for a protocol that is none, or particulars that it does not have."""
    if protocol not in PROTOCOLS:
        raise MalformedInput(
            f"no protocol {protocol[:24]!r}",
            where="$.protocol",
            remedy=f"one of {', '.join(PROTOCOLS)}",
        )
    _KNOWN_BY[protocol](number)
    if protocol != JT808 and key:
        raise MalformedInput(
            f"a terminal that speaks {protocol} signs nothing",
            where="$.key",
            remedy="leave the key out",
        )


def _by_imei(number: str) -> None:
    if not _IMEI.match(number):
        raise MalformedInput(
            f"a Teltonika terminal is known by its IMEI, not by {number[:24]!r}",
            where="$.number",
            remedy="give the 15 digits on its label",
        )


def _by_unit(number: str) -> None:
    if not (_is_numbered(number) or _IMEI.match(number)):
        raise MalformedInput(
            f"a unit of EGTS is known by its number or its IMEI, not by {number[:24]!r}",
            where="$.number",
            remedy="give the number (TID) that is set in it, or the 15 digits on its label",
        )


def _by_platform(number: str) -> None:
    if not _is_numbered(number):
        raise MalformedInput(
            f"a platform of EGTS is known by its number, not by {number[:24]!r}",
            where="$.number",
            remedy="give the number (DID) by which it authorises itself",
        )


def _by_anything(_: str) -> None:
    """Of JT/T 808 the number is that of its phone where none is given."""


def _is_numbered(number: str) -> bool:
    return bool(_NUMBER_OF_EGTS.match(number)) and int(number) <= _U32


# Whether a number is such as terminals of a protocol have.
_KNOWN_BY: Final = {
    JT808: _by_anything,
    TELTONIKA: _by_imei,
    EGTS: _by_unit,
    EGTS_DISPATCHER: _by_platform,
}


def _named_to(actor: Actor, other: Terminal) -> str:
    try:
        return f"terminal {other.seen_by(actor).terminal}"
    except NotFound:
        return "another terminal"


def told_of(after: Enrolment, *, by: str) -> EnrolmentChanged:
    """What is told of a change; `by` whom, empty where the terminal itself came."""
    until = str(after.until) if after.until else ""
    return EnrolmentChanged(terminal=after.terminal, state=after.state, until=until, by=by)
