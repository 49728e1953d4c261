"""Every command that takes a file tells a spoiled one in one clear line, and never by a traceback.

The commands are found by their parsers: a new one that takes a file is tried without being named.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest

from zhidao.cli.console import outputs
from zhidao.cli.main import COMMANDS, _refused, main
from zhidao.core.errors import MalformedInput, ZhidaoError
from zhidao.core.files import bounded
from zhidao.core.remedies import remedy_of

# Words for arguments that are no files; the rest get `one`.
_WORDS = {
    "--quantity": "1",
    "phone": "+8613800138000",
    "--limit": "Flow:45:51:MQH",
    "url": "https://127.0.0.1:9",
    "--url": "https://127.0.0.1:9",
    "--at": "0",
    "--place": "43.35,77.04",
    "kind": "sky",
    "query": "eventType=ObjectEvent",
    "what": "hs",
    "amount": "1",
    "currency": "CNY",
    "address": "8b0c" * 8,
    "message": "8b0c" * 8,
    "id": "8b0c" * 8,
    "--party": "exporter",
    "did": "did:web:example.org",
    "caster": "ntrips://127.0.0.1:9/MOUNT",
    "--carrier-code": "HMTX",
    "--bill": "HMTXA0417",
    "--document": "8b" * 32,
    "--to": "node/party",
}
# These write, serve, or take a folder of a node: not files that somebody was given.
_NOT_READ = {
    *("output", "data", "state", "keep", "out", "packs", "codes", "schemas", "navigation_output"),
    *("config", "folder", "contexts", "record", "dir", "evidence", "outbox", "scratch"),
    # Any text can be a token or a password.
    *("token_file", "password_file", "new_password_file"),
}
_SKIPPED = {
    *(("serve",), ("demo",)),
    # They ask for a node, or for one of its keys, before they look at a file.
    *(("keys", "import"), ("trust", "sign"), ("insight", "report"), ("trade", "present", "make")),
    *(("trust", "prove"), ("trust", "log"), ("trust", "monitor"), ("trust", "witness")),
}
# What else a command wants before it looks at the file.
_MORE: dict[tuple[str, ...], list[str]] = {
    ("exchange", "decide"): ["--accept"],
    ("trust", "did"): ["--document", "good.file"],
    ("arrival", "await"): ["--site", "43.35,77.04,150", "--terminal", "BDT-1"],
    ("deal", "open"): ["--terminal", "BDT-1"],
    ("order", "finish"): ["--typed"],
    ("trade", "declare"): ["--rules", "good.file", "--list-date", "2026-09-01"],
    ("peer", "invite"): ["--link"],
    ("peer", "admit"): ["--link", "https://127.0.0.1:9/meet#A.z"],
    ("people", "reset"): ["--url", "https://127.0.0.1:9"],
    (
        "people",
        "password",
    ): "--as a --password-file good.file --new-password-file good.file".split(),
    ("drill",): ["--no-record"],
    ("trust", "title-tag"): ["--registry", "0x" + "5a" * 20, "--chain-id", "31337"],
}
# What one argument wants beside it.
_WITH: dict[tuple[tuple[str, ...], str], list[str]] = {
    (("drill",), "identity"): ["good.file"],
    (("insight", "corridor"), "map"): ["--reports", "good.file"],
    (("insight", "corridor"), "reports"): ["--map", "good.file"],
    (("insight", "corridor"), "trust"): ["--proof", "good.file"],
}
# These take the node's address by themselves, or have it above.
_ANY_BYTES = {("exchange", "send", "file"), ("consignment", "add", "file")}
_ADDRESSED = {("login",), ("logout",), ("people", "reset")}
# An answer about the bytes, not a refusal of the file: it is told on standard output.
_ANSWERS = {("trust", "credential", "verify"), ("finance", "passport", "verify")}


def _leaves(
    parser: argparse.ArgumentParser, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    inner = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    if not inner:
        yield words, parser
    for one in inner:
        for name, child in one.choices.items():
            yield from _leaves(child, (*words, name))


def _cases() -> Iterator[tuple[tuple[str, ...], str]]:
    """Each command with each argument that is a file."""
    for name, module, _ in COMMANDS:
        parser = argparse.ArgumentParser()
        import_module(f"zhidao.cli.{module}").add_arguments(parser)
        for words, leaf in _leaves(parser, (name,)):
            if words in _SKIPPED:
                continue
            for action in leaf._actions:
                if action.type is Path and action.dest not in _NOT_READ:
                    yield words, action.dest


CASES = list(_cases())


def _line(words: tuple[str, ...], wanted: str, spoiled: Path, good: Path) -> list[str]:
    parser = argparse.ArgumentParser()
    module = next(module for name, module, _ in COMMANDS if name == words[0])
    import_module(f"zhidao.cli.{module}").add_arguments(parser)
    leaf = dict(_leaves(parser, words[:1]))[words]
    line = list(words)
    for action in leaf._actions:
        name = action.option_strings[-1] if action.option_strings else ""
        if action.dest == "help":
            continue
        if action.dest == wanted:
            line += [name, str(spoiled)] if name else [str(spoiled)]
        elif action.required and action.nargs != 3:
            value = str(good) if action.type is Path else _WORDS.get(name or action.dest, "one")
            if action.choices:
                value = next(str(one) for one in action.choices)
            line += [name, value] if name else [value]
        elif action.required:
            line += [name, "1", "2", "3"]
    if wanted not in ("rules", "document", "rerun", "invitation"):
        line += _MORE.get(words, [])
    line += _WITH.get((words, wanted), [])
    # These want to know which node, and who asks; `people reset` and others tell it themselves.
    options = set(leaf._option_string_actions)
    if "--password-file" in options or {"--profile", "--url"} <= options:
        line += [] if words in _ADDRESSED else ["--url", "https://127.0.0.1:9"]
        line += [] if "--as" in line or wanted == "token_file" else ["--token-file", "good.file"]
    if words == ("trade", "declare") and wanted in ("rules", "list"):
        line.insert(2, "good.file")
    return line


def _zip() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("other.txt", "of another format")
    return data.getvalue()


def _spoil(kind: str, place: Path) -> None:
    match kind:
        case "empty":
            place.write_bytes(b"")
        case "binary":
            place.write_bytes(bytes(range(256)) * 40)
        case "deep":
            place.write_bytes(b'{"v":1,"a":' * 50_000)
        case "huge":
            with place.open("wb") as file:
                file.truncate(6 << 30)
        case "folder":
            place.mkdir()
        case "pipe":
            # Nobody writes to it: who opens it as a file waits for ever.
            os.mkfifo(place)
        case "device":
            # As /dev/zero, which has no end and tells no size.
            os.mknod(place, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
            place.open("rb").close()
        case "cut":
            place.write_bytes(b'{"v":1,"format":"zhidao","name":"half a f')
        case "encoding":
            place.write_bytes('{"name":"贸易","v":1}'.encode("utf-16"))
        case "other":
            place.write_bytes(_zip())


@contextmanager
def _ended_within(seconds: int) -> Iterator[None]:
    """Raises AssertionError where something hangs."""

    def late(*_: object) -> None:
        raise AssertionError(f"not ended within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _noting(refusals: list[ZhidaoError]) -> Callable[..., int]:
    """The command line's own teller, which leaves behind what it told."""

    def tell(error: ZhidaoError, *, as_json: bool) -> int:
        refusals.append(error)
        return _refused(error, as_json=as_json)

    return tell


