"""What the conversations with terminals use, and what they keep apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zhidao.core.ambient import Clock
from zhidao.core.ids import IdSource
from zhidao.devices.domain.custody import Suspect, Terminal
from zhidao.devices.service.enrolments import Enrolments
from zhidao.devices.service.lines import Lines
from zhidao.devices.service.ports import Vault
from zhidao.devices.service.terminal_commands import TerminalCommands
from zhidao.devices.service.terminal_journal import TerminalJournal
from zhidao.devices.service.windows import Windows
from zhidao.devices.service.writer import FrameWriter

_SUSPECTS_MAX: Final = 32  # Kept per connection; the rest is counted only.


@dataclass(frozen=True, slots=True)
class SessionServices:
    """The services that a session uses."""

    vault: Vault
    enrolments: Enrolments
    lines: Lines
    windows: Windows
    writer: FrameWriter
    terminal_journal: TerminalJournal
    clock: Clock
    ids: IdSource
    commands: TerminalCommands | None = None


class Suspects:
    """Bytes of one connection that were not accepted, the first of them kept."""

    def __init__(self, services: SessionServices) -> None:
        self._services = services
        self._count = 0

    async def put(self, terminal: Terminal, raw: bytes, reason: str) -> None:
        """Keeps bytes of a known terminal apart; beyond 32 of them none."""
        self._count += 1
        if self._count <= _SUSPECTS_MAX:
            await self._services.vault.put_aside(
                Suspect(
                    terminal.terminal,
                    self._services.ids.new(),
                    self._services.clock.now(),
                    reason,
                    raw,
                )
            )
