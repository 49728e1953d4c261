"""Each example is taken by its command and fits the schema that stands in the reference."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from zhidao.cli.main import main
from zhidao.cli.trade.example import FORMS, example_of

DATA = Path(__file__).parents[2] / "trade" / "data"


def _commands(tmp_path: Path) -> dict[str, list[str]]:
    made = tmp_path / "made"
    assert main(["trade", "set", str(DATA / "set_entry.json"), "--out", str(made)]) == 0
    events = tmp_path / "events.json"
    events.write_text("[]")
    return {
        "entry": ["trade", "set", "FILE"],
        "bill-of-materials": ["trade", "origin", "FILE"],
        "duty-question": ["trade", "duty", "FILE"],
        "risk-rules": [
            *("trade", "declare", str(made / "import_declaration.json"), "--rules", "FILE"),
        ],
        "journey-plan": [
            *("trade", "journey", "FILE", str(events), "--now", "2026-09-04T00:00:00Z"),
        ],
        "credit": [
            *("finance", "mt", "write", "700", "FILE", "--sender", "VESTDK22"),
            *("--receiver", "XIANCNBJ", "-o", str(tmp_path / "made.fin")),
        ],
    }


def test_every_example_is_taken_by_its_command_and_fits_its_schema(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    commands = _commands(tmp_path)
    assert set(commands) == set(FORMS)
    for kind, words in commands.items():
        file = tmp_path / f"{kind}.json"
        assert main(["trade", "example", kind, "-o", str(file)]) == 0
        status = main([str(file) if word == "FILE" else word for word in words])
        assert status in (0, 1), (kind, capsys.readouterr().err)
        capsys.readouterr()
        assert main(["trade", "example", kind, "--schema", "--json"]) == 0
        schema = json.loads(capsys.readouterr().out)
        fits = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        plain = json.loads(example_of(kind))
        assert [error.message for error in fits.iter_errors(plain)] == [], kind
        assert not fits.is_valid(plain | {"colour": "red"}), kind
        assert fits.is_valid(json.loads(file.read_bytes())), kind


def test_the_example_of_an_entry_has_at_most_forty_five_fields(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "entry.json"
    assert main(["trade", "example", "entry", "-o", str(file)]) == 0
    assert main(["trade", "set", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["fields"] <= 45
    assert [paper["kind"] for paper in told["documents"]] == [
        *("invoice_ubl", "invoice_cii", "packing_list", "transport_document"),
        *("export_declaration", "import_declaration", "shipping_instruction"),
    ]
    why = {paper["kind"]: paper["why"] for paper in told["documents"]}
    assert why["transport_document"] == "a leg goes by sea"
    assert why["import_declaration"] == "the goods cross a customs border: BD - NL"
