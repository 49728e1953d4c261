"""What command lines ask of journeys without a running node, as JSON values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from zhidao.core.canonical import parse_strict
from zhidao.core.timescale import Utc
from zhidao.trade.domain.tracking.journey import Plan, journey_state
from zhidao.trade.domain.tracking.movement import Movement
from zhidao.trade.wire import journey_plan, tracking

read_plan: Final = journey_plan.read


def read_events(data: bytes) -> list[Movement]:
    """The events of a file. Raises MalformedInput for neither EPCIS nor a DCSA event list."""
    plain = parse_strict(data, bytes_max=tracking.TRACKING_BYTES_MAX)
    return tracking.read_dcsa(data) if isinstance(plain, list) else tracking.read_epcis(data)


def written(files: Iterable[list[Movement]], *, form: str, now: Utc) -> bytes:
    """All events in one document of a standard, `epcis` or `dcsa`, by their time.

    Raises Refused (`not_happened`) for estimates in EPCIS, which tells only what happened.
    """
    events = {event.id: event for one in files for event in one}
    in_order = sorted(events.values(), key=lambda event: (event.occurred_at.unix_ns, event.id))
    if form == "dcsa":
        return tracking.write_dcsa(in_order)
    return tracking.write_epcis(in_order, created_at=now)


def journey(plan: Plan, files: Iterable[list[Movement]], *, now: Utc) -> dict[str, Any]:
    """The state that the events of all files make together; their order changes nothing."""
    events = [event for one in files for event in one]
    state = journey_state(events, plan, now=now)
    return {
        "events": len(events),
        "status": state.status,
        "place": state.place,
        "since": str(state.since) if state.since else None,
        "eta": str(state.eta),
        "eta_basis": state.eta_basis,
        "replaced": list(state.replaced),
        "exceptions": [
            {"trouble": e.trouble.value, "sentence": e.sentence, "events": list(e.events)}
            for e in state.exceptions
        ],
    }
