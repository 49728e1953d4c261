from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.insight.git_sample import APACHE, BSD, MIT, commit, git

from zhidao.cli.main import main
from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput
from zhidao.insight.adapters.git_repository import opened_repository
from zhidao.insight.service import tree_reading
from zhidao.insight.wire.known_licences import known_texts

Run = Callable[..., tuple[int, str, str]]
OFFICE = "office@example.org"
FILES = {
    "LICENSE": MIT,
    "README.md": "# A project\n\nIt counts.\n",
    "CONTRIBUTING.md": "# How to contribute\n",
    "CODE_OF_CONDUCT.md": "Be kind.\n",
    "SECURITY.md": f"Write to {OFFICE}.\n",
    "docs/guide.md": "\n\nHow it is used\n",
    "pyproject.toml": '[project]\nname = "x"\nlicense = "MIT"\n',
    "src/a.py": "# SPDX-License-Identifier: MIT\n",
    "publiccode.yml": "publiccodeYmlVersion: '0.4'\nname: x\nlegal:\n  license: MIT\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    commit(folder, FILES)
    git(folder, "tag", "v1")
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: object) -> tuple[int, str, str]:
        status = main(["insight", *map(str, words)])
        told = capsys.readouterr()
        return status, told.out, told.err

    return call


def assessed(run: Run, project: Path, *words: object) -> dict[str, Any]:
    status, out, err = run("assess", project, "--json", *words)
    assert (status, err) == (0, "")
    return json.loads(out)


def answer(document: dict[str, Any], standard: str, item: str) -> dict[str, Any]:
    (found,) = (
        each for each in document["answers"] if (each["standard"], each["item"]) == (standard, item)
    )
    return found


def verdict(document: dict[str, Any], standard: str, item: str) -> str:
    return answer(document, standard, item)["verdict"]


def test_each_answer_is_one_of_four_and_each_evidence_says_what_its_lines_say(
    run: Run, project: Path
):
    document = assessed(run, project)
    assert len(document["answers"]) == 197
    verdicts = {each["verdict"] for each in document["answers"]}
    assert verdicts == {"shown", "needs_person"}
    cited = [one for each in document["answers"] for one in each["evidence"] if "path" in one]
    assert len(cited) > 30
    for one in cited:
        data = (project / one["path"]).read_text().split("\n")
        assert git(project, "rev-parse", f"HEAD:{one['path']}") == one["blob"]
        assert one["quotation"] in " ".join(data[one["lines"][0] - 1 : one["lines"][1]])
        assert len(one["quotation"]) <= 200
    assert "score" not in json.dumps(document)


def test_a_file_shows_the_file_and_not_that_anybody_lives_by_it(run: Run, project: Path):
    document = assessed(run, project, "--standard", "dpg", "--standard", "osps")
    guide = answer(document, "osps", "OSPS-GV-03.01")
    assert (guide["verdict"], guide["reason"]) == ("shown", "shown_file")
    harassment = answer(document, "dpg", "9c")
    assert harassment["verdict"] == "needs_person"
    assert [one["path"] for one in harassment["evidence"]] == ["CODE_OF_CONDUCT.md"]


@pytest.mark.parametrize("blank", ["", " \n\t\n", "\ufeff\n", "# -- #\n", b"\0\0\0"])
def test_a_file_that_says_nothing_is_no_evidence(run: Run, project: Path, blank: str | bytes):
    commit(project, {"CONTRIBUTING.md": blank, "SECURITY.md": blank})
    document = assessed(run, project, "--standard", "osps")
    assert verdict(document, "osps", "OSPS-GV-03.01") == "needs_person"
    cited = {one.get("path") for each in document["answers"] for one in each["evidence"]}
    assert not cited & {"CONTRIBUTING.md", "SECURITY.md"}


def test_a_link_out_of_the_tree_is_not_followed(run: Run, project: Path, tmp_path: Path):
    (tmp_path / "outside.md").write_text("# A policy\n")
    (project / "SECURITY.md").unlink()
    (project / "SECURITY.md").symlink_to(tmp_path / "outside.md")
    commit(project, {})
    document = assessed(run, project, "--standard", "osps")
    assert document["source"]["links"] == 1
    assert not any(
        one.get("path") == "SECURITY.md" for each in document["answers"] for one in each["evidence"]
    )


