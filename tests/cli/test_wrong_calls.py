"""What a wrong call is told: one clear error, the right status, and no traceback, by every command.

Commands are found by their parsers, so that a new one is called wrongly without being named.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from zhidao.cli.console.commands import COMMANDS
from zhidao.cli.console.commands import parser_of as _parser
from zhidao.cli.console.parsing import leaves
from zhidao.cli.main import DEFECT, PIPE_CLOSED, main, program

# Each with words that must stand in its one error.
SLIPS = (
    ("deel list", "did you mean deal?"),
    ("doctr", "did you mean doctor?"),
    ("verfy x.zdproof", "did you mean verify?"),
    ("consignmnt show C-1", "did you mean consignment"),
    ("frobnicate", "choose from demo"),
    ("deal lst", "did you mean list?"),
    ("people invit a", "did you mean invite?"),
    ("title trasnfer C-1 importer", "did you mean transfer?"),
    ("terminal delete T-1", "choose from list"),
    ("trade chek invoice.xml", "did you mean check?"),
    ("finance ledger reply", "did you mean replay?"),
    ("trust credential verfy x", "did you mean verify?"),
    ("positioning slove", "did you mean solve?"),
    ("keys exprt", "did you mean export?"),
    ("deal list --ulr x", "did you mean --url?"),
    ("deal open C-1 --frm x", "did you mean --from"),
    ("deal open C-1 --teminal x --url y", "did you mean --terminal"),
    ("doctor --jsn", "did you mean --json?"),
    ("verify x --trsut y", "did you mean --trust?"),
    ("exchange send f --too a/b", "did you mean --to?"),
    ("serve --frobnicate", "no option '--frobnicate'"),
    ("backup --output", "expected one argument"),
    ("verify", "FILE"),
    ("deal show", "DEAL"),
    ("people make a", "PARTY, role"),
    ("title transfer", "TITLE, PARTY"),
    ("consignment release C-1", "--declaration"),
    ("order finish", "ORDER"),
    ("seal check", "SEAL"),
    ("witness verify f", "--policy"),
    ("trade untp passports", "CONSIGNMENT"),
    ("finance net", "FILE"),
    ("people make a b boss", "choose from admin, operator, party, auditor"),
    ("token make p oper", "did you mean operator"),
    ("people change a --role king", "choose from admin"),
    ("trade codes hss x", "did you mean hs"),
    ("positioning plot skyy x", "did you mean sky?"),
    ("verify a b", "one word too many: 'b'"),
    ("doctor now", "one word too many: 'now'"),
    ("verify x --require arival", "no part of a proof"),
    ("demo --fail nothing", "choose from"),
    ("demo --seed minus", "whole number"),
    ("demo --seed -1", "seed"),
    ("positioning simulate --seed 1e3", "whole number"),
    ("finance net x --limit", "--limit"),
    ("--versoin", "did you mean --version?"),
    ("-x", "no option '-x'"),
    ("deal -q", "no option '-q'"),
    ("trust add", "FILE"),
    ("trust add x --replace", "expected one argument"),
    ("peer admit", "INVITATION"),
    ("restore", "required"),
    ("keys revoke", "required"),
    ("log new-kye", "did you mean new-key?"),
    ("clock agre", "did you mean agree?"),
    ("insight reprot", "did you mean report?"),
    ("bank admt b", "did you mean admit?"),
    ("bank admit b B ALTBKZKA --town Almaty KZ", "TOWN is a word without it"),
    ("party add a --name A exporter CN", "is a word without it"),
    ("deposit ad", "did you mean add?"),
    ("account opne b c", "did you mean open?"),
    ("waiting for godot", "one word too many: 'for'"),
    ("people sessions a --end --end-one x", "not allowed with argument"),
)


def _leaves() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for name, *_ in COMMANDS:
        for group in _parser(name)._subparsers._group_actions:  # type: ignore[union-attr]
            yield from leaves(group.choices[name])  # type: ignore[index]


LEAVES = dict(_leaves())
GROUPS = sorted({prog.rpartition(" ")[0] for prog in LEAVES})


def _called(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Status, output and talk of a call that must not run."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    told = capsys.readouterr()
    return int(ended.value.code or 0), told.out, told.err


def test_sixty_slips_are_as_many_as_the_promise() -> None:
    assert len(dict(SLIPS)) >= 60


@pytest.mark.parametrize(("line", "hint"), SLIPS, ids=[line for line, _ in SLIPS])
def test_a_slip_is_told_in_one_line_with_what_was_meant(
    line: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = _called(line.split(), capsys)
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith("zhidao: ")
    assert hint in err


@pytest.mark.parametrize(("line", "hint"), SLIPS, ids=[line for line, _ in SLIPS])
def test_a_slip_is_one_object_with_json(
    line: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = _called([*line.split(), "--json"], capsys)
    told = json.loads(out)
    assert (status, err, told["error"]) == (2, "", "usage")
    assert told["where"].startswith("zhidao")
    assert told["remedy"] == f"see {told['where']} --help"
    if "one argument" not in hint:
        assert told["detail"]


@pytest.mark.parametrize("prog", sorted(LEAVES))
def test_every_command_refuses_an_option_that_it_does_not_know(
    prog: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = _called([*prog.split()[1:], "--frobnicated"], capsys)
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert "no option '--frobnicated'" in err


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_by_itself_lists_its_actions(
    group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = group.split()[1:]
    status, out, err = _called(words, capsys)
    assert (status, out) == (2, "")
    actions = {
        prog.removeprefix(group).split()[0] for prog in LEAVES if prog.startswith(f"{group} ")
    }
    assert actions
    listed = {line.split()[0] for line in err.splitlines() if line.startswith("    ")}
    assert actions <= listed
    status, out, err = _called([*words, "--json"], capsys)
    if not words:
        return  # `--json` belongs to commands.
    told = json.loads(out)
    assert (status, err, told["error"]) == (2, "", "no_action")
    assert all(action in told["detail"] for action in actions)


# --- as programs --------------------------------------------------------------------------------


def _program(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zhidao.cli", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **more,  # type: ignore[call-overload]
    )


def test_a_defect_of_ours_is_told_as_one_and_is_never_the_answer_no(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_words: object = None) -> int:
        raise KeyError("exporter")

    monkeypatch.setattr("zhidao.cli.main.main", broken)
    monkeypatch.delenv("ZHIDAO_TRACEBACK", raising=False)
    assert program() == DEFECT
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "KeyError at test_wrong_calls.py" in err
    monkeypatch.setenv("ZHIDAO_TRACEBACK", "1")
    assert program() == DEFECT
    assert "Traceback" in capsys.readouterr().err


def test_a_refusal_is_one_and_a_call_that_is_wrong_two_as_programs() -> None:
    wrong = _program("deel")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == (
        "zhidao: there is no command 'deel'; did you mean deal? (zhidao); see zhidao --help\n"
    )
    absent = _program("verify", "nothing.zdproof", "--json")
    assert (absent.returncode, absent.stderr) == (2, "")
    assert json.loads(absent.stdout)["error"] == "no_file"


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("words", ["trade codes place China", "--help"])
def test_a_reader_that_goes_early_leaves_no_traceback(words: str) -> None:
    """As `| head -0`: the reading end is closed before anything is written."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "zhidao.cli", *words.split()],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode in (0, PIPE_CLOSED)
