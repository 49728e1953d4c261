"""No command hangs by a pipe in place of a file that is named, be it settings, a token or a paper.

`test_spoiled_files` tries a pipe for every file that is somebody's input; here are those that it
leaves out. The commands are found by their parsers: a new file argument is tried by itself.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from tests.cli.test_spoiled_files import (
    _ADDRESSED,
    _MORE,
    _NOT_READ,
    _SKIPPED,
    _ended_within,
    _leaves,
    _line,
)

from zhidao.cli.main import COMMANDS, main
from zhidao.core.files import bounded

# What is written, and folders: no file that is read because a person named it.
_WRITTEN = {
    *("output", "data", "state", "keep", "out", "packs", "codes", "schemas", "navigation_output"),
    *("folder", "contexts", "record", "dir", "evidence", "scratch"),
}
# These look at something else first: a node, one of its keys, an address.
_LATER = {
    *(("trust", "log"), ("trust", "monitor"), ("trust", "witness"), ("trust", "prove")),
    *(("insight", "report"), ("trust", "sign"), ("keys", "import")),
    *(("people", "agree"), ("people", "password")),
}
# What the file is of no use without.
_BESIDE = {
    "observations": ["--navigation", "good.file", "--site", "43.35,77.04,150"],
    "navigation": ["--observations", "good.file", "--site", "43.35,77.04,150"],
}


def _left_out() -> Iterator[tuple[tuple[str, ...], str]]:
    """Each file argument that is not tried as spoiled; of what all share one for each command."""
    seen: set[tuple[str, str]] = set()
    for name, module, _ in COMMANDS:
        parser = argparse.ArgumentParser()
        import_module(f"zhidao.cli.{module}").add_arguments(parser)
        for words, leaf in _leaves(parser, (name,)):
            for action in leaf._actions:
                if action.type is not Path or action.dest in _WRITTEN:
                    continue
                shared = action.dest in _NOT_READ
                if (shared or words in _SKIPPED) and (name, action.dest) not in seen:
                    seen |= {(name, action.dest)} if shared else set()
                    yield words, action.dest


@pytest.mark.parametrize(("words", "wanted"), list(_left_out()), ids=str)
def test_a_pipe_without_a_writer_ends_soon_by_its_name(
    words: tuple[str, ...],
    wanted: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    monkeypatch.setattr(bounded, "WRITER_S", 0.3)
    pipe, good = tmp_path / "a.pipe", tmp_path / "good.file"
    good.write_text("one")
    good.chmod(0o600)
    os.mkfifo(pipe, 0o600)
    line = [*_line(words, wanted, pipe, good), *_BESIDE.get(wanted, [])]
    if wanted in ("password_file", "new_password_file"):
        at = line.index("--token-file") if "--token-file" in line else len(line)
        line[at : at + 2] = []
        line += [] if "--as" in line else ["--as", "li"]
    try:
        with _ended_within(30):
            status = main(line)
    except SystemExit as ended:
        status = int(ended.code or 0)
    told = capsys.readouterr()
    assert status != 0, line
    assert "Traceback" not in told.err
    if words in _LATER:
        return
    assert status == 2, (line, told)
    assert f"{pipe} is a named pipe, not a file" in told.err + told.out, line


def test_nothing_is_told_here_of_commands_that_are_gone() -> None:
    names = {name for name, _, _ in COMMANDS}
    assert {words[0] for words in (*_LATER, *_SKIPPED, *_ADDRESSED, *_MORE)} <= names
    assert set(_BESIDE) <= {wanted for _, wanted in _left_out()}
