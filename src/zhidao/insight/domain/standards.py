"""A standard as a list of questions: who may answer each, and what in a repository answers it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from zhidao.core.errors import NotFound, Refused

# A standard that nobody looked at for so long may have changed meanwhile.
UNLOOKED_DAYS: Final = 180
NOT_AT_HAND: Final = "not at hand"


class Answerer(StrEnum):
    """What, or who, may answer a question."""

    FILE = "file"
    HISTORY = "history"
    DECLARATION = "declaration"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Question:
    """One requirement of a standard, asked in our own words.

    settled_by: kinds of evidence of which one is enough for `shown`. supported_by: kinds that are
    quoted for the person who judges, and settle nothing. setting: where a person finds the answer
    outside of the repository, in English and Chinese; empty where it is not known.
    """

    id: str
    en: str
    zh: str
    applies_to: tuple[str, ...]
    answered_by: tuple[Answerer, ...]
    settled_by: tuple[str, ...] = ()
    supported_by: tuple[str, ...] = ()
    levels: tuple[int, ...] = ()
    setting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TextRead:
    """A file of the standard that the questions were written from. `sha256`: hexadecimal."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Pack:
    """A version of a standard. `digest`: `sha256:` and the hexadecimal digest of the pack's file.

    texts: empty where the bytes of the standard were not at hand when the questions were written.
    """

    id: str
    name: str
    version: str
    source: str
    licence: str
    looked_at: date
    note: str
    texts: tuple[TextRead, ...]
    questions: tuple[Question, ...]
    digest: str

    def unlooked_days(self, today: date) -> int:
        """Days since somebody looked whether the standard changed."""
        return (today - self.looked_at).days

    def is_stale(self, today: date) -> bool:
        """Whether nobody looked for more than 180 days."""
        return self.unlooked_days(today) > UNLOOKED_DAYS


def chosen(packs: Iterable[Pack], wanted: Iterable[str]) -> tuple[Pack, ...]:
    """The packs that are named, in the order of their ids; all where none is named.

    A name is `ID`, or `ID@sha256:...` for whoever must have one text of it and no other.
    Raises NotFound for a pack that is not there, Refused if its digest is another.
    """
    known = {pack.id: pack for pack in packs}
    found: dict[str, Pack] = {}
    for name in wanted:
        pack_id, _, digest = name.partition("@")
        pack = known.get(pack_id)
        if pack is None:
            raise NotFound(
                f"no standard {pack_id}",
                code="unknown_standard",
                remedy=f"take one of {', '.join(sorted(known))}",
            )
        if digest and digest != pack.digest:
            raise Refused(
                f"the pack {pack_id} of this version has the digest {pack.digest}, not {digest}",
                code="other_pack",
                remedy="assess again with this version, or use the one that has that pack",
            )
        found[pack_id] = pack
    return tuple(known[name] for name in sorted(found or known))
