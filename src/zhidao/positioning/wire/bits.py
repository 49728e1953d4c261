"""Fields of some bits in a row: one table describes both reading and writing of a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput

UNSIGNED: Final = "u"
SIGNED: Final = "i"  # two's complement
SIGN_MAGNITUDE: Final = "s"


@dataclass(frozen=True, slots=True)
class Field:
    """A whole number of `width` bits; `kind` tells its sign convention."""

    name: str
    width: int
    kind: str = UNSIGNED

    def value(self, raw: int) -> int:
        """The number that these bits mean."""
        top = 1 << (self.width - 1)
        if self.kind == SIGNED and raw & top:
            return raw - 2 * top
        if self.kind == SIGN_MAGNITUDE and raw & top:
            return -(raw & ~top)
        return raw

    def raw(self, value: int) -> int:
        """The bits of a number. Raises MalformedInput where it does not fit."""
        top = 1 << (self.width - 1)
        low, high = (0, 2 * top - 1) if self.kind == UNSIGNED else (-top, top - 1)
        if self.kind == SIGN_MAGNITUDE:
            low = 1 - top
        if not low <= value <= high:
            raise MalformedInput(f"{self.name}: {value} does not fit {self.width} bits")
        if value >= 0:
            return value
        return top | -value if self.kind == SIGN_MAGNITUDE else value + 2 * top


@dataclass(frozen=True, slots=True)
class Layout:
    """Fields one after the other, the first in the highest bits."""

    fields: tuple[Field, ...]

    @classmethod
    def of(cls, text: str) -> Layout:
        """From words such as `toc:16` (unsigned), `af0:i22` (signed), `tau:s22` (sign bit)."""
        found = []
        for word in text.split():
            name, _, form = word.partition(":")
            kind = form[0] if form[0] in "is" else UNSIGNED
            found.append(Field(name, int(form.lstrip("is")), kind))
        return cls(tuple(found))

    @property
    def width(self) -> int:
        """Bits in all."""
        return sum(field.width for field in self.fields)

    def read(self, data: bytes, *, start: int = 0) -> dict[str, int]:
        """Values by name from bit `start` on. Raises MalformedInput where data are too short."""
        spare = 8 * len(data) - start - self.width
        if spare < 0:
            raise MalformedInput(f"{len(data)} bytes are too few for {start + self.width} bits")
        bits = int.from_bytes(data, "big") >> spare
        out = {}
        for field in reversed(self.fields):
            out[field.name] = field.value(bits & ((1 << field.width) - 1))
            bits >>= field.width
        return out

    def write(self, values: Mapping[str, int]) -> bytes:
        """The bits of the values, filled up with zeros to whole bytes; absent values are 0."""
        bits = 0
        for field in self.fields:
            bits = bits << field.width | field.raw(values.get(field.name, 0))
        width = -(-self.width // 8)
        return (bits << (8 * width - self.width)).to_bytes(width, "big")
