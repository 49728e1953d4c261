"""Several invoices: a proof shows the payment of all of them, each once, by both verifiers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from tests.verification.corridor_bench import Corridor
from tests.verification.test_independent import check_agreement, needs_node, of_corridor

from zhidao.core.money import Currency
from zhidao.finance.events import DealOpened
from zhidao.trade.domain.invoice import Invoice
from zhidao.trade.events import NamedInvoice
from zhidao.trade.wire import consignment_entry
from zhidao.trade.wire import entry as entry_file
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.wire.proof_file.zdproof import decode_proof
from zhidao.verification.verdict import Verdict, verify

FIRST, SECOND = "INV-2026-0417", "INV-2026-0418"


class Two(Corridor):
    """The road of one consignment whose second line stands on another invoice."""

    def entry_file(self) -> bytes:
        plain = json.loads(consignment_entry.migrated(entry_file.read(super().entry_file())))
        plain["type"] = "zhidao.ConsignmentEntry.v4"
        plain["includedConsignmentItem"][1]["invoiceId"] = SECOND
        return json.dumps(plain).encode()


class Missing(Two):
    """The second was never added; the papers are said to agree."""

    def papers_of(self, invoices: tuple[Invoice, ...]) -> tuple[Invoice, ...]:
        return invoices[:1]


class Twice(Two):
    """The first stands twice, the second not at all."""

    def papers_of(self, invoices: tuple[Invoice, ...]) -> tuple[Invoice, ...]:
        return (invoices[0], invoices[0])


class Foreign(Two):
    """An invoice of another consignment beside them."""

    def papers_of(self, invoices: tuple[Invoice, ...]) -> tuple[Invoice, ...]:
        return (*invoices, replace(invoices[1], number="INV-2026-0999"))


class Renamed(Two):
    """An invoice of another consignment, added under the number of the second."""

    async def _invoice(self, invoice: Invoice, number: str = "") -> None:
        if invoice.number == SECOND:
            await super()._invoice(replace(invoice, number="INV-2026-0999"), number=SECOND)
        else:
            await super()._invoice(invoice)


class Later(Corridor):
    """A second invoice is added to a consignment that was entered with one."""

    def papers_of(self, invoices: tuple[Invoice, ...]) -> tuple[Invoice, ...]:
        return (invoices[0], replace(invoices[0], number=SECOND))


class OtherCurrency(Two):
    """The second asks for the same figures in another currency."""

    def papers_of(self, invoices: tuple[Invoice, ...]) -> tuple[Invoice, ...]:
        return (invoices[0], replace(invoices[1], currency=Currency("USD")))


class OtherLines(Two):
    """Each invoice is over the lines of the other, under its number and for its amount."""

    def papers_of(self, invoices: tuple[Invoice, ...]) -> tuple[Invoice, ...]:
        first, second = invoices
        extra = replace(second.lines[0], id="3")
        return (first, replace(second, lines=(extra,)))


class Sums(Two):
    """The record says more of the second than makes the sum."""

    def billed(self, invoices: tuple[Invoice, ...]) -> list[NamedInvoice]:
        first, second = super().billed(invoices)
        return [first, msgspec.structs.replace(second, amount_minor=second.amount_minor + 100)]


class Shifted(Two):
    """The record shifts an amount from one to the other, so that the sum is right."""

    def billed(self, invoices: tuple[Invoice, ...]) -> list[NamedInvoice]:
        first, second = super().billed(invoices)
        return [
            msgspec.structs.replace(first, amount_minor=first.amount_minor - 100),
            msgspec.structs.replace(second, amount_minor=second.amount_minor + 100),
        ]


class RecordedTwice(Two):
    """The record names the first twice, for half its amount each."""

    def billed(self, invoices: tuple[Invoice, ...]) -> list[NamedInvoice]:
        first, second = super().billed(invoices)
        half = msgspec.structs.replace(first, amount_minor=first.amount_minor // 2)
        rest = msgspec.structs.replace(first, amount_minor=first.amount_minor - half.amount_minor)
        return [half, rest, second]


class RecordedAsOne(Two):
    """The record knows of one invoice over the whole, the entry of two."""

    def billed(self, invoices: tuple[Invoice, ...]) -> list[NamedInvoice]:
        del invoices
        return []

    def papers_of(self, invoices: tuple[Invoice, ...]) -> tuple[Invoice, ...]:
        first, second = invoices
        return (replace(first, lines=(*first.lines, *second.lines), vat=first.vat),)


def in_part() -> Two:
    """The deal pays a cent less than the invoices ask for."""
    return Two(changes={DealOpened: {"amount_minor": 1}})


ATTACKS: dict[str, tuple[Callable[[], Corridor], str]] = {
    "an invoice is missing": (Missing, "papers_not_reproduced"),
    "the same invoice twice": (Twice, "invoice_mismatch"),
    "one of another consignment": (Foreign, "invoice_mismatch"),
    "one of another under this number": (Renamed, "invoice_mismatch"),
    "added later": (Later, "invoice_mismatch"),
    "another currency": (OtherCurrency, "invoice_mismatch"),
    "other lines for the same amount": (OtherLines, "papers_not_reproduced"),
    "amounts that do not add up": (Sums, "invoice_mismatch"),
    "amounts shifted between them": (Shifted, "invoice_mismatch"),
    "one recorded twice": (RecordedTwice, "invoice_mismatch"),
    "recorded as one": (RecordedAsOne, "papers_not_reproduced"),
    "the deal pays a part": (in_part, "decision_not_reproduced"),
}


def judged(corridor: Corridor, data: bytes) -> Verdict:
    return verify(decode_proof(data), [corridor.trust()], evm=PyEvmEngine)


async def test_two_invoices_are_paid_and_proven() -> None:
    corridor = Two()
    found = judged(corridor, await corridor.proof())
    assert (found.verdict, found.sentence) == ("holds", "")
    assert {"papers", "payment"} <= {*found.shown}
    texts = [each.text for each in found.proven]
    for number in (FIRST, SECOND):
        assert any(text.startswith(f"The invoice {number} is over") for text in texts)


async def test_without_one_of_two_no_papers_are_shown() -> None:
    corridor = Two()
    await corridor.proof()
    second = next(
        each.event.payload["digest"]
        for each in corridor.entries
        if each.event.payload.get("number") == SECOND
    )
    del corridor.files[second]
    found = judged(corridor, await corridor.proof())
    assert found.verdict == "holds_in_part", found.sentence
    assert "papers" in found.missing


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_on_the_invoices_is_refused(name: str) -> None:
    make, reason = ATTACKS[name]
    corridor = make()
    found = judged(corridor, await corridor.proof())
    assert (found.verdict, found.reason) == ("refused", reason), found.sentence


async def test_the_refusal_says_by_how_much_the_amounts_do_not_add_up() -> None:
    corridor = Sums()
    found = judged(corridor, await corridor.proof())
    assert "100 more than the consignment" in found.sentence


@needs_node
def test_both_verifiers_agree_on_invoices(tmp_path: Path) -> None:
    makes = {"honest": Two, **{name: make for name, (make, _) in ATTACKS.items()}}
    bundles = [each for name, make in makes.items() for each in of_corridor(name, make())]
    assert check_agreement(bundles, tmp_path) == 2 * len(makes)
