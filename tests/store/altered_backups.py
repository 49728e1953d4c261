"""Backups that somebody altered, seeded: bytes, members in other places, digests put right again."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from hashlib import sha256

from zhidao.core.canonical import jcs
from zhidao.core.errors import ZhidaoError
from zhidao.store.backup_contents import check
from zhidao.store.backup_format import MANIFEST, Member, Writer, read

# How an altered archive may be refused; who signed it is judged by whoever reads it.
NAMES = frozenset(
    {"backup_damaged", "backup_forged", "backup_truncated", "backup_foreign", "backup_newer"}
)


class InMemory(io.BytesIO):
    """An archive in memory."""

    def rewind(self) -> None:
        """Back to the beginning."""
        self.seek(0)


def as_one_file(members: list[Member]) -> bytes:
    """An archive of these members, with a digest that fits."""
    out = io.BytesIO()
    writer = Writer(out)
    for member in members:
        writer.add(member.name, member.data)
    writer.finish()
    return out.getvalue()


def altered(whole: bytes, *, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """`count` alterations of an archive, the kinds in turn, each with its name."""
    source = random.Random(seed)
    members = list(read(InMemory(whole)))
    kinds: tuple[tuple[str, Callable[[random.Random], bytes]], ...] = (
        ("a byte", lambda chance: _byte(whole, chance)),
        ("a byte, its digest put right", lambda chance: as_one_file(_content(members, chance))),
        ("a byte, all digests put right", lambda chance: recounted(_unlisted(members, chance))),
        ("two members swapped", lambda chance: as_one_file(_swapped(members, chance))),
        ("two swapped, all put right", lambda chance: recounted(_swapped(members, chance))),
        ("a member left out", lambda chance: recounted(_without(members, chance))),
    )
    for number in range(count):
        name, kind = kinds[number % len(kinds)]
        yield f"{number}: {name}", kind(source)


def refusal(data: bytes) -> str:
    """The code with which a reader refuses; empty if it takes the file."""
    try:
        check(InMemory(data))
    except ZhidaoError as error:
        return error.code
    return ""


def recounted(members: list[Member]) -> bytes:
    """All that somebody without the key can put right: the manifest and the digest of the file."""
    said = [
        {"name": m.name, "bytes": len(m.data), "sha256": sha256(m.data).hexdigest()}
        for m in members[:-2]
    ]
    manifest = json.loads(members[-2].data) | {"members": said}
    return as_one_file([*members[:-2], Member(MANIFEST, jcs(manifest)), members[-1]])


def _byte(whole: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(whole))
    return whole[:at] + bytes([whole[at] ^ chance.randrange(1, 256)]) + whole[at + 1 :]


def _content(members: list[Member], chance: random.Random) -> list[Member]:
    place = chance.choice([n for n, member in enumerate(members) if member.data])
    member = members[place]
    changed = Member(member.name, _byte(member.data, chance))
    return [*members[:place], changed, *members[place + 1 :]]


def _unlisted(members: list[Member], chance: random.Random) -> list[Member]:
    """A change outside the manifest, which is put right as a whole anyway."""
    *changed, signature = _content([*members[:-2], members[-1]], chance)
    return [*changed, members[-2], signature]


def _swapped(members: list[Member], chance: random.Random) -> list[Member]:
    """Contents change places under the names that stand there, or members with their names."""
    one, other = sorted(chance.sample(range(1, len(members) - 2), 2))
    mixed = list(members)
    mixed[one], mixed[other] = mixed[other], mixed[one]
    if chance.random() < 0.5 and members[one].data != members[other].data:
        mixed[one] = Member(members[one].name, members[other].data)
        mixed[other] = Member(members[other].name, members[one].data)
    return mixed


def _without(members: list[Member], chance: random.Random) -> list[Member]:
    place = chance.randrange(1, len(members) - 2)
    return [*members[:place], *members[place + 1 :]]
