"""The states of a declaration as the fold of its events; what is not allowed is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from zhidao.core.errors import Conflict, NotFound, Refused
from zhidao.core.events import SignedEvent
from zhidao.core.text.plain_text import says_something
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
    """A declaration as it stands.

    `answers`: agency -> its newest answer about this version, or its denial of an earlier one.
    """

    submitted: DeclarationSubmitted
    status: Status
    risk: RiskDecided | None
    answers: dict[str, AgencyAnswered]
    ended_by: str = ""

    @property
    def is_ended(self) -> bool:
        """Whether nothing more is decided about it."""
        return self.status in _ENDED


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
    """The declaration that a history tells of. Raises NotFound for an empty one.

    What was allowed when it was written stays readable: `step` asks more of what is new.
    """
    state: Declaration | None = None
    for event in events:
        kind = _KINDS.get(event.type)
        if kind is not None:
            state = _after(state, kind.of(event))
    if state is None:
        raise NotFound("no declaration of that name")
    return state


def step(state: Declaration | None, fact: Step) -> Declaration:
    """The state after one more fact.

    Raises Conflict for a fact about another version, Refused for one that this state does not
    allow; the history then stays as it was.
    """
    after = _after(state, fact)
    if isinstance(fact, DeclarationSubmitted):
        if fact.version > 1 and not says_something(fact.reason):
            raise Refused("an amendment gives its reason", code="no_reason", where="reason")
    elif isinstance(fact, DeclarationCancelled):
        if not says_something(fact.reason):
            raise Refused("taking back gives its reason", code="no_reason", where="reason")
    elif isinstance(fact, DeclarationDecided) and state is not None:
        _refuse_unfounded(state, fact)
    return after


def _after(state: Declaration | None, fact: Step) -> Declaration:
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
        return _assessed(state, fact)
    if isinstance(fact, AgencyAnswered):
        if fact.agency not in {*state.submitted.agencies, *state.answers}:
            raise Refused(f"{fact.agency} is not asked about this declaration", code="not_asked")
        return replace(state, answers={**state.answers, fact.agency: fact})
    if isinstance(fact, DeclarationCancelled):
        return replace(state, status=Status.CANCELLED, ended_by=fact.reason)
    return _decided(state, fact)


def _submitted(state: Declaration | None, fact: DeclarationSubmitted) -> Declaration:
    """A first version, or an amendment: it is assessed again and agencies are asked again.

    An agency that denied stays asked, whatever the amendment names.
    """
    if state is not None:
        _refuse_ended(state)
    wanted = state.submitted.version + 1 if state else 1
    if fact.version != wanted:
        raise Conflict(f"the next version is {wanted}, not {fact.version}", code="other_version")
    # A permit was of the version that stood. A denial stands until its agency takes it back.
    denied = (
        {} if state is None else {a: told for a, told in state.answers.items() if _denies(told)}
    )
    return Declaration(fact, Status.SUBMITTED, None, denied)


def _assessed(state: Declaration, fact: RiskDecided) -> Declaration:
    """By what is known now; the same facts by the same rules are assessed once."""
    before = state.risk
    if before is not None and (before.rules, before.facts) == (fact.rules, fact.facts):
        raise Refused("this version is assessed already", code="assessed")
    return replace(state, risk=fact, status=Status.ASSESSED if before is None else state.status)


def _decided(state: Declaration, fact: DeclarationDecided) -> Declaration:
    status = Status(fact.decision)
    if status is Status.RELEASED and state.risk is None:
        raise Refused("nothing is released without a risk decision", code="not_assessed")
    return replace(state, status=status, ended_by=fact.reason)


def _refuse_unfounded(state: Declaration, fact: DeclarationDecided) -> None:
    """Refuses a decision whose reason or whose permits are not there."""
    if fact.decision == Status.REFUSED and not says_something(fact.reason):
        raise Refused("a refusal gives its reason", code="no_reason", where="reason")
    if fact.decision != Status.RELEASED or state.risk is None:
        return
    if state.risk.channel != "green" and not says_something(fact.reason):
        raise Refused(
            f"a {state.risk.channel} declaration is released with a reason",
            code="no_reason",
            where="reason",
            remedy="say what was looked at and found",
        )
    if missing := _without_permit(state):
        raise Refused(f"no permit of {', '.join(missing)}", code="no_permit")


def _without_permit(state: Declaration) -> list[str]:
    """Agencies that are silent, then those that denied."""
    silent = [a for a in state.submitted.agencies if a not in state.answers]
    return [*silent, *(a for a, answer in state.answers.items() if _denies(answer))]


def _denies(answer: AgencyAnswered) -> bool:
    return answer.answer != "permit"


def _refuse_ended(state: Declaration) -> None:
    if state.status in _ENDED:
        raise Refused(f"the declaration is {state.status.value}", code="ended")