def test_many_tables_of_reuse_are_held_to_the_bound_of_one(project: Path):
    paths = ",".join(f'"a{number}"' for number in range(600))
    table = f'version = 1\n[[annotations]]\npath = [{paths}]\nSPDX-License-Identifier = "MIT"\n'
    commit(project, {f"{name}/REUSE.toml": table for name in "abc"})
    with opened_repository(project) as repository:
        reading = tree_reading.read_tree(repository, known_texts())
    assert sorted(len(each or ()) for each in reading.reuse.values()) == [0, 0, 600]


def test_the_same_commit_gives_the_same_canonical_bytes(run: Run, project: Path, tmp_path: Path):
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    bundle = tmp_path / "x.bundle"
    git(project, "bundle", "create", "-q", str(bundle), "--all")
    assert run("assess", project, "-o", first)[0] == 0
    assert run("assess", project, "-o", second)[0] == 0
    assert first.read_bytes() == second.read_bytes() == jcs(json.loads(first.read_bytes()))
    of_bundle = assessed(run, bundle)
    assert of_bundle["answers"] == json.loads(first.read_bytes())["answers"]


def test_the_table_stands_in_both_languages(run: Run, project: Path):
    _, english, _ = run("assess", project, "--standard", "dpg")
    _, chinese, _ = run("assess", project, "--standard", "dpg", "--language", "zh")
    assert "[needs a person] 1  Which Sustainable Development Goals" in english
    assert "[须由人判断] 1  它服务于哪些可持续发展目标" in chinese
    assert "LICENSE: MIT (word for word)" in english


def test_nobody_who_committed_is_named(run: Run, project: Path):
    document = assessed(run, project)
    assert document["history"]["authors"] == 1
    assert "somebody@example.org" not in json.dumps(document)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "shown"),
        ({"LICENSE": APACHE}, "contradicted"),
        ({"LICENSE": BSD + "\nNo military use.\n", "pyproject.toml": None}, "needs_person"),
        ({"LICENSE": "CC-BY-ND", "pyproject.toml": None}, "contradicted"),
        ({"LICENSE": None}, "needs_person"),
        ({"LICENSE": None, "COPYING": MIT}, "shown"),
        ({"LICENSE.APACHE": APACHE}, "needs_person"),
        ({"vendor/x/LICENSE": APACHE}, "shown"),
        ({"LICENSE-COMMERCIAL": "Ask us for the price of a licence."}, "needs_person"),
    ],
)
def test_the_licence_of_the_whole(
    run: Run, project: Path, files: dict[str, str | None], expected: str
):
    commit(project, files)
    document = assessed(run, project, "--standard", "dpg", "--standard", "osps")
    assert verdict(document, "dpg", "2") == expected
    assert verdict(document, "osps", "OSPS-LE-02.01") == expected
    if files == {"LICENSE": APACHE}:
        paths = [one["path"] for one in answer(document, "dpg", "2")["evidence"]]
        assert paths == ["LICENSE", "pyproject.toml"]


def test_who_wrote_the_licence_is_not_who_owns_the_project(run: Run, project: Path):
    assert verdict(assessed(run, project, "--standard", "dpg"), "dpg", "3") == "shown"
    foreign = "Copyright (C) 2007 Free Software Foundation, Inc.\n" + APACHE
    commit(project, {"LICENSE": foreign})
    assert verdict(assessed(run, project, "--standard", "dpg"), "dpg", "3") == "needs_person"
    commit(project, {"NOTICE": "Copyright 2026 A town\n"})
    assert verdict(assessed(run, project, "--standard", "dpg"), "dpg", "3") == "shown"


def test_nested_licences_are_scopes_of_their_own(run: Run, project: Path):
    commit(project, {"vendor/x/LICENSE": APACHE, "vendor/y/COPYING": MIT + "\nNo war.\n"})
    scopes = {
        scope["scope"]: scope["texts"] for scope in assessed(run, project)["licences"]["scopes"]
    }
    assert [text["expression"] for text in scopes[""]] == ["MIT"]
    assert [text["expression"] for text in scopes["vendor/x"]] == ["Apache-2.0"]
    (doubtful,) = scopes["vendor/y"]
    assert (doubtful["verdict"], doubtful["resembles"]) == ("needs_person", "MIT")
    assert doubtful["extra"]["quotation"] == "No war"


