"""Bills of materials beside a repository: counted, what to look at listed, held to again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.insight.test_assess import Run, answer, project, run
from tests.insight.git_sample import commit
from tests.insight.wire.test_sboms import CYCLONE, SBOMS

from zhidao.insight.library import assessments

__all__ = ["project", "run"]


def assessed(run: Run, project: Path, *words: object) -> dict[str, Any]:
    status, out, err = run("assess", project, "--standard", "dpg", "--json", *words)
    assert (status, err) == (0, "")
    return json.loads(out)


def test_parts_are_counted_and_those_to_look_at_listed(run: Run, project: Path):
    document = assessed(run, project, "--sbom", SBOMS / "spdx-2.3.json")
    parts = document["components"]
    assert parts["outbound"] == ["MIT"]
    (listed,) = parts["lists"]
    assert (listed["form"], listed["components"], listed["with_licence"]) == ("SPDX 2.3", 4, 3)
    (found,) = parts["to_look_at"]
    assert (found["name"], found["licences"], found["concern"]) == (
        "beta",
        ["GPL-2.0-only"],
        "stronger",
    )
    given = answer(document, "dpg", "4")
    # No list says how parts are joined, so it is no verdict.
    assert given["verdict"] == "needs_person"
    figures = {each["figure"]: each["value"] for each in given["evidence"] if "figure" in each}
    assert figures == {"spdx-2.3.json": "4, 3 with a licence", "components": "1"}
    for language, words in (("en", "asks more of the whole"), ("zh", "对整体要求更多")):
        told = ("assess", project, "--sbom", SBOMS / "spdx-2.3.json", "--language", language)
        assert words in run(*told)[1]


def test_without_a_list_nothing_is_said_of_parts(run: Run, project: Path):
    assert "components" not in assessed(run, project)


def test_lock_files_of_the_tree_give_names(run: Run, project: Path):
    commit(project, {"Cargo.lock": '[[package]]\nname = "serde"\nversion = "1"\n'})
    (listed,) = assessed(run, project)["components"]["lists"]
    assert (listed["names_only"], listed["components"], listed["with_licence"]) == (True, 1, 0)
    assert listed["licences"] == [{"licence": "unknown here", "components": 1}]
    # Spoiled, it is no list, and the repository is assessed all the same.
    commit(project, {"Cargo.lock": "[[package]\n"})
    assert "components" not in assessed(run, project)


def test_where_a_list_lay_and_in_which_order_says_nothing(run: Run, project: Path, tmp_path: Path):
    there = tmp_path / "spdx-2.3.json"
    there.write_bytes((SBOMS / "spdx-2.3.json").read_bytes())
    first = assessed(run, project, "--sbom", there, "--sbom", SBOMS / "cyclonedx-1.6.json")
    words = ("--sbom", SBOMS / "cyclonedx-1.6.json", "--sbom", SBOMS / "spdx-2.3.json")
    assert assessed(run, project, *words) == first


def test_a_result_holds_with_the_same_list_and_no_other(run: Run, project: Path, tmp_path: Path):
    result, sbom = tmp_path / "r.json", tmp_path / "s.json"
    sbom.write_bytes((SBOMS / "spdx-3.0.1.json").read_bytes())
    run("assess", project, "--standard", "dpg", "--sbom", sbom, "-o", result)
    status, out, _ = run("recheck", result, project, "--sbom", sbom, "--json")
    assert (status, json.loads(out)["as_made"]) == (0, True)
    sbom.write_bytes(sbom.read_bytes().replace(b"GPL-2.0-only", b"BSD-2-Clause"))
    for words in ((), ("--sbom", sbom)):
        status, out, _ = run("recheck", result, project, *words, "--json")
        told = json.loads(out)
        assert (status, told["as_made"]) == (1, False)
        assert told["counts"]["stale"] >= 1


def test_a_spoiled_list_is_bad_input_that_names_the_file(run: Run, project: Path, tmp_path: Path):
    sbom = tmp_path / "spoiled.json"
    sbom.write_text(json.dumps(CYCLONE | {"components": [{"name": 1}]}))
    status, out, err = run("assess", project, "--sbom", sbom)
    assert (status, out) == (2, "")
    assert "spoiled.json components[0]" in err


@pytest.mark.bound("insight.wire.sbom.reading.SBOM_BYTES_MAX")
def test_a_list_is_bounded(
    run: Run, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    sbom = tmp_path / "s.json"
    sbom.write_text(json.dumps(CYCLONE))
    for most, expected in ((sbom.stat().st_size, 0), (sbom.stat().st_size - 1, 2)):
        monkeypatch.setattr(assessments, "SBOM_BYTES_MAX", most)
        assert run("assess", project, "--sbom", sbom)[0] == expected
