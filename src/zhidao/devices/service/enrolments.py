"""Enrolment: a window is opened for a terminal, it registers once, and is locked from then on."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Final

from zhidao.core.actor import Actor
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.encoding import base64url
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Refused
from zhidao.core.timescale import NS
from zhidao.devices.domain import enrolment as states
from zhidao.devices.domain.custody import Terminal
from zhidao.devices.domain.enrolment import (
    EGTS,
    JT808,
    RETIRED,
    SUSPENDED,
    TELTONIKA,
    WINDOW_MINUTES,
    WINDOW_MINUTES_MAX,
    Enrolment,
)
from zhidao.devices.service.lines import Line, Lines
from zhidao.devices.service.ports import CommandBook, Vault
from zhidao.devices.service.terminal_journal import TerminalJournal
from zhidao.devices.service.terminals import MAY_REGISTER_TERMINAL, told_of

_LABEL: Final = b"zhidao devices token v1"
_TOKEN_BYTES: Final = 24
# A registration of 2013 has seven bytes for the terminal's id; its maker writes the first seven.
_SHORT_ID: Final = 7
_ATTEMPTS: Final = 3
_MINUTE_NS: Final = 60 * NS
_NO_IMEI: Final = "0"
# Lines that are looked at in one round.
_LINES_TENDED: Final = 1_000


class Enrolments:
    """Who may come in: what the operator decides, and what a terminal is told."""

    def __init__(
        self,
        vault: Vault,
        terminal_journal: TerminalJournal,
        clock: Clock,
        randomness: Randomness,
        secret: bytes,
        lines: Lines,
        book: CommandBook,
    ) -> None:
        """`secret`: the node's key for tokens of terminals from before there were enrolments."""
        self._vault = vault
        self._terminal_journal = terminal_journal
        self._clock = clock
        self._randomness = randomness
        self._secret = secret
        self._lines = lines
        self._book = book
        self._tended = ""

    async def of(self, terminals: Sequence[Terminal]) -> list[Enrolment]:
        """How each of them stands."""
        found = await self._vault.enrolments([each.terminal for each in terminals])
        return [found[each.terminal] for each in terminals]

    async def invite(
        self, actor: Actor, terminal: str, *, minutes: int = WINDOW_MINUTES, void: bool = False
    ) -> Enrolment:
        """Opens a window in which the terminal is given a token, once.

        The token that it has stays good until then; with `void` it is none from now on, and a line
        that is open ends. Raises NotFound, Refused (`enrolment_state`), MalformedInput.
        """
        if not 1 <= minutes <= WINDOW_MINUTES_MAX:
            raise MalformedInput(
                f"a window of {minutes} minutes",
                where="$.minutes",
                remedy=f"between 1 and {WINDOW_MINUTES_MAX}",
            )
        until = self._clock.now().plus_ns(minutes * _MINUTE_NS)

        def change(before: Enrolment) -> Enrolment:
            if void and not before.has_token:
                raise Refused(
                    f"terminal {terminal} shows its number and has no token that could be void",
                    code="enrolment_state",
                    remedy="suspend it to put whoever calls by its number out",
                )
            return states.invited(before, until, void=void)

        return await self._decided(actor, terminal, change)

    async def suspend(self, actor: Actor, terminal: str) -> Enrolment:
        """Lets the terminal in no more until it is invited again; its line ends.

        Raises NotFound, Refused (`enrolment_state`).
        """
        return await self._decided(actor, terminal, states.suspended)

    async def retire(self, actor: Actor, terminal: str) -> Enrolment:
        """The terminal is gone for good: its line ends, its number and card are free for another.

        What it said stays. Raises NotFound, Refused (`enrolment_state`).
        """
        return await self._decided(actor, terminal, states.retired)

    async def register(
        self, number: str, *, terminal_id: str, plate: str, line: Line | None = None
    ) -> str:
        """The token that the terminal which asks is given; none that it had before is good then.

        `line`: where it asks. If another line was given one in this window, from another network or
        still open, the operator hears of it: one of the two is not the terminal.
        Raises NotFound for a number that is none here, Refused: `not_invited` outside a window,
        `of_another` where the id or the plate is that of a terminal with another number,
        `wrong_protocol`.
        """
        found = await self._calling(number, terminal_id, plate)
        for _ in range(_ATTEMPTS):
            before = await self._vault.enrolment(found.terminal)
            _speaks(before, JT808)
            if not before.is_open(self._clock.now()):
                raise Refused(
                    f"terminal {found.terminal} asked for a token, and no window is open for it",
                    code="not_invited",
                    remedy="if it is yours and has lost its token, open a window for it",
                )
            token = base64url(self._randomness.token(_TOKEN_BYTES))
            try:
                await self._vault.change_enrolment(states.given(before, token), ())
            except Conflict:
                continue  # It asked twice at once, or somebody decides about it now.
            if line is not None:
                self._lines.given(found.terminal, line, again=before.given)
            return token
        raise Conflict(f"terminal {found.terminal} is being enrolled by somebody else")

    async def authenticate(
        self, number: str, token: str, *, imei: str = "", network: str = "", fresh: bool = False
    ) -> Terminal:
        """The terminal that shows this token; the first time it closes the window.

        `fresh`: it was given the token on this very line. Raises NotFound for an unknown number,
        Refused: `wrong_token`, `suspended`, `wrong_imei`, `in_use_elsewhere`, `wrong_protocol`.
        """
        found = await self._vault.terminal_by_number(number.lstrip("0"))
        modem = _modem(imei)
        for _ in range(_ATTEMPTS):
            before = await self._vault.enrolment(found.terminal)
            self._judge(found, before, token, modem)
            if not fresh and self._lines.is_alive_elsewhere(found.terminal, network):
                raise self._contested(found, "token")
            try:
                await self._locked(found, before, modem)
            except Conflict:
                continue  # Another line of it was let in this moment.
            return found
        raise Conflict(f"terminal {found.terminal} is being enrolled by somebody else")

    async def admit(self, number: str, *, network: str = "", protocol: str = TELTONIKA) -> Terminal:
        """The terminal that calls by this number, which is all that its protocol can show.

        The first time it is enrolled. Raises NotFound for a number that is none here, Refused:
        `wrong_protocol`, `suspended`, `in_use_elsewhere`.
        """
        found = await self._vault.terminal_by_number(number.lstrip("0"))

        def may(before: Enrolment) -> None:
            _may_greet(before, protocol)
            if self._lines.is_alive_elsewhere(found.terminal, network):
                raise self._contested(found, "number")

        return await self._let_in(found, may)

    async def admit_again(self, terminal: Terminal, *, protocol: str = TELTONIKA) -> None:
        """As `judge_again`, of a terminal that greeted. Raises Refused as `admit` does."""
        _may_greet(await self._vault.enrolment(terminal.terminal), protocol)

    async def speak_for(self, number: str, dispatcher: Terminal) -> Terminal:
        """The unit with this number, for which a platform may speak: both have one owner.

        The first time it is enrolled. Raises NotFound for a number that is none here, Refused:
        `wrong_protocol`, `suspended`, `of_another`.
        """
        found = await self._vault.terminal_by_number(number)
        if found.owner != dispatcher.owner:
            raise Refused(
                f"{dispatcher.terminal} spoke for terminal {found.terminal}, which is another's",
                code="of_another",
                remedy="add a platform of that terminal's owner, or let it send nothing of it",
            )
        return await self._let_in(found, lambda before: _may_greet(before, EGTS))

    async def _let_in(self, found: Terminal, may: Callable[[Enrolment], None]) -> Terminal:
        """Enrols a terminal that has no token, if it is not yet; `may` raises if it may not."""
        for _ in range(_ATTEMPTS):
            before = await self._vault.enrolment(found.terminal)
            may(before)
            if before.state == states.ENROLLED:
                return found
            try:
                await self._written(found, before, states.enrolled(before), by="")
            except Conflict:
                continue  # Another line of it was let in this moment, or somebody decides.
            return found
        raise Conflict(f"terminal {found.terminal} is being enrolled by somebody else")

    async def judge_again(self, terminal: Terminal, token: str, *, imei: str) -> None:
        """Whether a terminal that has taken its line may still have it; its line is known now.

        What was decided before is seen here, what is decided after this ends the line. Raises
        Refused as `authenticate` does.
        """
        standing = await self._vault.enrolment(terminal.terminal)
        self._judge(terminal, standing, token, _modem(imei))

    async def tend(self) -> None:
        """Ends the lines of terminals that are not let in any more, whoever decided it."""
        names = [name for name in self._lines.connected if name > self._tended][:_LINES_TENDED]
        self._tended = names[-1] if len(names) == _LINES_TENDED else ""
        if names:
            found = await self._vault.enrolments(names)
            for name in names:
                if name not in found or not found[name].serves:
                    self._lines.end(name)

    def _judge(self, terminal: Terminal, before: Enrolment, token: str, imei: str) -> None:
        name = terminal.terminal
        _speaks(before, JT808)
        right = before.is_shown(token) or (
            before.derived and hmac.compare_digest(self.derived(terminal).encode(), token.encode())
        )
        if not right:
            raise Refused(
                f"terminal {name} showed a token that is not its own",
                code="wrong_token",
                remedy="open a window for it, in which it registers again to learn its token",
            )
        if not (imei.isascii() and imei.isprintable()):
            raise Refused(
                f"terminal {name} named its modem {imei!r}",
                code="wrong_imei",
                remedy="set the IMEI in its configuration, or none: it is digits",
            )
        if not before.admits:
            raise _is_out(before)
        if before.imei and imei != before.imei:
            raise Refused(
                f"terminal {name} showed its token from another modem: IMEI {imei or 'none'}",
                code="wrong_imei",
                remedy="find out who has its token; open a window for it if its modem was changed",
            )

    def _contested(self, terminal: Terminal, shown: str) -> Refused:
        sentence = (
            f"somebody with the {shown} of terminal {terminal.terminal} came from another network "
            "while it was on the line"
        )
        self._lines.contest(terminal.terminal, sentence)
        return Refused(
            sentence,
            code="in_use_elsewhere",
            remedy="void its token and open a window for it if it was not the terminal itself",
        )

    async def _locked(self, terminal: Terminal, before: Enrolment, imei: str) -> None:
        """The window is closed by the token that was given in it, and the modem is noted."""
        after = before
        if before.given and before.state == states.INVITED:
            after = states.enrolled(before)
        if imei and not before.imei:
            after = states.pinned(after, imei)
        if after is before:
            return
        if after.state == before.state:
            await self._vault.change_enrolment(after, (), since=before.version)
            return
        await self._written(terminal, before, after, by="")

    async def _decided(
        self, actor: Actor, name: str, change: Callable[[Enrolment], Enrolment]
    ) -> Enrolment:
        MAY_REGISTER_TERMINAL.admit(actor)
        terminal = (await self._vault.terminal(name)).seen_by(actor)
        before = await self._vault.enrolment(name)
        after = change(before)
        if after.serves:
            await self._written(terminal, before, after, by=actor.party)
        else:
            # Before, so that nothing outlives a crash; after, for what was given meanwhile.
            await self._book.end_queued(name, self._clock.now())
            await self._written(terminal, before, after, by=actor.party)
            self._lines.end(name)
            await self._book.end_queued(name, self._clock.now())
        self._lines.seen_to(name)
        return after

    async def _written(
        self, terminal: Terminal, before: Enrolment, after: Enrolment, *, by: str
    ) -> None:
        fact = told_of(after, by=by)
        await self._terminal_journal.write(
            fact,
            terminal=terminal,
            commit=lambda entries: self._vault.change_enrolment(
                after, entries, since=before.version
            ),
        )

    async def _calling(self, number: str, terminal_id: str, plate: str) -> Terminal:
        try:
            found = await self._vault.terminal_by_number(number.lstrip("0"))
        except NotFound:
            await self._is_nobodys(number, (terminal_id, plate))
            raise
        # Without a key it is known by its number alone: its maker chose the id that it sends.
        if found.key and terminal_id not in (found.terminal, found.terminal[:_SHORT_ID]):
            raise NotFound(f"no terminal {terminal_id[:30]!r} with the number {number}")
        return found

    async def _is_nobodys(self, number: str, names: Sequence[str]) -> None:
        """Raises Refused (`of_another`) if one of these names is a terminal of another number."""
        for name in filter(None, names):
            try:
                other = await self._vault.terminal(name)
                standing = await self._vault.enrolment(other.terminal)
            except NotFound:
                continue
            if standing.state != RETIRED:
                raise Refused(
                    f"{number[:20]} asked for a token as terminal {other.terminal}, which has "
                    "another number",
                    code="of_another",
                )

    def derived(self, terminal: Terminal) -> str:
        """The token of a terminal from before there were enrolments: HMAC of id, number and key."""
        message = f"{terminal.terminal}\n{terminal.number}\n{terminal.multikey}".encode()
        mac = hmac.new(self._secret, _LABEL + message, hashlib.sha256)
        return base64url(mac.digest()[:_TOKEN_BYTES])


def _speaks(standing: Enrolment, protocol: str) -> None:
    if standing.protocol != protocol:
        raise Refused(
            f"somebody called as terminal {standing.terminal} by {protocol}, and it speaks "
            f"{standing.protocol}",
            code="wrong_protocol",
            remedy="set the device to the port of its protocol, or retire the terminal and add it"
            " with the other",
        )


def _may_greet(standing: Enrolment, protocol: str) -> None:
    _speaks(standing, protocol)
    if standing.state in (SUSPENDED, RETIRED):
        raise _is_out(standing)


def _is_out(standing: Enrolment) -> Refused:
    return Refused(
        f"terminal {standing.terminal} is {standing.state}",
        code="suspended",
        remedy="open a window for it if it may come in again",
    )


def _modem(imei: str) -> str:
    """The modem's number; empty where it is only zeros."""
    return imei if imei.strip(_NO_IMEI) else ""
