"""A repository read by git's plumbing: no configuration of its own, no hook, filter or network.

git runs `rev-parse`, `rev-list`, `ls-tree`, `for-each-ref`, `cat-file` and, for a bundle,
`index-pack`, in a folder of ours (see git_store). Every object is hashed again by us.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from io import BufferedReader
from pathlib import Path
from typing import IO, Final

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.insight.adapters.git_store import Store, find_store
from zhidao.insight.domain.history import Commit, Tag
from zhidao.insight.service.repository import FileAt, Tree
from zhidao.insight.wire.git_objects import (
    check_object,
    decode_commit,
    decode_tree,
    is_object_id,
    tree_of,
)

GIT_SECONDS_MAX: Final = 300
COMMITS_MAX: Final = 2_000_000
FILES_MAX: Final = 1_000_000
OBJECT_BYTES_MAX: Final = 64 * 1024 * 1024
BUNDLE_BYTES_MAX: Final = 4 * 1024 * 1024 * 1024
_REVISION_LETTERS: Final = 256
# What git prints is taken in large pieces: an object is mostly smaller than a usual buffer.
_BUFFER_BYTES: Final = 1024 * 1024
_TREES_DEEP: Final = 200
# More than any object that git itself does not read in pieces (core.bigFileThreshold, 512 MiB).
_ROOM: Final = "1g"


@contextmanager
def opened_repository(source: Path, revision: str = "HEAD") -> Iterator[GitRepository]:
    """The repository at a revision; what was made beside it is gone afterwards.

    Raises MalformedInput for no repository, Refused for one that is not whole, for a revision that
    it has not, and for altered objects; Unavailable if git is not there or takes too long.
    """
    if shutil.which("git") is None:
        raise Unavailable("there is no program git", code="no_git")
    store = find_store(source)
    with tempfile.TemporaryDirectory(prefix="zhidao-assess-") as folder:
        git = _Git(Path(folder), store)
        yield GitRepository(git, store, git.commit_of(revision))


class _Git:
    """Runs git in a folder of ours over the objects of a store."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder = folder
        self._store = store
        ids = [store.head, *store.references.values()]
        self._sha256 = any(len(each) == 64 for each in ids)
        objects = folder / "objects" if store.bundle else store.objects
        # Nothing of the caller's environment reaches git, where such names could turn it.
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "LC_ALL": "C",
            "GIT_DIR": str(folder),
            "GIT_OBJECT_DIRECTORY": str(objects.resolve()),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": "none",
            # An object may say that it has any size, and git would make room for it all.
            "GIT_ALLOC_LIMIT": _ROOM,
        }
        self._lay_out()

    def _lay_out(self) -> None:
        for name in ("refs", "objects"):
            (self._folder / name).mkdir()
        # A commit-graph or multi-pack-index of theirs could tell another history than the commits.
        lines = [
            "[core]\n\tbare = true\n\tcommitGraph = false\n\tmultiPackIndex = false\n",
            "\trepositoryformatversion = 1\n",
            f"[extensions]\n\tobjectformat = {'sha256' if self._sha256 else 'sha1'}\n",
        ]
        (self._folder / "config").write_text("".join(lines), encoding="ascii")
        head = self._store.head or "ref: refs/heads/none"
        (self._folder / "HEAD").write_text(head + "\n", encoding="ascii")
        names = sorted(self._store.references.items())
        packed = "".join(f"{told} {name}\n" for name, told in names)
        (self._folder / "packed-refs").write_text(packed, encoding="utf-8")
        if self._store.bundle:
            self._unpack(self._store.objects, self._store.bundle.at)

    def _unpack(self, bundle: Path, at: int) -> None:
        (self._folder / "objects" / "pack").mkdir()
        with bundle.open("rb") as file:
            file.seek(at)
            # The program reads what it inherits from where the file stands.
            os.lseek(file.fileno(), at, os.SEEK_SET)
            self.run("index-pack", "--stdin", f"--max-input-size={BUNDLE_BYTES_MAX}", stdin=file)

    def run(self, *words: str, stdin: IO[bytes] | None = None) -> bytes:
        """What git prints. Raises Refused with what it complains of."""
        with self.running(*words, stdin=stdin) as output:
            return output.read()

    @contextmanager
    def running(self, *words: str, stdin: IO[bytes] | None = None) -> Iterator[BufferedReader]:
        """What git prints, while it prints it; it is ended after GIT_SECONDS_MAX."""
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(  # noqa: S603
                ["git", "--no-pager", *words],  # noqa: S607
                stdin=stdin or subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=_BUFFER_BYTES,
                env=self._environment,
                cwd=self._folder,
            )
            late = threading.Event()

            def end() -> None:
                # Said before the kill: whoever reads the output is woken by that.
                late.set()
                process.kill()

            watch = threading.Timer(GIT_SECONDS_MAX, end)
            watch.daemon = True
            watch.start()
            whole = False
            try:
                assert isinstance(process.stdout, BufferedReader)
                yield process.stdout
                whole = True
            finally:
                watch.cancel()
                if not whole:
                    process.kill()
                if process.stdout:
                    process.stdout.close()
                status = process.wait()
                # Before what its reader complains of: half an object is how lateness looks there.
                if late.is_set():
                    raise Unavailable(
                        f"git {words[0]} took more than {GIT_SECONDS_MAX} s", code="git_too_slow"
                    )
            if status:
                errors.seek(0)
                told = errors.read(500).decode("utf-8", "replace").strip()
                raise Refused(f"git {words[0]} refused: {told}", code="git_refused")

    def commit_of(self, revision: str) -> str:
        """The id of the commit that a revision names."""
        if not revision or len(revision) > _REVISION_LETTERS or not revision.isprintable():
            raise MalformedInput(f"{revision!r:.80} names no revision", code="no_revision")
        try:
            told = self.run(
                "rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"
            )
        except Refused as refusal:
            # Of what is not there it says nothing; of what it cannot read it says why.
            why = str(refusal.args[0]).removeprefix("git rev-parse refused:").strip()
            raise Refused(
                f"the repository has no commit {revision}" + (f" ({why})" if why else ""),
                code="no_revision",
            ) from refusal
        return told.decode().strip()

    def objects(self, ids: Sequence[str], kind: str) -> Iterator[tuple[str, bytes]]:
        """The objects, in the order asked for, each hashed again."""
        with tempfile.TemporaryFile() as asked:
            asked.write("".join(f"{each}\n" for each in ids).encode())
            asked.seek(0)
            with self.running("cat-file", "--batch", "--buffer", stdin=asked) as output:
                for each in ids:
                    told, data = _object(output, kind)
                    if told != each:
                        raise _missing(kind, each)
                    yield each, data

    def history(self, commit: str) -> Iterator[tuple[str, bytes]]:
        """All commits that a commit reaches, itself first, each hashed again."""
        with (
            self.running("rev-list", f"--max-count={COMMITS_MAX + 1}", commit) as listed,
            self.running("cat-file", "--batch", "--buffer", stdin=listed) as output,
        ):
            while output.peek(1):
                yield _object(output, "commit")


