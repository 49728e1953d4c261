"""How tables show themselves at a prompt: names, shapes and letters, never the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

import numpy as np

_TEXT_MAX: Final = 40


class Brief:
    """Gives a dataclass of arrays a `repr` of one short line."""

    __slots__ = ()

    def __repr__(self) -> str:
        parts = (f"{each.name}={_brief(getattr(self, each.name))}" for each in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(parts)})"


def _brief(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(map(str, value))}}}"
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}(...)"
    if isinstance(value, (tuple, list)) and len(value) > 3:
        return f"{len(value)} of {type(value[0]).__name__}"
    text = repr(value)
    return text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]}..."
