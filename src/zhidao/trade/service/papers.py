"""The papers of a consignment out of the archive, as values that can be compared."""

from __future__ import annotations

from collections.abc import Mapping

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import Archive
from zhidao.core.ids import PartyId
from zhidao.core.judging import DOCUMENT, IN_PLACE, Judges
from zhidao.industry.commands import Lots
from zhidao.industry.events import LotFinished
from zhidao.trade.domain.comparison import CheckResult
from zhidao.trade.domain.crosscheck import compare
from zhidao.trade.domain.papers import FinishedLot, Papers
from zhidao.trade.events import Consignment


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
        found = {
            document.kind: await self._archive.get(document.digest)
            for document in consignment.documents
            if document.kind != "quality_record"
        }
        entry = await self._archive.get(consignment.entered.entry)
        return await self._judges.run(
            DOCUMENT,
            _compare,
            entry,
            found,
            await self._finished(consignment),
            tuple(consignment.entered.every_container),
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
        within_limits=None if lot.is_typed else lot.within_limits,
    )


def _compare(
    entry: bytes,
    found: Mapping[str, bytes],
    lots: tuple[FinishedLot, ...],
    containers: tuple[str, ...],
) -> list[CheckResult]:
    from zhidao.trade.wire import (
        bill_of_lading,
        origin_statement,
        packing_list,
        ubl_invoice,
    )
    from zhidao.trade.wire import entry as entry_file

    invoice, packing = found.get("invoice"), found.get("packing_list")
    origin, bill = found.get("origin_statement"), found.get("bill_of_lading")
    papers = Papers(
        entry=entry_file.read(entry),
        invoice=ubl_invoice.read(invoice) if invoice else None,
        packing=packing_list.read(packing) if packing else None,
        origin=origin_statement.read(origin) if origin else None,
        bill=bill_of_lading.read(bill) if bill else None,
        lots=lots,
        containers=containers,
    )
    return compare(papers)
