"""Documents: they are the very bytes, their credentials hold, and they are compared once more."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import Refused, ZhidaoError
from zhidao.core.keys import PublicKey
from zhidao.industry.events import LotFinished
from zhidao.trade.domain.comparison import Answer
from zhidao.trade.domain.crosscheck import compare
from zhidao.trade.domain.papers import FinishedLot, Papers
from zhidao.trade.domain.promise import PAPERS
from zhidao.trade.events import DocumentAdded, NamedLot, PapersChecked
from zhidao.trade.service.papers import finished, read_papers
from zhidao.trust.domain.credential import (
    check_contexts_known,
    check_credential,
    check_period,
    issuer_of,
    type_of,
)
from zhidao.trust.domain.proof import Replayed, Statement
from zhidao.trust.wire.credentials.data_integrity import verify_proof
from zhidao.trust.wire.identifiers.did import parse_key_method
from zhidao.verification.case import Case, OpenedFact

CREDENTIAL_BYTES_MAX: Final = 1024 * 1024
_QUALITY: Final = "quality_record"
_INVOICE: Final = "invoice"


def check_documents(case: Case) -> Replayed:
    """Says which papers are enclosed, whose credentials they bear, and whether they agree.

    Raises Refused: `bad_credential` if a credential does not hold or is about other bytes,
    `invoice_mismatch` if an invoice is over another amount than the consignment says, or is none
    of its invoices, each once,
    `papers_not_reproduced` if the papers agree differently than the node recorded.
    """
    proven: list[Statement] = []
    open_questions: list[Statement] = []
    _check_invoices(case)
    for told in case.every(DocumentAdded):
        if told.fact.consignment == case.consignment:
            _document(case, told, proven, open_questions)
    shown = _papers(case, proven, open_questions)
    parts = frozenset((PAPERS,) if shown else ())
    return Replayed(tuple(proven), tuple(open_questions), parts)


def _document(
    case: Case,
    told: OpenedFact[DocumentAdded],
    proven: list[Statement],
    open_questions: list[Statement],
) -> None:
    fact = told.fact
    name = f"The {fact.kind.replace('_', ' ')} {fact.number}"
    data = case.file(fact.digest)
    if data is None:
        open_questions.append(
            Statement("document", f"{name} is not enclosed: compare its SHA-256 {fact.digest}.")
        )
    else:
        proven.append(
            Statement(
                "document",
                f"{name} is enclosed: {len(data)} bytes that {told.event.asserted_by.party} "
                f"put into the log on {told.event.recorded_at}.",
            )
        )
        if fact.kind == _INVOICE:
            _invoice(case, fact, data, proven)
    if fact.valid and fact.kind != _QUALITY and any("sha256:" in rule for rule in fact.rules):
        open_questions.append(
            Statement(
                "rules",
                f"That {name.replace('The', 'the', 1)} keeps its rules: the node ran "
                f"{'; '.join(fact.rules)}; this check does not run them again.",
            )
        )
    if fact.credential:
        _credential(case, told, name, proven, open_questions)


def _check_invoices(case: Case) -> None:
    """Of several invoices each is recorded once, and they add up; of a single one there is one."""
    entered = case.entered
    named = [each.number for each in entered.invoices]
    total = sum(each.amount_minor for each in entered.invoices)
    told = [t.fact.number for t in case.every(DocumentAdded) if _is_invoice(case, t.fact)]
    if named and total != entered.amount_minor:
        raise Refused(
            f"the invoices add up to {total} minor units, {abs(total - entered.amount_minor)} "
            f"{'less' if total < entered.amount_minor else 'more'} than the consignment",
            code="invoice_mismatch",
        )
    _check_each_once(named, told)


def _check_each_once(named: list[str], told: list[str]) -> None:
    foreign = {*told} - {*named} if named else set(told[1:]) - set(told[:1])
    if foreign:
        raise Refused(
            f"the invoice {min(foreign)} is none of the consignment's", code="invoice_mismatch"
        )
    if len(told) > len({*told}) or len(named) > len({*named}):
        raise Refused("an invoice stands twice", code="invoice_mismatch")


def _is_invoice(case: Case, fact: DocumentAdded) -> bool:
    return fact.consignment == case.consignment and fact.kind == _INVOICE


def _invoice(case: Case, fact: DocumentAdded, data: bytes, proven: list[Statement]) -> None:
    from zhidao.trade.wire import ubl_invoice

    try:
        read = ubl_invoice.read(data)
        payable, due = read.payable, ubl_invoice.amount_due(data)
    except ZhidaoError as error:
        raise Refused(f"the invoice cannot be read: {error}", code="invoice_mismatch") from error
    entered = case.entered
    if due != payable:
        raise Refused(
            f"the invoice says that {due} is due, and its lines make {payable}",
            code="invoice_mismatch",
        )
    asked = {each.number: each.amount_minor for each in entered.invoices}
    wanted = asked.get(fact.number, entered.amount_minor)
    if (payable.minor, payable.currency.code) != (wanted, entered.currency):
        raise Refused(f"the invoice is over {payable}", code="invoice_mismatch")
    if asked and read.number != fact.number:
        raise Refused(
            f"the invoice bears the number {read.number[:64]}, and was added as {fact.number}",
            code="invoice_mismatch",
        )
    which = f"The invoice {fact.number}" if asked else "The invoice"
    proven.append(Statement("invoice_amount", f"{which} is over {payable}, as logged."))


def _credential(
    case: Case,
    told: OpenedFact[DocumentAdded],
    name: str,
    proven: list[Statement],
    open_questions: list[Statement],
) -> None:
    data = case.file(told.fact.credential)
    if data is None:
        open_questions.append(
            Statement("credential", f"That a credential over {name[4:]} holds: it is not enclosed.")
        )
        return
    try:
        key, has_status = _holds(case, told, data)
    except ZhidaoError as error:
        raise Refused(f"{name}: its credential: {error}", code="bad_credential") from error
    proven.append(
        Statement(
            "credential",
            f"{name} bears a W3C credential of {told.event.asserted_by.party} "
            f"(key {key.fingerprint}), which held when it was written down.",
        )
    )
    if has_status:
        open_questions.append(
            Statement(
                "revocation",
                f"That the credential over {name[4:]} was not taken back since: its status list "
                "says so, and is not part of a proof.",
            )
        )


def _holds(case: Case, told: OpenedFact[DocumentAdded], data: bytes) -> tuple[PublicKey, bool]:
    """The issuer's key, if the credential is its issuer's, about this document, and in time.

    And whether it has a status that could have changed since.
    """
    document = parse_strict(data, bytes_max=CREDENTIAL_BYTES_MAX)
    if not isinstance(document, dict):
        raise Refused("it is no JSON object")
    check_credential(document)
    check_contexts_known(document)
    at = told.event.recorded_at
    method = verify_proof(document, key_of=lambda name: parse_key_method(name)[1], now=at)
    did, key = parse_key_method(method)
    # Its status is of later: that it still stands is said to be open.
    check_period(document, at)
    if did != issuer_of(document) or not case.trust.speaks(told.event.asserted_by.party, key):
        raise Refused(f"it is not by a listed key of {told.event.asserted_by.party}")
    if not _is_about(document, told.fact):
        raise Refused("it is about another document")
    return key, "credentialStatus" in document


def _is_about(credential: Mapping[str, Any], fact: DocumentAdded) -> bool:
    subject, related = credential.get("credentialSubject"), credential.get("relatedResource")
    resource = "sha256-" + base64.b64encode(bytes.fromhex(fact.digest)).decode()
    return (
        type_of(fact.kind) in credential["type"]
        and isinstance(subject, dict)
        and subject.get("digestSHA256") == fact.digest
        and subject.get("documentNumber") == fact.number
        and isinstance(related, list)
        and [item.get("digestSRI") for item in related if isinstance(item, dict)] == [resource]
    )


def _papers(case: Case, proven: list[Statement], open_questions: list[Statement]) -> bool:
    """Whether papers are shown: all that were compared with what else they need, and they agree."""
    checks = [t.fact for t in case.every(PapersChecked) if t.fact.consignment == case.consignment]
    if not checks:
        open_questions.append(
            Statement("papers", "That the papers agree: no check of them is opened.")
        )
        return False
    papers = _enclosed_papers(case, checks[-1])
    if papers is None:
        open_questions.append(
            Statement(
                "papers",
                "That the papers agree: the node's word, since not all of them are enclosed.",
            )
        )
        return False
    answers = compare(papers)
    conflicts = [one for one in answers if one.answer is not Answer.AGREE]
    if checks[-1].agree != (not conflicts):
        raise Refused(
            f"compared again, the papers {'conflict' if conflicts else 'agree'}; the node "
            "recorded otherwise",
            code="papers_not_reproduced",
        )
    verdict = (
        f"agree in all {len(answers)} answers"
        if not conflicts
        else f"do not agree: {'; '.join(f'{c.sentence} ({c.left}; {c.right})' for c in conflicts)}"
    )
    proven.append(Statement("papers", f"Compared again, the enclosed papers {verdict}."))
    return not conflicts and _are_opened(case, checks[-1])


def _are_opened(case: Case, checked: PapersChecked) -> bool:
    """Whether each paper that was compared is enclosed, with its credential if it bears one.

    Of several invoices all were compared.
    """
    added = {told.fact.digest: told.fact for told in case.every(DocumentAdded)}
    papers = [added.get(digest) for digest in checked.documents]
    billed = {paper.number for paper in papers if paper and paper.kind == _INVOICE}
    whole = {each.number for each in case.entered.invoices} <= billed
    return bool(papers and whole) and all(_is_opened(case, paper) for paper in papers)


def _is_opened(case: Case, paper: DocumentAdded | None) -> bool:
    return (
        paper is not None
        and case.file(paper.digest) is not None
        and (not paper.credential or case.file(paper.credential) is not None)
    )


def _enclosed_papers(case: Case, checked: PapersChecked) -> Papers | None:
    """The papers that the check was about, read from the enclosed files; None if one lacks."""
    found: list[tuple[str, bytes]] = []
    for told in case.every(DocumentAdded):
        if told.fact.digest not in checked.documents or told.fact.kind == _QUALITY:
            continue
        data = case.file(told.fact.digest)
        if data is None:
            return None
        found.append((told.fact.kind, data))
    entry = case.file(case.entered.entry)
    lots = _lots(case)
    if entry is None or len(lots) < len(case.entered.every_lot):
        return None
    return read_papers(entry, found, lots, case.entered)


def _lots(case: Case) -> tuple[FinishedLot, ...]:
    """The lots that the entry names, as far as they are opened, each once."""
    named = case.entered.every_lot
    told = {NamedLot(order=t.fact.order, lot=t.fact.lot): t.fact for t in case.every(LotFinished)}
    return tuple(finished(told[each]) for each in named if each in told)
