"""What a program is made of, by the lists of others, and which licences a person must look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhidao.insight.domain.licences import openness
from zhidao.insight.domain.spdx import Expression, base_of, parse_expression

UNKNOWN_HERE: Final = "unknown here"


@dataclass(frozen=True, slots=True)
class Component:
    """A part by a list's own word. where: its place in the list.

    licences: as they are stated, all of which hold; empty where the list states none. purl: empty
    where the list gives none.
    """

    name: str
    version: str
    purl: str
    licences: tuple[str, ...]
    where: str


@dataclass(frozen=True, slots=True)
class ComponentList:
    """A list of parts. form: `CycloneDX 1.6`, `SPDX 2.3` or the like, or the name of a lock file.

    sha256: of the file, hexadecimal; names_only: it states no licences at all.
    """

    file: str
    form: str
    sha256: str
    components: tuple[Component, ...]
    names_only: bool = False

    def licence_counts(self) -> list[tuple[str, int]]:
        """How many parts state each licence, most first; what states none is `unknown here`."""
        told = Counter(" AND ".join(each.licences) or UNKNOWN_HERE for each in self.components)
        return sorted(told.items(), key=lambda each: (-each[1], each[0]))


class Concern(StrEnum):
    """Why a person must look at a part's licence; none of them is a judgement.

    closed: it forbids changes, sale or competition. incompatible: the Free Software Foundation
    says that the two cannot hold for one program. stronger: it asks of the whole what the outbound
    licence does not. unreadable: what is stated is no expression of SPDX.
    """

    CLOSED = "closed"
    INCOMPATIBLE = "incompatible"
    STRONGER = "stronger"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class ConcernedPart:
    """A part whose stated licence a person must look at, beside that of the whole."""

    file: str
    component: Component
    outbound: str
    concern: Concern


def concerned_parts(outbound: Sequence[str], lists: Iterable[ComponentList]) -> list[ConcernedPart]:
    """Parts whose stated licences may not fit: of all lists in order.

    outbound: the licences of the whole, any of which may be taken; of a choice (OR) the better one
    counts. How a part is joined to the whole stands in no list, so nothing is decided by this.
    """
    choices = [each for each in map(parse_expression, outbound) if each]
    return [
        ConcernedPart(each.file, part, " OR ".join(outbound), concern)
        for each in lists
        for part in each.components
        for concern in _concerns(part, choices)
    ]


def _concerns(part: Component, outbound: Sequence[Expression]) -> Iterator[Concern]:
    """The gravest of a part, of all that it states; none or one."""
    found = {_concern(stated, outbound) for stated in part.licences}
    yield from [each for each in Concern if each in found][:1]


def _concern(stated: str, outbound: Sequence[Expression]) -> Concern | None:
    expression = parse_expression(stated)
    if expression is None:
        return Concern.UNREADABLE
    # Of both sides the choice that fits best may be taken.
    offered = [choice for each in outbound for choice in each.choices] or [_ANY]
    found = [_of_choice(inbound, mine) for inbound in expression.choices for mine in offered]
    return None if None in found else min((each for each in found if each), key=_GRAVE.index)


_ANY: Final[frozenset[str]] = frozenset()
# The lightest first.
_GRAVE: Final = (Concern.STRONGER, Concern.INCOMPATIBLE, Concern.CLOSED)


def _of_choice(inbound: frozenset[str], outbound: frozenset[str]) -> Concern | None:
    pairs = [(mine, theirs) for mine in outbound for theirs in inbound]
    if any(openness(name) == "closed" for name in inbound):
        return Concern.CLOSED
    if any(_is_incompatible(mine, theirs) for mine, theirs in pairs):
        return Concern.INCOMPATIBLE
    if any(_is_stronger(theirs, outbound) for theirs in inbound):
        return Concern.STRONGER
    return None


# Source: gnu.org, "Various Licenses and Comments about Them" and the GPL FAQ's matrix, as known
# widely: Apache 2.0, GPL 3 and AGPL 3 each cannot be joined to what is under GPL 2 alone. The texts
# were not at hand when this was written.
_NOT_WITH_GPL2_ONLY: Final = frozenset(("Apache-2.0", "GPL-3.0", "AGPL-3.0", "LGPL-3.0"))
_GPL2_ONLY: Final = frozenset(("GPL-2.0-only", "GPL-2.0"))
_STRONG: Final = frozenset(("GPL-2.0", "GPL-3.0", "AGPL-3.0", "OSL-3.0", "EUPL-1.2", "CECILL-2.1"))


def _is_incompatible(mine: str, theirs: str) -> bool:
    return any(
        one in _GPL2_ONLY and base_of(other) in _NOT_WITH_GPL2_ONLY
        for one, other in ((mine, theirs), (theirs, mine))
    )


def _is_stronger(theirs: str, outbound: frozenset[str]) -> bool:
    base = base_of(theirs)
    if base not in _STRONG:
        return False
    mine = {base_of(each) for each in outbound}
    # What is under GPL 2 or later, or GPL 3, may be part of what is under AGPL 3 or GPL 3.
    taken_up = base.startswith("GPL-") and bool(mine & {"GPL-3.0", "AGPL-3.0"})
    return base not in mine and not taken_up