KINDS = "empty binary deep huge folder missing device pipe cut encoding other".split()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("words", "wanted"), CASES, ids=str)
def test_a_spoiled_file_is_told_in_one_line_by_its_name(
    words: tuple[str, ...],
    wanted: str,
    kind: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    spoiled, good = tmp_path / "spoiled.file", tmp_path / "good.file"
    good.write_text("one")
    good.chmod(0o600)
    try:
        _spoil(kind, spoiled)
    except OSError as error:
        pytest.skip(f"no device can be made or opened here: {error}")
    monkeypatch.setattr(bounded, "WRITER_S", 0.3)
    refusals: list[ZhidaoError] = []
    monkeypatch.setattr("zhidao.cli.main._refused", _noting(refusals))
    try:
        with _ended_within(60):
            status = main(_line(words, wanted, spoiled, good))
    except SystemExit as ended:
        status = int(ended.code or 0)
    told = capsys.readouterr()
    lines = [line for line in told.err.splitlines() if line.strip()]
    if words == ("finance", "ledger", "replay") and kind == "empty":
        assert status == 0, "no batch is a ledger without accounts"
        return
    if (*words, wanted) in _ANY_BYTES and status == 3:
        return  # Any bytes may be sent; only nobody answers here.
    assert status in (1, 2), (status, lines[-3:], told.out[-300:])
    assert "Traceback" not in told.err
    for error in refusals:
        assert remedy_of(error), "say what to do: remedy=..., or a line in remedies.toml"
        assert remedy_of(error) in told.err + told.out, lines[-3:]
    if words in _ANSWERS and status == 1:
        return
    # Where another file of the same command is wrong as well, that one may be told first.
    assert any(name in told.err + told.out for name in ("spoiled.file", "good.file")), lines[-3:]


def test_what_is_said_of_an_option_blames_no_file(tmp_path) -> None:
    """A demonstration reads its recordings first, and then its site: which is no file's fault."""
    taken = tmp_path / "day.rnx"
    taken.write_bytes(b"anything")
    outputs.forget_taken()
    outputs.take(taken, bytes_max=100)
    error = MalformedInput("--site wants LAT,LON,RADIUS_M or FILE.geojson, not '1,2'")
    outputs.told_of_file(error)
    assert "day.rnx" not in str(error)
    assert error.remedy == ""
    of_bytes = MalformedInput("not a RINEX file")
    outputs.told_of_file(of_bytes)
    assert "day.rnx" in str(of_bytes)
    outputs.forget_taken()


def test_what_was_read_beside_the_input_is_never_the_place(tmp_path) -> None:
    """A node refuses a document; the profile and the certificate that led to it hold no part."""
    entry, profile = tmp_path / "entry.json", tmp_path / "li.json"
    for file in (entry, profile):
        file.write_bytes(b"{}")
    outputs.forget_taken()
    outputs.take(profile, bytes_max=100, beside=True)
    of_option = MalformedInput("Expected `int`", where="$.amount")
    outputs.told_of_file(of_option)
    assert of_option.where == "$.amount"
    outputs.take(entry, bytes_max=100)
    of_input = MalformedInput("Expected `int`", where="$.amount")
    outputs.told_of_file(of_input)
    assert of_input.where == f"{entry} $.amount"
    of_profile = MalformedInput(f"{profile} is no profile")
    outputs.told_of_file(of_profile)
    assert of_profile.where == ""
    outputs.forget_taken()
