"""Presentations without a running node: made by a seller, read by a bank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zhidao.core.ids import party_id
from zhidao.core.keys import Signer
from zhidao.core.timescale import Utc
from zhidao.trade.domain.documents.formalities import FORMS
from zhidao.trade.events import PresentedSet
from zhidao.trade.library.code_lists import known_codes
from zhidao.trade.library.rule_packs import judged_files
from zhidao.trade.service.presenting import Order, Printer, invoices_in, present, read_presented
from zhidao.trade.service.validation import refuse_broken
from zhidao.trade.wire.presentation_file import decode, encode


def make(
    entry: bytes,
    *,
    party: str,
    signer: Signer,
    at: Utc,
    kinds: Sequence[str] = (),
    despite: bool = False,
    languages: Sequence[str] = (),
) -> bytes:
    """The signed file of an entry's presentation. `languages`: of prints inside, none for none."""
    order = Order(party_id(party), kinds, despite)
    printer = _printer(languages) if languages else None
    made = present(entry, order, signer=signer, at=at, printer=printer, codes=known_codes())
    for _, verdict in judged_files(("invoice", data) for data in invoices_in(made)):
        refuse_broken(verdict)
    return encode(made)


def told(found: PresentedSet) -> dict[str, Any]:
    """What a bank reads, as JSON values."""
    manifest = found.manifest
    return {
        "presentation": manifest.presentation,
        "credit": manifest.credit,
        "presenter": manifest.presenter,
        "bank": manifest.bank,
        "made_at": manifest.made_at,
        "drawn": f"{manifest.currency} {manifest.drawn}",
        "key": found.key,
        "documents": [
            {"kind": p.kind, "number": p.number, "sha256": p.digest} for p in found.papers
        ],
        "missing": found.missing,
        "checks": found.checks,
        "findings": [
            {"rule": f.rule, "verdict": f.verdict, "sentence": f.sentence} | _places(f)
            for f in found.findings
        ],
    }


def read(presentation: bytes) -> PresentedSet:
    """Checks and reads a signed file."""
    return read_presented(presentation)


def files_of(presentation: bytes) -> dict[str, bytes]:
    """The documents of a signed file by name, with their prints."""
    held = decode(presentation)
    files = {}
    for document in held.manifest.documents:
        name = f"{document.kind}.{FORMS[document.kind].syntax.value}"
        files[name] = held.contents[document.digest]
        if document.printed:
            files[f"{document.kind}.pdf"] = held.contents[document.printed]
    return files


def _places(finding: Any) -> dict[str, str]:
    return {"left": finding.left, "right": finding.right}


def _printer(languages: Sequence[str]) -> Printer:
    # Whoever prints nothing needs no printer.
    from zhidao.trade.library.printing import document_printer

    return document_printer(languages)
