"""Where an extra is not installed, what needs it says so with the command that brings it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from tests.trade.whole_rules import padding

from zhidao.core.errors import Unavailable
from zhidao.industry.adapters.opcua import read_machine
from zhidao.trade.adapters import rule_worker, saxon_rules
from zhidao.trade.adapters.pack_sources import PackOrder, add_packs
from zhidao.trade.adapters.packs import all_packs
from zhidao.trade.adapters.rule_frames import Answer
from zhidao.trade.adapters.rule_process import Judge, serve

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
RULES = f"""<schema xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2">
<title>Rules made for a test</title>
<ns prefix="i" uri="{_UBL}Invoice-2"/><ns prefix="cbc" uri="{_UBL}CommonBasicComponents-2"/>
<pattern id="one"><rule context="/i:Invoice">
  <assert id="UBL-SR-1" flag="fatal" test="cbc:ID">a number</assert>
</rule></pattern>{padding("en16931-ubl")}</schema>"""
INVOICE = (
    f'<Invoice xmlns="{_UBL}Invoice-2" xmlns:c="{_UBL}CommonBasicComponents-2">'
    "<c:CustomizationID>urn:cen.eu:en16931:2017</c:CustomizationID>"
    "<c:ID>1</c:ID><c:IssueDate>2026-09-01</c:IssueDate></Invoice>"
).encode()

# A module that is None cannot be imported: the same as one that is not there.
_PROGRAM = """\
import sys
for name in {without}:
    sys.modules[name] = None
from zhidao.cli.main import program
sys.exit(program())
"""


def _run(without: list[str], *words: str) -> subprocess.CompletedProcess[str]:
    code = _PROGRAM.format(without=without)
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("package", ["rapidfuzz", "pypinyin", "anyascii"])
def test_screening_without_its_extra(tmp_path: Path, package: str) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("id,name\n1,Vladimir Petrov\n2,王伟\n")
    today = datetime.now(UTC).date()
    words = ("finance", "screen", "--list", f"csv={listed}@{today}", "Jane Doe", "--json")
    told = _refused(_run([package], *words), "no_screening", "screening")
    assert package in told["detail"]


def test_no_list_is_told_before_what_would_read_it(tmp_path: Path) -> None:
    done = _run(["rapidfuzz"], "finance", "screen", "--data", str(tmp_path), "Jane Doe")
    assert done.returncode == 2
    assert "no sanctions list" in done.stderr


def test_rules_that_are_left_to_saxon_without_it(tmp_path: Path) -> None:
    pack = _pack(tmp_path)
    invoice = tmp_path / "invoice.xml"
    invoice.write_bytes(INVOICE)
    words = ("trade", "check", str(invoice), "--packs", str(pack), "--json")
    plain = _run(["saxonche"], *words)
    assert plain.returncode == 0, plain.stdout + plain.stderr
    _refused(_run(["saxonche"], *words, "--engine", "saxon"), "no_saxon", "saxon")


def test_the_judging_process_tells_what_this_machine_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Judge(*all_packs(_pack(tmp_path)), only_saxon=True)
    monkeypatch.setitem(sys.modules, "saxonche", None)
    saxon_rules._processor.cache_clear()
    answers = io.BytesIO()
    for _ in range(2):
        serve(judge, io.BytesIO(len(INVOICE).to_bytes(4, "big") + INVOICE), answers)
    # Two answers: the process goes on after the first.
    size = int.from_bytes(answers.getvalue()[:4], "big")
    assert len(answers.getvalue()) == 2 * (4 + size)
    answer = msgspec.json.decode(answers.getvalue()[4 : 4 + size], type=Answer)
    assert (answer.verdict, answer.code) == (None, "no_saxon")
    assert "zhidao[saxon]" in answer.remedy


async def test_a_node_says_503_where_its_judging_process_lacks_saxon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks = Answer(unavailable="no Saxon", code="no_saxon", remedy="bring it")

    async def ask(_judging: object, _document: bytes) -> Answer:
        return lacks

    monkeypatch.setattr(rule_worker, "_ask", ask)
    worker = rule_worker.RuleWorker(_pack(tmp_path))
    try:
        with pytest.raises(Unavailable, match="no Saxon") as told:
            await worker.judge(INVOICE)
    finally:
        await worker.close()
    assert (told.value.code, told.value.remedy, told.value.http_status) == (
        "no_saxon", "bring it", 503,
    )  # fmt: skip


def test_a_machine_without_the_library_of_opc_ua(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncua", None)
    with pytest.raises(Unavailable, match="asyncua") as told:
        read_machine("opc.tcp://127.0.0.1:4840", ("Flow",), 1)
    assert told.value.code == "no_opcua"
    assert "zhidao[opcua]" in told.value.remedy


def _pack(folder: Path) -> Path:
    source = folder / "rules.sch"
    source.write_text(RULES)
    add_packs(PackOrder(str(source), valid_from="2026-05-01"), folder / "packs")
    return folder / "packs"


def _refused(done: subprocess.CompletedProcess[str], code: str, extra: str) -> dict[str, str]:
    assert done.returncode == 3, done.stdout + done.stderr
    told: dict[str, str] = json.loads(done.stdout or done.stderr)
    assert told["error"] == code
    assert f"pip install 'zhidao[{extra}]'" in told["remedy"]
    return told
