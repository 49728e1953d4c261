"""Commands to terminals: what is asked of one, until when, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.core.transitions import Machine, Transition

QUEUED, SENT, DONE = "queued", "sent", "done"
REFUSED, EXPIRED, UNANSWERED = "refused", "expired", "unanswered"
# How long a command waits for its terminal unless somebody says otherwise, and at most.
MINUTES: Final = 10
MINUTES_MAX: Final = 7 * 24 * 60

# What may be asked of a terminal, and by which message.
MESSAGES: Final = {
    "set_parameters": 0x8103,
    "ask_parameters": 0x8104,
    "ask_attributes": 0x8107,
    "ask_position": 0x8201,
    "follow": 0x8202,
    "check_link": 0x8204,
    "text": 0x8300,
}


@dataclass(frozen=True, slots=True)
class Command:
    """A command. `values`: of its message; `serial`: under which it was sent, -1 before.

    `result`: as the terminal answered (0: done), -1 before; `answer`: what it told, by name.
    """

    id: UUID
    terminal: str
    kind: str
    values: dict[str, Any]
    by: PartyId
    asked_at: Utc
    expires_at: Utc
    state: str = QUEUED
    serial: int = -1
    sent_at: Utc | None = None
    ended_at: Utc | None = None
    result: int = -1
    answer: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in MESSAGES:
            raise MalformedInput(
                f"no command {self.kind[:24]!r}", remedy=f"one of {', '.join(MESSAGES)}"
            )

    @property
    def message_id(self) -> int:
        """The message that carries it."""
        return MESSAGES[self.kind]


COMMAND: Final = Machine[Command](
    "Command to a terminal",
    QUEUED,
    (
        Transition(QUEUED, "send", "node", SENT),
        Transition(QUEUED, "expire", "node", EXPIRED),
        Transition(SENT, "do", "terminal", DONE),
        Transition(SENT, "refuse", "terminal", REFUSED),
        Transition(SENT, "give up", "node", UNANSWERED),
    ),
)


def sent(before: Command, serial: int, at: Utc) -> Command:
    """It is on its way, once: after this it is never sent again."""
    return replace(before, state=_then(before, "send"), serial=serial, sent_at=at)


def answered(
    before: Command, result: int, at: Utc, answer: tuple[tuple[str, str], ...] = ()
) -> Command:
    """The terminal has answered it."""
    state = _then(before, "do" if result == 0 else "refuse")
    return replace(before, state=state, result=result, ended_at=at, answer=answer)


def overdue(before: Command, at: Utc) -> Command:
    """Its time is over: it was never sent, or never answered."""
    act = "expire" if before.state == QUEUED else "give up"
    return replace(before, state=_then(before, act), ended_at=at)


def _then(before: Command, act: str) -> str:
    if COMMAND.why_not(before.state, act, before):
        raise Refused(f"a command that is {before.state}", code="command_state")
    (row,) = COMMAND.leads(before.state, act)
    return row.then
