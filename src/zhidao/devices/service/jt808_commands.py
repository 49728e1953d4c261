"""Commands to terminals of JT/T 808: their messages, and which answer is to which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.devices.domain.command import Command
from zhidao.devices.wire.jt808.bodies import read_body, write_body
from zhidao.devices.wire.jt808.downlinks import ANSWERS
from zhidao.devices.wire.jt808.frame import BODY_BYTES_MAX, Edition, Header
from zhidao.devices.wire.jt808.messages import RESULT_OK, Message, TerminalAnswer

_ANSWER_FIELDS: Final = 200
# Commands whose answers are awaited on one line.
AWAITED_MAX: Final = 64
# Answers that do not say which command they are to.
_WITHOUT_SERIAL: Final = frozenset((0x0107, 0x0702, 0x0A00))
# A word of the edition of 2019 that older terminals have no field for.
_SINCE_2019: Final = {"text": frozenset(("kind",))}


def check(command: Command) -> None:
    """Raises MalformedInput for a command that its message cannot hold in each edition."""
    if "codec" in command.values:
        raise MalformedInput(
            "JT/T 808 has no codecs", where="$.codec", remedy="leave the codec out"
        )
    # Whichever edition the terminal speaks, it can be told.
    for edition in Edition:
        if len(body_of(command, edition)) > BODY_BYTES_MAX:
            raise MalformedInput(
                f"a command of more than {BODY_BYTES_MAX} bytes", remedy="give several"
            )


def body_of(command: Command, edition: Edition) -> bytes:
    """The body of its message."""
    later = frozenset() if edition is Edition.E2019 else _SINCE_2019.get(command.kind, frozenset())
    values = {name: value for name, value in command.values.items() if name not in later}
    return write_body(command.message_id, values, edition)


def told_by(head: Header, body: bytes) -> tuple[tuple[str, str], ...]:
    """Each field of an answer, in words; nothing of one that cannot be read."""
    try:
        found = read_body(head.message_id, body, head.edition)
    except MalformedInput:
        return ()
    out = []
    for each in found.explained[:_ANSWER_FIELDS]:
        shown = each.value.hex() if isinstance(each.value, bytes) else str(each.value)
        out.append((each.name, f"{shown} ({each.meaning})" if each.meaning else shown))
    return tuple(out)


class Asked:
    """Commands that went out on one line, until they are answered there."""

    def __init__(self) -> None:
        self._sent: list[Command] = []

    def free(self, now: Utc) -> int:
        """How many more may go out: one whose time is over is awaited no longer."""
        self._sent = [each for each in self._sent if now <= each.expires_at]
        return AWAITED_MAX - len(self._sent)

    def add(self, commands: Sequence[Command]) -> None:
        """These went out."""
        self._sent += commands

    def answered(self, message: Message, head: Header, body: bytes) -> tuple[Command, int] | None:
        """The command that a message answers, with the result; None if it answers none."""
        if not self._sent:
            return None
        if isinstance(message, TerminalAnswer):
            found = self._first(lambda each: _is_named(each, message))
            # One that has an answer of its own is done when that comes.
            if found is None or (not message.result and found.message_id in ANSWERS):
                return None
            self._sent.remove(found)
            return found, message.result
        serial = int.from_bytes(body[:2], "big")
        free = head.message_id in _WITHOUT_SERIAL
        found = self._first(
            lambda each: (
                ANSWERS.get(each.message_id) == head.message_id and (free or each.serial == serial)
            )
        )
        if found is None:
            return None
        self._sent.remove(found)
        return found, RESULT_OK

    def _first(self, holds: Callable[[Command], bool]) -> Command | None:
        return next((each for each in self._sent if holds(each)), None)


def _is_named(command: Command, message: TerminalAnswer) -> bool:
    return (command.serial, command.message_id) == (message.serial, message.message_id)
