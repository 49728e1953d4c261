"""Production orders, and lots finished under the eyes of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.archive import Archive
from zhidao.core.canonical import jcs
from zhidao.core.errors import Conflict, MalformedInput, NotFound
from zhidao.core.events import SignedEvent, every, latest
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.industry.domain.digital_link import gtin14
from zhidao.industry.domain.quality import Bound, Judgement, Sample, decimal_of, judge
from zhidao.industry.events import Limit, LotFinished, OrderOpened
from zhidao.industry.service.ports import Machines
from zhidao.industry.wire.epcis import lot_document

MAY_OPEN_ORDER: Final = access(Role.PARTY, relation=Relation.OWNER, of="the order")
MAY_FINISH_LOT: Final = access(
    Role.PARTY, relation=Relation.OWNER, of="the order", parties=lambda opened: (opened.owner,)
)

SAMPLES: Final = 20


class LotService:
    """Opens orders and finishes lots; implements `industry.commands.Lots`."""

    def __init__(
        self, records: Records, archive: Archive, machines: Machines, clock: Clock
    ) -> None:
        self._records = records
        self._archive = archive
        self._machines = machines
        self._clock = clock

    async def open_order(
        self,
        actor: Actor,
        *,
        order: str,
        gtin: str,
        quantity: int,
        limits: Sequence[Limit],
        readers: Sequence[PartyId],
    ) -> OrderOpened:
        """Opens an order owned by the actor's party; the same order again changes nothing."""
        MAY_OPEN_ORDER.admit(actor)
        bounds = _bounds(limits)
        if not bounds:
            raise MalformedInput("an order without limits proves nothing about quality")
        fact = OrderOpened(order=order, gtin=gtin14(gtin), quantity=quantity, limits=list(limits))
        history = await self._records.history(f"order/{order}")
        known = latest(history, OrderOpened)
        if known is not None:
            if known != fact or history[0].owner != actor.party:
                raise Conflict(f"order {order} stands already with other content")
            return known
        await self._records.record(
            actor, f"order/{order}", [fact], after=0, owner=actor.party, visible=readers
        )
        return fact

    async def finish_lot(
        self,
        actor: Actor,
        *,
        order: str,
        lot: str,
        serials: Sequence[str],
        endpoint: str,
        simulated: bool,
    ) -> LotFinished:
        """Reads the machine, judges, and writes the lot down with its evidence.

        Without an endpoint the lot is the actor's word alone, and is written down as that.
        The same lot again returns what was found the first time: a machine is not asked twice.
        """
        MAY_FINISH_LOT.admit(actor)
        history = await self._records.history(f"order/{order}", actor)
        opened = OrderOpened.of(history[0])
        known = _lot(history, lot)
        if known is not None:
            _refuse_other(known, serials, endpoint)
            return known
        if not MAY_FINISH_LOT.relates(actor, history[0]):
            raise NotFound("no order of that name")
        _check_serials(opened, serials)
        samples: list[Sample] = []
        judgements: list[Judgement] = []
        quality = ""
        if endpoint:
            names = [limit.name for limit in opened.limits]
            samples = await self._machines.samples(endpoint, names, SAMPLES)
            judgements = judge(samples, _bounds(opened.limits))
            quality = await self._archive.put(_quality_record(order, lot, samples, judgements))
        finished_at = self._clock.now()
        document, hashes = lot_document(
            gtin=opened.gtin,
            lot=lot,
            serials=serials,
            finished_at=finished_at,
            judgements=judgements,
        )
        fact = LotFinished(
            order=order,
            lot=lot,
            gtin=opened.gtin,
            serials=list(serials),
            within_limits=bool(judgements) and not any(each.outside for each in judgements),
            samples=len(samples),
            quality=quality,
            epcis=await self._archive.put(document),
            epcis_hashes=hashes,
            simulated=simulated,
        )
        await self._records.record(
            actor,
            f"order/{order}",
            [fact],
            after=history[-1].version,
            owner=actor.party,
            visible=history[0].visible,
            occurred_at=finished_at,
        )
        return fact

    async def orders(
        self, actor: Actor, *, limit: int, after: str = ""
    ) -> list[tuple[OrderOpened, list[LotFinished], PartyId]]:
        """Orders that the actor may see, by number: each with its lots and its owner."""
        start = f"order/{after}" if after else ""
        names = await self._records.aggregates("order/", actor, limit=limit, after=start)
        histories = await self._records.histories(names, actor)
        return [
            (OrderOpened.of(history[0]), list(every(history, LotFinished)), history[0].owner)
            for history in histories
        ]

    async def lot(self, actor: Actor, *, order: str, lot: str) -> LotFinished:
        """A finished lot that the actor may see. Raises NotFound."""
        found = _lot(await self._records.history(f"order/{order}", actor), lot)
        if found is None:
            raise NotFound(f"order {order} has no finished lot {lot}")
        return found


def _lot(history: tuple[SignedEvent, ...], lot: str) -> LotFinished | None:
    return next((fact for fact in every(history, LotFinished) if fact.lot == lot), None)


def _refuse_other(known: LotFinished, serials: Sequence[str], endpoint: str) -> None:
    """Refuses to finish a lot that stands already in another way."""
    if list(serials) != known.serials:
        raise Conflict(f"lot {known.lot} stands already with other serials")
    if endpoint and known.is_typed:
        raise Conflict(
            f"lot {known.lot} was typed; what a machine says now was not measured then",
            code="lot_typed",
            remedy="measure another lot",
        )


def _bounds(limits: Sequence[Limit]) -> list[Bound]:
    return [
        Bound(
            name=limit.name,
            low=decimal_of(limit.low, what=f"{limit.name} low"),
            high=decimal_of(limit.high, what=f"{limit.name} high"),
            unit=limit.unit,
        )
        for limit in limits
    ]


def _check_serials(opened: OrderOpened, serials: Sequence[str]) -> None:
    if len(set(serials)) != len(serials):
        raise MalformedInput("a serial stands twice in the lot")
    if not 0 < len(serials) <= opened.quantity:
        raise MalformedInput(
            f"the order is over {opened.quantity} pieces, the lot has {len(serials)}"
        )


def _quality_record(
    order: str, lot: str, samples: Sequence[Sample], judgements: Sequence[Judgement]
) -> bytes:
    """The evidence of the lot: every sample, and how each name was judged. Canonical JSON."""
    return jcs(
        {
            "v": 1,
            "order": order,
            "lot": lot,
            "samples": [
                {"name": s.name, "value": str(s.value), "observed_at": str(s.observed_at)}
                for s in samples
            ],
            "judgements": [
                {
                    "name": j.bound.name,
                    "unit": j.bound.unit,
                    "low": str(j.bound.low),
                    "high": str(j.bound.high),
                    "count": j.count,
                    "lowest": str(j.lowest),
                    "highest": str(j.highest),
                    "mean": str(j.mean),
                    "outside": j.outside,
                }
                for j in judgements
            ],
        }
    )
