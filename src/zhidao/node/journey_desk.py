"""What command lines ask of journeys without a running node, as JSON values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zhidao.core.canonical import parse_strict
from zhidao.core.timescale import Utc
from zhidao.trade.domain.tracking.journey import journey_state
from zhidao.trade.wire import journey_plan, tracking


def journey(plan: bytes, files: Iterable[bytes], *, now: Utc) -> dict[str, Any]:
    """The state that files of events make together; their order changes nothing.

    Raises MalformedInput for a file that is neither EPCIS nor a DCSA event list.
    """
    events = [event for data in files for event in _events(data)]
    state = journey_state(events, journey_plan.read(plan), now=now)
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


def _events(data: bytes) -> list[Any]:
    plain = parse_strict(data, bytes_max=tracking.TRACKING_BYTES_MAX)
    return tracking.read_dcsa(data) if isinstance(plain, list) else tracking.read_epcis(data)
