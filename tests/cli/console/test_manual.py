"""The manual and the completion of shells say what the parsers say."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from zhidao import __version__
from zhidao.cli.console.manual import Page, pages, roff
from zhidao.cli.main import COMMANDS, main
from zhidao.cli.operations.completion import SHELLS, script


@pytest.fixture(scope="module")
def known() -> list[Page]:
    return list(pages())


def test_there_is_a_page_for_every_command_and_action(known: list[Page], tmp_path: Path) -> None:
    progs = {page.prog for page in known}
    assert len(progs) == len(known) > 190
    assert {"zhidao", *(f"zhidao {name}" for name, *_ in COMMANDS)} <= progs
    assert {"zhidao deal open", "zhidao finance ledger audit"} <= progs
    assert main(["man", "--to", str(tmp_path / "man1")]) == 0
    assert len(list((tmp_path / "man1").glob("*.1"))) == len(known)


def test_a_page_holds_options_examples_and_status(known: list[Page]) -> None:
    page = next(each for each in known if each.prog == "zhidao deal open")
    text = roff(page, version=__version__).replace("\\-", "-")
    for wanted in (".SH NAME", ".SH OPTIONS", "--site SITE", "zhidao deal open C-0417", "EXIT"):
        assert wanted in text
    # A letter beyond ASCII is named, so that no pager has to guess the encoding.
    assert all(roff(each, version=__version__).isascii() for each in known)


def test_groff_reads_every_page_without_a_warning(known: list[Page]) -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not here")
    text = "".join(roff(page, version=__version__) for page in known)
    done = subprocess.run(
        [groff, "-man", "-Tascii", "-ww", "-z"],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # Letters that this terminal lacks are no fault of the page.
    told = [line for line in done.stderr.splitlines() if "special character" not in line]
    assert (done.returncode, told) == (0, [])


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("zhidao", "dea"), {"deal"}),
        (("zhidao", "deal", "op"), {"open"}),
        (("zhidao", "deal", "open", "--sit"), {"--site"}),
        (("zhidao", "deal", "open", "--site", "x", "--na"), {"--name"}),
        (("zhidao", "finance", "ledger", ""), {"replay", "audit"}),
        (("zhidao", "--json", "title", "tr"), {"transfer"}),
    ],
)
def test_bash_completes_commands_actions_and_options(
    words: tuple[str, ...], wanted: set[str]
) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not here")
    given = " ".join(f"'{word}'" for word in words)
    call = f'COMP_WORDS=({given}); COMP_CWORD={len(words) - 1}; _zhidao; echo "${{COMPREPLY[*]}}"'
    done = subprocess.run(
        [bash, "-c", f"{script('bash')}\n{call}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert wanted <= set(done.stdout.split())
    assert done.stderr == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script_that_it_reads_where_it_is(shell: str) -> None:
    text = script(shell)
    assert all(name in text for name, *_ in COMMANDS)
    program = shutil.which(shell)
    if program:
        done = subprocess.run(
            [program, "-n"], input=text, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
