"""Reading facts of other rooms without knowing their types: fields of the kind asked for.

This room stands beside or below those that state the facts, so it reads them as any stranger
with the log would: by the type's name and the published names of its fields.
"""

from __future__ import annotations

from zhidao.core.events import SignedEvent


def text(event: SignedEvent, name: str) -> str:
    """A text field, or `` where there is none."""
    value = event.payload.get(name)
    return value if isinstance(value, str) else ""


def flag(event: SignedEvent, name: str) -> bool | None:
    """A yes-or-no field, or None where there is none."""
    value = event.payload.get(name)
    return value if isinstance(value, bool) else None


def is_typed(event: SignedEvent) -> bool:
    """Whether a finished lot was typed: nothing was measured of it."""
    return event.payload.get("samples") == 0 and not event.payload.get("not_shown")


def mark(event: SignedEvent, name: str) -> bool:
    """Whether an arrival bears a mark: true, a list that is not empty, or a number above zero."""
    marks = event.payload.get("marks")
    return bool(marks.get(name)) if isinstance(marks, dict) else False


def room(event: SignedEvent) -> str:
    """The room that stated the fact."""
    return event.type.partition(".")[0]
