from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.trust.attacks.test_credentials import (
    BY_WEB,
    GOOD,
    LIST,
    RDF,
    REVOCABLE,
    TOKEN,
    WEB,
    WEB_DOCUMENT,
    listed,
)

from zhidao.cli.main import main

AT = ["--at", "2026-11-24T12:00:00Z"]


def asked(
    capsys: pytest.CaptureFixture, file: Path, content: object, *more: str
) -> tuple[int, dict]:
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    status = main(["trust", "credential", "verify", str(file), *AT, *more])
    return status, json.loads(capsys.readouterr().out)


def test_a_verdict_is_json_and_a_status(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = tmp_path / "c.json"
    for content, form in ((GOOD, "w3c"), (RDF, "w3c"), (TOKEN, "sd-jwt")):
        status, told = asked(capsys, file, content, "--offline")
        assert (status, told["verdict"], told["form"]) == (0, "ok", form)
    status, told = asked(capsys, file, {**GOOD, "name": "x"}, "--offline")
    assert (status, told["verdict"]) == (1, "bad_proof")
    status, told = asked(capsys, file, GOOD, "--offline", "--issuer", "did:example:x")
    assert (status, told["verdict"]) == (1, "wrong_issuer")
    assert main(["trust", "credential", "verify", str(tmp_path / "absent")]) == 2
    assert "no file" in capsys.readouterr().err


def test_offline_what_is_not_at_hand_is_unavailable(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    file = tmp_path / "c.json"
    assert asked(capsys, file, REVOCABLE, "--offline")[1]["verdict"] == "status_unavailable"
    assert asked(capsys, file, BY_WEB, "--offline")[1]["verdict"] == "did_unavailable"


def test_evidence_and_contexts_come_from_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    file = tmp_path / "c.json"
    index = {
        "documents": {WEB: "did.json"},
        "lists": {LIST: ["list.json", "2026-11-24T11:30:00Z"]},
        "texts": {"x.example": ["a"]},
    }
    (tmp_path / "evidence.json").write_text(json.dumps(index))
    (tmp_path / "did.json").write_text(json.dumps(WEB_DOCUMENT))
    (tmp_path / "list.json").write_text(json.dumps(listed(7)))
    given = ("--evidence", str(tmp_path))
    assert asked(capsys, file, REVOCABLE, *given)[1]["verdict"] == "revoked"
    (tmp_path / "list.json").write_text(json.dumps(listed(6)))
    assert asked(capsys, file, REVOCABLE, *given)[1]["verdict"] == "ok"
    assert asked(capsys, file, BY_WEB, *given)[1]["verdict"] == "ok"
    (tmp_path / "contexts.json").write_text('{"https://x.example/c": "x.json"}')
    (tmp_path / "x.json").write_text('{"@context": {"x": "urn:x"}}')
    more = ("--offline", "--contexts", str(tmp_path))
    assert asked(capsys, file, GOOD, *more)[1]["verdict"] == "ok"
    (tmp_path / "contexts.json").write_text('{"https://www.w3.org/ns/credentials/v2": "x.json"}')
    file.write_text(json.dumps(GOOD))
    assert main(["trust", "credential", "verify", str(file), *more]) == 2
    (tmp_path / "evidence.json").write_text('{"documents": {"did:web:x": "../up"}}')
    assert main(["trust", "credential", "verify", str(file), *given]) == 2
