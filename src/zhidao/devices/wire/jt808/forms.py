"""Forms of a message: implementations differ, and the length of a body tells which it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from zhidao.devices.wire.jt808.frame import Edition
from zhidao.devices.wire.jt808.layout import Layout

SINCE_2019: Final = frozenset((Edition.E2019,))
BEFORE_2019: Final = frozenset((Edition.E2011, Edition.E2013))


@dataclass(frozen=True, slots=True)
class Form:
    """One layout of a message. `least`: of fewer bytes it is another form."""

    layout: Layout
    editions: frozenset[Edition] = frozenset(Edition)
    least: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True, init=False)
class Kind:
    """A message: its name, and its forms, the standard's first."""

    name: str
    forms: tuple[Form, ...] = field(default=())

    def __init__(self, name: str, *forms: Form) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "forms", forms)

    def of(self, edition: Edition) -> tuple[tuple[int, Form], ...]:
        """The forms of an edition, each with its number."""
        return tuple(
            (number, form) for number, form in enumerate(self.forms) if edition in form.editions
        )
