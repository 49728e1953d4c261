from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.finance.credit_cases import CREDIT, PRESENTATION, clean_digital

from zhidao.cli.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: object) -> tuple[int, str, str]:
        status = main(["finance", *map(str, words)])
        told = capsys.readouterr()
        return status, told.out, told.err

    return call


def test_a_replay_answers_batch_by_batch_and_ends_with_balances(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "batches.jsonl"
    lines = [
        {"accounts": [{"id": n, "ledger": 1, "code": 1} for n in (1, 2)]},
        {
            "transfers": [
                {
                    "id": "3",
                    "debit_account_id": "1",
                    "credit_account_id": 2,
                    "amount": amount,
                    "ledger": 1,
                    "code": 1,
                }
                for amount in (7, 8)
            ]
        },
    ]
    file.write_text("\n".join(map(json.dumps, lines)) + "\n")
    status, out, err = run("ledger", "replay", file)
    assert (status, err) == (0, "")
    answers = [json.loads(line) for line in out.splitlines()]
    assert answers[0]["results"] == ["created", "created"]
    assert answers[1]["results"] == ["created", "exists_with_different_amount"]
    assert [a["credits_posted"] for a in answers[2]["accounts"]] == ["0", "7"]
    assert [a["debits_posted"] for a in answers[2]["accounts"]] == ["7", "0"]


def test_a_bad_line_is_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "batches.jsonl"
    file.write_text('{"accounts": [{"id": 1, "ledger": 1, "code": 1}]}\n{"transfers": [{}]}\n')
    status, out, err = run("ledger", "replay", file)
    assert status == 2
    assert json.loads(out)["results"] == ["created"]
    assert "line 2" in err
    assert run("ledger", "replay", tmp_path / "none")[0] == 2


def test_net_tells_positions_and_what_settles(run: Run, tmp_path: Path) -> None:
    file, balances = tmp_path / "debts.csv", tmp_path / "balances.csv"
    file.write_text(
        "debtor,creditor,amount,currency\nAda,Bo,10.00,CNY\nBo,Cy,7.50,CNY\nCy,Ada,7.50,CNY\n"
        "Ada,Bo,5,JPY\n"
    )
    balances.write_text("party,balance\nAda,1\n")
    status, out, err = run("net", file, "--balances", balances, "--json")
    assert (status, err) == (0, "")
    yuan, yen = map(json.loads, out.splitlines())
    assert yuan["positions"] == {"Ada": "-2.50", "Bo": "2.50", "Cy": "0.00"}
    assert (yuan["gross"], yuan["needed"]) == ("25.00", "2.50")
    # Ada lacks 1.50, so that only nothing or the rest moves: Bo has no money without Ada's.
    assert yuan["gridlock"]["settle"] == 0
    assert yen["gross"] == "5"
    balances.write_text("party,balance\nAda,2.50\n")
    assert (
        json.loads(run("net", file, "--balances", balances, "--json")[1].splitlines()[0])[
            "gridlock"
        ]["waiting"]
        == []
    )


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n",
        "debtor,creditor,amount,currency\nA,B,1.005,CNY\n",
        "debtor,creditor,amount,currency\nA,A,1,CNY\n",
        "debtor,creditor,amount,currency\nA,B,-1,CNY\n",
        "debtor,creditor,amount,currency\nA,B,1,XAU\n",
        'debtor,creditor,amount,currency\nA,"B,1,CNY\n',
    ],
)
def test_net_refuses_what_is_no_list_of_debts(run: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "debts.csv"
    file.write_text(text)
    status, out, err = run("net", file)
    assert (status, out) == (2, "")
    assert err


def test_screen_names_the_reason_and_stops_at_an_old_list(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("id,name\n1,Vladimir Petrov\n")
    today = datetime.now(UTC).date().isoformat()
    status, out, _ = run("screen", "--list", f"csv={file}@{today}", "--json", "Петров Владимир")
    answer = json.loads(out)
    assert status == 1
    assert answer["hits"][0]["alert"] is True
    assert "cyrillic" in answer["hits"][0]["reason"]
    assert run("screen", "--list", f"csv={file}@{today}", "Jane Doe")[0] == 0
    status, out, err = run("screen", "--list", f"csv={file}@2020-01-01", "Jane Doe")
    assert (status, out) == (1, "")
    assert "days old" in err


def test_screen_without_a_list_takes_those_of_the_node(run: Run, tmp_path: Path) -> None:
    status, out, err = run("screen", "Jane Doe", "--data", tmp_path)
    assert (status, out) == (2, "")
    assert "no sanctions list" in err
    folder = tmp_path / "screening"
    folder.mkdir()
    day = datetime.now(UTC).date()
    (folder / f"csv@{day}.csv").write_text("id,name\n1,Vladimir Petrov\n")
    assert run("screen", "Петров Владимир", "--data", tmp_path)[0] == 1
    assert run("screen", "Jane Doe", "--data", tmp_path)[0] == 0
    (folder / f"csv@{day}.csv").rename(folder / "csv@2020-01-01.csv")
    assert run("screen", "Jane Doe", "--data", tmp_path)[0] == 1
    assert run("screen", "Jane Doe", "--data", tmp_path, "--age-max", "9999")[0] == 0
    (folder / "notes.txt").write_text("")
    status, _, err = run("screen", "Jane Doe", "--data", tmp_path)
    assert status == 3
    assert "notes.txt" in err


def test_iso_check_names_rules_and_convert_comes_back(run: Run, tmp_path: Path) -> None:
    from tests.finance.wire.iso20022.messages.test_messages import EXAMPLE

    from zhidao.finance.wire.iso20022.messages import pacs008

    file, bad = tmp_path / "a.xml", tmp_path / "b.xml"
    file.write_bytes(pacs008.encode(EXAMPLE))
    bad.write_bytes(file.read_bytes().replace(b"<NbOfTxs>1", b"<NbOfTxs>3"))
    status, out, _ = run("iso", "check", file, "--json")
    assert (status, json.loads(out)["schema"]) == (0, "not checked")
    status, out, _ = run("iso", "check", file, bad)
    assert status == 1
    assert "count (AM18)" in out
    assert run("iso", "convert", file, "-o", tmp_path / "a.json")[0] == 0
    assert run("iso", "convert", tmp_path / "a.json", "-o", tmp_path / "c.xml")[0] == 0
    assert pacs008.decode((tmp_path / "c.xml").read_bytes()) == EXAMPLE


def test_packs_are_taken_over_and_then_judge_messages(
    run: Run, tmp_path: Path, shared: Path
) -> None:
    from tests.finance.wire.iso20022.messages.test_messages import EXAMPLE

    from zhidao.finance.wire.iso20022.messages import pacs008

    source, data = tmp_path / "source", tmp_path / "data"
    source.mkdir()
    official = shared / "finance" / "xsd" / "pacs.008.001.08.xsd"
    (source / "whatever.xsd").write_bytes(official.read_bytes())
    (source / "network.json").write_text(
        '{"profile": "mine", "structured_addresses_from": 2026, "address_lines_max": 2,'
        ' "uetr_required": true, "charges": ["DEBT"]}'
    )
    (source / "codes.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        '<xs:simpleType name="ExternalStatusReason1Code"><xs:restriction base="xs:string">'
        '<xs:enumeration value="AC01"/></xs:restriction></xs:simpleType></xs:schema>'
    )
    status, out, _ = run("packs", "add", source, "--data", data, "--json")
    names = {json.loads(line)["name"] for line in out.splitlines()}
    assert (status, names) == (0, {"pacs.008.001.08.xsd", "mine.json", "external-codes.xsd"})
    good = tmp_path / "good.xml"
    good.write_bytes(pacs008.encode(EXAMPLE))
    status, out, _ = run("iso", "check", good, "--data", data, "--json")
    assert (status, json.loads(out)["schema"][:28]) == (0, "valid by pacs.008.001.08.xsd")
    assert run("iso", "check", good, "--data", data, "--profile", "mine")[0] == 1
    bad = tmp_path / "bad.xml"
    bad.write_bytes(pacs008.encode(EXAMPLE).replace(b"<NbOfTxs>", b"<X/><NbOfTxs>"))
    status, out, _ = run("iso", "check", bad, "--data", data, "--json")
    assert (status, json.loads(out)["schema"][:8]) == (1, "invalid:")
    status, out, _ = run("iso", "check", bad, "--data", tmp_path / "none", "--json")
    told = json.loads(out)
    # The outline does not know it; whether it is wrong the schema alone can say.
    assert (status, told["schema"], told["verdict"]) == (4, "not checked", "not checked")
    assert told["structure"].startswith("not checked: X: the element is not known here")


SEEV = (
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:seev.031.001.09"><CorpActnNtfctn/></Document>'
)
SWISS = (
    '<Document xmlns="http://www.six-interbank-clearing.com/de/pain.001.001.03.ch.02.xsd">'
    "<CstmrCdtTrfInitn/></Document>"
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SEEV, "seev.031.001.09"),
        (SWISS, "pain.001.001.03.ch.02"),
        (SEEV.replace("seev.031.001.09", "pacs.008.001.13"), "pacs.008.001.13"),
    ],
)
def test_what_no_schema_and_no_outline_here_knows_is_not_checked(
    run: Run, tmp_path: Path, text: str, told: str
) -> None:
    from tests.finance.wire.iso20022.messages.test_messages import EXAMPLE

    from zhidao.finance.wire.iso20022.messages import pacs008

    file, good, bad = (tmp_path / f"{name}.xml" for name in "abc")
    file.write_text(text)
    good.write_bytes(pacs008.encode(EXAMPLE))
    bad.write_bytes(good.read_bytes().replace(b"<NbOfTxs>1", b"<NbOfTxs>3"))
    status, out, _ = run("iso", "check", file, "--json")
    found = json.loads(out)
    assert (status, found["definition"], found["verdict"]) == (4, told, "not checked")
    assert run("iso", "check", good, file)[0] == 4
    assert run("iso", "check", good)[0] == 0
    assert run("iso", "check", bad, file, good)[0] == 1
    if "six" in text:
        assert "SIX Interbank Clearing" in found["structure"]


