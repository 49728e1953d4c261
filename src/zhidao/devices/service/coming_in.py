"""How a terminal of JT/T 808 comes in on a line: it registers once, and shows its token."""

from __future__ import annotations

from zhidao.core.errors import NotFound, Refused
from zhidao.devices.domain.custody import Terminal
from zhidao.devices.service.lines import Line
from zhidao.devices.service.session_services import SessionServices
from zhidao.devices.wire.jt808.frame import Header
from zhidao.devices.wire.jt808.messages import (
    REGISTER_NO_TERMINAL,
    REGISTERED,
    REGISTERED_TERMINAL,
    REGISTERED_VEHICLE,
    Authentication,
    Registration,
    RegistrationAnswer,
)


class ComingIn:
    """What is decided before a terminal is trusted on one line; each refusal is written down."""

    def __init__(self, services: SessionServices, line: Line) -> None:
        self._services = services
        self._line = line
        self._given: tuple[str, str] | None = None
        self.took_over = False

    async def registered(self, head: Header, message: Registration) -> RegistrationAnswer:
        """The token, the same on one line however often it is asked, or why there is none."""
        if self._given is None or self._given[0] != head.phone:
            try:
                token = await self._services.enrolments.register(
                    head.phone,
                    terminal_id=message.terminal,
                    plate=message.plate,
                    line=self._line,
                )
            except Refused as error:
                return RegistrationAnswer(head.serial, await self._not_registered(head, error))
            self._given = (head.phone, token)
        return RegistrationAnswer(head.serial, REGISTERED, self._given[1])

    async def admitted(self, head: Header, message: Authentication) -> Terminal | None:
        """The terminal, whose line this is now; None if it is not let in."""
        enrolments, lines = self._services.enrolments, self._services.lines
        try:
            terminal = await enrolments.authenticate(
                head.phone,
                message.token,
                imei=message.imei,
                network=self._line.network,
                fresh=self._given == (head.phone, message.token),
            )
            self.took_over = lines.take(terminal.terminal, self._line)
            try:
                await enrolments.judge_again(terminal, message.token, imei=message.imei)
            except BaseException:
                lines.leave(terminal.terminal, self._line)
                raise
        except NotFound as error:
            await self._services.terminal_journal.refuse_unknown(
                "unknown_terminal", str(error), number=head.phone
            )
            return None
        except Refused as error:
            await self._not_let_in(head, error)
            return None
        return terminal

    async def _not_registered(self, head: Header, error: Refused) -> int:
        """Writes a refused registration down; by which number it is answered."""
        journal = self._services.terminal_journal
        if error.code == "not_invited":
            known = await self._services.vault.terminal_by_number(head.phone.lstrip("0"))
            await journal.refuse(known, error.code, str(error))
            return REGISTERED_TERMINAL
        nobody = isinstance(error, NotFound)
        code = "unknown_terminal" if nobody else error.code
        await journal.refuse_unknown(code, str(error), number=head.phone)
        return REGISTER_NO_TERMINAL if nobody else REGISTERED_VEHICLE

    async def _not_let_in(self, head: Header, error: Refused) -> None:
        journal = self._services.terminal_journal
        try:
            known = await self._services.vault.terminal_by_number(head.phone.lstrip("0"))
        except NotFound:  # Retired in this very moment: its number is nobody's.
            await journal.refuse_unknown(error.code, str(error), number=head.phone)
            return
        await journal.refuse(known, error.code, str(error))
