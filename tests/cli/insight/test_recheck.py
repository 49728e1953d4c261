"""A result held against its repository again: by git's own word, and by an assessment anew."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.insight.test_assess import FILES, Run, answer, project, run
from tests.insight.git_sample import MIT, commit, git

__all__ = ["project", "run"]


def rechecked(run: Run, result: Path, source: Path, *words: object) -> dict[str, Any]:
    """What is told; the status is 1 exactly where something is not as it was."""
    status, out, err = run("recheck", result, source, "--json", *words)
    assert err == ""
    told: dict[str, Any] = json.loads(out)
    counts, verdicts = told["counts"], told["verdict_counts"]
    changed = counts["stale"] + counts["gone"] + sum(verdicts.values()) - verdicts["same"]
    assert status == (1 if changed or told["as_made"] is False else 0)
    return told


def standings(told: dict[str, Any]) -> dict[str, str]:
    return {f"{each['standard']} {each['item']}": each["standing"] for each in told["verdicts"]}


def altered(result: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    document = json.loads(result.read_text())
    change(document)
    other = result.with_name("altered.json")
    other.write_text(json.dumps(document))
    return other


@pytest.fixture
def result(run: Run, project: Path, tmp_path: Path) -> Path:
    file = tmp_path / "r.json"
    run("assess", project, "--standard", "osps", "--standard", "dpg", "-o", file)
    return file


def test_everything_is_as_it_was_where_nothing_changed(
    run: Run, project: Path, result: Path, tmp_path: Path
):
    git(project, "bundle", "create", str(tmp_path / "p.bundle"), "--all", "HEAD")
    for source in (project, project / ".git", tmp_path / "p.bundle"):
        told = rechecked(run, result, source)
        assert {line["state"] for line in told["lines"]} == {"holds"}
        assert set(standings(told).values()) == {"same"}
        assert told["as_made"] is True
    status, out, _ = run("recheck", result, project)
    assert status == 0
    assert "0 stale, 0 gone" in out
    assert "the result is what an assessment of this commit gives" in out


def test_a_verdict_that_the_repository_no_longer_bears_is_told(
    run: Run, project: Path, result: Path
):
    commit(project, {"LICENSE": MIT + "\nNo military use.\n"})
    told = rechecked(run, result, project)
    (changed,) = [
        each for each in told["verdicts"] if (each["standard"], each["item"]) == ("dpg", "2")
    ]
    assert (changed["stated"], changed["now"]) == ("shown", "needs_person")
    assert changed["standing"] == "other"
    assert told["as_made"] is None
    assert told["assessed"] != told["commit"]
    out = run("recheck", result, project)[1]
    assert "other   dpg 2  result: shown; now: needs_person" in out
    # The commit that was assessed is there still, and bears it.
    before = rechecked(run, result, project, "--rev", told["assessed"])
    assert before["as_made"] is True


def test_who_changes_a_verdict_is_found_out(run: Run, project: Path, result: Path):
    def raise_it(document: dict[str, Any]) -> None:
        answer(document, "dpg", "9b")["verdict"] = "shown"

    told = rechecked(run, altered(result, raise_it), project)
    assert Counter(standings(told).values())["other"] == 1
    assert standings(told)["dpg 9b"] == "other"
    # Also where the repository went on, and no evidence was ever named for it.
    commit(project, {"src/b.py": "pass\n"})
    assert standings(rechecked(run, altered(result, raise_it), project))["dpg 9b"] == "other"


def test_who_leaves_out_an_answer_or_asks_otherwise_is_found_out(
    run: Run, project: Path, result: Path
):
    def leave_out(document: dict[str, Any]) -> None:
        document["answers"].remove(answer(document, "dpg", "7"))

    def ask_less(document: dict[str, Any]) -> None:
        answer(document, "dpg", "2")["question"]["en"] = "Is there a file?"

    def invent(document: dict[str, Any]) -> None:
        document["answers"].append(answer(document, "dpg", "2") | {"item": "10"})

    for change, name, standing in (
        (leave_out, "dpg 7", "untold"),
        (ask_less, "dpg 2", "unasked"),
        (invent, "dpg 10", "unasked"),
    ):
        told = standings(rechecked(run, altered(result, change), project))
        assert told.pop(name) == standing
        assert set(told.values()) == {"same"}


def test_what_people_declared_is_judged_as_they_said_it(run: Run, project: Path, tmp_path: Path):
    declared, result = tmp_path / "answers.toml", tmp_path / "r.json"
    declared.write_text(
        'by = "A. Person"\non = 2026-11-30\n[[answer]]\nstandard = "dpg"\nitem = "7"\ntext = "x"\n'
    )
    run("assess", project, "--standard", "dpg", "--declare", declared, "-o", result)
    told = rechecked(run, result, project)
    assert told["as_made"] is True

    def withdraw(document: dict[str, Any]) -> None:
        answer(document, "dpg", "7")["claims"] = []

    assert standings(rechecked(run, altered(result, withdraw), project))["dpg 7"] == "other"


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["answers"].append(document["answers"][0]),
        lambda document: answer(document, "dpg", "7").update(claims=[{"text": "x", "by": "y"}]),
        lambda document: answer(document, "dpg", "7").update(claims=["x"]),
        lambda document: answer(document, "dpg", "7").update(verdict=1),
        lambda document: document["source"].clear(),
        lambda document: document.update(standards=[1]),
    ],
)
def test_what_is_no_result_is_bad_input(
    run: Run, project: Path, result: Path, change: Callable[[dict[str, Any]], None]
):
    status, out, err = run("recheck", altered(result, change), project)
    assert (status, out) == (2, ""), err
    assert err.startswith("zhidao: ")


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value of a document."""
    if isinstance(node, dict | list) and node:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from places(value, (*path, key))
    else:
        yield path


