"""What a declaration points to, found in the tree: the line that says it, or a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from zhidao.core.errors import Refused
from zhidao.insight.domain.assessment import Cited, Claim, Claims, Pointer
from zhidao.insight.service.tree_reading import TreeReading

DECLARED: Final = "declared"
# So many places that are not there are named at once.
_NAMED: Final = 5


def paths_of(claims: Claims) -> set[str]:
    """The files that claims point to."""
    return {pointer.path for _, pointer in _pointers(claims)}


def borne_out(reading: TreeReading, claims: Claims) -> Claims:
    """The claims with the lines that they point to; what is not there is left out."""
    return {
        name: tuple(_with_lines(reading, each) for each in mine) for name, mine in claims.items()
    }


def missing(reading: TreeReading, claims: Claims) -> list[tuple[tuple[str, str], Pointer]]:
    """What is pointed to and not there, with the standard and item that it was to bear out."""
    return [(name, each) for name, each in _pointers(claims) if line_of(reading, each) is None]


def check_borne_out(reading: TreeReading, claims: Claims) -> None:
    """Raises Refused that names what a declaration points to and is not there."""
    lacking = missing(reading, claims)
    if lacking:
        told = "; ".join(
            f"{standard} {item}: {pointer.path} has no line {pointer.says[:60]!r}"
            for (standard, item), pointer in lacking[:_NAMED]
        )
        more = f"; and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
        raise Refused(
            f"the declaration points to what is not there: {told}{more}", code="not_there"
        )


def _pointers(claims: Claims) -> Iterator[tuple[tuple[str, str], Pointer]]:
    return (
        (name, pointer) for name, mine in claims.items() for claim in mine for pointer in claim.see
    )


def _with_lines(reading: TreeReading, claim: Claim) -> Claim:
    found = (_cited(reading, pointer) for pointer in claim.see)
    return replace(claim, evidence=tuple(each for each in found if each))


def _cited(reading: TreeReading, pointer: Pointer) -> Cited | None:
    line = line_of(reading, pointer)
    if line is None:
        return None
    blob = reading.blob_of[pointer.path]
    return Cited(DECLARED, pointer.path, line, line, blob, pointer.says)


def line_of(reading: TreeReading, pointer: Pointer) -> int | None:
    """The first line that says it, spaces aside."""
    lines = reading.contents.get(pointer.path, "").split("\n")
    said = (
        number for number, each in enumerate(lines, 1) if pointer.says in " ".join(each.split())
    )
    return next(said, None)
