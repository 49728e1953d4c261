"""Does the network confirm a way? Asked by who may ask where the SIM is, and written down."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.connectivity.domain.question import AskedBy
from zhidao.connectivity.domain.subscriber_location import check_phone
from zhidao.connectivity.domain.track_mark import Fix, Span, TrackMark, mark_of, seen_of
from zhidao.connectivity.events import TrackChecked
from zhidao.connectivity.service.location import Location
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, MalformedInput
from zhidao.core.journal import Records

# Of one request; a longer way is asked for in parts.
ASKED_FIXES_MAX: Final = 2_000
_PERMILLE: Final = 1000


@dataclass(frozen=True, slots=True)
class CheckedTrack:
    """What was written down of a way, and its stretches, which are not."""

    fact: TrackChecked
    whole_s: float
    spans: tuple[Span, ...]


class TrackChecks:
    """Compares ways with what the network of their SIM says."""

    def __init__(self, location: Location, records: Records) -> None:
        self._location = location
        self._records = records

    async def check(self, actor: Actor, *, phone: str, fixes: Sequence[Fix]) -> CheckedTrack:
        """The mark of a way. Raises NotFound as for a location, MalformedInput, Unavailable.

        The same question again writes nothing, unless the network says something else by now.
        """
        check_phone(phone)
        if len(fixes) > ASKED_FIXES_MAX:
            raise MalformedInput(
                f"{len(fixes)} fixes; at most {ASKED_FIXES_MAX} are compared at once",
                remedy="ask for the way in parts, or for every second fix",
            )
        subscriber = await self._location.subscriber(actor, phone, AskedBy.TRACK)
        seen = seen_of(subscriber)
        # In a thread: thousands of geodesics hold up nobody else.
        mark = await asyncio.to_thread(mark_of, fixes, seen)
        fact = _fact(actor, phone, fixes, mark)
        await self._keep(actor, fact)
        return CheckedTrack(fact, mark.whole_s, mark.spans)

    async def _keep(self, actor: Actor, fact: TrackChecked) -> None:
        aggregate = f"track-check/{fact.check}"
        before = await self._records.history(aggregate)
        if before and TrackChecked.of(before[-1]) == fact:
            return
        try:
            await self._records.record(
                Actor(self._records.node, Role.NODE),
                aggregate,
                [fact],
                after=len(before),
                owner=actor.party,
            )
        except Conflict:
            # Asked twice at once: if it is the same that was written, it stands.
            now = await self._records.history(aggregate)
            if not now or TrackChecked.of(now[-1]) != fact:
                raise


def _fact(actor: Actor, phone: str, fixes: Sequence[Fix], mark: TrackMark) -> TrackChecked:
    ordered = sorted(fixes, key=lambda each: each.at)
    lines = [
        f"{each.at} {each.place.latitude_ndeg} {each.place.longitude_ndeg}"
        f" {round(each.bound_m * _PERMILLE)}"
        for each in ordered
    ]
    track = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    named = hashlib.sha256(f"{actor.party}\n{phone}\n{track}".encode()).hexdigest()

    def permille(seconds: float) -> int:
        return round(mark.share(seconds) * _PERMILLE)

    return TrackChecked(
        check=named[:32],
        phone=phone,
        track=track,
        first_at=str(ordered[0].at),
        last_at=str(ordered[-1].at),
        fixes=mark.fixes,
        verdict=mark.verdict.value,
        corroborated_permille=permille(mark.corroborated_s),
        partial_permille=permille(mark.partial_s),
        contradicted_permille=permille(mark.contradicted_s),
        networks=list(mark.networks),
        reasons=list(mark.reasons),
        simulated=mark.simulated,
    )