# Where a result was read from is not what it says of the commit.
OF_THE_PLACE = (("source", "kind"), ("source", "notes"))


def test_a_result_that_was_changed_anywhere_is_never_taken(run: Run, project: Path, result: Path):
    draw = random.Random(25)
    every = [
        place for place in places(json.loads(result.read_text())) if place[:2] not in OF_THE_PLACE
    ]
    for place in draw.sample(every, 60):

        def change(document: dict[str, Any], place: tuple[Any, ...] = place) -> None:
            *above, last = place
            node: Any = document
            for key in above:
                node = node[key]
            old = node[last]
            node[last] = (
                old + 1 if type(old) is int else "x" if isinstance(old, list) else f"{old}x"
            )

        assert run("recheck", altered(result, change), project)[0] in (1, 2), place


def test_a_line_whose_blob_never_said_so_is_gone(run: Run, project: Path, result: Path):
    def quote(document: dict[str, Any]) -> None:
        answer(document, "osps", "OSPS-GV-03.01")["evidence"][0]["quotation"] = "Everybody may"

    told = rechecked(run, altered(result, quote), project)
    assert told["counts"]["gone"] == 1


EDITS = (
    *("change", "rename", "delete", "replace", "append", "shift", "nothing"),
    *("swap", "copy", "link", "executable", "back"),
)


def edit(folder: Path, draw: random.Random) -> None:
    """One change to one file, as people make them."""
    tracked = [name for name in FILES if (folder / name).is_file()] or ["README.md"]
    path = folder / draw.choice(tracked)
    path.parent.mkdir(exist_ok=True)
    text = path.read_text() if path.is_file() else "anew\n"
    spare = folder / f"moved-{draw.randrange(10**9)}"
    kind = draw.choice(EDITS)
    match kind:
        case "rename" | "replace" | "link" if path.exists():
            path.rename(spare)
            if kind == "replace":
                path.write_text("another\n")
            elif kind == "link":
                path.symlink_to(spare.name)
        case "delete":
            path.unlink(missing_ok=True)
        case "swap":
            other = folder / draw.choice(tracked)
            theirs = other.read_text() if other.is_file() else "anew\n"
            other.write_text(text)
            path.write_text(theirs)
        case "copy":
            spare.write_text(text)
        case "executable":
            path.write_text(text)
            path.chmod(0o755)
        case "back":
            name = draw.choice(sorted(FILES))
            if not (folder / name).is_symlink():
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(FILES[name])
        case "change" | "append" | "shift":
            changed = {"change": text.upper(), "append": text + "more\n", "shift": "\n" + text}
            path.write_text(changed[kind])
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", kind)


def expected_states(folder: Path, result: Path, fresh: dict[str, Any]) -> list[str]:
    """The state of each line: of files by git alone, of figures by an assessment anew."""
    listed = [line.split() for line in git(folder, "ls-tree", "-r", "HEAD").splitlines()]
    now = {path: blob for mode, _, blob, path in listed if mode.startswith("100")}
    counted = [
        (one["figure"], one["value"])
        for each in fresh["answers"]
        for one in each["evidence"]
        if "figure" in one
    ]
    states = []
    for each in json.loads(result.read_text())["answers"]:
        for one in each["evidence"]:
            if "path" not in one:
                held = (one["figure"], one["value"]) in counted
                states.append("holds" if held else "stale")
            elif now.get(one["path"]) == one["blob"]:
                states.append("holds")
            elif one["blob"] in now.values():
                states.append("moved")
            else:
                states.append("stale" if one["path"] in now else "gone")
    return states


def hold_after_edits(
    run: Run, project: Path, result: Path, count: int, *, seed: int
) -> Counter[str]:
    """Edits one after another; every tenth time the result is made anew."""
    draw = random.Random(seed)
    seen: Counter[str] = Counter()
    run("assess", project, "-o", result)
    for number in range(count):
        edit(project, draw)
        told = rechecked(run, result, project)
        fresh = json.loads(run("assess", project, "--json")[1])
        expected = expected_states(project, result, fresh)
        assert len(told["lines"]) == len(expected)
        for line, state in zip(told["lines"], expected, strict=True):
            assert line["state"] == state, (number, line)
        stated = json.loads(result.read_text())["answers"]
        for judged, was, now in zip(told["verdicts"], stated, fresh["answers"], strict=True):
            same = all(was[name] == now[name] for name in ("verdict", "reason"))
            assert (judged["standing"] == "same") == same, (number, judged)
            assert judged["now"] == now["verdict"]
        seen.update(line["state"] for line in told["lines"])
        seen.update(each["standing"] for each in told["verdicts"])
        if number % 10 == 9:
            for link in filter(Path.is_symlink, map(project.joinpath, FILES)):
                link.unlink()
            commit(project, dict(FILES))
            run("assess", project, "-o", result)
    return seen


def test_each_line_and_verdict_has_its_right_state_after_seeded_edits(
    run: Run, project: Path, tmp_path: Path
):
    seen = hold_after_edits(run, project, tmp_path / "r.json", 20, seed=27)
    assert set(seen) == {"holds", "moved", "stale", "gone", "same", "other"}


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_each_line_and_verdict_has_its_right_state_after_a_thousand_edits(
    run: Run, project: Path, tmp_path: Path
):
    seen = hold_after_edits(run, project, tmp_path / "r.json", 1000, seed=25)
    # What was deleted often stands elsewhere still, so that few lines are gone.
    assert set(seen) == {"holds", "moved", "stale", "gone", "same", "other"}
    assert min(seen.values()) > 50
