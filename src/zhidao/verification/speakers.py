"""Whether every fact was said by the one who may say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.errors import Refused
from zhidao.core.events import SignedEvent
from zhidao.devices.events import (
    EnrolmentChanged,
    MessageIncomplete,
    PositionsRecorded,
    Sealed,
    SubmissionRefused,
    TerminalRegistered,
    WindowReceived,
)
from zhidao.exchange.events import FactsAdopted
from zhidao.finance.events import (
    ConditionLapsed,
    ConditionMet,
    DealOpened,
    Decided,
    ObstacleNoted,
    Settled,
)
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven
from zhidao.trade.events import (
    ConsignmentEntered,
    ContainerArrived,
    CustomsReleased,
    Delivered,
    DocumentAdded,
)
from zhidao.trust.domain.proof import Replayed
from zhidao.trust.events import (
    AccountNamed,
    MediumChanged,
    TitleAsked,
    TitleMoved,
    TitleRegistered,
    TitleTagOpened,
)
from zhidao.verification.case import Case

# What only the node itself can tell: it measured, judged or applied it.
_OF_THE_NODE: Final = frozenset(
    name
    for fact in (
        *(TerminalRegistered, WindowReceived, SubmissionRefused, PositionsRecorded),
        *(EnrolmentChanged, MessageIncomplete),
        *(ArrivalProven, ArrivalNotProven, NetworkChecked, TitleMoved),
        *(ContainerArrived, Delivered),
        *(ConditionMet, ConditionLapsed, ObstacleNoted, Decided, Settled, FactsAdopted),
    )
    for name in fact.types()
)


def check_speakers(case: Case) -> Replayed:
    """Raises Refused (`wrong_speaker`) for a fact said by somebody whose word it is not."""
    for opened in case.proof.events:
        event = opened.event
        wanted = _speaker(case, event)
        if wanted and event.asserted_by.party != wanted:
            raise Refused(
                f"{event.type} is {wanted}'s to say, not {event.asserted_by.party}'s",
                code="wrong_speaker",
                where=f"event {event.id}",
            )
    return Replayed()


def _speaker(case: Case, event: SignedEvent) -> str:
    """Who must have said it, or `` where anybody may."""
    if event.type in _OF_THE_NODE:
        return event.recorded_by.party
    if event.type in _OF_A_PARTY:
        return _OF_A_PARTY[event.type](case, event.payload)
    return ""


def _document(case: Case, payload: Mapping[str, Any]) -> str:
    entered = case.entered
    return entered.carrier if payload.get("kind") == "bill_of_lading" else entered.exporter


_OF_A_PARTY: Final[Mapping[str, Callable[[Case, Mapping[str, Any]], str]]] = {
    **dict.fromkeys(
        ConsignmentEntered.types(),
        lambda _, payload: str(payload.get("exporter", "")),
    ),
    DocumentAdded.TYPE: _document,
    CustomsReleased.TYPE: lambda case, _: case.entered.customs,
    Sealed.TYPE: lambda case, _: case.entered.carrier,
    TitleAsked.TYPE: lambda case, _: case.entered.carrier,
    **dict.fromkeys(
        (TitleRegistered.TYPE, *TitleRegistered.FORMER, TitleTagOpened.TYPE),
        lambda case, _: case.entered.carrier,
    ),
    MediumChanged.TYPE: lambda case, _: case.entered.carrier,
    **dict.fromkeys(DealOpened.types(), lambda _, payload: str(payload.get("payer_bank", ""))),
    AccountNamed.TYPE: lambda _, payload: str(payload.get("party", "")),
}
