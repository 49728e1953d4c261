"""What is awaited of a consignment, container by container, and how it stands by its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from zhidao.core.actor import Actor
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.core.events import SignedEvent, every
from zhidao.core.timescale import Utc
from zhidao.positioning.events import (
    ArrivalExpected,
    ArrivalNotProven,
    ArrivalProven,
    ArrivalWithdrawn,
    Carried,
    Site,
)

WITHDRAWN: Final = "withdrawn"
PROVEN: Final = "proven"
_RADIUS_MM_MAX: Final = 100_000_000
_PPB_MAX: Final = 1_000_000_000


class ContainerArrival(msgspec.Struct, frozen=True, kw_only=True):
    """How one of several containers stands; as `Arrival`."""

    container: str
    terminal: str
    state: str
    proven: ArrivalProven | None
    not_proven: list[ArrivalNotProven]


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """An arrival as its parties see it. `state`: expected, not_proven, proven or withdrawn.

    Of several containers it is proven when each one's is: `expected` is what is asked of the first,
    `proven` the last proof of all, or None, `not_proven` every failure, and `containers` each.
    `awaited_by` is who waits; `version` counts what was said of it: who changes it names the
    version that they saw.
    """

    state: str
    expected: ArrivalExpected
    proven: ArrivalProven | None
    not_proven: list[ArrivalNotProven]
    containers: list[ContainerArrival] = msgspec.field(default_factory=list)
    awaited_by: str = ""
    version: int = 0


def standing_of(history: Sequence[SignedEvent]) -> tuple[SignedEvent, ...]:
    """What was said since it was changed or withdrawn the last time, all of it where it was not."""
    events = tuple(history)
    ends = [n for n, event in enumerate(events) if ArrivalWithdrawn.is_told_by(event.type)]
    return events[ends[-1] + 1 :] if ends else events


def wish_of(
    consignment: str, terminal: str, site: Site, window: tuple[Utc, Utc], risk_ppb: int
) -> ArrivalExpected:
    """What is asked of one terminal, or of the whole. Raises MalformedInput, Refused."""
    wish = ArrivalExpected(
        consignment=consignment,
        terminal=terminal,
        site=site,
        not_before=str(window[0]),
        not_after=str(window[1]),
        risk_ppb=risk_ppb,
    )
    _refuse_wish(wish)
    return wish


def told_by(history: Sequence[SignedEvent]) -> Arrival:
    """How an arrival stands by its history. Raises NotFound where nobody waits."""
    history = tuple(history)
    asked = every(history, ArrivalExpected)
    if not asked:
        raise NotFound("no arrival of that name")
    standing = every(standing_of(history), ArrivalExpected)
    wishes = standing or _last_asked(history)
    by = [e.asserted_by.party for e in history if ArrivalExpected.is_told_by(e.type)][-1]
    proofs, failed = every(history, ArrivalProven), every(history, ArrivalNotProven)
    each = [_of_container(wish, proofs, failed) for wish in wishes]
    state = _state(each, failed) if standing else WITHDRAWN
    return Arrival(
        state=state,
        expected=wishes[0],
        proven=proofs[-1] if state == PROVEN else None,
        not_proven=failed,
        containers=[one for one in each if one.container],
        awaited_by=by,
        version=len(history),
    )


def _last_asked(history: Sequence[SignedEvent]) -> list[ArrivalExpected]:
    """All that was awaited before nobody waited any more: of several containers each."""
    last: list[ArrivalExpected] = []
    ended = False
    for event in history:
        if ArrivalExpected.is_told_by(event.type):
            last, ended = [*([] if ended else last), ArrivalExpected.of(event)], False
        elif ArrivalWithdrawn.is_told_by(event.type):
            ended = True
    return last


def _state(each: Sequence[ContainerArrival], failed: Sequence[ArrivalNotProven]) -> str:
    if all(one.state == PROVEN for one in each):
        return PROVEN
    return "not_proven" if failed else "expected"


def arrival_named(consignment: str) -> str:
    """The aggregate of a consignment's arrival."""
    return f"arrival/{consignment}"


def wish_of_fact(wish: ArrivalExpected) -> ArrivalExpected:
    """The same wish, once it is one. Raises MalformedInput, Refused."""
    _refuse_wish(wish)
    return wish


def in_words(wishes: Sequence[ArrivalExpected]) -> str:
    """Where, by which terminals and when a consignment is awaited."""
    first, by = wishes[0], ", ".join(each.terminal for each in wishes)
    return f"at {first.site.name} by {by}, {first.not_before} to {first.not_after}"


