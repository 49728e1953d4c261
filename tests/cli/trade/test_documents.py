"""Commands about sets, origin and duty, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

from zhidao.cli.main import main

DATA = Path(__file__).parents[2] / "trade" / "data"


def answer(capsys, *words: object) -> tuple[int, dict]:
    status = main(["trade", *map(str, words), "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_a_set_is_written_compared_and_compared_again_from_its_folder(capsys, tmp_path):
    status, told = answer(capsys, "set", DATA / "set_entry.json", "--out", tmp_path)
    assert status == 0
    assert len(told["documents"]) == 13
    assert told["findings"] == []
    assert told["unasked"] == ["XD-33", "XD-34"]
    status, again = answer(capsys, "compare", tmp_path)
    assert status == 0
    assert all(document["unmapped"] == [] for document in again["documents"])

    bill = tmp_path / "transport_document.json"
    bill.write_bytes(bill.read_bytes().replace(b'"CNSHA"', b'"KRPUS"'))
    status, other = answer(capsys, "compare", tmp_path, "--view", "bank")
    assert status == 1
    assert {f["rule"] for f in other["findings"]} == {"XD-22"}
    # One paper says otherwise than all others, and that is one finding.
    assert len(other["findings"]) == other["answers"]["conflict"] == 1
    assert "transport_document is the odd one out" in other["findings"][0]["sentence"]
    assert "transports.portOfLoading.UNLocationCode = KRPUS" in other["findings"][0]["left"]


def test_a_wrong_code_in_one_paper_is_one_finding_with_both_values(capsys, tmp_path):
    answer(capsys, "set", DATA / "set_entry.json", "--out", tmp_path)
    export = tmp_path / "export_declaration.json"
    export.write_bytes(export.read_bytes().replace(b"841370", b"841390"))
    status, told = answer(capsys, "compare", tmp_path)
    assert (status, told["answers"]["conflict"]) == (1, 1)
    (found,) = told["findings"]
    assert "export_declaration is the odd one out, it says 841390" in found["sentence"]
    assert "other papers say 841370" in found["sentence"]
    assert found["left"].startswith("export_declaration:")
    assert main(["trade", "compare", str(tmp_path)]) == 1
    assert capsys.readouterr().out.count("conflict XD-") == 1


def test_a_folder_is_read_by_what_its_files_are_and_nothing_is_passed_over_silently(
    capsys, tmp_path
):
    answer(capsys, "set", DATA / "set_entry.json", "--out", tmp_path)
    (tmp_path / "packing_list.json").rename(tmp_path / "scan 17.json")
    (tmp_path / "packing_list.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / ".hidden").write_bytes(b"x")
    status, told = answer(capsys, "compare", tmp_path)
    assert (status, told["left_out"]) == (0, [])
    files = {document["file"]: document["kind"] for document in told["documents"]}
    assert files["scan 17.json"] == "packing_list"
    (tmp_path / "strange.xml").write_bytes(b"<a/>")
    (tmp_path / "twice.json").write_bytes((tmp_path / "scan 17.json").read_bytes())
    (tmp_path / "void.json").write_bytes(b"")
    status, told = answer(capsys, "compare", tmp_path)
    assert status == 1
    assert [(f["file"], f["code"]) for f in told["left_out"]] == [
        ("strange.xml", "unknown_kind"),
        ("twice.json", "second_document"),
        ("void.json", "malformed_input"),
    ]
    only = tmp_path / "only"
    only.mkdir()
    (only / "a.xml").write_bytes(b"<a/>")
    status, told = answer(capsys, "compare", only)
    assert (status, told["detail"]) == (2, "no document among the files")


def test_an_old_entry_is_refused_by_the_set_and_made_new(capsys, tmp_path):
    status, told = answer(capsys, "set", DATA / "entry.json")
    assert (status, told["error"]) == (2, "old_entry")
    assert "zhidao trade migrate" in told["remedy"]
    new = tmp_path / "entry.json"
    assert main(["trade", "migrate", str(DATA / "entry.json"), "-o", str(new)]) == 0
    assert "12 fields are missing still: " in capsys.readouterr().err
    assert json.loads(new.read_text())["type"] == "zhidao.ConsignmentEntry.v2"
    status = main(["trade", "migrate", str(new)])
    assert status == 2
    assert "use it as it is" in capsys.readouterr().err


def test_an_entry_that_is_none_is_refused_with_status_two(capsys, tmp_path):
    wrong = tmp_path / "entry.json"
    wrong.write_text('{"type":"zhidao.ConsignmentEntry.v2"}')
    status, told = answer(capsys, "set", wrong)
    assert status == 2
    assert told["error"] == "missing_fields"


def test_origin_tells_each_agreement_with_its_reasons(capsys, tmp_path):
    rules = tmp_path / "rules.csv"
    rules.write_text("hs,rule\n8413,RVC60\n")
    status, told = answer(capsys, "origin", DATA / "bill.json", "--rules", f"RCEP={rules}")
    assert status == 0
    rcep, acfta = told["decisions"]
    assert (rcep["outcome"], rcep["criterion"], rcep["notes"]) == ("originating", "RVC", ["ACU"])
    assert acfta["outcome"] == "not originating"
    assert acfta["share_percent"] == "39.999"
    status, told = answer(capsys, "origin", DATA / "bill.json", "--agreement", "acfta")
    assert status == 1


def test_duty_claims_a_preference_only_by_a_bill_of_materials(capsys, tmp_path):
    rules = tmp_path / "rules.csv"
    rules.write_text("8413,RVC40\n")
    status, told = answer(capsys, "duty", DATA / "duty_question.json", "--rules", f"RCEP={rules}")
    assert status == 0
    assert [line["regime"] for line in told["lines"]] == ["RCEP", "MFN"]
    # 10 % of 1,203,960,000 and, with 50,000 duty (5 % of 1,000,005, half up), of 1,050,005.
    assert [line["vat"] for line in told["lines"]] == ["120396000", "105001"]
    assert told["totals_minor"]["duty"] == 50000
    assert main(["trade", "duty", str(DATA / "duty_question.json")]) == 0
    assert "MFN" in capsys.readouterr().out


def test_a_certificate_rests_on_a_bill_of_materials_or_says_that_it_is_stated(capsys, tmp_path):
    entry = DATA / "set_entry.json"
    _, told = answer(capsys, "set", entry)
    assert {(w["agreement"], w["item"], w["is_determined"]) for w in told["origin"]} == {
        (agreement, item, False) for agreement in ("RCEP", "ACFTA") for item in ("1", "2")
    }
    # Of the bill's value 39.999 % are from within: ACFTA asks a change of heading or 40 %.
    bill = json.loads((DATA / "bill.json").read_text())
    proven = tmp_path / "bill.json"
    proven.write_text(json.dumps(bill))
    status, told = answer(capsys, "set", entry, "--bill", f"1={proven}")
    assert (status, told["error"]) == (1, "no_preference")
    assert "item 1 is undecided under RCEP: no RCEP rule for 841370" in told["detail"]
    rules = tmp_path / "rules.csv"
    rules.write_text("8413,RVC40 & CTSH\n")
    more = ("--rules", f"RCEP={rules}", "--bill", f"1={proven}")
    status, told = answer(capsys, "set", entry, *more)
    assert (status, told["error"]) == (1, "no_preference")
    assert "under ACFTA" in told["detail"]
    bill["materials"] = [bill["materials"][0]]
    proven.write_text(json.dumps(bill))
    plain = json.loads(entry.read_text())
    del plain["includedConsignmentItem"][0]["originCriterionCode"]
    own = tmp_path / "entry.json"
    own.write_text(json.dumps(plain))
    status, told = answer(capsys, "set", own, *more)
    assert status == 0, told
    words = {(w["agreement"], w["item"]): w for w in told["origin"]}
    assert words["RCEP", "1"]["criterion"] == "RVC"
    assert words["ACFTA", "1"]["is_determined"]
    assert not words["ACFTA", "2"]["is_determined"]
    assert "XD-33" not in told["unasked"]
    status, told = answer(capsys, "set", entry, *more)
    assert (status, {f["rule"] for f in told["findings"]}) == (1, {"XD-33"})
    status, told = answer(capsys, "set", own, "--bill", f"2={proven}")
    assert (status, told["where"].split()[-1]) == (2, "includedConsignmentItem[1].typeCode")
    assert answer(capsys, "set", own, "--bill", f"9={proven}")[0] == 2
    assert answer(capsys, "set", own, "--bill", "1")[0] == 2
