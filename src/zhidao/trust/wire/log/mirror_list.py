"""Lists of mirrors: one file a corridor, lines `mirror <verifier key> <address>`.

The form is ours, after the lines of C2SP tlog-policy, which has none for mirrors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.trust.domain.mirroring import MirrorTarget
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.wire.log.note import parse_vkey

MIRROR_LIST_BYTES_MAX: Final = 64 * 1024
MIRRORS_MAX: Final = 16


def parse_mirror_list(data: bytes) -> dict[str, tuple[NoteKey, ...]]:
    """The keys of each address. Raises MalformedInput with the line's number."""
    if len(data) > MIRROR_LIST_BYTES_MAX:
        raise MalformedInput(f"a list of {len(data)} bytes; {MIRROR_LIST_BYTES_MAX} are read")
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise MalformedInput("a list is UTF-8", where=f"byte {error.start}") from error
    found: dict[str, tuple[NoteKey, ...]] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            url, key = _mirror(words)
            found[url] = (*found.get(url, ()), key)
            MirrorTarget(url, found[url], ())
        except MalformedInput as error:
            raise MalformedInput(str(error.args[0]), where=f"line {number}") from error
    if len(found) > MIRRORS_MAX:
        raise MalformedInput(f"a list of {len(found)} mirrors; at most {MIRRORS_MAX}")
    return found


def mirror_targets(
    lists: Mapping[str, Mapping[str, tuple[NoteKey, ...]]],
) -> tuple[MirrorTarget, ...]:
    """Each mirror once, with the corridors (the lists by name) that it stands for."""
    targets: dict[str, MirrorTarget] = {}
    for corridor, mirrors in lists.items():
        for url, keys in mirrors.items():
            known = targets.get(url)
            targets[url] = MirrorTarget(
                url,
                tuple(dict.fromkeys((*(known.keys if known else ()), *keys))),
                (*(known.corridors if known else ()), corridor),
            )
    return tuple(targets.values())


def _mirror(words: list[str]) -> tuple[str, NoteKey]:
    match words:
        case ["mirror", key, url]:
            return url.rstrip("/"), parse_vkey(key)
        case _:
            said = " ".join(words)[:80]
            raise MalformedInput(f"not a line of a list of mirrors: {said!r}")
