"""Installed trust lists: files under `$XDG_DATA_HOME/zhidao/trust`, named by fingerprint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhidao.cli.outputs import take
from zhidao.core.errors import MalformedInput, NotFound
from zhidao.core.timescale import Utc
from zhidao.trust.domain.governance import GovernedList
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.wire.trust_list import TRUST_BYTES_MAX, decode_trust_list, trust_list_fingerprint

_SUFFIX: Final = ".json"
_GOVERNED: Final = ".zdtrust"
_PREFIX_CHARACTERS_MIN: Final = 4


@dataclass(frozen=True, slots=True)
class Installed:
    """A list that a person has decided to trust; `governed` if no single party can change it."""

    fingerprint: str
    trust: TrustList
    governed: GovernedList | None = None


def trust_folder(environment: Mapping[str, str]) -> Path:
    """Where lists are installed (XDG Base Directory Specification 0.8)."""
    home = environment.get("XDG_DATA_HOME", "")
    # The specification: a path that is not absolute is invalid and ignored.
    base = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "share"
    return base / "zhidao" / "trust"


def read_list(path: Path) -> tuple[bytes, TrustList]:
    """A trust list and its bytes. Raises MalformedInput."""
    data = take(path, bytes_max=TRUST_BYTES_MAX)
    try:
        return data, decode_trust_list(data)
    except MalformedInput as error:
        raise MalformedInput(str(error.args[0]), code=error.code, where=str(path)) from error


def installed_lists(folder: Path) -> list[Installed]:
    """All installed lists in order of fingerprint. Raises MalformedInput for a damaged one."""
    found = []
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        data, trust = read_list(path)
        fingerprint = trust_list_fingerprint(data)
        if path.stem != fingerprint:
            raise MalformedInput(
                f"{path} holds another list than was installed",
                code="damaged_list",
                remedy="remove the file and add the list again",
            )
        found.append(Installed(fingerprint, trust))
    governed = sorted(folder.glob(f"*{_GOVERNED}"))
    return [*found, *(read_any(path, pinned=path.stem) for path in governed)]


def read_any(path: Path, *, pinned: str | None = None) -> Installed:
    """A list of either form. Raises MalformedInput, or Refused if its signatures do not hold.

    `pinned`: fingerprint of the first root that a governed list must begin with.
    """
    if path.suffix != _GOVERNED:
        data, trust = read_list(path)
        return Installed(trust_list_fingerprint(data), trust)
    # The update framework takes a tenth of a second to import, and most users have none such.
    from zhidao.trust.service.governing import believe
    from zhidao.trust.wire.governance import GOVERNED_BYTES_MAX, decode_governed

    governed = believe(decode_governed(take(path, bytes_max=GOVERNED_BYTES_MAX)), pinned=pinned)
    return Installed(governed.root, governed.trust, governed)


def install_governed(folder: Path, path: Path, *, at: Utc) -> Installed:
    """Installs a governed list, or the next version of one: it stands under its first root.

    Raises Refused: `list_expired`, `rolled_back`, `forked_list`.
    """
    new = read_any(path)
    assert new.governed is not None, "the caller looked at the suffix"
    new.governed.check_admits(at)
    place = folder / f"{new.fingerprint}{_GOVERNED}"
    if place.exists():
        before = read_any(place, pinned=new.fingerprint).governed
        assert before is not None
        new.governed.check_follows(before)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(place, path.read_bytes())
    return new


def is_governed(path: Path) -> bool:
    """Whether a file's name says that it is a governed list."""
    return path.suffix == _GOVERNED


def install(folder: Path, data: bytes) -> Path:
    """Writes a list's bytes; the same list again changes nothing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{trust_list_fingerprint(data)}{_SUFFIX}"
    _write(path, data)
    return path


def _write(path: Path, data: bytes) -> None:
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def remove(folder: Path, wanted: str) -> list[Installed]:
    """Removes the lists of this name, or the one whose fingerprint begins so.

    Raises NotFound if there is none, MalformedInput if the beginning fits several.
    """
    lists = installed_lists(folder)
    named = [each for each in lists if each.trust.name == wanted]
    begun = [
        each
        for each in lists
        if len(wanted) >= _PREFIX_CHARACTERS_MIN and each.fingerprint.startswith(wanted)
    ]
    chosen = named or begun
    if not chosen:
        raise NotFound(f"no installed trust list {wanted!r}", remedy="see zhidao trust list")
    if not named and len(chosen) > 1:
        raise MalformedInput(f"{wanted!r} begins several fingerprints; give more of it")
    for each in chosen:
        suffix = _GOVERNED if each.governed else _SUFFIX
        (folder / f"{each.fingerprint}{suffix}").unlink(missing_ok=True)
    return chosen


def shown(text: str) -> str:
    """Text of a stranger's file as a terminal may show it: no control characters but newlines."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
