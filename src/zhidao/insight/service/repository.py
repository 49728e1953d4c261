"""What an assessment asks of a repository: names, bytes and history, read and never run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from zhidao.insight.domain.history import Commit, Tag


@dataclass(frozen=True, slots=True)
class FileAt:
    """A regular file of the tree. path: text, bytes that are no UTF-8 written as \\xNN."""

    path: str
    blob: str
    size: int


@dataclass(frozen=True, slots=True)
class Tree:
    """The tree of one commit. notes: codes of what a reader must know, each with its detail."""

    kind: str
    commit: str
    id: str
    files: tuple[FileAt, ...]
    links: int
    submodules: int
    notes: tuple[tuple[str, str], ...] = ()


class Repository(Protocol):
    """A repository at one commit. Everything read is hashed again before it is believed."""

    @property
    def tree(self) -> Tree:
        """Names, blobs and sizes of all files."""
        ...

    def blobs(self, ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of blobs, in the order asked for. Raises Refused if one is missing."""
        ...

    def commits(self) -> list[Commit]:
        """All that the commit reaches, itself first."""
        ...

    def tags(self) -> list[Tag]:
        """The names below refs/tags that stand at a commit."""
        ...
