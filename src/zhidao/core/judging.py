"""Judging documents of others: work of unknown cost, done within limits and away from the rest.

Whoever sends a document chooses how much work it is. So what reads one runs where it can be ended:
a node hands it to processes of their own, which a limit of processor time and of memory ends.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, ParamSpec, Protocol, TypeVar

from zhidao.core.errors import Refused

P = ParamSpec("P")
T = TypeVar("T")

_MIB: Final = 1024 * 1024
CREDENTIAL_CPU_S: Final = 2.0
DOCUMENT_CPU_S: Final = 10.0
JUDGE_MEMORY_BYTES: Final = 1024 * _MIB


@dataclass(frozen=True, slots=True)
class Effort:
    """What one task may use at most: seconds of processor, bytes of memory."""

    cpu_s: float
    memory_bytes: int = JUDGE_MEMORY_BYTES


CREDENTIAL: Final = Effort(CREDENTIAL_CPU_S)
DOCUMENT: Final = Effort(DOCUMENT_CPU_S)

# For whom a task is done: a party, or the address block of a stranger. Whoever used much lately
# waits for those who did not.
ON_BEHALF_OF: ContextVar[str] = ContextVar("on_behalf_of", default="")


class TooMuchWork(Refused):
    """Judging took more than it may; nothing is known of the document."""

    default_code = "too_much_work"


class Judges(Protocol):
    """Runs functions of modules, with arguments and answers that can be sent to a process."""

    async def run(
        self, effort: Effort, work: Callable[P, T], /, *args: P.args, **named: P.kwargs
    ) -> T:
        """What the function returns or raises.

        Raises TooMuchWork if it used more than it may, Unavailable if too much waits or its
        process ended otherwise.
        """
        ...


class InPlace:
    """Judges of a program that works for one person: nobody else waits, so nothing is ended."""

    async def run(
        self, effort: Effort, work: Callable[P, T], /, *args: P.args, **named: P.kwargs
    ) -> T:
        """Runs it here and now."""
        del effort
        return work(*args, **named)


IN_PLACE: Final = InPlace()
