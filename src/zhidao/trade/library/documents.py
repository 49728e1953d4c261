"""What command lines ask of documents, origin and duty without a running node, as JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.conflicts.compared_set import INVOICES, Evidence
from zhidao.trade.domain.conflicts.table import Comparison, View, compare, views_of
from zhidao.trade.domain.documents.asked import missing, require
from zhidao.trade.domain.documents.determined import determined
from zhidao.trade.domain.documents.formalities import DOCUMENTARY_CREDIT, FORMS
from zhidao.trade.domain.documents.mapping import Absorbed
from zhidao.trade.domain.documents.needed import NeededPaper, check_papers, needed_set
from zhidao.trade.domain.model.known_codes import KnownCodes
from zhidao.trade.domain.origin.agreements import AGREEMENTS, Agreement, import_rules
from zhidao.trade.domain.origin.determination import (
    BillOfMaterials,
    Decision,
    Outcome,
    Reason,
    Route,
    determine,
)
from zhidao.trade.domain.origin.duty import assess
from zhidao.trade.domain.sanity import check_sane
from zhidao.trade.library.code_lists import known_codes
from zhidao.trade.service.document_set import MadeDocument, check_one_invoice, make_set
from zhidao.trade.service.entering import looked_at
from zhidao.trade.service.validation import refuse_broken
from zhidao.trade.wire import canonical_entry, consignment_entry, origin_file
from zhidao.trade.wire import entry as entry_file


@dataclass(frozen=True, slots=True)
class WrittenSet:
    """Files of a set by name, and what is said of them."""

    files: dict[str, bytes]
    told: dict[str, Any]


def migrated(entry: bytes) -> tuple[bytes, list[str]]:
    """A version 1 entry as one of version 2, and the fields that a document set needs besides.

    Raises MalformedInput for what is no version 1 entry, or says more than a field may hold.
    """
    if entry_file.is_second_version(entry):
        raise MalformedInput("the entry names its type already", remedy="use it as it is")
    made = consignment_entry.migrated(entry_file.read(entry))
    return made, sorted(missing(canonical_entry.typed(made)))


def document_set(
    entry: bytes,
    *,
    view: str = "",
    languages: Sequence[str] = (),
    codes: KnownCodes | None = None,
    bills: Mapping[str, bytes] | None = None,
    rules: Mapping[str, str] | None = None,
) -> WrittenSet:
    """Every paper that an entry needs, each with its reason, and the answers of the cross-checks.

    `codes`: the lists that name places, this installation's by default. `languages`: those of the
    labels of a printed form beside each document, the leading one first. `bills`: bills of
    materials by item, from which a certificate's criterion is determined; `rules`: CSV text of
    product rules by agreement.
    Raises Unavailable where prints are asked and the extra for them is not installed.
    """
    known = codes or known_codes()
    _check_rules(rules or {})
    read = {item: origin_file.read_bill(data) for item, data in (bills or {}).items()}
    agreements = {name: _agreement(name, rules or {}) for name in AGREEMENTS}
    typed = canonical_entry.typed(entry, known)
    check_papers(typed)
    proven = determined(typed, read, agreements)
    consignment = proven.consignment
    require(consignment)
    check_one_invoice(consignment)
    check_sane(consignment, known)
    needed = needed_set(consignment.values)
    credit = [DOCUMENTARY_CREDIT] if consignment.get(DOCUMENTARY_CREDIT.number_path) else []
    made = make_set(consignment, [*needed.forms, *credit])
    judged = judged_invoices(made)
    papers = {document.form.kind: document.absorbed.consignment for document in made}
    told: dict[str, Any] = {
        "consignment": consignment.get("id"),
        # Typed, without what follows from other fields.
        "fields": sum(source.place == path for path, source in consignment.sources.items()),
        "documents": [
            {
                "kind": document.form.kind,
                "title": document.form.titles[0],
                "number": document.number,
                "file": document.file_name,
                "sha256": document.digest,
                "why": needed.why(document.form.kind).sentence,
            }
            for document in made
            if document.form is not DOCUMENTARY_CREDIT
        ],
        "left_out": [_left_out(paper) for paper in needed.left_out],
        "possible_agreements": list(needed.possible),
        "origin": [asdict(basis) for basis in proven.bases],
        "rules": judged,
        **_compared(compare(Evidence(papers, criteria=proven.criteria)), view),
    }
    printed = [document for document in made if document.form is not DOCUMENTARY_CREDIT]
    files = {document.file_name: document.data for document in printed}
    if languages:
        files |= prints(printed, languages, day=consignment.get("invoiceDocument.issueDate"))
    return WrittenSet(files, told)


def _left_out(paper: NeededPaper) -> dict[str, str]:
    return {
        "kind": paper.form.kind,
        "title": paper.form.titles[0],
        "why": paper.why.sentence,
    }


def judged_invoices(made: Iterable[MadeDocument]) -> list[str]:
    """What the installed rules say of each invoice of a set, in a line.

    Raises Refused (`invoice_invalid`) for one that breaks them: it must not leave the house.
    """
    # Whoever makes no set needs no rules.
    from zhidao.trade.library.rule_packs import judged_files

    invoices = [(d.file_name, d.data) for d in made if d.form.kind in INVOICES]
    found = []
    for name, verdict in judged_files(invoices):
        refuse_broken(verdict)
        found.append(f"{name}: {verdict.summary()}")
    return found


def prints(made: Iterable[MadeDocument], languages: Sequence[str], *, day: str) -> dict[str, bytes]:
    """PDF/A files by name. `day` dates a document that has no day of its own."""
    # Whoever prints nothing needs no printer.
    from zhidao.trade.library.printing import document_printer

    printed = document_printer(languages)
    return {f"{document.form.kind}.pdf": printed(document, day) for document in made}


def compared(files: Iterable[tuple[str, bytes]], *, view: str = "") -> dict[str, Any]:
    """What documents of a folder, by name, say of each other; each is known by what it is.

    `left_out`: files that are no document of a known kind, broken, or a second one of a kind.
    Raises MalformedInput where no document is among them.
    """
    looked, comparison = looked_at(files)
    if not any(each.found for each in looked):
        raise MalformedInput("no document among the files", remedy="known: " + " ".join(FORMS))
    return {
        "documents": [
            {"file": each.name, **_read_back(each.found)}
            for each in looked
            if each.found and not each.trouble
        ],
        "left_out": [
            {"file": each.name, "code": each.trouble.code, "reason": each.trouble.sentence}
            for each in looked
            if each.trouble
        ],
        **_compared(comparison, view),
    }


def origin(
    bill: bytes,
    *,
    agreements: Iterable[str] = (),
    rules: Mapping[str, str],
    route: str = "",
    under_control: str = "",
) -> dict[str, Any]:
    """Decisions for a bill of materials. `rules`: CSV text of product rules by agreement name."""
    _check_rules(rules)
    value = origin_file.read_bill(bill)
    names = tuple(agreements) or tuple(AGREEMENTS)
    track = Route(tuple(route.split()), frozenset(under_control.split())) if route else None
    decisions = [determine(value, _agreement(name, rules), route=track) for name in names]
    return {"product": value.product, "hs": value.hs, "decisions": [_decided(d) for d in decisions]}


def duty(question: bytes, *, rules: Mapping[str, str]) -> dict[str, Any]:
    """Duty, excise and VAT of each line; a preference only where a bill of materials bears it."""
    _check_rules(rules)
    asked = origin_file.read_question(question)
    lines = []
    totals = {"duty": 0, "excise": 0, "vat": 0}
    for line, bill in asked.lines:
        found = assess(line, asked.schedule, asked.currency, claims=_claims(bill, rules))
        taxes = {name: getattr(found, name) for name in totals}
        for name, money in taxes.items():
            totals[name] += money.minor
        lines.append(
            {
                "code": found.code,
                "regime": found.regime,
                **{name: f"{money.decimal:f}" for name, money in taxes.items()},
                "total": f"{found.total.decimal:f}",
            }
        )
    return {
        "currency": asked.currency.code,
        "lines": lines,
        "totals_minor": {**totals, "total": sum(totals.values())},
    }


def _claims(bill: BillOfMaterials | None, rules: Mapping[str, str]) -> list[Decision]:
    if bill is None:
        return []
    return [determine(bill, _agreement(name, rules)) for name in AGREEMENTS]


def _check_rules(rules: Mapping[str, str]) -> None:
    """Refuses product rules of an agreement that is not known, which nobody would ask."""
    for name in rules:
        _agreement(name, {})


def _agreement(name: str, rules: Mapping[str, str]) -> Agreement:
    found = AGREEMENTS.get(name.upper())
    if found is None:
        raise MalformedInput(
            f"unknown agreement {name[:20]!r}", remedy="one of " + " ".join(AGREEMENTS)
        )
    return found.with_rules(import_rules(rules[found.name])) if found.name in rules else found


def _decided(decision: Decision) -> dict[str, Any]:
    return {
        "agreement": decision.agreement,
        "outcome": decision.outcome.value,
        "criterion": decision.criterion,
        "notes": list(decision.notes),
        "share_percent": f"{decision.share_percent:f}",
        "originates": decision.outcome is Outcome.ORIGINATING,
        "proof": _reason(decision.proof),
    }


def _reason(reason: Reason) -> dict[str, Any]:
    told: dict[str, Any] = {"claim": reason.sentence, "holds": reason.holds}
    if reason.because:
        told["because"] = [_reason(child) for child in reason.because]
    return told


def _read_back(found: Absorbed) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "fields": len(found.consignment.values),
        "unmapped": list(found.unmapped),
        "misfits": [{"place": m.place, "seen": m.seen, "wanted": m.wanted} for m in found.misfits],
    }


def _compared(comparison: Comparison, view: str) -> dict[str, Any]:
    asked = View(view) if view else None
    answers = comparison.seen_by(asked) if asked else comparison.answers
    told = comparison.told(asked)
    counted = {"agree": 0, "conflict": 0, "undecided": 0}
    for answer in (*(each for each in answers if each.answer.value == "agree"), *told):
        counted[answer.answer.value] += 1
    return {
        "answers": counted,
        "findings": [
            {
                "rule": answer.rule,
                "answer": answer.answer.value,
                "sentence": answer.sentence,
                "left": answer.left,
                "right": answer.right,
                "asked_by": sorted(views_of(answer.rule)),
            }
            for answer in told
        ],
        "unasked": list(comparison.unasked),
    }
