"""Credentials in the shape of the UN Transparency Protocol: what goods are, that they arrived."""

from __future__ import annotations

from typing import Any, Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.archive import Archive
from zhidao.core.canonical import jcs
from zhidao.core.errors import Refused
from zhidao.core.judging import DOCUMENT, IN_PLACE, Judges
from zhidao.trade.domain.consignment import ConsignmentEntry, TradeParty
from zhidao.trade.events import Consignment
from zhidao.trade.service.consignments import ConsignmentService
from zhidao.trust.commands import Credentials
from zhidao.trust.events import UntpEnvelope

MAY_ISSUE_PASSPORTS: Final = access(
    Role.PARTY,
    relation=Relation.OWNER,
    of="the consignment",
    parties=lambda entered: (entered.exporter,),
)
MAY_ISSUE_ARRIVAL: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the consignment, its carrier",
    parties=lambda entered: (entered.carrier,),
)

_PASSPORT: Final = "DigitalProductPassport"
_EVENT: Final = "DigitalTraceabilityEvent"


class Transparency:
    """Issues product passports for a consignment's goods, and the event of its proven arrival."""

    def __init__(
        self,
        *,
        archive: Archive,
        consignments: ConsignmentService,
        credentials: Credentials,
        judges: Judges = IN_PLACE,
    ) -> None:
        self._judges = judges
        self._archive = archive
        self._consignments = consignments
        self._credentials = credentials

    async def passports(
        self, actor: Actor, consignment: str, *, facility_id: str, facility_name: str
    ) -> list[dict[str, Any]]:
        """One product passport for each line of goods, by the exporter; again: the same ones.

        `facility_id` (a URI) and `facility_name` say where the goods were made, on the exporter's
        word. Raises NotFound to strangers, Forbidden to other parties.
        """
        from zhidao.trade.wire import untp

        state, entry = await self._entry(actor, consignment)
        MAY_ISSUE_PASSPORTS.check(actor, state.entered)
        facility = {"id": facility_id, "name": facility_name}
        issued = []
        for line in entry.lines:
            subject = untp.product(entry, line, facility=facility)
            title = f"Product passport: {line.description}"
            issued.append(
                await self._issue(
                    actor, entry, entry.exporter, _PASSPORT, title=title, subject=subject
                )
            )
        return issued

    async def movement(self, actor: Actor, consignment: str) -> dict[str, Any]:
        """The event that the goods arrived, by the carrier; again: the same one.

        Raises NotFound to strangers, Forbidden to other parties, Refused (`not_delivered`) while
        no arrival is proven.
        """
        from zhidao.trade.wire import untp

        state, entry = await self._entry(actor, consignment)
        MAY_ISSUE_ARRIVAL.check(actor, state.entered)
        if state.delivered is None:
            raise Refused(
                f"no arrival of {consignment} is proven",
                code="not_delivered",
                remedy="ask again once the journey's state is Delivered",
            )
        subject = untp.movement(entry, state.delivered)
        carrier = entry.parties["carrier"]
        return await self._issue(
            actor, entry, carrier, _EVENT, title=str(subject["name"]), subject=subject
        )

    async def _entry(self, actor: Actor, consignment: str) -> tuple[Consignment, ConsignmentEntry]:
        from zhidao.trade.wire import entry as entry_file

        state = await self._consignments.consignment(actor, consignment)
        source = await self._archive.get(state.entered.entry)
        return state, await self._judges.run(DOCUMENT, entry_file.read, source)

    async def _issue(
        self,
        actor: Actor,
        entry: ConsignmentEntry,
        issuer: TradeParty,
        kind: str,
        *,
        title: str,
        subject: dict[str, Any],
    ) -> dict[str, Any]:
        if entry.simulated:
            title = f"{title} (simulated)"
        return await self._credentials.issue(
            actor,
            kind=kind,
            subject=subject,
            document=await self._archive.put(jcs(subject)),
            readers=[party.id for party in entry.parties.values()],
            envelope=UntpEnvelope(kind, title, issuer.name),
        )