def check_changeable(actor: Actor, history: Sequence[SignedEvent], *, since: int) -> None:
    """Refuses to change or withdraw what is another's, was changed since, or is decided.

    Raises NotFound, Forbidden, Conflict (`changed_since`), Refused (`arrival_decided`).
    """
    found = told_by(history)
    consignment = found.expected.consignment
    proven = every(tuple(history), ArrivalProven)
    if proven:
        raise Refused(
            f"the arrival of {consignment} is decided: {proven[-1].container or 'it'} was proven "
            f"at {proven[-1].site.name} at {proven[-1].observed_at}",
            code="arrival_decided",
            remedy="what is proven stays proven; nothing about it can be changed",
        )
    if found.awaited_by != actor.party:
        raise Forbidden(
            f"{found.awaited_by} waits for {consignment}, not {actor.party}",
            remedy=f"ask {found.awaited_by} to change it",
        )
    if since > len(tuple(history)):
        raise MalformedInput(
            f"nobody saw version {since} of this arrival: it is at {len(tuple(history))}",
            remedy="name the version that you saw, as the arrival shows it",
        )
    news = [e for e in tuple(history)[since:] if not ArrivalNotProven.is_told_by(e.type)]
    if news:
        wishes = every(standing_of(history), ArrivalExpected)
        now = f"awaited {in_words(wishes)}" if wishes else "awaited no more"
        raise Conflict(
            f"{news[-1].asserted_by.party} changed it at {news[-1].recorded_at}: it is {now}",
            code="changed_since",
            remedy="look at what is awaited now, then change it if it is still wrong",
        )


def check_awaited(consignment: str, history: Sequence[SignedEvent]) -> None:
    """Refuses to change what nobody waits for any more. Raises Refused (`nobody_waits`)."""
    if not every(standing_of(history), ArrivalExpected):
        raise Refused(
            f"nobody waits for {consignment}: it was withdrawn",
            code="nobody_waits",
            remedy="wait for it anew, naming everything: what was withdrawn cannot be changed",
        )


def _of_container(
    wish: ArrivalExpected, proofs: list[ArrivalProven], failures: list[ArrivalNotProven]
) -> ContainerArrival:
    proven = next((one for one in proofs if one.terminal == wish.terminal), None)
    failed = [one for one in failures if one.terminal == wish.terminal]
    return ContainerArrival(
        container=wish.container,
        terminal=wish.terminal,
        state="proven" if proven else "not_proven" if failed else "expected",
        proven=proven,
        not_proven=failed,
    )


def proofs_of(found: Arrival) -> list[ArrivalProven]:
    """What is proven of it so far, of every container."""
    ones = (found.proven, *(each.proven for each in found.containers))
    return [one for one in ones if one is not None]


def evidence_of(found: Arrival, container: str) -> str:
    """The digest of the evidence that decided, or of the last one; `` if there is none."""
    ones = [one for one in proofs_of(found) if container in ("", one.container)]
    if ones:
        return ones[-1].evidence
    failed = [one for one in found.not_proven if container in ("", one.container)]
    return next((one.evidence for one in reversed(failed) if one.evidence), "")


def asked_of(history: Sequence[SignedEvent], terminal: str) -> ArrivalExpected | None:
    """What is awaited of a terminal."""
    asked = every(standing_of(history), ArrivalExpected)
    return next((each for each in asked if each.terminal == terminal), None)


def is_proven(history: Sequence[SignedEvent], terminal: str) -> bool:
    """Whether a terminal's arrival is proven."""
    return any(each.terminal == terminal for each in every(tuple(history), ArrivalProven))


def _is_name(text: str) -> bool:
    return 0 < len(text) <= 64 and "/" not in text and text.isprintable()


def wishes_of(one: ArrivalExpected, carried: Sequence[Carried]) -> list[ArrivalExpected]:
    """What is awaited of each container, or of the only one.

    The chance that any of them is outside all the same is at most the sum of the chances, so each
    gets its share of the risk. Raises Refused (`terminal_twice`, `container_twice`).
    """
    terminals = [each.terminal for each in carried] or [one.terminal]
    for name in terminals:
        if not _is_name(name):
            raise MalformedInput(f"no name of a terminal: {name[:70]!r}")
    if not carried:
        return [one]
    containers = [each.container for each in carried]
    if one.terminal or not all(containers):
        raise MalformedInput("several containers are awaited each by its own terminal")
    _refuse_twice("container", containers)
    _refuse_twice("terminal", terminals)
    share_ppb = _share_ppb(one.risk_ppb, len(carried))
    return [
        msgspec.structs.replace(
            one, container=each.container, terminal=each.terminal, risk_ppb=share_ppb
        )
        for each in sorted(carried, key=lambda each: each.container)
    ]


def _share_ppb(risk_ppb: int, count: int) -> int:
    if risk_ppb < count:
        raise Refused(f"a risk of {risk_ppb} in a billion is none for each of {count} containers")
    return risk_ppb // count


def _refuse_twice(what: str, names: Sequence[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Refused(
            f"{what} {twice} stands twice: each container has a terminal of its own",
            code="container_twice" if what == "container" else "terminal_twice",
            where="$.carried",
            remedy="name each container once, with the terminal that is sealed into it",
        )


def _refuse_wish(wish: ArrivalExpected) -> None:
    site = wish.site
    if not _is_name(wish.consignment):
        raise MalformedInput(f"no name of a consignment: {wish.consignment[:70]!r}")
    if not site.corners and not 0 < site.radius_mm <= _RADIUS_MM_MAX:
        raise Refused("a site has a radius of more than 0 m, up to 100 km")
    site.area()
    if Utc.parse(wish.not_after) <= Utc.parse(wish.not_before):
        raise Refused("the time window ends before it begins")
    if not 0 < wish.risk_ppb <= _PPB_MAX // 2:
        raise Refused("the risk lies above 0, up to 500,000,000 parts per billion")
