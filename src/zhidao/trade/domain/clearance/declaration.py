"""The states of a declaration as the fold of its events; what is not allowed is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from zhidao.core.errors import Conflict, NotFound, Refused
from zhidao.core.events import SignedEvent
from zhidao.trade.events import (
    AgencyAnswered,
    DeclarationCancelled,
    DeclarationDecided,
    DeclarationSubmitted,
    RiskDecided,
)


class Status(StrEnum):
    """Where a declaration stands."""

    SUBMITTED = "submitted"
    ASSESSED = "assessed"
    HELD = "held"
    RELEASED = "released"
    REFUSED = "refused"
    CANCELLED = "cancelled"


_ENDED: Final = frozenset((Status.RELEASED, Status.REFUSED, Status.CANCELLED))


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declaration as it stands. `answers`: agency -> its newest answer about this version."""

    submitted: DeclarationSubmitted
    status: Status
    risk: RiskDecided | None
    answers: dict[str, AgencyAnswered]
    ended_by: str = ""


Step = (
    DeclarationSubmitted | RiskDecided | AgencyAnswered | DeclarationDecided | DeclarationCancelled
)
_KINDS: Final[dict[str, type[Step]]] = {
    kind.TYPE: kind
    for kind in (
        DeclarationSubmitted,
        RiskDecided,
        AgencyAnswered,
        DeclarationDecided,
        DeclarationCancelled,
    )
}


def fold_declaration(events: Sequence[SignedEvent]) -> Declaration:
    """The declaration that a history tells of. Raises NotFound for an empty one."""
    state: Declaration | None = None
    for event in events:
        kind = _KINDS.get(event.type)
        if kind is not None:
            state = step(state, kind.of(event))
    if state is None:
        raise NotFound("no declaration of that name")
    return state


def step(state: Declaration | None, fact: Step) -> Declaration:
    """The state after one more fact.

    Raises Conflict for a fact about another version, Refused for one that this state does not
    allow; the history then stays as it was.
    """
    if isinstance(fact, DeclarationSubmitted):
        return _submitted(state, fact)
    if state is None:
        raise NotFound("no declaration of that name")
    _refuse_ended(state)
    if fact.version != state.submitted.version:
        raise Conflict(
            f"version {fact.version} is not the standing version {state.submitted.version}",
            code="other_version",
            remedy="read the declaration again",
        )
    if isinstance(fact, RiskDecided):
        if state.risk is not None:
            raise Refused("this version is assessed already", code="assessed")
        return replace(state, risk=fact, status=Status.ASSESSED)
    if isinstance(fact, AgencyAnswered):
        if fact.agency not in state.submitted.agencies:
            raise Refused(f"{fact.agency} is not asked about this declaration", code="not_asked")
        return replace(state, answers={**state.answers, fact.agency: fact})
    if isinstance(fact, DeclarationCancelled):
        return replace(state, status=Status.CANCELLED, ended_by=fact.reason)
    return _decided(state, fact)


def _submitted(state: Declaration | None, fact: DeclarationSubmitted) -> Declaration:
    """A first version, or an amendment: it is assessed again and agencies are asked again."""
    if state is not None:
        _refuse_ended(state)
    wanted = state.submitted.version + 1 if state else 1
    if fact.version != wanted:
        raise Conflict(f"the next version is {wanted}, not {fact.version}", code="other_version")
    if wanted > 1 and not fact.reason:
        raise Refused("an amendment gives its reason", code="no_reason")
    return Declaration(fact, Status.SUBMITTED, None, {})


def _decided(state: Declaration, fact: DeclarationDecided) -> Declaration:
    status = Status(fact.decision)
    if status is Status.RELEASED:
        if state.risk is None:
            raise Refused("nothing is released without a risk decision", code="not_assessed")
        if state.risk.channel != "green" and not fact.reason:
            raise Refused(
                f"a {state.risk.channel} declaration is released with a reason",
                code="no_reason",
                remedy="say what was looked at and found",
            )
        silent = [a for a in state.submitted.agencies if a not in state.answers]
        denied = [a for a, answer in state.answers.items() if answer.answer != "permit"]
        if silent or denied:
            raise Refused(f"no permit of {', '.join([*silent, *denied])}", code="no_permit")
    return replace(state, status=status, ended_by=fact.reason)


def _refuse_ended(state: Declaration) -> None:
    if state.status in _ENDED:
        raise Refused(f"the declaration is {state.status.value}", code="ended")
