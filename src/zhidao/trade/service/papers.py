"""The papers of a consignment out of the archive, as values that can be compared."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import Archive
from zhidao.core.ids import PartyId
from zhidao.core.judging import DOCUMENT, IN_PLACE, Judges
from zhidao.industry.commands import Lots
from zhidao.industry.events import LotFinished
from zhidao.trade.domain.comparison import CheckResult
from zhidao.trade.domain.crosscheck import compare
from zhidao.trade.domain.papers import FinishedLot, Papers
from zhidao.trade.events import Consignment, ConsignmentEntered


class PaperShelf:
    """Fetches, reads and compares the papers of a consignment."""

    def __init__(
        self, *, archive: Archive, lots: Lots, node: PartyId, judges: Judges = IN_PLACE
    ) -> None:
        self._judges = judges
        self._archive = archive
        self._lots = lots
        # The node itself compares: a bank that asks need not see the exporter's production.
        self._node = Actor(node, Role.NODE)

    async def compared(self, consignment: Consignment) -> list[CheckResult]:
        """Every rule's answer about the papers as they stand."""
        found = [
            (document.kind, await self._archive.get(document.digest))
            for document in consignment.documents
            if document.kind != "quality_record"
        ]
        entry = await self._archive.get(consignment.entered.entry)
        return await self._judges.run(
            DOCUMENT,
            _compare,
            entry,
            found,
            await self._finished(consignment),
            consignment.entered,
        )

    async def _finished(self, consignment: Consignment) -> tuple[FinishedLot, ...]:
        named = consignment.entered.every_lot
        lots = [await self._lots.lot(self._node, order=n.order, lot=n.lot) for n in named]
        return tuple(map(finished, lots))


def finished(lot: LotFinished) -> FinishedLot:
    """What the papers are compared with of a finished lot."""
    return FinishedLot(
        order=lot.order,
        lot=lot.lot,
        gtin=lot.gtin,
        count=len(lot.serials),
        within_limits=None if lot.verdict in ("typed", "not_shown") else lot.within_limits,
        measured=not lot.is_typed,
    )


def read_papers(
    entry: bytes,
    found: Sequence[tuple[str, bytes]],
    lots: tuple[FinishedLot, ...],
    entered: ConsignmentEntered,
) -> Papers:
    """The papers of a consignment from their bytes by kind; of invoices there may be several.

    Raises MalformedInput for one that is none.
    """
    from zhidao.trade.wire import (
        bill_of_lading,
        origin_statement,
        packing_list,
        ubl_invoice,
    )
    from zhidao.trade.wire import entry as entry_file

    one = dict(found)
    packing, bill = one.get("packing_list"), one.get("bill_of_lading")
    origin = one.get("origin_statement")
    return Papers(
        entry=entry_file.read(entry),
        invoices=tuple(ubl_invoice.read(data) for kind, data in found if kind == "invoice"),
        packing=packing_list.read(packing) if packing else None,
        origin=origin_statement.read(origin) if origin else None,
        bill=bill_of_lading.read(bill) if bill else None,
        lots=lots,
        containers=tuple(entered.every_container),
        billed=tuple((each.number, each.amount_minor) for each in entered.invoices),
    )


def _compare(
    entry: bytes,
    found: Sequence[tuple[str, bytes]],
    lots: tuple[FinishedLot, ...],
    entered: ConsignmentEntered,
) -> list[CheckResult]:
    return compare(read_papers(entry, found, lots, entered))