def test_reuse_is_shown_only_when_every_file_says_its_licence(run: Run, project: Path):
    tabled = 'version = 1\n[[annotations]]\npath = "**"\nSPDX-License-Identifier = "MIT"\n'
    document = assessed(run, project, "--standard", "reuse")
    assert verdict(document, "reuse", "licensing") == "needs_person"
    commit(project, {"REUSE.toml": tabled, "LICENSES/MIT.txt": MIT})
    document = assessed(run, project, "--standard", "reuse")
    items = ("licensing", "license-files", "no-unused", "expression")
    assert {verdict(document, "reuse", item) for item in items} == {"shown"}
    assert verdict(document, "reuse", "copyright") == "needs_person"
    held = tabled + 'SPDX-FileCopyrightText = "2026 Somebody"\n'
    commit(project, {"REUSE.toml": held})
    document = assessed(run, project, "--standard", "reuse")
    assert verdict(document, "reuse", "copyright") == "shown"
    commit(project, {"LICENSES/Apache-2.0.txt": APACHE})
    document = assessed(run, project, "--standard", "reuse")
    assert verdict(document, "reuse", "no-unused") == "needs_person"


def test_keys_of_publiccode_are_cited_by_line(run: Run, project: Path):
    document = assessed(run, project, "--standard", "publiccode")
    found = answer(document, "publiccode", "legal/license")
    assert found["evidence"][0]["lines"] == [4, 4]
    assert verdict(document, "publiccode", "maintenance/type") == "needs_person"


def test_a_declaration_is_a_claim_and_never_more(run: Run, project: Path, tmp_path: Path):
    declared = tmp_path / "answers.toml"
    declared.write_text(
        'by = "A. Person, head"\non = 2026-11-30\n'
        '[[answer]]\nstandard = "dpg"\nitem = "7"\ntext = "The law of X."\n'
    )
    document = assessed(run, project, "--standard", "dpg", "--declare", declared)
    found = answer(document, "dpg", "7")
    assert (found["verdict"], found["claims"][0]["signed"]) == ("claimed", False)
    assert "declared by A. Person, head" in run("assess", project, "--declare", declared)[1]
    declared.write_text("nonsense")
    assert run("assess", project, "--declare", declared)[0] == 2


def declared(folder: Path, more: str, *, item: str = "7") -> Path:
    file = folder / "answers.toml"
    file.write_text(
        f'by = "A. Person, head"\non = 2026-11-30\n[[answer]]\nstandard = "dpg"\nitem = "{item}"\n'
        f'text = "So it is."\n{more}'
    )
    return file


def test_what_a_declaration_points_to_is_cited(run: Run, project: Path, tmp_path: Path):
    file = declared(tmp_path, 'see = [{ path = "docs/guide.md", says = "it   is used" }]\n')
    found = answer(assessed(run, project, "--declare", file), "dpg", "7")
    (line,) = [each for each in found["evidence"] if each["kind"] == "declared"]
    assert (line["path"], line["lines"], line["quotation"]) == (
        "docs/guide.md",
        [3, 3],
        "it is used",
    )


@pytest.mark.parametrize("place", [("docs/guide.md", "nobody"), ("none.md", "x"), ("../x", "x")])
def test_a_declaration_that_points_to_nothing_is_refused(
    run: Run, project: Path, tmp_path: Path, place: tuple[str, str]
):
    file = declared(tmp_path, f'see = [{{ path = "{place[0]}", says = "{place[1]}" }}]\n')
    output = tmp_path / "result.json"
    status, out, err = run("assess", project, "--declare", file, "-o", output)
    assert (status, out) == (1, "")
    assert f"dpg 7: {place[0]} has no line" in err
    assert not output.exists()


def test_what_is_declared_as_not_met_is_left_to_a_person(run: Run, project: Path, tmp_path: Path):
    file = declared(tmp_path, "met = false\n")
    found = answer(assessed(run, project, "--declare", file), "dpg", "7")
    assert (found["verdict"], found["reason"]) == ("needs_person", "declared_not_met")
    assert found["claims"][0]["met"] is False
    assert "declared as not met" in run("assess", project, "--declare", file)[1]


