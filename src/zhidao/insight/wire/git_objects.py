"""Git objects as bytes: commits, trees, references and the head of a bundle; every one hashed.

Source: Git's documentation, gitformat-bundle(5), gitrepository-layout(5), git-cat-file(1).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.insight.domain.history import Commit

BUNDLE_SIGNATURES: Final = (b"# v2 git bundle\n", b"# v3 git bundle\n")
BUNDLE_HEAD_BYTES_MAX: Final = 4 * 1024 * 1024
_ID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# What git itself refuses in a name (git-check-ref-format), and what no list of ours could hold.
_NAME: Final = re.compile(r"refs/(?!replace/)[^\x00-\x20\x7f~^:?*\[\\]+")
_PERSON: Final = rb"(.*)<([^<>\n]*)> (-?\d{1,19}) [+-]?\d{1,6}\n"
# The lines of a commit stand in this order (git-commit-tree writes no other, git fsck refuses it).
_COMMIT: Final = re.compile(
    rb"tree [0-9a-f]+\n((?:parent [0-9a-f]+\n)*)author "
    + _PERSON
    # Two authors are told by some old tools; the first one counts.
    + rb"(?:author .*\n)*committer .*<[^<>\n]*> (-?\d{1,19}) [+-]?\d{1,6}(?:\n|\Z)"
)
_SIGNED_OFF: Final = re.compile(rb"^signed-off-by: .+@", re.IGNORECASE | re.MULTILINE)
_TREE: Final = b"40000"
_LINK: Final = b"120000"
_SUBMODULE: Final = b"160000"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a tree holds under a name. kind: `tree`, `file`, `link` or `submodule`."""

    name: bytes
    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class BundleHead:
    """references: name -> id. at: the byte at which the pack begins."""

    references: dict[str, str]
    at: int


def is_object_id(text: str) -> bool:
    """Whether it is a whole object id of SHA-1 or SHA-256."""
    return bool(_ID.fullmatch(text))


def check_object(object_id: str, kind: str, data: bytes) -> None:
    """Raises Refused if the bytes do not have that id: a store may say what it likes."""
    hashed = hashlib.sha1 if len(object_id) == 40 else hashlib.sha256
    told = hashed(b"%s %d\0" % (kind.encode(), len(data)), usedforsecurity=False)
    told.update(data)
    if told.hexdigest() != object_id:
        raise Refused(
            f"object {object_id} of the repository has other bytes",
            code="object_altered",
            remedy="run git fsck there and clone it again from whom you trust",
        )


def decode_commit(object_id: str, data: bytes) -> Commit:
    """What the head of a commit says; its message is looked at for a sign-off alone."""
    found = _COMMIT.match(data)
    if found is None:
        raise MalformedInput(f"commit {object_id} names no author and committer")
    parents, name, email, authored_s, committed_s = found.groups()
    author = email.lower()
    return Commit(
        id=object_id,
        parents=tuple(parents.decode("ascii", "replace").split()[1::2]),
        author=author.decode("utf-8", "backslashreplace").strip(),
        authored_s=int(authored_s),
        committed_s=int(committed_s),
        is_bot=b"[bot]" in name.lower() or b"[bot]" in author,
        is_signed_off=bool(_SIGNED_OFF.search(data, data.find(b"\n\n"))),
    )


def tree_of(object_id: str, data: bytes) -> str:
    """The tree that a commit names first."""
    tree = data[5:].split(b"\n", 1)[0].decode("ascii", "replace")
    if not data.startswith(b"tree ") or not is_object_id(tree):
        raise MalformedInput(f"commit {object_id} names no tree")
    return tree


def decode_tree(object_id: str, data: bytes) -> Iterator[Entry]:
    """The entries of a tree. Raises MalformedInput for what is none."""
    size = len(object_id) // 2
    place = 0
    while place < len(data):
        space = data.find(b" ", place)
        end = data.find(b"\0", space)
        if space < 0 or end < 0 or end + size >= len(data) or end == space + 1:
            raise MalformedInput(f"tree {object_id} is cut short", where=f"byte {place}")
        mode = data[place:space]
        entry_id = data[end + 1 : end + 1 + size].hex()
        kinds = {_TREE: "tree", _LINK: "link", _SUBMODULE: "submodule"}
        yield Entry(data[space + 1 : end], kinds.get(mode, "file"), entry_id)
        place = end + 1 + size


def decode_packed_refs(data: bytes) -> dict[str, str]:
    """Name -> id of a file packed-refs; lines that are none are left out."""
    found = {}
    for line in data.decode("utf-8", "replace").splitlines():
        object_id, _, name = line.partition(" ")
        if is_object_id(object_id) and is_reference(name):
            found[name] = object_id
    return found


def is_reference(name: str) -> bool:
    """Whether git would take the name, and it replaces nothing."""
    return bool(_NAME.fullmatch(name)) and ".." not in name and not name.endswith((".lock", "/"))


def decode_bundle_head(data: bytes) -> BundleHead:
    """The references of a bundle. Raises Refused for one that leans on objects that it has not."""
    signature = next((each for each in BUNDLE_SIGNATURES if data.startswith(each)), None)
    if signature is None:
        raise MalformedInput("no git bundle of version 2 or 3", where="byte 0")
    end = data.find(b"\n\n")
    if end < 0:
        raise MalformedInput("the head of the bundle has no end", where=f"byte {len(data)}")
    lines = data[len(signature) : end].decode("utf-8", "replace").split("\n")
    if any(line.startswith(("-", "@filter")) for line in lines):
        raise Refused(
            "the bundle leans on objects that it does not hold",
            code="bundle_incomplete",
            remedy="make a whole one: git bundle create FILE --all",
        )
    told = (line.partition(" ") for line in lines)
    references = {name: object_id for object_id, _, name in told if _is_named(object_id, name)}
    return BundleHead(references, end + 2)


def _is_named(object_id: str, name: str) -> bool:
    return is_object_id(object_id) and (name == "HEAD" or is_reference(name))
