from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
import time
import zlib
from pathlib import Path

import pytest
from tests.insight.git_sample import MIT, commit, git

from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.insight.adapters import git_repository, git_store
from zhidao.insight.adapters.git_repository import opened_repository
from zhidao.insight.adapters.git_store import find_store
from zhidao.insight.service.repository import Tree
from zhidao.insight.wire import git_objects


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    commit(folder, {"LICENSE": MIT, "src/a.py": "print(1)\n"})
    commit(folder, {"README.md": "# A project\n"}, "more\n\nSigned-off-by: S <s@example.org>")
    git(folder, "tag", "-a", "v1", "-m", "one")
    return folder


def tree_of(source: Path, revision: str = "HEAD") -> Tree:
    with opened_repository(source, revision) as repository:
        return repository.tree


def bundle_of(project: Path, *words: str) -> Path:
    file = project.parent / "project.bundle"
    git(project, "bundle", "create", "-q", str(file), *words)
    return file


def test_work_tree_bare_repository_and_bundle_show_the_same(project: Path):
    bare = project.parent / "bare.git"
    git(project.parent, "clone", "-q", "--bare", str(project), str(bare))
    linked = project.parent / "linked"
    git(project, "worktree", "add", "-q", str(linked))
    sources = (project, bare, linked, bundle_of(project, "--all"))
    seen = [tree_of(source) for source in sources]
    assert [tree.kind for tree in seen] == ["work tree", "bare repository", "work tree", "bundle"]
    assert len({(tree.commit, tree.id, tree.files) for tree in seen}) == 1
    assert [file.path for file in seen[0].files] == ["LICENSE", "README.md", "src/a.py"]
    with opened_repository(bare, "v1") as repository:
        assert [(tag.name, tag.commit) for tag in repository.tags()] == [("v1", seen[0].commit)]
        history = repository.commits()
    assert [each.is_signed_off for each in history] == [True, False]
    assert {each.author for each in history} == {"somebody@example.org"}


def test_what_is_not_committed_is_not_read(project: Path):
    before = tree_of(project)
    (project / "LICENSE").write_text("mine")
    (project / "new").write_text("new")
    git(project, "add", "new")
    assert tree_of(project) == before


