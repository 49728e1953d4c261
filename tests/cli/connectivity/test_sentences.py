"""`zhidao shortmessage decode` tells every field of a sentence, and what is wrong with a bad one."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from zhidao.cli.connectivity.sentences import LOG_BYTES_MAX
from zhidao.cli.main import main
from zhidao.connectivity.wire.rdss import checksum

ICI = "$BDICI,4207733,0,0,3,60,2,N,22*3A"


def sentence(body: str) -> str:
    return f"${body}*{checksum(body)}"


def test_a_sentence_is_told_field_by_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shortmessage", "decode", ICI]) == 0
    told = capsys.readouterr().out
    for words in ("BDICI the card", "4207733", "interval", "60 s", "user of the third class"):
        assert words in told, words


def test_json_has_name_value_unit_and_meaning_of_each(capsys: pytest.CaptureFixture[str]) -> None:
    body = "$CCTXA,0242407,1,2,A4B9E3D6DDBAA3C1C4BFC6BCBCD3D0CFDEB9ABCBBE*0F"
    assert main(["shortmessage", "decode", "--json", body]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["read"], told["understood"], told["protocol"]) == (True, True, "2.1")
    assert told["fields"][-1] == {
        "name": "payload",
        "value": "A4B9E3D6DDBAA3C1C4BFC6BCBCD3D0CFDEB9ABCBBE",
        "unit": "20 bytes",
        "meaning": "text: 广州海聊科技有限公司",
    }


def test_the_sentences_of_the_field_are_all_explained(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = json.loads((shared / "connectivity/rdss/sentences.json").read_bytes())
    log = tmp_path / "unit.log"
    log.write_text("\r\n".join(f"12:00:01 {case['sentence']}" for case in cases))
    assert main(["shortmessage", "decode", "--json", str(log)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert len(told) == len(cases) == 14
    assert [each["code"] for each in told if not each["read"]] == ["bad_payload"]
    assert all(each["understood"] for each in told if each["read"])
    assert all(each["title"] != "another sentence" and each["fields"] for each in told)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$BDICI,4207733,0,0,3,60,2,N,22*3B", "checksum is 3B, computed 3A"),
        (sentence("BDICI,4207733,0,0,3,60,2,N"), "has 7 fields, not 8"),
        (sentence("BDTXR,1,0179773,2,,A4686"), "5 digits, an odd number"),
        (sentence("BDTXR,1,0179773,2,,68656C"), "starts with A4"),
        (sentence("BDTXR,1,CARD,2,,A468"), "sender is not a card's number: 'CARD'"),
        (sentence("BDICI,123456789,0,0,3,60,2,N,22"), "card is not a card's number"),
        (sentence("BDFKI,082960,TCQ,Q,0,0"), "done is Y or N"),
        ("$BDICI,4207733", "no * with a checksum"),
        ("$" + "x" * 5_000, "at most 4096"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shortmessage", "decode", text]) == 1
    assert said in capsys.readouterr().out


def test_an_absent_card_and_a_sentence_of_others_are_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["shortmessage", "decode", "$BDICI,0000000,00000000,0000000,0,0,0,N,0*0B"]) == 0
    assert "no card was found" in capsys.readouterr().out
    assert main(["shortmessage", "decode", sentence("BDZZZ,1,2")]) == 0
    assert "not known here" in capsys.readouterr().out


def test_what_the_shell_took_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shortmessage", "decode", ICI.removeprefix("$BDICI")]) == 2
    assert "single quotes" in capsys.readouterr().err
    assert main(["shortmessage", "decode", ICI.removeprefix("$")]) == 0


@pytest.mark.parametrize("content", [b"", b"no sentence\n", bytes(range(128, 256)) * 20])
def test_a_file_without_a_sentence_is_bad_input(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "unit.log"
    log.write_bytes(content)
    assert main(["shortmessage", "decode", str(log)]) == 2
    assert "unit.log" in capsys.readouterr().err
    assert main(["shortmessage", "decode", str(tmp_path / "missing.log")]) == 2


@pytest.mark.bound("cli.connectivity.sentences.LOG_BYTES_MAX")
def test_so_much_is_taken_and_no_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = tmp_path / "unit.log"
    monkeypatch.setattr("zhidao.cli.connectivity.sentences.LOG_BYTES_MAX", 100)
    for size, status in ((100, 0), (101, 2)):
        text = ICI.encode() + b"\n" * (size - len(ICI))
        log.write_bytes(text)
        assert main(["shortmessage", "decode", str(log)]) == status
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
        assert main(["shortmessage", "decode", "-"]) == status
    assert "more than 100" in capsys.readouterr().err
    assert LOG_BYTES_MAX > 1_000_000
