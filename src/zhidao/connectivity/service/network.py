"""The network's view of a fix: asked, compared, and written down whatever the answer."""

from __future__ import annotations

import hashlib

from zhidao.connectivity.domain.crosscheck import Agreement, Verdict, compare, unknown
from zhidao.connectivity.domain.question import AnswerKind, AskedBy
from zhidao.connectivity.domain.subscriber_location import (
    Subscriber,
    SubscriberLocation,
    check_phone,
)
from zhidao.connectivity.events import NetworkChecked
from zhidao.connectivity.service.ports import NetworkBackend
from zhidao.connectivity.service.questions import Questions
from zhidao.core.actor import Actor
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Unavailable
from zhidao.core.geo import Geodetic
from zhidao.core.ids import party_id
from zhidao.core.journal import Records
from zhidao.core.timescale import Utc


class NetworkChecks:
    """Implements `commands.NetworkView`."""

    def __init__(self, backend: NetworkBackend, records: Records, questions: Questions) -> None:
        self._backend = backend
        self._records = records
        self._questions = questions

    async def check(
        self,
        actor: Actor,
        *,
        phone: str,
        latitude_ndeg: int,
        longitude_ndeg: int,
        bound_mm: int,
        at: Utc,
        readers: tuple[str, ...] = (),
    ) -> NetworkChecked:
        """Compares a fix with the network's circle; records and returns the verdict.

        The same question again gives the answer that stands. A network that does not answer is
        unknown, never a disagreement.
        """
        check_phone(phone)
        fix = Geodetic.from_ndeg(latitude_ndeg=latitude_ndeg, longitude_ndeg=longitude_ndeg)
        question = f"{phone}\n{latitude_ndeg}\n{longitude_ndeg}\n{bound_mm}\n{at}"
        check = hashlib.sha256(question.encode()).hexdigest()[:32]
        aggregate = f"network-check/{check}"
        before = await self._stands(aggregate)
        if before is not None:
            return before
        verdict, seen = await self._ask(actor, phone, fix, bound_mm / 1000, at)
        fact = NetworkChecked(
            check=check,
            phone=phone,
            verdict=verdict.agreement.value,
            reason=verdict.reason,
            observed_at=str(at),
            fix_latitude_ndeg=latitude_ndeg,
            fix_longitude_ndeg=longitude_ndeg,
            fix_bound_mm=bound_mm,
            network_latitude_ndeg=seen[0].centre.latitude_ndeg if seen else 0,
            network_longitude_ndeg=seen[0].centre.longitude_ndeg if seen else 0,
            network_radius_mm=round(seen[0].radius_m * 1000) if seen else 0,
            network=seen[0].network if seen else "",
            simulated=seen[0].simulated if seen else False,
        )
        try:
            await self._records.record(
                actor,
                aggregate,
                [fact],
                after=0,
                owner=actor.party,
                visible=[party_id(reader) for reader in readers],
            )
        except Conflict:
            # The same question was asked twice at once: the first answer stands.
            before = await self._stands(aggregate)
            if before is None:
                raise
            return before
        return fact

    async def _ask(
        self, actor: Actor, phone: str, fix: Geodetic, bound_m: float, at: Utc
    ) -> tuple[Verdict, tuple[SubscriberLocation, ...]]:
        try:
            subscriber = await self._asked(actor, phone, at)
        except NotFound:
            return unknown("no network that answers this node knows the terminal's number"), ()
        except Unavailable as error:
            if error.is_own_infrastructure:
                raise
            return unknown(f"the network did not answer: {error}"), ()
        seen = subscriber.nearest(at)
        if not seen:
            told = subscriber.why_at(at)
            why = f": {told}" if told else ""
            return unknown(f"the network has not located the terminal{why}"), ()
        return _compared(fix, bound_m, at, seen[0])

    async def _asked(self, actor: Actor, phone: str, at: Utc) -> Subscriber:
        """What the network says, written down as asked. Raises NotFound, Unavailable.

        A number of no table is asked of nobody.
        """
        holding = await self._backend.holding(phone)
        async with self._questions.asked(
            actor, phone=phone, holding=holding, by=AskedBy.CHECK
        ) as question:
            found = await self._backend.subscriber(phone)
            seen = found.nearest(at)
            question.answer = AnswerKind.COMPARED if seen else AnswerKind.NOT_LOCATED
            return found

    async def _stands(self, aggregate: str) -> NetworkChecked | None:
        history = await self._records.history(aggregate)
        return NetworkChecked.of(history[0]) if history else None


def _compared(
    fix: Geodetic, bound_m: float, at: Utc, seen: SubscriberLocation
) -> tuple[Verdict, tuple[SubscriberLocation, ...]]:
    """The verdict, and the circle that it rests on.

    Between the two times the terminal moved. A scenario says where it was; of a real network the
    circle is as wide as it may have become by then, so that no journey is a disagreement.
    """
    verdict = compare(fix, bound_m=bound_m, at=at, location=seen)
    if verdict.agreement is Agreement.UNKNOWN or seen.simulated:
        return verdict, (seen,)
    try:
        then = seen.at_time(at)
    except MalformedInput:
        return unknown("the network has not located the terminal: its circle is too wide"), ()
    verdict = compare(fix, bound_m=bound_m, at=at, location=then)
    if seen.own_word and verdict.agreement is Agreement.MATCH:
        # Whoever makes up a fix makes up the cell beside it.
        said = unknown("the terminal's own word agrees, and its own word corroborates nothing")
        return said, ()
    return verdict, (then,)
