"""Installed trust lists: files under `$XDG_DATA_HOME/zhidao/trust`, named by fingerprint."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhidao.cli.console.outputs import take, taken_as
from zhidao.core.errors import MalformedInput, NotFound, Refused
from zhidao.core.files.output import write_whole

# What reads a list brings cryptography with it: it is imported where one is read, so that help
# answers at once.
if TYPE_CHECKING:
    from zhidao.core.timescale import Utc
    from zhidao.trust.domain.governance import GovernedList
    from zhidao.trust.domain.trust_list import TrustList

_SUFFIX: Final = ".json"
_GOVERNED: Final = ".zdtrust"
# Governed lists that were removed, so that their versions are not forgotten.
_REMOVED: Final = "removed"
# Small letters of Cyrillic and Greek that are drawn like a Latin one in either case, what they are
# taken for, and what digits and the small l are.
_DRAWN_ALIKE: Final = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445"  # to kha
    "\u0455\u0456\u0458\u04bb\u04cf\u0501\u051b\u051d"  # of other Cyrillic alphabets
    "\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03b6"
    "01l",
    "abekmhopctyxsijhidqwabehikmnoptyxzoii",
)
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
    from zhidao.trust.wire.governance.trust_list import TRUST_BYTES_MAX, decode_trust_list

    data = take(path, bytes_max=TRUST_BYTES_MAX, beside=True)
    try:
        return data, decode_trust_list(data)
    except MalformedInput as error:
        raise MalformedInput(
            str(error.args[0]), code=error.code, where=str(path), remedy=error.remedy
        ) from error


def installed_lists(folder: Path) -> list[Installed]:
    """All installed lists in order of fingerprint. Raises MalformedInput for a damaged one."""
    from zhidao.trust.wire.governance.trust_list import trust_list_fingerprint

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
        from zhidao.trust.wire.governance.trust_list import trust_list_fingerprint

        data, trust = read_list(path)
        return Installed(trust_list_fingerprint(data), trust)
    # The update framework takes a tenth of a second to import, and most users have none such.
    from zhidao.trust.service.witness.governing import believe
    from zhidao.trust.wire.governance.governance import GOVERNED_BYTES_MAX, decode_governed

    told = taken_as(decode_governed, path, bytes_max=GOVERNED_BYTES_MAX, beside=True)
    governed = believe(told, pinned=pinned)
    return Installed(governed.root, governed.trust, governed)


def install_governed(folder: Path, path: Path, *, at: Utc) -> Installed:
    """Installs a governed list, or the next version of one: it stands under its first root.

    Raises Refused: `list_expired`, `rolled_back`, `forked_list`.
    """
    new = read_any(path)
    assert new.governed is not None, "the caller looked at the suffix"
    new.governed.check_admits(at)
    place = folder / f"{new.fingerprint}{_GOVERNED}"
    removed = folder / _REMOVED / place.name
    for known in (place, removed):
        if known.exists():
            before = read_any(known, pinned=new.fingerprint).governed
            assert before is not None
            new.governed.check_follows(before)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(place, path.read_bytes())
    removed.unlink(missing_ok=True)
    return new


def check_name(lists: Sequence[Installed], new: Installed, *, replacing: Sequence[str]) -> None:
    """Raises Refused (`name_taken`) if an installed list of another root bears this name.

    A name is whatever its maker chose, so only the fingerprint tells lists apart. `replacing`: the
    fingerprints of the lists that the new one takes the place of. Raises NotFound if none has one.
    """
    taken = [
        each
        for each in lists
        if _read_as(each.trust.name) == _read_as(new.trust.name)
        and each.fingerprint != new.fingerprint
    ]
    for wanted in replacing:
        if wanted not in {each.fingerprint for each in taken}:
            raise NotFound(
                f"no installed list of the name {new.trust.name!r} has the fingerprint {wanted!r}",
                remedy="see zhidao trust list",
            )
    for each in taken:
        if each.fingerprint not in replacing:
            kind = "a governed list" if each.governed else "a plain list"
            raise Refused(
                f"{kind} of the name {each.trust.name!r} is installed, with the root "
                f"{each.fingerprint}; this one has the root {new.fingerprint}",
                code="name_taken",
                remedy="if its maker confirms that it takes the other's place: --replace "
                + each.fingerprint,
            )


def _read_as(name: str) -> str:
    """A name as people read it: without case, accents, blanks and what cannot be seen.

    Letters of other scripts that are drawn like a Latin one are taken for it, in either case: the
    Cyrillic letter a makes no other name. More names are held to be one than anybody would confuse,
    which costs a comparison of fingerprints; fewer would cost the list.
    """
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    return "".join(letter for letter in text if letter.isalnum()).translate(_DRAWN_ALIKE) or text


def is_governed(path: Path) -> bool:
    """Whether a file's name says that it is a governed list."""
    return path.suffix == _GOVERNED


def install(folder: Path, data: bytes) -> Path:
    """Writes a list's bytes; the same list again changes nothing."""
    from zhidao.trust.wire.governance.trust_list import trust_list_fingerprint

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{trust_list_fingerprint(data)}{_SUFFIX}"
    write_whole(path, data)
    return path


def remove(folder: Path, wanted: str) -> list[Installed]:
    """Removes the list of this name, or the one whose fingerprint begins so.

    Which version of a governed list was known is remembered, so that no older one comes after it.
    Raises NotFound if there is none, MalformedInput if name or beginning fits several.
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
    if len(chosen) > 1:
        fitting = ", ".join(each.fingerprint for each in chosen)
        raise MalformedInput(
            f"{wanted!r} fits several lists: {fitting}", remedy="give one of these fingerprints"
        )
    for each in chosen:
        _take_away(folder, each)
    return chosen


def replace_lists(folder: Path, fingerprints: Sequence[str]) -> None:
    """Removes the lists whose place another took."""
    for each in installed_lists(folder):
        if each.fingerprint in fingerprints:
            _take_away(folder, each)


def _take_away(folder: Path, each: Installed) -> None:
    if each.governed is None:
        (folder / f"{each.fingerprint}{_SUFFIX}").unlink(missing_ok=True)
        return
    (folder / _REMOVED).mkdir(exist_ok=True, mode=0o700)
    name = f"{each.fingerprint}{_GOVERNED}"
    (folder / name).replace(folder / _REMOVED / name)


def shown(text: str) -> str:
    """Text of a stranger's file as a terminal may show it: no control characters but newlines."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
