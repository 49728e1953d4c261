"""Every place that a cross-check can name has a name in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from zhidao.trade.domain.conflicts.compared_set import Evidence, Movement
from zhidao.trade.domain.conflicts.table import compare
from zhidao.trade.domain.documents.formalities import FORMS, SET
from zhidao.trade.domain.printing.places import place_label
from zhidao.trade.service.document_set import make_set
from zhidao.trade.wire import canonical_entry

ENTRY = (Path(__file__).parents[2] / "data" / "set_entry.json").read_bytes()
CONSIGNMENT = canonical_entry.read(ENTRY)
FORMS_OF_IT = [f for f in FORMS.values() if f in SET or CONSIGNMENT.get(f.number_path)]
CHINESE = re.compile("[\u4e00-\u9fff]")


def test_every_statement_of_a_whole_comparison_is_named_in_both_languages() -> None:
    papers = {
        made.form.kind: made.absorbed.consignment for made in make_set(CONSIGNMENT, FORMS_OF_IT)
    }
    evidence = Evidence(
        papers,
        criteria={"rcep": {"1": "PE"}},
        track=("CN", "VN"),
        movement=Movement("MERIDIAN STAR", "041S", frozenset(("CSQU3054383",))),
        title_controlled=True,
    )
    answers = compare(evidence).answers
    assert len(answers) > 200
    for answer in answers:
        for statement in (answer.left, answer.right):
            named = place_label(statement)
            assert named is not None, statement
            assert not CHINESE.search(named[0]), statement
            assert CHINESE.search(named[1]), statement


@pytest.mark.parametrize(
    ("statement", "english", "chinese"),
    [
        (
            "transport_document:transports.portOfLoading.UNLocationCode = KRPUS",
            "Bill of lading: code of the port of loading",
            "海运提单：装货港代码",
        ),
        (
            "invoice_ubl:cac:InvoiceLine[1]/cac:Item/cac:AdditionalItemProperty[0]/cbc:Value = x",
            "Commercial invoice: item 2, marks",
            "商业发票：第2项唛头",
        ),
        (
            "transport_document:shippedOnBoardDate and 21 days = 2026-09-26",
            "Bill of lading: departure and 21 days",
            "海运提单：启运日期加21天",
        ),
        ("packing_list:line 7 = absent", "Packing list: item 7", "装箱单：第7项"),
        (
            "packing_list:consigneeParty.name = A = B",
            "Packing list: Consignee, name",
            "装箱单：收货人名称",
        ),
        (
            "invoice_ubl:freight under DAP = 0",
            "Commercial invoice: freight under DAP",
            "商业发票：DAP术语下的运费",
        ),
    ],
)
def test_a_place_is_named_by_document_item_and_field(
    statement: str, english: str, chinese: str
) -> None:
    assert place_label(statement) == (english, chinese)


@pytest.mark.parametrize(
    "statement", ["", "x", "nobody:place = 1", "packing_list:no.such.place = 1", "packing_list:"]
)
def test_a_place_without_a_name_stays_its_own(statement: str) -> None:
    assert place_label(statement) is None
