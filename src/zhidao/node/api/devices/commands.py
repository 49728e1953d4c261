"""Routes of commands to terminals: what is asked of one, and what came of it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Router, get, post
from litestar.params import Parameter

from zhidao.core.actor import Actor
from zhidao.core.errors import MalformedInput
from zhidao.devices.domain.command import MINUTES, MINUTES_MAX, Command
from zhidao.devices.service.terminal_commands import (
    MAY_COMMAND_TERMINAL,
    MAY_SEE_COMMANDS,
    TerminalCommands,
)
from zhidao.devices.wire.jt808.vocabulary import PARAMETERS
from zhidao.node.http.access import ACCESS

_TerminalPath = Annotated[str, Parameter(min_length=1, max_length=30)]
_Limit = Annotated[int, Parameter(ge=1, le=100)]
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
_TEXT_SHOWN: Final = 4  # On the display (JT/T 808 table of 0x8300).
_NOTICE: Final = 1


class TerminalParameter(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A parameter of a terminal and its value, a number in digits where the standard has one."""

    number: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]
    value: Annotated[str, msgspec.Meta(max_length=200)]


class NewCommand(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A command to a terminal. It is sent once, within `minutes`, or never.

    `parameters`: to set; `text`: to show, or to a Teltonika terminal the command in its maker's
    words, `codec` 12 or 14 (which names the IMEI, so that another does nothing; 0: as usual);
    `interval_s`, `valid_s`: how often and how long it is to report (0 and 0: as before).
    """

    kind: Literal[
        "set_parameters",
        "ask_parameters",
        "ask_attributes",
        "ask_position",
        "follow",
        "check_link",
        "text",
    ]
    parameters: Annotated[list[TerminalParameter], msgspec.Meta(max_length=50)] = []
    text: Annotated[str, msgspec.Meta(max_length=400)] = ""
    codec: Literal[0, 12, 14] = 0
    interval_s: _Seconds = 0
    valid_s: Annotated[int, msgspec.Meta(ge=0, le=7 * 86_400)] = 0
    minutes: Annotated[int, msgspec.Meta(ge=1, le=MINUTES_MAX)] = MINUTES


class AnsweredField(msgspec.Struct, kw_only=True):
    """A field of what a terminal answered, in words."""

    name: str
    value: str


class CommandView(msgspec.Struct, kw_only=True):
    """A command, and what came of it.

    `state`: queued, sent, done, refused by the terminal, expired (never sent) or unanswered (sent,
    and no answer in its time: whether it was done is not known). `result`: the terminal's number
    (0: done), -1 before.
    """

    command: str
    kind: str
    state: str
    by: str
    asked_at: str
    expires_at: str
    sent_at: str
    ended_at: str
    result: int
    answer: list[AnsweredField]


def routes(commands: TerminalCommands) -> Router:
    """The router of commands to terminals."""

    @post("/terminals/{terminal:str}/commands", opt={ACCESS: MAY_COMMAND_TERMINAL})
    async def give(terminal: _TerminalPath, data: NewCommand, actor: Actor) -> CommandView:
        """Gives a terminal a command (operator)."""
        given = await commands.give(
            actor, terminal, kind=data.kind, values=_values(data), minutes=data.minutes
        )
        return _view(given)

    @get("/terminals/{terminal:str}/commands", opt={ACCESS: MAY_SEE_COMMANDS})
    async def listed(
        terminal: _TerminalPath, actor: Actor, limit: _Limit = 20
    ) -> list[CommandView]:
        """The last commands of a terminal, the newest first (operator, auditor)."""
        return [_view(each) for each in await commands.newest(actor, terminal, limit)]

    handlers: list[Any] = [give, listed]
    return Router("/v1/devices", route_handlers=handlers, tags=["devices"])


def _values(data: NewCommand) -> dict[str, Any]:
    match data.kind:
        case "set_parameters":
            return {"parameters": [_parameter(each) for each in data.parameters]}
        case "follow":
            return {"interval_s": data.interval_s, "valid_s": data.valid_s}
        case "text":
            words = {"flags": _TEXT_SHOWN, "kind": _NOTICE, "text": data.text}
            return words | ({"codec": data.codec} if data.codec else {})
        case _:
            return {}


def _parameter(each: TerminalParameter) -> dict[str, Any]:
    kind, name = PARAMETERS.get(each.number, (0, ""))
    if not kind:
        raise MalformedInput(
            f"no parameter 0x{each.number:04X} whose type is known here",
            where="$.parameters",
            remedy="set a parameter of the standard",
        )
    if kind == "text":
        return {"id": each.number, "value": each.value}
    if not (each.value.isascii() and each.value.isdigit()):
        raise MalformedInput(
            f"parameter 0x{each.number:04X} ({name}) is a number, not {each.value[:24]!r}",
            where="$.parameters",
            remedy="give its digits",
        )
    return {"id": each.number, "value": int(each.value)}


def _view(command: Command) -> CommandView:
    return CommandView(
        command=str(command.id),
        kind=command.kind,
        state=command.state,
        by=command.by,
        asked_at=str(command.asked_at),
        expires_at=str(command.expires_at),
        sent_at=str(command.sent_at) if command.sent_at else "",
        ended_at=str(command.ended_at) if command.ended_at else "",
        result=command.result,
        answer=[AnsweredField(name=name, value=value) for name, value in command.answer],
    )
