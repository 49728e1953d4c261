"""Help answers at once, and shows each command with an example."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from zhidao.cli.console.commands import COMMANDS
from zhidao.cli.console.commands import parser_of as _parser
from zhidao.cli.console.parsing import leaves

# What a help may import in all; each costs the processor some half a millisecond. The seconds
# themselves, which a neighbour on the same core stretches threefold, are `./run bench people`'s.
_MODULES_MAX = 180
# What takes a tenth of a second to import, by itself or with what it brings, or loads OpenSSL.
_HEAVY = (
    *("msgspec", "cryptography", "httpx", "numpy", "litestar", "psycopg", "nats", "lxml"),
    *("pydantic", "jinja2", "rfc8785", "tomlkit", "_hashlib"),
)
_CHECKED = (
    "import sys\nfrom zhidao.cli.main import main\n"
    "try: main([*sys.argv[1:], '--help'])\nexcept SystemExit: pass\n"
    f"print(len(sys.modules), *[name for name in {_HEAVY!r} if name in sys.modules],"
    " file=sys.stderr, end='')\n"
)


def _leaves() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for name, *_ in COMMANDS:
        for group in _parser(name)._subparsers._group_actions:  # type: ignore[union-attr]
            yield from leaves(group.choices[name])  # type: ignore[index]


@pytest.mark.parametrize("name", [name for name, *_ in COMMANDS])
def test_help_imports_little_and_nothing_heavy(name: str) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", _CHECKED, name],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    count, *heavy = asked.stderr.decode().split()
    assert heavy == []
    assert int(count) <= _MODULES_MAX


@pytest.mark.parametrize(("prog", "leaf"), list(_leaves()), ids=lambda each: str(each)[:40])
def test_every_command_shows_an_example_of_itself(prog: str, leaf: argparse.ArgumentParser) -> None:
    shown = leaf.format_help()
    assert "example" in shown
    assert f"{prog} " in shown.partition("example")[2].replace("\n", " ")


def _examples() -> Iterator[tuple[str, str]]:
    """Every line of every help that calls the program, as somebody would copy it."""
    for prog, leaf in _leaves():
        told = (leaf.epilog or "").replace("\\\n", " ")
        for line in told.splitlines():
            for part in line.split(" && "):
                if part.strip().startswith("zhidao ") and "{" not in part:
                    yield prog, part.strip()


@pytest.mark.parametrize("example", sorted({example for _, example in _examples()}))
def test_what_an_example_says_is_what_the_command_takes(
    example: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(example, comments=True)
    # What follows belongs to the shell.
    ends = [place for place, word in enumerate(words) if word in ("|", ">", "<", "&")]
    words = words[1 : min(ends, default=len(words))]
    try:
        _parser(words[0]).parse_args(words)
    except SystemExit:
        pytest.fail(f"{example}: {capsys.readouterr().err}")


def test_the_overview_names_every_command_on_a_screen() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zhidao.cli", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert all(f"    {name}" in done.stdout for name, *_ in COMMANDS)