def test_a_statement_is_not_well_where_nothing_tells_whether_it_adds_up(
    run: Run, tmp_path: Path
) -> None:
    from tests.finance.wire.iso20022.usage.test_usage import statement

    file = tmp_path / "statement.xml"
    for closing, forged, status in (
        ("107.50", "", 0),
        ("9.00", "", 1),
        ("9.00", "CLAV", 4),
        ("9.00", "XPCD", 4),
    ):
        file.write_text(statement(closing).replace("CLBD", forged or "CLBD"))
        assert run("iso", "check", file)[0] == status
    _, out, _ = run("iso", "check", file, "--json")
    found = json.loads(out)
    assert (found["verdict"], found["violations"]) == ("not checked", [])
    assert "no closing balance (CLBD)" in found["unjudged"][0]
    _, out, _ = run("iso", "check", file)
    assert "not checked whether it adds up: no closing balance" in out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "nothing"),
        ("a.xsd", "<not"),
        ("a.xsd", '<s xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:import/></s>'),
        ("a.xsd", '<s targetNamespace="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"/>'),
    ],
)
def test_a_folder_without_packs_is_refused(run: Run, tmp_path: Path, name: str, text: str) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / name).write_text(text)
    assert run("packs", "add", source, "--data", tmp_path / "data")[0] == 2
    assert not (tmp_path / "data" / "packs").exists()


