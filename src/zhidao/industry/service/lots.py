"""Production orders, and lots finished under the eyes of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.archive import Archive
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Refused
from zhidao.core.events import SignedEvent, every, latest
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.industry.domain.digital_link import gtin14
from zhidao.industry.domain.quality import (
    Bound,
    Judgement,
    decimal_of,
    judge,
    not_shown,
    sift,
)
from zhidao.industry.events import Limit, LotFinished, OrderOpened
from zhidao.industry.service.ports import LotEvents, Machines
from zhidao.industry.wire.epcis import lot_document
from zhidao.industry.wire.quality_record import encode_record

MAY_OPEN_ORDER: Final = access(Role.PARTY, relation=Relation.OWNER, of="the order")
MAY_FINISH_LOT: Final = access(
    Role.PARTY, relation=Relation.OWNER, of="the order", parties=lambda opened: (opened.owner,)
)

SAMPLES: Final = 20


@dataclass(frozen=True, slots=True)
class _Measured:
    """What a machine said of a lot; `record` is the digest of all of it."""

    samples: int
    judgements: tuple[Judgement, ...]
    is_within: bool
    not_shown: list[str]
    record: str


_NOTHING: Final = _Measured(0, (), is_within=False, not_shown=[], record="")


class LotService:
    """Opens orders and finishes lots; implements `industry.commands.Lots`."""

    def __init__(
        self,
        records: Records,
        archive: Archive,
        machines: Machines,
        clock: Clock,
        told: LotEvents | None = None,
    ) -> None:
        """`told` takes in the EPCIS events of each lot; without it nobody can trace them here."""
        self._records = records
        self._archive = archive
        self._machines = machines
        self._clock = clock
        self._told = told

    async def open_order(
        self,
        actor: Actor,
        *,
        order: str,
        gtin: str,
        quantity: int,
        limits: Sequence[Limit],
        readers: Sequence[PartyId],
        excess: int = 0,
    ) -> OrderOpened:
        """Opens an order owned by the actor's party; the same order again changes nothing.

        excess: how many pieces its lots may hold beyond `quantity`.
        """
        MAY_OPEN_ORDER.admit(actor)
        bounds = _bounds(limits)
        if not bounds:
            raise MalformedInput("an order without limits proves nothing about quality")
        names = [bound.name for bound in bounds]
        if len(set(names)) != len(names):
            raise MalformedInput("a value has two limits in the order", where="$.limits")
        fact = OrderOpened(
            order=order,
            gtin=gtin14(gtin),
            quantity=quantity,
            limits=list(limits),
            excess=excess,
        )
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
            # Whoever died between the lot and its events finds them taken in by the next request.
            await self._tell(known, history[0])
            return known
        if not MAY_FINISH_LOT.relates(actor, history[0]):
            raise NotFound("no order of that name")
        _check_serials(opened, every(history, LotFinished), serials)
        measured = await self._measured(opened, lot, endpoint) if endpoint else _NOTHING
        finished_at = self._clock.now()
        document, hashes = lot_document(
            gtin=opened.gtin,
            lot=lot,
            serials=serials,
            finished_at=finished_at,
            judgements=measured.judgements,
        )
        fact = LotFinished(
            order=order,
            lot=lot,
            gtin=opened.gtin,
            serials=list(serials),
            within_limits=measured.is_within,
            samples=measured.samples,
            quality=measured.record,
            epcis=await self._archive.put(document),
            epcis_hashes=hashes,
            simulated=simulated,
            not_shown=measured.not_shown,
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
        await self._tell(fact, history[0])
        return fact

    async def _tell(self, lot: LotFinished, opened: SignedEvent) -> None:
        if self._told is not None:
            document = await self._archive.get(lot.epcis)
            await self._told.take(opened.owner, document, visible=opened.visible)

    async def _measured(self, opened: OrderOpened, lot: str, endpoint: str) -> _Measured:
        """What the machine says now, judged, with its record in the archive."""
        bounds = _bounds(opened.limits)
        begun_at = self._clock.now()
        readings = await self._machines.readings(
            endpoint, [bound.name for bound in bounds], SAMPLES
        )
        ended_at = self._clock.now()
        sifted = sift(readings, begun_at=begun_at, ended_at=ended_at)
        seen = {sample.name for sample in sifted.samples}
        judgements = judge(sifted.samples, [bound for bound in bounds if bound.name in seen])
        outside = any(each.outside for each in judgements)
        unseen = not_shown(sifted, bounds)
        record = encode_record(
            order=opened.order,
            lot=lot,
            begun_at=begun_at,
            ended_at=ended_at,
            readings=readings,
            judgements=judgements,
        )
        return _Measured(
            samples=len(sifted.samples),
            judgements=tuple(judgements),
            is_within=not outside and not unseen,
            # What is outside is outside, whatever else was not seen.
            not_shown=[] if outside else unseen,
            record=await self._archive.put(record),
        )

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


def _check_serials(
    opened: OrderOpened, made: Sequence[LotFinished], serials: Sequence[str]
) -> None:
    if len(set(serials)) != len(serials):
        raise MalformedInput("a serial stands twice in the lot")
    before = sum(len(lot.serials) for lot in made)
    most = opened.quantity + opened.excess
    if not serials:
        raise MalformedInput("a lot has at least one piece")
    if before + len(serials) > most:
        allowed = f", and {opened.excess} beyond" if opened.excess else ""
        raise Refused(
            f"the order is over {opened.quantity} pieces{allowed}; its lots hold {before} already,"
            f" this one has {len(serials)}",
            code="order_exceeded",
            remedy="make the lot smaller, or open an order of its own for what is beyond",
        )
