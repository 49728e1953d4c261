"""Whatever a room can refuse by has words in the annex, and the same as on the pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.insight.sample_log import corridor
from tests.web.test_reason_codes import (
    CALLS_WITH_A_REASON,
    calls,
    codes_of_errors,
    text_of,
    trees,
)

from zhidao.insight.domain.report import make_report
from zhidao.insight.wire.page import encode_page
from zhidao.insight.wire.reasons import in_words, reasons
from zhidao.positioning.domain.integrity.arrival import Decision

ROOT = Path(__file__).resolve().parents[3]
# What the pages say of one line of a paper, by its number; the annex counts lines of many papers.
OF_A_LINE = {"XD-06", "XD-14", "XD-15"}


def test_every_reason_of_an_arrival_a_deal_and_a_terminal_has_words():
    found = {decision.value for decision in Decision}
    for name, call in calls("positioning/service", "finance", "devices/service"):
        place = CALLS_WITH_A_REASON.get(name)
        if place is not None and place < len(call.args):
            found.add(text_of(call.args[place]))
    found |= codes_of_errors("devices/service/windows.py", "devices/wire/chunk.py")
    found.discard("")
    assert {"too_late", "customs_held", "unknown_key"} <= found
    assert found - reasons()["reason"].keys() == set()


def test_every_rule_between_papers_has_words():
    rules = set()
    for tree in trees("trade/domain/crosscheck.py", "trade/domain/invoice_rows.py"):
        import ast

        rules |= {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and re.fullmatch("[XZ]D-[0-9]{2}", str(node.value))
        }
    assert len(rules) > 15
    assert rules - reasons()["rule"].keys() == set()


@pytest.mark.parametrize(("number", "language"), [(0, "en"), (1, "zh")])
def test_a_code_has_the_words_of_the_pages(number: int, language: str):
    catalogue: dict[str, Any] = json.loads(
        (ROOT / "web" / "src" / "i18n" / f"{language}.json").read_text(encoding="utf-8")
    )
    kinds = {"reason": "reason", "rule": "finding", "document": "document"}
    compared = 0
    for table, words in reasons().items():
        for code, both in words.items():
            theirs = catalogue.get(f"{kinds[table]}.{code}")
            if theirs is not None and code not in OF_A_LINE:
                assert both[number] == theirs, code
                compared += 1
    assert compared > 60


def test_a_chinese_reader_reads_reasons_in_chinese_and_the_first_as_it_was_signed():
    text = encode_page(make_report(corridor())).decode()
    for kind, code in (("abort", "network_disagrees"), ("submission", "replayed_nonce")):
        assert f"：{in_words(kind, code, 1)}</span> <code>{code}</code>" in text
    assert '<q lang="en">12 km apart</q>' in text
    assert f"{in_words('abort', 'conditions_met', 1)}</span> <code>conditions_met</code>" in text
    assert "reason: conditions_met" not in text


def test_a_code_that_nobody_knows_stands_alone():
    assert in_words("abort", "never_heard_of", 1) == ""
    assert in_words("papers", "conditions_met", 1) == ""
