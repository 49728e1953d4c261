"""This project under its own rule: no line of evidence that it once had may go unnoticed."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from zhidao.cli.insight.signatories import SigningKey, verify
from zhidao.core.canonical import jcs
from zhidao.core.errors import Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.insight.adapters.git_store import find_store
from zhidao.insight.library.assessments import assess, lost, packs
from zhidao.insight.library.declarations import Trusted, sign_declaration

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "docs" / "reference" / "self-assessment.json"
DECLARED = ROOT / "docs" / "reference" / "declarations.toml"
COMMAND = (
    "zhidao insight assess . --declare docs/reference/declarations.toml "
    "--against docs/reference/self-assessment.json"
)
Document = dict[str, Any]


@pytest.fixture(scope="module")
def now() -> bytes:
    if not (ROOT / ".git").exists():
        pytest.skip("these files are no repository: a tar or an archive has no history to assess")
    try:
        find_store(ROOT)
    except Refused as refusal:
        if refusal.code != "shallow_repository":
            raise
        pytest.skip(f"a history that was cut off is not assessed: {refusal}")
    return assess(
        ROOT, revision="HEAD", standards=(), declarations={DECLARED.name: DECLARED.read_bytes()}
    )


@pytest.fixture
def kept() -> Document:
    return json.loads(KEPT.read_bytes())


def answers(document: bytes, standard: str) -> dict[str, Document]:
    found = [each for each in json.loads(document)["answers"] if each["standard"] == standard]
    return {each["item"]: each for each in found}


def test_nothing_was_lost_since_the_assessment_that_is_kept(now: bytes):
    losses = lost(KEPT.read_bytes(), now)
    assert losses == [], f"{COMMAND} names them; with -o, what stands now is kept"


def test_the_assessment_that_is_kept_leaves_no_question_out(now: bytes, kept: Document):
    """Else a loss could be hidden by taking its question out of the file."""
    asked = {(each["standard"], each["item"]) for each in json.loads(now)["answers"]}
    assert {(each["standard"], each["item"]) for each in kept["answers"]} == asked


def test_a_lost_line_and_a_lost_verdict_are_noticed(now: bytes, kept: Document):
    line = {"kind": "sbom", "path": "x.cdx.json", "lines": [1, 1], "blob": "a" * 40}
    kept["answers"][0]["evidence"].append(line | {"quotation": "{"})
    kept["answers"][0]["verdict"] = "shown"
    kinds = sorted(each["what"] for each in lost(jcs(kept), now))
    assert kinds == ["evidence", "verdict"]


def test_what_is_cited_stands_in_the_files_as_they_are(kept: Document):
    """Also before it is committed."""
    for answer in kept["answers"]:
        for one in answer["evidence"]:
            if "path" in one:
                assert (ROOT / one["path"]).stat().st_size, (answer["item"], one["path"])
    for answer in tomllib.loads(DECLARED.read_text())["answer"]:
        for pointer in answer.get("see", ()):
            lines = (ROOT / pointer["path"]).read_text().split("\n")
            assert any(pointer["says"] in " ".join(line.split()) for line in lines), pointer


def test_every_question_of_digital_public_goods_is_answered(now: bytes):
    given = answers(now, "dpg")
    assert list(given) == ["1", "2", "3", "4", "5", "6", "7", "8", "9a", "9b", "9c"]
    assert {each["verdict"] for each in given.values()} <= {"shown", "claimed"}
    assert all(given[item]["verdict"] == "claimed" for item in ("7", "9a", "9b"))


def test_every_requirement_of_the_security_baseline_is_answered(now: bytes):
    given = answers(now, "osps")
    assert len(given) == 64
    (pack,) = packs(["osps"])
    first = {question.id for question in pack.questions if 1 in question.levels}
    assert len(first) == 24
    assert not [item for item in first if given[item]["verdict"] == "contradicted"]
    for item, each in given.items():
        told = each["verdict"] == "shown" or each["claims"] or each.get("setting")
        assert told, f"{item}: not shown, nobody said anything, and no place to look is named"


@pytest.mark.parametrize(("standard", "questions"), [("dpi-safeguards", 18), ("un-open-source", 8)])
def test_every_principle_is_answered_by_somebody(now: bytes, standard: str, questions: int):
    given = answers(now, standard)
    assert len(given) == questions
    assert all(each["verdict"] == "shown" or each["claims"] for each in given.values())


def test_nothing_is_contradicted_and_reuse_is_shown_whole(now: bytes):
    document = json.loads(now)
    assert not [each for each in document["answers"] if each["verdict"] == "contradicted"]
    assert {each["verdict"] for each in answers(now, "reuse").values()} == {"shown"}


def test_what_is_not_met_is_never_told_as_a_claim(now: bytes):
    for each in json.loads(now)["answers"]:
        if any(claim.get("met") is False for claim in each["claims"]):
            assert each["verdict"] == "needs_person", each["item"]


def test_who_answers_for_the_project_can_sign_what_is_claimed(now: bytes):
    """The project has no key: one of the test's own signs what stands in declarations.toml."""
    unsigned = [item for item, each in answers(now, "dpg").items() if each["claims"]]
    assert len(unsigned) == 9
    key = SigningKey(SoftwareKey(Algorithm.ED25519, bytes(range(32))))
    at = Utc.parse("2026-12-01T00:00:00Z")
    data = DECLARED.read_bytes()
    signed = sign_declaration(data, ROOT, revision="HEAD", sign=key, at=at, days=365)
    trusted = Trusted(verify, at, {key.key: "The Zhidao maintainers"})
    files = {"signed.json": signed, DECLARED.name: data}
    done = assess(ROOT, revision="HEAD", standards=(), declarations=files, trusted=trusted)
    given = answers(done, "dpg")
    assert [given[item]["reason"] for item in unsigned] == ["claimed_signed"] * 9
    assert not [
        each for each in json.loads(done)["answers"] if each["reason"] == "claimed_unsigned"
    ]
