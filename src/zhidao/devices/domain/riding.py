"""When a terminal rides with the goods of a consignment, by all seals that ever held it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.devices.domain.binding import was_a_slip
from zhidao.devices.events import Ride, SealChecked, Sealed

_EVER: Final = Utc.parse("9999-12-31T23:59:59Z")
_Span = tuple[Utc, Utc]


@dataclass(frozen=True, slots=True)
class _Hold:
    """A seal with the span in which nobody found it broken or elsewhere."""

    fact: Sealed
    owners: bool
    begin: Utc
    end: Utc
    slip: bool


def rides_of(histories: Sequence[Sequence[SignedEvent]], *, owner: PartyId | None) -> list[Ride]:
    """The spans in which a terminal rode with goods, one seal after the other.

    `histories`: all seals of the terminal, each from its closing on; `owner`: whose terminal it is,
    None where that is not known here. A ride begins when a seal is closed, looked at or not. It
    ends when the seal is found broken or elsewhere, and when the terminal is sealed into another
    container or for another consignment. A seal that was called broken before anybody found it
    whole sets the others aside only until then. As for what a seal binds, no reader's seal sets the
    owner's aside, and while the owner's is whole on another container a reader's holds nothing.
    """
    holds = [_hold(history, owner) for history in histories]
    return [
        Ride(
            consignment=each.fact.consignment,
            container=each.fact.container,
            begin=begin,
            end=None if end == _EVER else end,
        )
        for each in sorted(holds, key=lambda one: one.begin)
        for begin, end in _spans(each, holds)
    ]


def _hold(history: Sequence[SignedEvent], owner: PartyId | None) -> _Hold:
    closed = history[0]
    fact = Sealed.of(closed)
    looks = [event for event in history if SealChecked.is_told_by(event.type)]
    ends = [event.recorded_at for event in looks if not _is_whole(fact, SealChecked.of(event))]
    return _Hold(
        fact=fact,
        owners=closed.asserted_by.party == owner,
        begin=closed.recorded_at,
        end=min(ends, default=_EVER),
        slip=was_a_slip(history),
    )


def _is_whole(sealed: Sealed, look: SealChecked) -> bool:
    there = (look.container, look.terminal) == (sealed.container, sealed.terminal)
    return look.intact and there


def _spans(seal: _Hold, others: Sequence[_Hold]) -> list[_Span]:
    """What is left of the span of a seal beside the others of its terminal."""
    return _without((seal.begin, seal.end), [*_set_aside(seal, others), *_before(seal, others)])


def _set_aside(seal: _Hold, others: Iterable[_Hold]) -> list[_Span]:
    """The spans from which on a later seal holds the terminal elsewhere."""
    return [
        (other.begin, other.end if other.slip else _EVER)
        for other in others
        if other is not seal
        and other.begin >= seal.begin
        and (other.owners or not seal.owners)
        and _place(other) != _place(seal)
    ]


def _before(seal: _Hold, others: Sequence[_Hold]) -> list[_Span]:
    """The spans in which an earlier seal of the owner keeps a reader's from holding anything."""
    if seal.owners:
        return []
    owners = [other for other in others if other.owners and not other.slip]
    return [
        span
        for other in owners
        if other.begin < seal.begin and other.fact.container != seal.fact.container
        for span in _without((other.begin, other.end), _set_aside(other, owners))
    ]


def _place(seal: _Hold) -> tuple[str, str]:
    return seal.fact.container, seal.fact.consignment


def _without(span: _Span, gaps: Iterable[_Span]) -> list[_Span]:
    """A span less the gaps in it."""
    begin, end = span
    left: list[_Span] = []
    for first, last in sorted(gaps):
        if first > begin and begin < min(first, end):
            left.append((begin, min(first, end)))
        begin = max(begin, last)
    return [*left, (begin, end)] if begin < end else left