def test_mt_check_reads_or_names_the_field(run: Run, tmp_path: Path) -> None:
    from tests.finance.wire.mt.test_blocks import GOOD

    good, bad = tmp_path / "good.fin", tmp_path / "bad.fin"
    good.write_text(GOOD)
    bad.write_text(GOOD.replace(":27:1/1", ":27:x"))
    status, out, _ = run("mt", "check", good, "--json")
    assert (status, json.loads(out)["fields"]["number"]) == (0, "LC-2026-0042")
    status, out, _ = run("mt", "check", good, bad)
    assert (status, "field 27" in out) == (1, True)
    assert run("mt", "check", tmp_path / "none.fin")[0] == 2


def test_a_presentation_is_examined_by_the_banking_days_of_a_place(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "credit.json").write_text(json.dumps(CREDIT))
    (tmp_path / "presentation.json").write_text(json.dumps(PRESENTATION))

    def until(*more: str) -> str:
        status, out, _ = run("credit", "examine", tmp_path, "--json", *more)
        assert status == 0
        return str(json.loads(out)["examine_until"])

    # Presented on a Wednesday; in China the Sunday after it was worked.
    assert (until(), until("--calendar", "CN")) == ("2026-09-23", "2026-09-22")
    (tmp_path / "calendar.json").write_text('{"place": "Suzhou", "rest": [5, 6], "holidays": []}')
    assert until() == "2026-09-23"
    status, _, err = run("credit", "examine", tmp_path, "--calendar", "CN")
    assert status == 2
    assert "calendar.json" in err
    late = PRESENTATION | {"presented_on": "2027-01-04"}
    (tmp_path / "calendar.json").unlink()
    (tmp_path / "presentation.json").write_text(json.dumps(late))
    status, _, err = run("credit", "examine", tmp_path, "--calendar", "CN")
    assert status in (1, 2)
    assert "2027" in err


def test_a_presentation_of_data_is_examined_under_urdtt(run: Run, tmp_path: Path) -> None:
    credit, presentation = clean_digital()
    (tmp_path / "credit.json").write_text(json.dumps(credit))
    (tmp_path / "presentation.json").write_text(json.dumps(presentation))
    assert run("credit", "examine", tmp_path)[0] == 0
    presentation["documents"][2]["corruption"] = {"asked_on": "2026-09-17"}
    presentation["documents"][3]["record"] = False
    (tmp_path / "presentation.json").write_text(json.dumps(presentation))
    status, out, _ = run("credit", "examine", tmp_path)
    assert status == 1
    assert "URDTT 1.0 9: A corrupted record" in out
    assert "URDTT 1.0 1, 7: Paper came" in out


def test_mt_write_makes_messages_that_mt_check_reads(run: Run, tmp_path: Path) -> None:
    from tests.finance.credit_cases import CREDIT

    credit, made = tmp_path / "credit.json", tmp_path / "made.fin"
    credit.write_text(json.dumps(CREDIT))
    ends = ("--sender", "VESTDK22", "--receiver", "XIANCNBJ")
    about = ("--reference", "P-1", "--amount", "4500000", "--discrepancy", "late shipment")
    for kind, more in (("700", ()), ("734", (*about, "--date", "2026-09-30")), ("750", about)):
        assert run("mt", "write", kind, credit, *ends, *more, "-o", made)[0] == 0
        status, out, _ = run("mt", "check", made, "--json")
        assert (status, json.loads(out)["kind"]) == (0, kind)
    for kind, more in (("734", about), ("750", ())):
        status, _, told = run("mt", "write", kind, credit, *ends, *more, "-o", tmp_path / "none")
        assert status == 2
        assert "add --" in told
    assert not (tmp_path / "none").exists()
