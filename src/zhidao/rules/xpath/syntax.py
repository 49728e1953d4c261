"""What an XPath 2.0 expression is made of, after its names are resolved.

Source: W3C XML Path Language (XPath) 2.0 (second edition), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A string, integer, decimal or double; equal only to one of the same type."""

    value: str | int | Decimal | float

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Literal)
            and type(self.value) is type(other.value)
            and self.value == other.value
        )

    def __hash__(self) -> int:
        return hash(self.value)


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`."""

    name: str


@dataclass(frozen=True, slots=True)
class ContextItem:
    """`.`."""


@dataclass(frozen=True, slots=True)
class Root:
    """`/`: the document of the context node."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """`(a, b, c)`."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class NodeTest:
    """A kind (`name`, `node`, `text`, `element`, ...) and, for `name`, what name.

    None in place of a namespace or local name stands for a wildcard.
    """

    kind: str
    space: str | None = None
    local: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """`axis::test[predicate]...`."""

    axis: str
    test: NodeTest
    predicates: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """Steps from left to right; the first may be any expression, `Root` for absolute paths."""

    steps: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """`primary[predicate]...`."""

    base: Expr
    predicates: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function by namespace and local name."""

    space: str
    local: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two operands; `operator` is written as in XPath, `union` for `|`."""

    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Negation:
    """Unary minus or plus."""

    operator: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Conditional:
    """`if (test) then yes else no`."""

    test: Expr
    yes: Expr
    no: Expr


@dataclass(frozen=True, slots=True)
class Loop:
    """`for $a in A, $b in B return R`."""

    bindings: tuple[tuple[str, Expr], ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class Quantified:
    """`some` or `every`."""

    every: bool
    bindings: tuple[tuple[str, Expr], ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class Cast:
    """`cast as` or `castable as` a built-in atomic type, by its local name."""

    operand: Expr
    type_name: str
    optional: bool
    only_asks: bool


@dataclass(frozen=True, slots=True)
class InstanceOf:
    """`instance of` a sequence type; kept for the reader, outside what is compiled."""

    operand: Expr
    sequence_type: str


Expr = (
    Literal
    | Variable
    | ContextItem
    | Root
    | Sequence
    | Path
    | Step
    | Filter
    | Call
    | Binary
    | Negation
    | Conditional
    | Loop
    | Quantified
    | Cast
    | InstanceOf
)
