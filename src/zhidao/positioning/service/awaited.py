"""What is awaited of a consignment, container by container, and how it stands by its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from zhidao.core.errors import MalformedInput, NotFound, Refused
from zhidao.core.events import SignedEvent, every
from zhidao.core.timescale import Utc
from zhidao.positioning.events import (
    ArrivalExpected,
    ArrivalNotProven,
    ArrivalProven,
    Carried,
    Site,
)

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
    """An arrival as its parties see it. `state`: expected, not_proven or proven.

    Of several containers it is proven when each one's is: `expected` is what is asked of the first,
    `proven` the last proof of all, or None, `not_proven` every failure, and `containers` each.
    """

    state: str
    expected: ArrivalExpected
    proven: ArrivalProven | None
    not_proven: list[ArrivalNotProven]
    containers: list[ContainerArrival] = msgspec.field(default_factory=list)


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
    wishes = every(history, ArrivalExpected)
    if not wishes:
        raise NotFound("no arrival of that name")
    proofs = every(history, ArrivalProven)
    failed = every(history, ArrivalNotProven)
    each = [_of_container(wish, proofs, failed) for wish in wishes]
    whole = all(one.state == "proven" for one in each)
    state = "proven" if whole else "not_proven" if failed else "expected"
    return Arrival(
        state=state,
        expected=wishes[0],
        proven=proofs[-1] if whole else None,
        not_proven=failed,
        containers=each if wishes[0].container else [],
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
    asked = every(tuple(history), ArrivalExpected)
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
