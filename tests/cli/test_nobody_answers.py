"""Commands that ask a node: which one, in whose name, and what if it is away. None of it is a no."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from tests.cli.test_help import _leaves
from tests.cli.test_spoiled_files import _ADDRESSED, _WORDS

from zhidao.cli.main import main

ASKING = [
    (tuple(prog.split()[1:]), leaf)
    for prog, leaf in _leaves()
    # A monitor waits for its log however long that is away.
    if prog != "zhidao trust monitor"
    and "--profile" in leaf._option_string_actions
    and "--url" in leaf._option_string_actions
]
IDS = [" ".join(words) for words, _ in ASKING]
# Where nothing listens.
AWAY = "https://127.0.0.1:9"
# What a person may ask without being known.
_PUBLIC = {("trust", "log"), ("trust", "witness")}


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a token and something in a file, and nobody signed in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    for name in ("good.file", "a.token"):
        Path(name).write_text("one")
        Path(name).chmod(0o600)


def _line(words: tuple[str, ...], leaf: argparse.ArgumentParser) -> list[str]:
    """The words with all that the command asks for besides the node."""
    line = list(words)
    for action in leaf._actions:
        if action.required:
            line += _given(action)
    for group in leaf._mutually_exclusive_groups:
        if group.required:
            # An option rather than a file, which would be looked at before the node is.
            options = [each for each in group._group_actions if each.option_strings]
            line += _given(next((each for each in options if each.type is not Path), options[0]))
    return line


def _given(action: argparse.Action) -> list[str]:
    name = action.option_strings[-1] if action.option_strings else ""
    if action.nargs == 0:
        return [name]
    count = action.nargs if isinstance(action.nargs, int) else 1
    value = "good.file" if action.type is Path else _WORDS.get(name or action.dest, "one")
    value = next((str(each) for each in action.choices), value) if action.choices else value
    return [*([name] if name else []), *[value] * count]


def _status(line: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The status of a call with --json, and the code of its refusal."""
    try:
        status = main([*line, "--json"])
    except SystemExit as ended:
        status = int(ended.code or 0)
    told = capsys.readouterr()
    assert told.err == "", told.err
    return status, str(json.loads(told.out)["error"])


def test_there_are_as_many_as_the_product_says() -> None:
    assert len(ASKING) > 80
    assert not _ADDRESSED & {words for words, _ in ASKING}


@pytest.mark.parametrize(("words", "leaf"), ASKING, ids=IDS)
def test_without_a_node_each_says_how_to_name_one(
    words: tuple[str, ...], leaf: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    status, code = _status(_line(words, leaf), capsys)
    assert status == 2
    # A file of the call may be looked at first.
    assert code == "no_node" or _takes_file(leaf) or words == ("people", "password"), code


@pytest.mark.parametrize(("words", "leaf"), ASKING, ids=IDS)
def test_a_node_that_is_away_is_three_and_never_a_no(
    words: tuple[str, ...], leaf: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    line = [*_line(words, leaf), "--url", AWAY, "--token-file", "a.token"]
    if words == ("people", "password"):
        line = [*words, "--url", AWAY, *"--as a --password-file a.token".split()]
        line += ["--new-password-file", "a.token"]
    status, code = _status(line, capsys)
    assert status in ((2, 3) if _takes_file(leaf) else (3,)), code


@pytest.mark.parametrize(("words", "leaf"), ASKING, ids=IDS)
def test_in_nobodys_name_each_says_how_to_sign_in(
    words: tuple[str, ...], leaf: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    status, code = _status([*_line(words, leaf), "--url", AWAY], capsys)
    if words in _PUBLIC:
        assert status in (2, 3)
        return
    assert status == 2
    assert code == "no_caller" or _takes_file(leaf) or words == ("people", "password"), code


def _takes_file(leaf: argparse.ArgumentParser) -> bool:
    return any(each.required and each.type is Path for each in leaf._actions) or bool(
        {"--site", "--limit", "--now"} & set(leaf._option_string_actions)
    )


def test_a_token_that_others_may_read_is_not_sent(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.token").chmod(0o644)
    line = ["deal", "list", "--url", AWAY, "--token-file", "a.token"]
    assert main(line) == 2
    assert "chmod 600" in capsys.readouterr().err
