"""Where a repository keeps its objects and names, found without asking its own configuration.

A repository that somebody else made may name programs in its configuration, hooks, filters and
replacements. So git never sees that folder: it gets a folder of ours, with a configuration of two
lines and the names that were read here, and of theirs the objects alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.insight.wire.git_objects import (
    BUNDLE_HEAD_BYTES_MAX,
    BundleHead,
    decode_bundle_head,
    decode_packed_refs,
    is_object_id,
    is_reference,
)

REFERENCES_MAX: Final = 200_000
REFERENCES_BYTES_MAX: Final = 64 * 1024 * 1024
# A name at a name at a name: git itself stops at five.
_NAMES_DEEP: Final = 5
_SMALL_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Store:
    """objects: the folder of objects, or the bundle that holds them. head: an id, or empty."""

    kind: str
    objects: Path
    head: str
    references: dict[str, str] = field(default_factory=dict)
    notes: tuple[tuple[str, str], ...] = ()
    bundle: BundleHead | None = None


def find_store(source: Path) -> Store:
    """The store of a work tree, a bare repository or a bundle.

    Raises MalformedInput for what is none of these, Refused for one that is not whole: shallow,
    partial, or leaning on objects of another.
    """
    if source.is_file():
        return _bundle(source)
    if not source.is_dir():
        raise MalformedInput(f"no repository {source}", code="no_repository")
    kind, git, notes = _git_folder(source)
    common = _common(git)
    _check_whole(common)
    references = _references(common)
    return Store(kind, common / "objects", _head(git, references), references, notes)


def _bundle(source: Path) -> Store:
    with source.open("rb") as file:
        data = file.read(BUNDLE_HEAD_BYTES_MAX)
    try:
        head = decode_bundle_head(data)
    except MalformedInput as error:
        error.where = f"{source} {error.where}".strip()
        raise
    references = {name: told for name, told in head.references.items() if name != "HEAD"}
    at = head.references.get("HEAD", "")
    if not at and len(set(references.values())) == 1:
        at = next(iter(references.values()))
    return Store("bundle", source, at, references, (), head)


def _git_folder(source: Path) -> tuple[str, Path, tuple[tuple[str, str], ...]]:
    inside = source / ".git"
    uncommitted = ("committed_only", "")
    if inside.is_dir():
        return "work tree", inside, (uncommitted,)
    if inside.is_file():
        told = _small(inside)
        if not told.startswith("gitdir: "):
            raise MalformedInput(f"{inside} names no folder of git", code="no_repository")
        git = (source / told.removeprefix("gitdir: ").strip()).resolve()
        return "work tree", git, (uncommitted, ("store_elsewhere", ""))
    if (source / "HEAD").is_file() and (source / "objects").is_dir():
        return "bare repository", source, ()
    raise MalformedInput(f"no repository of git in {source}", code="no_repository")


def _common(git: Path) -> Path:
    told = git / "commondir"
    common = (git / _small(told).strip()).resolve() if told.is_file() else git
    if not (common / "objects").is_dir():
        raise MalformedInput(f"no objects of git in {common}", code="no_repository")
    return common


def _check_whole(common: Path) -> None:
    if _small(common / "shallow"):
        raise Refused("the clone is shallow: its history is cut off", code="shallow_repository")
    if _small(common / "objects" / "info" / "alternates"):
        raise Refused(
            "the repository leans on objects of another, outside of it", code="alternate_objects"
        )
    pack = common / "objects" / "pack"
    if pack.is_dir() and any(pack.glob("*.promisor")):
        raise Refused("the clone is partial: blobs were left at its server", code="partial_clone")
    if (common / "reftable").is_dir():
        raise Refused("the repository keeps its names as a reftable", code="reftable")


def _references(common: Path) -> dict[str, str]:
    packed = common / "packed-refs"
    found: dict[str, str] = {}
    if packed.is_file():
        if packed.stat().st_size > REFERENCES_BYTES_MAX:
            raise Refused(
                f"{packed} has more than {REFERENCES_BYTES_MAX} bytes", code="too_many_references"
            )
        found = decode_packed_refs(packed.read_bytes())
    for name in _loose(common):
        told = _resolved(common, name, found)
        if is_reference(name) and told:
            found[name] = told
    return found


def _loose(common: Path) -> Iterator[str]:
    count = 0
    for folder, _, names in os.walk(common / "refs"):
        for name in sorted(names):
            count += 1
            if count > REFERENCES_MAX:
                raise Refused(
                    f"the repository has more than {REFERENCES_MAX} names",
                    code="too_many_references",
                )
            yield str((Path(folder) / name).relative_to(common).as_posix())


def _head(git: Path, references: dict[str, str]) -> str:
    told = _small(git / "HEAD").strip()
    if told.startswith("ref: "):
        return references.get(told.removeprefix("ref: ").strip(), "")
    return told if is_object_id(told) else ""


def _resolved(common: Path, name: str, packed: dict[str, str]) -> str:
    for _ in range(_NAMES_DEEP):
        told = _small(common / name).strip() or packed.get(name, "")
        if not told.startswith("ref: "):
            return told if is_object_id(told) else ""
        name = told.removeprefix("ref: ").strip()
        if not is_reference(name):
            return ""
    return ""


def _small(file: Path) -> str:
    """The beginning of a small file, empty where there is none.

    A pipe or device in its place would never end, and is none.
    """
    if not file.is_file():
        return ""
    try:
        with file.open("rb") as opened:
            return opened.read(_SMALL_BYTES).decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""
