"""Makes, validates and credentials the papers that come out of one entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zhidao.core.actor import Actor
from zhidao.core.archive import Archive, digest_of
from zhidao.core.canonical import jcs
from zhidao.core.errors import NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.judging import DOCUMENT, IN_PLACE, Judges
from zhidao.industry.commands import Lots
from zhidao.industry.events import LotFinished
from zhidao.trade.domain.consignment import ConsignmentEntry
from zhidao.trade.domain.invoice import Invoice, invoices_of, total_of
from zhidao.trade.domain.papers import origin_statement_of, packing_list_of
from zhidao.trade.domain.promise import promised
from zhidao.trade.events import ConsignmentEntered, DocumentAdded, NamedInvoice, NamedLot
from zhidao.trade.service.validation import Validation
from zhidao.trust.commands import Credentials

JSON: str = "application/json"
XML: str = "application/xml"


@dataclass(frozen=True, slots=True)
class _Written:
    invoices: tuple[bytes, ...]
    packing: bytes
    origin: bytes


class Issuing:
    """From an entry to the facts that open its consignment. Repeating it makes the same papers.

    `witnessed`: witnesses are asked for the node's log, so that an entry may promise them.
    """

    def __init__(
        self,
        *,
        archive: Archive,
        validation: Validation,
        credentials: Credentials,
        lots: Lots,
        witnessed: bool = False,
        judges: Judges = IN_PLACE,
    ) -> None:
        self._promised = promised(witnessed=witnessed)
        self._judges = judges
        self._archive = archive
        self._validation = validation
        self._credentials = credentials
        self._lots = lots

    async def facts(
        self, actor: Actor, entry: ConsignmentEntry, *, source: bytes
    ) -> list[ConsignmentEntered | DocumentAdded]:
        """The opening facts: the entry, then each paper with its verdict and credential.

        Raises Refused if an invoice breaks a rule or the lot is unknown, Unavailable if no rules
        are installed. Nothing is recorded here; what is archived is harmless to archive again.
        """
        lots = await self._finished(actor, entry)
        invoices = invoices_of(entry)
        written = await self._judges.run(DOCUMENT, _write, entry, invoices)
        # Every one is judged before any is issued.
        rules = [await self._validation.valid(data) for data in written.invoices]
        readers = [party.id for party in entry.parties.values()]
        documents = [
            await self._issued(
                actor,
                entry,
                kind="invoice",
                number=invoice.number,
                data=data,
                media_type=XML,
                rules=kept,
                readers=readers,
            )
            for invoice, data, kept in zip(invoices, written.invoices, rules, strict=True)
        ]
        documents += [
            await self._plain(entry, "packing_list", entry.packing_list, written.packing),
            await self._issued(
                actor,
                entry,
                kind="origin_statement",
                number=entry.origin_statement,
                data=written.origin,
                media_type=JSON,
                rules=(_OWN_FORM,),
                readers=readers,
            ),
        ]
        documents += [_quality_record(entry, lot) for lot in lots if not lot.is_typed]
        opened = _entered(
            entry,
            invoices,
            digest=await self._archive.put(source),
            simulated=entry.simulated or any(lot.simulated for lot in lots),
            promised=self._promised,
        )
        return [opened, *documents]

    async def _finished(self, actor: Actor, entry: ConsignmentEntry) -> list[LotFinished]:
        return [await self._lot(actor, order=order, lot=lot) for order, lot in entry.lots]

    async def _lot(self, actor: Actor, *, order: str, lot: str) -> LotFinished:
        try:
            return await self._lots.lot(actor, order=order, lot=lot)
        except NotFound as error:
            raise Refused(
                f"no finished lot {lot} of order {order} that {actor.party} may see",
                code="unknown_lot",
                where="$.lot",
                remedy="finish the lot first, or leave order and lot empty",
            ) from error

    async def _plain(
        self, entry: ConsignmentEntry, kind: str, number: str, data: bytes
    ) -> DocumentAdded:
        return DocumentAdded(
            consignment=entry.id,
            kind=kind,
            number=number,
            digest=await self._archive.put(data),
            media_type=JSON,
            valid=True,
            rules=[_OWN_FORM],
            credential="",
        )

    async def _issued(
        self,
        actor: Actor,
        entry: ConsignmentEntry,
        *,
        kind: str,
        number: str,
        data: bytes,
        media_type: str,
        rules: Sequence[str],
        readers: Sequence[PartyId],
    ) -> DocumentAdded:
        digest = await self._archive.put(data)
        credential = await self._credentials.issue(
            actor,
            kind=kind,
            subject={
                "id": f"urn:zhidao:consignment:{entry.id}",
                "documentKind": kind,
                "documentNumber": number,
                "mediaType": media_type,
                "digestSHA256": digest,
            },
            document=digest,
            readers=readers,
        )
        return DocumentAdded(
            consignment=entry.id,
            kind=kind,
            number=number,
            digest=digest,
            media_type=media_type,
            valid=True,
            rules=list(rules),
            credential=await self._archive.put(jcs(credential)),
        )


# Papers of ours in JSON are written from typed values and read back strictly.
_OWN_FORM = "own form, read strictly"


def _write(entry: ConsignmentEntry, invoices: tuple[Invoice, ...]) -> _Written:
    from zhidao.trade.wire import origin_statement, packing_list, ubl_invoice

    return _Written(
        invoices=tuple(map(ubl_invoice.write, invoices)),
        packing=packing_list.write(packing_list_of(entry)),
        origin=origin_statement.write(origin_statement_of(entry)),
    )


def _quality_record(entry: ConsignmentEntry, lot: LotFinished) -> DocumentAdded:
    return DocumentAdded(
        consignment=entry.id,
        kind="quality_record",
        number=lot.lot,
        digest=lot.quality,
        media_type=JSON,
        valid=lot.within_limits,
        rules=[f"limits of order {lot.order}"],
        credential="",
    )


def _entered(
    entry: ConsignmentEntry,
    invoices: tuple[Invoice, ...],
    *,
    digest: str,
    simulated: bool,
    promised: list[str],
) -> ConsignmentEntered:
    amount = total_of(invoices)
    named = [NamedInvoice(number=i.number, amount_minor=i.payable.minor) for i in invoices]
    lots = [NamedLot(order=order, lot=lot) for order, lot in entry.lots]
    first = lots[0] if lots else NamedLot(order="", lot="")
    return ConsignmentEntered(
        consignment=entry.id,
        **{role: party.id for role, party in entry.parties.items()},
        goods=entry.goods,
        container=entry.container,
        order=first.order,
        lot=first.lot,
        amount_minor=amount.minor,
        currency=amount.currency.code,
        entry=digest,
        simulated=simulated,
        promised=promised,
        loading=entry.transport.loading.unlocode,
        discharge=entry.transport.discharge.unlocode,
        containers=list(entry.containers),
        lots=lots if len(lots) > 1 else [],
        invoices=named if len(named) > 1 else [],
    )


def same_entry(standing: ConsignmentEntered, source: bytes) -> bool:
    """Whether a consignment was opened by this very entry."""
    return standing.entry == digest_of(source)
