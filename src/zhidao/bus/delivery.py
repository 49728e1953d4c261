"""What happens to one message at one consumer: again after a growing pause, then set aside."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from zhidao.bus.port import Message
from zhidao.core.errors import Unavailable, ZhidaoError
from zhidao.core.remedies import with_remedy
from zhidao.core.retry_policy import RetryPolicy

Handle: TypeAlias = Callable[[Message], Awaitable[None]]
OnDead: TypeAlias = Callable[[Message, str], Awaitable[None]]

FAILURES_MAX: Final = 5
# The world failing is not the message's fault: a database may be down for minutes.
OUTAGES_MAX: Final = 100
_LOG: Final = logging.getLogger("zhidao.bus")
# One consumer waits for itself alone, so nothing is left to chance.
PAUSES: Final = RetryPolicy(first_s=0.1, longest_s=5.0)


async def deliver(message: Message, handle: Handle, on_dead: OnDead, pauses: RetryPolicy) -> None:
    """Returns when `handle` returned, or when `on_dead` was told after five failures.

    Unavailable counts apart, up to OUTAGES_MAX. What `on_dead` itself raises is tried again
    without end: a message is never dropped silently.
    """
    failures = outages = 0
    while True:
        try:
            await handle(message)
        except Unavailable as error:
            outages += 1
            reason = _reason(error)
        except Exception as error:  # noqa: BLE001 (a handler may fail in any way; a person will see it)
            failures += 1
            reason = _reason(error)
        else:
            return
        _LOG.warning("message %s on %s failed: %s", message.id, message.subject, reason)
        if failures >= FAILURES_MAX or outages >= OUTAGES_MAX:
            break
        await asyncio.sleep(pauses.ceiling_s(failures + outages))
    await _set_aside(message, reason, on_dead, pauses)


async def _set_aside(message: Message, reason: str, on_dead: OnDead, pauses: RetryPolicy) -> None:
    attempts = 0
    while True:
        try:
            await on_dead(message, reason)
        except Exception as error:  # noqa: BLE001 (as above)
            attempts += 1
            _LOG.warning("message %s could not be set aside: %s", message.id, _reason(error))
            await asyncio.sleep(pauses.ceiling_s(attempts))
        else:
            return


def _reason(error: Exception) -> str:
    said = with_remedy(error) if isinstance(error, ZhidaoError) else str(error)
    return f"{type(error).__name__}: {said}"


def matches(subject: str, pattern: str) -> bool:
    """Whether a subject fits a pattern: `*` stands for one word, a last `>` for one or more.

    Source: NATS documentation, "Subject-Based Messaging", wildcards.

    >>> matches("zhidao.trade.Delivered.v1", "zhidao.*.Delivered.>")
    True
    """
    words, wanted = subject.split("."), pattern.split(".")
    if wanted[-1] == ">":
        wanted = wanted[:-1]
        if len(words) <= len(wanted):
            return False
        words = words[: len(wanted)]
    return len(words) == len(wanted) and all(
        want in ("*", word) for word, want in zip(words, wanted, strict=True)
    )