def _object(output: BufferedReader, kind: str) -> tuple[str, bytes]:
    """The next object that cat-file prints, with its id."""
    line = output.readline(200).split()
    object_id = line[0].decode("ascii", "replace") if line else ""
    if len(line) != 3 or line[1].decode() != kind or not line[2].isdigit():
        raise _missing(kind, object_id)
    size = int(line[2])
    if size > OBJECT_BYTES_MAX:
        raise Refused(
            f"the {kind} {object_id} has {size} bytes; at most {OBJECT_BYTES_MAX} are read",
            code="object_too_large",
        )
    # A line feed ends it.
    data = output.read(size + 1)[:size]
    check_object(object_id, kind, data)
    return object_id, data


def _missing(kind: str, object_id: str) -> Refused:
    return Refused(f"the repository lacks the {kind} {object_id}", code="object_missing")


class GitRepository:
    """A repository at one commit."""

    def __init__(self, git: _Git, store: Store, commit: str) -> None:
        self._git = git
        self._store = store
        self._commit = commit

    @cached_property
    def tree(self) -> Tree:
        """Names, blobs and sizes of all files of the commit."""
        data = dict(self._git.objects([self._commit], "commit"))[self._commit]
        root = tree_of(self._commit, data)
        sizes, trees = self._listed()
        read = dict(self._git.objects([root, *sorted(trees - {root})], "tree"))
        counts = {"link": 0, "submodule": 0}
        files = list(_walk(root, read, sizes, counts))
        return Tree(
            kind=self._store.kind,
            commit=self._commit,
            id=root,
            files=tuple(files),
            links=counts["link"],
            submodules=counts["submodule"],
            notes=self._store.notes,
        )

    def _listed(self) -> tuple[dict[str, int], set[str]]:
        """Sizes of the blobs and ids of the trees, as git lists them; the names come from trees."""
        sizes: dict[str, int] = {}
        trees: set[str] = set()
        lines = self._git.run("ls-tree", "-r", "-t", "-z", "-l", self._commit).split(b"\0")
        if len(lines) > FILES_MAX:
            raise Refused(
                f"the tree has {len(lines)} names; at most {FILES_MAX} are read",
                code="too_many_files",
            )
        for line in lines[:-1]:
            _, kind, told, size = line.partition(b"\t")[0].split()
            if kind == b"tree":
                trees.add(told.decode())
            elif kind == b"blob" and not size.isdigit():
                raise Refused(
                    f"the repository lacks the blob {told.decode()}", code="object_missing"
                )
            elif kind == b"blob":
                sizes[told.decode()] = int(size)
        return sizes, trees

    def blobs(self, ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of blobs, in the order asked for."""
        return self._git.objects(ids, "blob")

    def commits(self) -> list[Commit]:
        """All that the commit reaches, itself first; a parent that is missing is refused."""
        found: list[Commit] = []
        for object_id, data in self._git.history(self._commit):
            if len(found) == COMMITS_MAX:
                raise Refused(
                    f"the history has more than {COMMITS_MAX} commits", code="too_many_commits"
                )
            found.append(decode_commit(object_id, data))
        known = {commit.id for commit in found}
        if missing := {parent for commit in found for parent in commit.parents} - known:
            raise Refused(f"the history lacks the commit {min(missing)}", code="object_missing")
        return found

    def tags(self) -> list[Tag]:
        """The names below refs/tags that stand at a commit."""
        told = self._git.run(
            "for-each-ref", "--format=%(objectname) %(*objectname) %(refname)", "refs/tags"
        )
        found = []
        for line in told.decode("utf-8", "replace").splitlines():
            own, _, rest = line.partition(" ")
            peeled, _, name = rest.partition(" ")
            if is_object_id(own):
                found.append(Tag(name.removeprefix("refs/tags/"), peeled or own))
        return found


def _walk(
    root: str, read: dict[str, bytes], sizes: dict[str, int], counts: dict[str, int]
) -> Iterator[FileAt]:
    """The files below a tree, in git's order, from trees that were hashed."""
    waiting = [(b"", root, 0)]
    while waiting:
        prefix, tree, deep = waiting.pop()
        if deep > _TREES_DEEP:
            raise Refused("folders stand too deep in one another", code="too_many_files")
        for entry in decode_tree(tree, read[tree]):
            path = prefix + entry.name
            if entry.kind == "tree":
                waiting.append((path + b"/", entry.id, deep + 1))
            elif entry.kind in counts:
                counts[entry.kind] += 1
            else:
                name = path.decode("utf-8", "backslashreplace")
                yield FileAt(name, entry.id, sizes.get(entry.id, 0))
