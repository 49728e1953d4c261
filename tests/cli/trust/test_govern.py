from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.trust.proof_bench import ProofBench

from zhidao.cli.main import main
from zhidao.node.adapters.ambient import SystemClock
from zhidao.trust.domain.trust_list import trust_list
from zhidao.trust.wire.governance.trust_list import encode_trust_list


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object]]:
    status = main([*words, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_three_organisations_govern_one_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    known = ProofBench().trust()
    document = trust_list(known.name, SystemClock().now(), known.nodes, known.parties)
    (tmp_path / "trust.json").write_bytes(encode_trust_list(document))
    secret = tmp_path / "passphrase"
    secret.write_text("a passphrase for tests")
    secret.chmod(0o600)
    monkeypatch.setenv("ZHIDAO_KEYS_PASSPHRASE_FILE", str(secret))
    folders = [str(tmp_path / name) for name in ("customs", "bank", "carrier")]
    keys = [str(run(capsys, "trust", "governor", "--data", each)[1]["key"]) for each in folders]
    out = tmp_path / "corridor.zdtrust"
    named = [word for key in keys for word in ("--governor", key)]
    proposed = run(
        *(capsys, "trust", "propose", str(tmp_path / "trust.json"), *named),
        *("--threshold", "2", "-o", str(out)),
    )
    assert (proposed[0], proposed[1]["missing_signatures"]) == (0, 2)
    root = str(proposed[1]["root"])
    assert run(capsys, "trust", "show", str(out))[1]["error"] == "threshold_not_met"
    for folder, missing in ((folders[0], 1), (folders[2], 0)):
        signed = run(capsys, "trust", "sign", str(out), "--data", folder)
        assert signed[1]["missing_signatures"] == missing
    status, told = run(capsys, "trust", "show", str(out), "--root", root)
    assert (status, told["standing"], told["version"]) == (0, "current", 1)
    status, told = run(capsys, "trust", "show", str(out), "--at", "2099-01-01T00:00:00Z")
    assert (status, told["standing"]) == (1, "expired")
    assert run(capsys, "trust", "show", str(out), "--root", "ab")[1]["error"] == "untrusted_root"

    assert run(capsys, "trust", "add", str(out), "--yes")[0] == 0
    first = out.read_bytes()
    second = tmp_path / "second.zdtrust"
    after = ("--after", str(out), "-o", str(second))
    assert run(capsys, "trust", "propose", str(tmp_path / "trust.json"), *after)[0] == 0
    for folder in folders[1:]:
        run(capsys, "trust", "sign", str(second), "--data", folder)
    # The first root was compared once; what its governors sign needs no further question.
    assert run(capsys, "trust", "add", str(second))[1]["version"] == 2
    out.write_bytes(first)
    assert run(capsys, "trust", "add", str(out))[1]["error"] == "rolled_back"
    [listed] = json.loads((main(["trust", "list", "--json"]), capsys.readouterr().out)[1])
    assert listed["fingerprint"] == root
    assert main(["trust", "remove", known.name, "--json"]) == 0
    capsys.readouterr()
    assert json.loads((main(["trust", "list", "--json"]), capsys.readouterr().out)[1]) == []
    # What was known of its versions outlives its removal.
    assert run(capsys, "trust", "add", str(out), "--yes")[1]["error"] == "rolled_back"
    assert run(capsys, "trust", "add", str(second), "--yes")[0] == 0
    # Neither a plain list nor one of other governors takes its name in silence.
    told = run(capsys, "trust", "add", str(tmp_path / "trust.json"), "--yes")[1]
    assert (told["error"], root in json.dumps(told)) == ("name_taken", True), told
    others = tmp_path / "others.zdtrust"
    usurped = ("--governor", keys[0], "--governor", keys[2], "--threshold", "2", "-o")
    run(capsys, "trust", "propose", str(tmp_path / "trust.json"), *usurped, str(others))
    for folder in (folders[0], folders[2]):
        run(capsys, "trust", "sign", str(others), "--data", folder)
    assert run(capsys, "trust", "add", str(others), "--yes")[1]["error"] == "name_taken"
    assert run(capsys, "trust", "add", str(others), "--yes", "--replace", root)[0] == 0
    [listed] = json.loads((main(["trust", "list", "--json"]), capsys.readouterr().out)[1])
    assert listed["fingerprint"] not in ("", root)
