"""The risk channel on the command line, and the auditor's way to it."""

from __future__ import annotations

import json
from pathlib import Path

from zhidao.cli.main import main

DATA = Path(__file__).parents[2] / "trade" / "data"


def test_a_decision_is_recorded_and_made_again_until_somebody_changes_it(capsys, tmp_path):
    main(["trade", "set", str(DATA / "set_entry.json"), "--out", str(tmp_path), "--json"])
    record = tmp_path / "decision.json"
    words = ["trade", "declare", str(tmp_path / "import_declaration.json"), "--json"]
    words += ["--rules", str(DATA / "risk_rules.json"), "--record", str(record)]
    capsys.readouterr()
    assert main(words) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["channel"], told["score"]) == ("yellow", 30)
    assert main(["trade", "declare", "--rerun", str(record)]) == 0
    plain = json.loads(record.read_text())
    plain["facts"]["items.count"] = "1"
    record.write_text(json.dumps(plain))
    assert main(["trade", "declare", "--rerun", str(record)]) == 1

    listing = tmp_path / "list.csv"
    listing.write_text("kind,value\nhs,8413\n")
    capsys.readouterr()
    assert main([*words, "--list", str(listing)]) == 2
    assert main([*words, "--list", str(listing), "--list-date", "2026-09-01"]) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["channel"] == "red"


def test_another_paper_is_no_declaration_and_is_called_by_its_name(capsys, tmp_path):
    entry = DATA / "set_entry.json"
    assert main(["trade", "set", str(entry), "--out", str(tmp_path)]) == 0
    rules = ["--rules", str(DATA / "risk_rules.json"), "--json"]
    capsys.readouterr()
    assert main(["trade", "declare", str(tmp_path / "packing_list.json"), *rules]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["error"] == "other_kind"
    assert told["detail"] == "this is no Import declaration: Packing list"
    wrong = tmp_path / "import_declaration.json"
    plain = json.loads(wrong.read_bytes())
    plain["totals"]["grossWeight"] = "1"
    wrong.write_text(json.dumps(plain))
    assert main(["trade", "declare", str(wrong), *rules]) == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["error"], told["where"]) == (
        "not_whole",
        f"{wrong} or {DATA / 'risk_rules.json'} totals.grossWeight",
    )
    assert "the document's own rows make it 1291.2" in told["detail"]