def test_nothing_that_the_repository_names_is_run(project: Path):
    """Hooks, filters, pagers, signers, fsmonitors: each would leave a file behind."""
    left = project.parent / "left"
    trap = project.parent / "trap"
    trap.write_text(f'#!/bin/sh\necho "$0 $*" >>{left}\ncat\n')
    trap.chmod(0o755)
    for name in (
        *("core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "diff.external"),
        *("gpg.program", "filter.t.smudge", "filter.t.clean", "uploadpack.packObjectsHook"),
        *("core.alternateRefsCommand", "diff.t.textconv", "interactive.diffFilter"),
    ):
        git(project, "config", name, str(trap))
    git(project, "config", "log.showSignature", "true")
    for hook in ("pre-commit", "post-checkout", "reference-transaction", "post-index-change"):
        (project / ".git" / "hooks").mkdir(exist_ok=True)
        os.link(trap, project / ".git" / "hooks" / hook)
    (project / ".git" / "info").mkdir(exist_ok=True)
    (project / ".git" / "info" / "attributes").write_text("* filter=t diff=t\n")
    with opened_repository(project) as repository:
        assert repository.tree.files
        assert repository.commits()
        assert repository.tags()
        assert dict(repository.blobs([file.blob for file in repository.tree.files]))
    assert not left.exists()
    # The trap is one: git of the repository's own would have run it.
    git(project, "status")
    assert left.exists()


def test_a_replacement_replaces_nothing(project: Path):
    good = tree_of(project)
    other = commit(project, {"LICENSE": "closed"})
    git(project, "reset", "-q", "--hard", good.commit)
    git(project, "replace", good.commit, other)
    assert tree_of(project) == good


def test_an_object_with_other_bytes_is_refused(project: Path):
    blob = next(file.blob for file in tree_of(project).files if file.path == "src/a.py")
    loose = project / ".git" / "objects" / blob[:2] / blob[2:]
    other = git(project, "hash-object", "-w", "--stdin", stdin=b"print(2)\n")
    data = (project / ".git" / "objects" / other[:2] / other[2:]).read_bytes()
    loose.chmod(0o600)
    loose.write_bytes(data)
    with opened_repository(project) as repository, pytest.raises(Refused) as refusal:
        list(repository.blobs([blob]))
    assert refusal.value.code in {"object_altered", "git_refused", "object_missing"}
    with pytest.raises(Refused, match="other bytes"):
        git_objects.check_object(hashlib.sha1(b"blob 1\0a").hexdigest(), "blob", b"b")
    git_objects.check_object(hashlib.sha256(b"blob 1\0a").hexdigest(), "blob", b"a")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ("shallow", "shallow_repository"),
        ("partial", "partial_clone"),
        ("shared", "alternate_objects"),
        ("blob", "object_missing"),
        ("reftable", "reftable"),
    ],
)
def test_a_clone_that_is_not_whole_is_refused(project: Path, spoil: str, code: str):
    clone = project.parent / "clone"
    url = f"file://{project}"
    git(project, "config", "uploadpack.allowFilter", "true")
    words = {
        "shallow": ("--depth", "1", url),
        "partial": ("--filter=blob:none", "--no-checkout", url),
        "shared": ("--shared", str(project)),
        "blob": (url,),
        "reftable": ("--ref-format=reftable", url),
    }[spoil]
    git(project.parent, "clone", "-q", *words, str(clone))
    if spoil == "blob":
        blob = git(clone, "rev-parse", "HEAD:LICENSE")
        pack = next((clone / ".git" / "objects" / "pack").glob("*.pack"))
        moved = pack.rename(clone.parent / "all.pack")
        pack.with_suffix(".idx").unlink()
        git(clone, "unpack-objects", "-q", stdin=moved.read_bytes())
        (clone / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(Refused) as refusal, opened_repository(clone) as repository:
        list(repository.blobs([file.blob for file in repository.tree.files]))
    assert refusal.value.code == code


@pytest.mark.timeout(20)
def test_a_pipe_in_place_of_a_file_is_not_waited_for(project: Path):
    before = tree_of(project)
    os.mkfifo(project / ".git" / "shallow")
    os.mkfifo(project / ".git" / "refs" / "heads" / "pipe")
    assert tree_of(project) == before


def test_a_bundle_that_leans_on_another_is_refused(project: Path):
    with pytest.raises(Refused) as refusal:
        tree_of(bundle_of(project, "HEAD~1..HEAD", "--branches"))
    assert refusal.value.code == "bundle_incomplete"


def test_a_bundle_cut_short_is_refused(project: Path):
    bundle = bundle_of(project, "--all")
    bundle.write_bytes(bundle.read_bytes()[:-30])
    with pytest.raises(Refused):
        tree_of(bundle)


@pytest.mark.parametrize(
    "revision", ["nowhere", "-h", "--all", "v1^{tree}", "HEAD:LICENSE", "", "a\nb"]
)
def test_a_revision_that_is_no_commit_is_refused(project: Path, revision: str):
    with pytest.raises(ZhidaoError) as refusal:
        tree_of(project, revision)
    assert refusal.value.code == "no_revision"


def test_what_is_no_repository_is_bad_input(tmp_path: Path):
    (tmp_path / "file").write_text("no bundle")
    for source in (tmp_path, tmp_path / "file", tmp_path / "nowhere"):
        with pytest.raises(MalformedInput):
            find_store(source)


def test_a_repository_of_sha256_is_read(tmp_path: Path):
    folder = tmp_path / "new"
    folder.mkdir()
    git(folder, "init", "-q", "--object-format=sha256")
    made = commit(folder, {"LICENSE": MIT})
    assert len(made) == 64
    assert tree_of(folder).commit == made
    assert tree_of(bundle_of(folder, "--all")).commit == made


def test_odd_names_links_and_submodules_are_told_apart(tmp_path: Path):
    folder = tmp_path / "odd"
    commit(folder, {"a\nb": "one\n", "ä 字": "two\n"})
    (folder / "LICENSE").symlink_to("/etc/passwd")
    raw = os.fsencode(folder) + b"/\xff"
    Path(os.fsdecode(raw)).write_text("three\n")
    inner = commit(folder.parent / "inner", {"x": "y"})
    git(folder, "add", "-A")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{inner},sub")
    git(folder, "commit", "-q", "-m", "odd")
    tree = tree_of(folder)
    assert {file.path for file in tree.files} == {"a\nb", "ä 字", "\\xff"}
    assert (tree.links, tree.submodules) == (1, 1)


def with_bound(
    monkeypatch: pytest.MonkeyPatch, name: str, value: int, source: Path, module=git_repository
) -> str:
    monkeypatch.setattr(module, name, value)
    try:
        with opened_repository(source) as repository:
            repository.commits()
            list(repository.blobs([file.blob for file in repository.tree.files]))
    except ZhidaoError as refusal:
        return refusal.code
    return ""


@pytest.mark.bound("insight.adapters.git_repository.COMMITS_MAX")
@pytest.mark.bound("insight.adapters.git_repository.FILES_MAX")
@pytest.mark.bound("insight.adapters.git_repository.OBJECT_BYTES_MAX")
@pytest.mark.bound("insight.adapters.git_store.REFERENCES_MAX")
def test_sizes_of_a_repository_are_bounded(project: Path, monkeypatch: pytest.MonkeyPatch):
    # Two commits; three files and a folder, and what stands after the last; main and a tag.
    for name, holds, code, module in (
        ("COMMITS_MAX", 2, "too_many_commits", git_repository),
        ("FILES_MAX", 5, "too_many_files", git_repository),
        ("OBJECT_BYTES_MAX", len(MIT), "object_too_large", git_repository),
        ("REFERENCES_MAX", 2, "too_many_references", git_store),
    ):
        with monkeypatch.context() as patch:
            assert with_bound(patch, name, holds, project, module) == ""
            assert with_bound(patch, name, holds - 1, project, module) == code


@pytest.mark.bound("insight.adapters.git_store.REFERENCES_BYTES_MAX")
def test_the_file_of_packed_names_is_bounded(project: Path, monkeypatch: pytest.MonkeyPatch):
    git(project, "pack-refs", "--all")
    size = (project / ".git" / "packed-refs").stat().st_size
    with monkeypatch.context() as patch:
        assert with_bound(patch, "REFERENCES_BYTES_MAX", size, project, git_store) == ""
        told = with_bound(patch, "REFERENCES_BYTES_MAX", size - 1, project, git_store)
    assert told == "too_many_references"


@pytest.mark.bound("insight.adapters.git_repository.BUNDLE_BYTES_MAX")
@pytest.mark.bound("insight.wire.git_objects.BUNDLE_HEAD_BYTES_MAX")
def test_a_bundle_is_bounded(project: Path, monkeypatch: pytest.MonkeyPatch):
    bundle = bundle_of(project, "--all")
    head = bundle.read_bytes().index(b"\n\n") + 2
    pack = bundle.stat().st_size - head
    for name, holds, module in (
        ("BUNDLE_BYTES_MAX", pack, git_repository),
        ("BUNDLE_HEAD_BYTES_MAX", head, git_store),
    ):
        with monkeypatch.context() as patch:
            assert with_bound(patch, name, holds, bundle, module) == ""
            assert with_bound(patch, name, holds - 1, bundle, module)


@pytest.mark.parametrize("kind", ["commit", "tree"])
@pytest.mark.parametrize("spoiled", ["five gigabytes", "another object"])
def test_an_object_that_lies_of_itself_is_refused_soon(project: Path, kind: str, spoiled: str):
    named = git(project, "rev-parse", f"HEAD^{{{kind}}}")
    file = project / ".git" / "objects" / named[:2] / named[2:]
    file.chmod(0o644)
    claimed = 5 * 1024**3 if spoiled == "five gigabytes" else 6
    file.write_bytes(zlib.compress(f"{kind} {claimed}\0tree x".encode()))
    before = time.monotonic()
    with pytest.raises(ZhidaoError) as refusal:
        tree_of(project)
    assert refusal.value.code in ("git_refused", "object_changed", "object_missing", "no_revision")
    if spoiled == "five gigabytes":
        assert "attempting to allocate" in str(refusal.value)
    assert time.monotonic() - before < 10


def test_a_blob_that_claims_five_gigabytes_is_not_read(project: Path):
    named = git(project, "rev-parse", "HEAD:README.md")
    file = project / ".git" / "objects" / named[:2] / named[2:]
    file.chmod(0o644)
    file.write_bytes(zlib.compress(b"blob 5368709120\0hello\n"))
    sizes = {each.path: each.size for each in tree_of(project).files}
    assert sizes["README.md"] == 5 * 1024**3


def test_the_environment_of_the_caller_does_not_reach_git(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    before = tree_of(project)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.commitGraph")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "nonsense")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    assert tree_of(project) == before
    assert not (tmp_path / "trace").exists()


def test_no_git_is_said(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ZhidaoError) as refusal:
        tree_of(project)
    assert refusal.value.code == "no_git"


class _LateThread(threading.Timer):
    """A clock whose thread lives on for a while after what it did."""

    def run(self) -> None:
        super().run()
        time.sleep(0.5)


@pytest.mark.parametrize("command", ["rev-parse", "cat-file"])
def test_git_that_hangs_is_ended_and_said_to_be_slow(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
):
    slow = tmp_path / "git"
    slow.write_text(
        f"""#!/bin/sh
case "$*" in
*{command}*) printf '%s commit 99\\nhalf' "$(head -n 1)"; exec sleep 60 ;;
*) exec {shutil.which("git")} "$@" ;;
esac
"""
    )
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(git_repository.threading, "Timer", _LateThread)
    monkeypatch.setattr(git_repository, "GIT_SECONDS_MAX", 0.5)
    with pytest.raises(ZhidaoError) as refusal:
        tree_of(project)
    assert refusal.value.code == "git_too_slow"
    assert subprocess.run(["pgrep", "-f", f"{tmp_path}/git"], check=False).returncode
