"""The journey on the command line: files of both standards, in any order."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from zhidao.cli.main import main
from zhidao.core.timescale import Utc
from zhidao.trade.domain.tracking.movement import Classifier, Kind, Movement
from zhidao.trade.wire import tracking

PLAN = {
    "type": "zhidao.JourneyPlan.v1",
    "legs": [
        {
            "origin": "CNSHA",
            "destination": "VNHPH",
            "departs_at": "2026-09-05T00:00:00Z",
            "arrives_at": "2026-09-11T00:00:00Z",
        }
    ],
}


def event(n: int, kind: Kind, place: str, at: str) -> Movement:
    return Movement(
        id=f"00000000-0000-4000-8000-{n:012}", kind=kind, classifier=Classifier.ACTUAL,
        occurred_at=Utc.parse(at), recorded_at=Utc.parse(at), place=place, mode="VESSEL",
        call=f"c{n}", means="MERIDIAN STAR", voyage="041S",
    )  # fmt: skip


def test_events_of_both_standards_make_one_state(capsys, tmp_path):
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    left = event(1, Kind.DEPARTED, "CNSHA", "2026-09-05T02:00:00Z")
    came = event(2, Kind.ARRIVED, "VNHPH", "2026-09-11T04:00:00Z")
    (tmp_path / "carrier.json").write_bytes(tracking.write_dcsa([came]))
    (tmp_path / "port.json").write_bytes(tracking.write_epcis([left], created_at=left.recorded_at))
    words = ["trade", "journey", str(tmp_path / "plan.json"), str(tmp_path / "port.json")]
    now = ["--now", "2026-09-06T00:00:00Z", "--json"]
    assert main([*words, *now]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["eta"]) == ("under way", "2026-09-11T02:00:00Z")
    assert main([*words, str(tmp_path / "carrier.json"), *now]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "arrived"
    assert main([*words, "--now", "2026-09-20T00:00:00Z"]) == 1
    assert "silent" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("form", "read"), [("dcsa", tracking.read_dcsa), ("epcis", tracking.read_epcis)]
)
def test_events_of_both_standards_are_written_as_one_document_of_either(
    capsys, tmp_path, form, read
):
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    left = event(1, Kind.DEPARTED, "CNSHA", "2026-09-05T02:00:00Z")
    came = event(2, Kind.ARRIVED, "VNHPH", "2026-09-11T04:00:00Z")
    (tmp_path / "carrier.json").write_bytes(tracking.write_dcsa([came, left]))
    (tmp_path / "port.json").write_bytes(tracking.write_epcis([left], created_at=left.recorded_at))
    words = [
        "trade",
        "journey",
        *(str(tmp_path / f"{n}.json") for n in ("plan", "port", "carrier")),
    ]
    now = ["--now", "2026-09-12T00:00:00Z"]
    assert main([*words, *now, "--as", form, "-o", str(tmp_path / "all.json")]) == 0
    assert [one.id for one in read((tmp_path / "all.json").read_bytes())] == [left.id, came.id]
    assert main([*words, *now, "--as", form]) == 2
    assert "-o" in capsys.readouterr().err


def test_an_estimate_is_not_written_as_if_it_had_happened(capsys, tmp_path):
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    expected = replace(
        event(1, Kind.DEPARTED, "CNSHA", "2026-09-05T02:00:00Z"), classifier=Classifier.ESTIMATED
    )
    (tmp_path / "carrier.json").write_bytes(tracking.write_dcsa([expected]))
    words = ["trade", "journey", str(tmp_path / "plan.json"), str(tmp_path / "carrier.json")]
    assert main([*words, "--as", "epcis", "-o", str(tmp_path / "all.json")]) != 0
    assert "DCSA" in capsys.readouterr().err
    assert not (tmp_path / "all.json").exists()


def test_a_file_in_the_wrong_place_is_named(capsys, tmp_path):
    plan, events = tmp_path / "plan.json", tmp_path / "carrier.json"
    plan.write_text(json.dumps(PLAN))
    events.write_bytes(
        tracking.write_dcsa([event(1, Kind.DEPARTED, "CNSHA", "2026-09-05T02:00:00Z")])
    )
    assert main(["trade", "journey", str(events), str(events)]) == 2
    assert str(events) in capsys.readouterr().err
    assert main(["trade", "journey", str(plan), str(events), str(plan)]) == 2
    refused = capsys.readouterr().err
    assert str(plan) in refused
    assert str(events) not in refused
