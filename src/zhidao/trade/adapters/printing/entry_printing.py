"""One document of an entry as PDF/A: what a worker process is asked for."""

from __future__ import annotations

from collections.abc import Mapping

from zhidao.trade.adapters.printing.typst_printer import TypstPrinter
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes
from zhidao.trade.domain.printing.sheet import sheet_of
from zhidao.trade.service import entering


def print_document(
    fields: Mapping[str, str], kind: str, language: str, codes: KnownCodes = SHORT_CODES
) -> bytes:
    """The document of a whole entry. `language`: en, zh or both.

    Raises Unavailable where the extra is not installed, and what `entering.document` raises.
    """
    made = entering.document(fields, kind, codes)
    printer = TypstPrinter(("en", "zh") if language == "both" else (language,))
    day = fields.get("invoiceDocument.issueDate", "")
    return printer.print(
        sheet_of(made.form, made.absorbed.consignment, digest=made.digest, day=day)
    )
