"""Commands to units of EGTS: none is written yet."""

from __future__ import annotations

from zhidao.core.errors import MalformedInput
from zhidao.devices.domain.command import Command


def check(command: Command) -> None:
    """Raises MalformedInput: nothing that waited for such a unit would ever be sent."""
    raise MalformedInput(
        f"a terminal that speaks EGTS is given no commands here, {command.kind} among them",
        where="$.kind",
        remedy="give it by its maker's own platform",
    )