def test_where_a_forge_alone_can_answer_the_setting_is_named(run: Run, project: Path):
    found = answer(assessed(run, project, "--standard", "osps"), "osps", "OSPS-AC-01.01")
    assert (found["verdict"], found["reason"]) == ("needs_person", "stands_elsewhere")
    assert "two-factor" in found["setting"]["en"]
    _, chinese, _ = run("assess", project, "--standard", "osps", "--language", "zh")
    assert "查看：代码托管平台上" in chinese


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"\x7fELF\0", "needs_person"), (b"MZ is a text\n", "shown"), (b"\0\0", "shown")],
)
def test_compiled_programs_in_the_tree_are_noticed(
    run: Run, project: Path, data: bytes, expected: str
):
    commit(project, {"bin/tool": data})
    found = answer(assessed(run, project, "--standard", "osps"), "osps", "OSPS-QA-05.01")
    assert found["verdict"] == expected
    if expected == "needs_person":
        assert found["evidence"][0]["value"].endswith("bin/tool first")


def test_what_was_lost_since_an_earlier_result_is_told(run: Run, project: Path, tmp_path: Path):
    earlier = tmp_path / "earlier.json"
    assert run("assess", project, "-o", earlier)[0] == 0
    assert run("assess", project, "--against", earlier)[:2] == (
        0,
        "lost since the earlier result: 0\n",
    )
    commit(project, {"docs/guide.md": None, "docs/other.md": "Of another name\n"})
    assert run("assess", project, "--against", earlier)[0] == 0
    commit(project, {"SECURITY.md": "", "LICENSE": MIT + "\nNot for ships.\n"})
    status, out, _ = run("assess", project, "--against", earlier)
    assert status == 1
    assert "lost evidence osps OSPS-VM-02.01  SECURITY.md" in out
    assert "lost verdict  dpg 2  shown -> needs_person" in out
    status, out, _ = run("assess", project, "--against", earlier, "--json")
    assert (status, {"lost"}) == (1, set(json.loads(out)))


def test_a_path_with_a_line_feed_makes_no_line_of_the_table(run: Run, project: Path):
    commit(project, {"docs/a\n  [shown] 9b  all is well.md": "trap\n"})
    _, out, _ = run("assess", project, "--standard", "dpg")
    assert not any(line.startswith("  [shown] 9b") for line in out.splitlines())
    assert "docs/a\\n" in out


@pytest.mark.bound("insight.service.tree_reading.FILE_BYTES_MAX")
def test_a_file_that_is_too_large_is_said(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tree_reading, "FILE_BYTES_MAX", len(MIT))
    assert assessed(run, project)["source"]["unread_files"] == 0
    monkeypatch.setattr(tree_reading, "FILE_BYTES_MAX", len(MIT) - 1)
    assert assessed(run, project)["source"]["unread"] == ["LICENSE"]


@pytest.mark.bound("insight.wire.declarations.DECLARATION_BYTES_MAX")
def test_a_declaration_is_bounded(
    run: Run, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    declared = tmp_path / "answers.toml"
    text = 'by = "A"\non = 2026-11-30\n[[answer]]\nstandard = "dpg"\nitem = "7"\ntext = "x"\n'
    declared.write_text(text)
    for bound, expected in ((len(text), 0), (len(text) - 1, 2)):
        monkeypatch.setattr("zhidao.insight.library.assessments.DECLARATION_BYTES_MAX", bound)
        assert run("assess", project, "--declare", declared)[0] == expected


def test_bad_input_is_told_with_its_status(run: Run, project: Path, tmp_path: Path):
    for words, status in (
        (("assess", tmp_path / "nowhere"), 2),
        (("assess", tmp_path), 2),
        (("assess", project, "--rev", "nowhere"), 1),
        (("assess", project, "--standard", "iso-9001"), 1),
        (("recheck", project / "LICENSE", project), 2),
        (("recheck", tmp_path / "nowhere.json", project), 2),
    ):
        told, out, err = run(*words)
        assert (told, out) == (status, ""), words
        assert err.startswith("zhidao: ")


def test_a_result_of_another_pack_is_refused(run: Run, project: Path, tmp_path: Path):
    result = tmp_path / "r.json"
    run("assess", project, "-o", result)
    document = json.loads(result.read_text())
    document["standards"][0]["pack"] = "sha256:" + "0" * 64
    result.write_text(json.dumps(document))
    status, _, err = run("recheck", result, project)
    assert status == 1
    assert "digest" in err


def test_what_the_command_reads_of_a_table_is_no_control_character():
    from zhidao.insight.library.assessments import assessment_table

    with pytest.raises(MalformedInput):
        assessment_table(b"{}", "en")
