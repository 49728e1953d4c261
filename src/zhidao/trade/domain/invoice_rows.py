"""The rows about what invoices ask for, and about several of them; one function a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from zhidao.trade.domain.comparison import CheckResult, Statement, near, same
from zhidao.trade.domain.consignment import GoodsLine
from zhidao.trade.domain.invoice import Invoice
from zhidao.trade.domain.papers import Papers

INVOICE: Final = "invoice"
ENTRY: Final = "entry"


def total_amount(papers: Papers) -> Iterator[CheckResult]:
    """XD-05: each invoice asks for what its entered goods and prices come to."""
    for invoice in papers.invoices:
        entered = entered_on(papers, invoice)
        computed = sum((line.quantity * line.unit_price for line in entered), Decimal(0))
        priced = field_of(papers, invoice, "sum of quantity times unit price")
        yield near(
            "XD-05",
            "net amounts",
            Statement(ENTRY, priced, f"{computed.normalize():f}"),
            Statement(INVOICE, field_of(papers, invoice, "net"), f"{invoice.net:f}"),
            one=round(computed, invoice.currency.exponent),
            two=invoice.net,
        )


def each_invoice_once(papers: Papers) -> Iterator[CheckResult]:
    """XD-03, XD-05, XD-32: of several invoices each is there once, as recorded, over its goods.

    Nothing is said of a single one: the other rows hold it against the other papers.
    """
    entry = papers.entry
    if len(entry.invoices) < 2 and len(papers.invoices) < 2 and not papers.billed:
        return
    entered = Statement(ENTRY, "invoices", listed(entry.invoices))
    recorded = [number for number, _ in papers.billed]
    for where, numbers in (("record", recorded), (INVOICE, [i.number for i in papers.invoices])):
        stated = Statement(where, "invoices", listed(numbers))
        yield same("XD-32", "numbers of the invoices", stated, entered)
    asked = dict(papers.billed)
    for invoice in papers.invoices:
        yield same(
            "XD-03",
            "currencies",
            Statement(ENTRY, "currency", entry.invoice.currency.code),
            Statement(INVOICE, field_of(papers, invoice, "currency"), invoice.currency.code),
        )
        yield same(
            "XD-05",
            "amounts of the invoices",
            Statement("record", f"minor units of {invoice.number}", str(asked.get(invoice.number))),
            Statement(INVOICE, f"minor units of {invoice.number}", str(invoice.payable.minor)),
        )
        yield same(
            "XD-06",
            "lines of the invoices",
            Statement(
                ENTRY,
                f"lines of {invoice.number}",
                listed(line.id for line in entered_on(papers, invoice)),
            ),
            Statement(
                INVOICE, f"lines of {invoice.number}", listed(line.id for line in invoice.lines)
            ),
        )


def entered_on(papers: Papers, invoice: Invoice) -> list[GoodsLine]:
    """The entry's lines that stand on an invoice; all of them where there is one."""
    entry = papers.entry
    if len(entry.invoices) == 1:
        return list(entry.lines)
    own = entry.invoice.number
    return [line for line in entry.lines if (line.invoice or own) == invoice.number]


def field_of(papers: Papers, invoice: Invoice, field: str) -> str:
    """A field of an invoice, by which of several it is."""
    return field if len(papers.invoices) == 1 else f"{field} of {invoice.number}"


def listed(names: Iterable[str]) -> str:
    """Names in one text, in an order that is always the same."""
    return " ".join(sorted(names))
