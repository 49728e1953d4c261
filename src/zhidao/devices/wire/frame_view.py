"""What is told of a frame to a person, whatever the protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Explained:
    """One field as it was read: where in the body, its name with those around it, what it means."""

    start: int
    end: int
    name: str
    value: Any
    meaning: str


@dataclass(frozen=True, slots=True)
class FrameView:
    """What is told of one frame, or of a divided message put together.

    `title`: the message in words; `about`: of its header; `fields`: of its body; `wrong`: why it
    cannot be read, empty if it can; `raw`: the bytes as they came.
    """

    title: str
    raw: bytes
    about: dict[str, str | int] = field(default_factory=dict)
    fields: tuple[Explained, ...] = ()
    body: bytes = b""
    wrong: str = ""
