"""Documents and sheets as PDF/A, where the printing extra is installed."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.trade.adapters.printing.typst_printer import LANGUAGES, TypstPrinter
from zhidao.trade.domain.printing.sheet import Sheet, sheet_of
from zhidao.trade.service.document_set import MadeDocument
from zhidao.trade.service.presenting import Printer


def sheet_printed(sheet: Sheet) -> bytes:
    """A sheet as PDF/A. Raises Unavailable where the extra is not installed."""
    return TypstPrinter(LANGUAGES).print(sheet)


def document_printer(languages: Sequence[str]) -> Printer:
    """Prints documents, each with the day that dates it if it has none of its own.

    `languages`: those of the labels, the leading one first. Raises Unavailable.
    """
    printer = TypstPrinter(languages)

    def printed(made: MadeDocument, day: str) -> bytes:
        said = made.absorbed.consignment
        return printer.print(sheet_of(made.form, said, digest=made.digest, day=day))

    return printed
