"""A declaration's states: every fact in every state, and what each refusal is called."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from zhidao.core.errors import Conflict, NotFound, Refused
from zhidao.core.events import SignedEvent, Speaker
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trade.domain.clearance.declaration import (
    Declaration,
    Status,
    Step,
    fold_declaration,
    step,
)
from zhidao.trade.events import (
    AgencyAnswered,
    DeclarationCancelled,
    DeclarationDecided,
    DeclarationSubmitted,
    RiskDecided,
)


def submitted(version: int = 1, *agencies: str, reason: str = "") -> DeclarationSubmitted:
    return DeclarationSubmitted(
        declaration="D-1",
        version=version,
        kind="import_declaration",
        document="0f" * 32,
        declarant="importer",
        customs="customs",
        agencies=list(agencies),
        reason=reason,
    )


def risk(channel: str = "green", version: int = 1) -> RiskDecided:
    return RiskDecided(
        declaration="D-1",
        version=version,
        rules="",
        facts="",
        score=0,
        channel=channel,
        matches=[],
        at_random=False,
    )


def answered(agency: str = "health", answer: str = "permit", version: int = 1) -> AgencyAnswered:
    return AgencyAnswered(
        declaration="D-1", version=version, agency=agency, answer=answer, reason=""
    )


def decided(decision: str = "released", reason: str = "", version: int = 1) -> DeclarationDecided:
    return DeclarationDecided(declaration="D-1", version=version, decision=decision, reason=reason)


def cancelled(version: int = 1) -> DeclarationCancelled:
    return DeclarationCancelled(declaration="D-1", version=version, reason="sold elsewhere")


def after(*facts: Step) -> Declaration:
    state = None
    for fact in facts:
        state = step(state, fact)
    assert state is not None
    return state


def refused(state: Declaration | None, fact: Step) -> str:
    with pytest.raises((Conflict, NotFound, Refused)) as caught:
        step(state, fact)
    return caught.value.code


def test_a_declaration_goes_from_lodging_by_risk_to_release() -> None:
    first = submitted(1, "health")
    assert after(first) == Declaration(first, Status.SUBMITTED, None, {}, "")
    assessed = after(first, risk())
    assert assessed == Declaration(first, Status.ASSESSED, risk(), {}, "")
    permitted = step(assessed, answered())
    assert permitted == Declaration(first, Status.ASSESSED, risk(), {"health": answered()}, "")
    released = step(permitted, decided(reason="all seen"))
    assert (released.status, released.ended_by) == (Status.RELEASED, "all seen")
    assert (released.risk, released.answers) == (risk(), {"health": answered()})


@pytest.mark.parametrize(
    ("fact", "status", "ended_by"),
    [
        (decided("held", "to be opened"), Status.HELD, "to be opened"),
        (decided("refused", "banned"), Status.REFUSED, "banned"),
        (cancelled(), Status.CANCELLED, "sold elsewhere"),
    ],
)
def test_it_may_be_held_refused_or_taken_back_without_an_assessment(fact, status, ended_by) -> None:
    for before in ((), (risk("red"),), (decided("held"),), (risk(), decided("held"))):
        state = after(submitted(1, "health"), *before, fact)
        assert (state.status, state.ended_by) == (status, ended_by)


ALL = (
    *(submitted(2, reason="typing error"), risk(), answered(), cancelled()),
    *(decided(), decided("held"), decided("refused")),
)


@pytest.mark.parametrize("end", [decided("released"), decided("refused", "x"), cancelled()])
@pytest.mark.parametrize("fact", ALL)
def test_what_has_ended_takes_no_further_fact(end, fact) -> None:
    assert refused(after(submitted(), risk(), end), fact) == "ended"


@pytest.mark.parametrize("fact", ALL[1:])
def test_nothing_is_said_of_a_declaration_that_is_not_there(fact) -> None:
    with pytest.raises(NotFound):
        step(None, fact)


@pytest.mark.parametrize("version", [0, 1, 3])
def test_a_fact_is_about_the_standing_version(version: int) -> None:
    standing = after(submitted(1, "health"), submitted(2, "health", reason="typing error"))
    for fact in (
        *(risk(version=version), answered(version=version), cancelled(version)),
        decided("held", version=version),
    ):
        with pytest.raises(Conflict) as caught:
            step(standing, fact)
        assert caught.value.code == "other_version"
    for good in (risk(version=2), answered(version=2), cancelled(2), decided("held", version=2)):
        assert step(standing, good)


@pytest.mark.parametrize("version", [0, 1, 3])
def test_versions_follow_one_another(version: int) -> None:
    with pytest.raises(Conflict) as caught:
        step(after(submitted()), submitted(version, reason="typing error"))
    assert caught.value.code == "other_version"


@pytest.mark.parametrize("version", [0, 2])
def test_the_first_version_is_1_and_needs_no_reason(version: int) -> None:
    assert refused(None, submitted(version, reason="x")) == "other_version"
    assert after(submitted()).status is Status.SUBMITTED


def test_an_amendment_gives_a_reason_and_begins_anew() -> None:
    state = after(submitted(1, "health"), risk("red"), answered(), decided("held", "to be opened"))
    assert refused(state, submitted(2, "health")) == "no_reason"
    second = submitted(2, "health", reason="typing error")
    assert step(state, second) == Declaration(second, Status.SUBMITTED, None, {}, "")


def test_a_version_is_assessed_once() -> None:
    state = after(submitted(), risk())
    assert refused(state, risk("red")) == "assessed"
    held = step(state, decided("held"))
    assert refused(held, risk()) == "assessed"


def test_an_agency_that_is_asked_may_answer_again_and_no_other_may() -> None:
    state = after(submitted(1, "health", "plants"), answered(answer="deny"))
    assert refused(state, answered("police")) == "not_asked"
    again = step(step(state, answered("plants")), answered())
    assert again.answers == {"health": answered(), "plants": answered("plants")}
    assert again.status is Status.SUBMITTED


@pytest.mark.parametrize(
    ("before", "reason", "code"),
    [
        ((), "seen", "not_assessed"),
        ((answered(), answered("plants")), "seen", "not_assessed"),
        ((risk("yellow"), answered(), answered("plants")), "", "no_reason"),
        ((risk("red"), answered(), answered("plants")), "", "no_reason"),
        ((risk(),), "", "no_permit"),
        ((risk(), answered()), "", "no_permit"),
        ((risk(), answered(), answered("plants", "deny")), "", "no_permit"),
        ((risk(), answered(answer="deny"), answered("plants")), "", "no_permit"),
        ((risk(), answered(), answered("plants")), "", ""),
        ((risk("yellow"), answered(), answered("plants")), "seen", ""),
        ((risk("red"), answered(), answered("plants")), "seen", ""),
        ((answered(), answered("plants"), risk(), decided("held")), "", ""),
    ],
)
def test_goods_are_released_after_risk_with_a_reason_and_all_permits(before, reason, code) -> None:
    state = after(submitted(1, "health", "plants"), *before)
    if code:
        assert refused(state, decided(reason=reason)) == code
    else:
        assert step(state, decided(reason=reason)).status is Status.RELEASED


def test_a_missing_permit_is_told_with_its_agency() -> None:
    state = after(submitted(1, "health", "plants", "drugs"), risk(), answered("plants", "deny"))
    with pytest.raises(Refused, match="no permit of health, drugs, plants"):
        step(state, decided())


def event(fact: Any) -> SignedEvent:
    at = Utc.parse("2026-05-04T08:00:00Z")
    speaker = Speaker(PartyId("customs"), SoftwareKey(Algorithm.ED25519, b"k" * 32).public)
    return SignedEvent(
        id=UUID(int=1),
        type=fact if isinstance(fact, str) else fact.TYPE,
        aggregate="declaration/D-1",
        version=1,
        owner=PartyId("importer"),
        visible=(),
        occurred_at=at,
        recorded_at=at,
        payload={} if isinstance(fact, str) else fact.payload(),
        open=True,
        custodian=False,
        asserted_by=speaker,
        recorded_by=speaker,
    )


def test_a_history_folds_into_the_declaration_and_skips_what_is_of_others() -> None:
    facts = (submitted(1, "health"), risk(), answered(), decided("held"), decided())
    history = [event("trade.Other.v1"), *map(event, facts), event("trade.Other.v1")]
    assert fold_declaration(history) == after(*facts)
    assert fold_declaration([event(submitted()), event(cancelled())]).status is Status.CANCELLED
    for empty in ([], [event("trade.Other.v1")]):
        with pytest.raises(NotFound, match="no declaration"):
            fold_declaration(empty)


def test_the_states_are_called_as_events_call_them() -> None:
    assert [each.value for each in Status] == [
        *("submitted", "assessed", "held", "released", "refused", "cancelled"),
    ]
    with pytest.raises(ValueError, match="burnt"):
        step(after(submitted()), decided("burnt"))


def test_what_was_once_decided_for_a_blank_stays_readable_and_cannot_be_said_again() -> None:
    old = (submitted(1, "health"), answered(answer="deny"), submitted(2, reason=" "))
    old = (*old, risk("red", 2), decided(reason="\u00a0", version=2))
    assert fold_declaration([*map(event, old)]).status is Status.RELEASED
    state = fold_declaration([*map(event, old[:-1])])
    assert refused(state, old[-1]) == "no_reason"
    # Its denial stands, though the amendment named the agency no more; it alone takes it back.
    said = decided(reason="seen", version=2)
    assert refused(state, said) == "no_permit"
    assert step(step(state, answered(version=2)), said).status is Status.RELEASED


def test_a_version_is_assessed_again_by_other_facts_and_stays_where_it_stands() -> None:
    held = after(submitted(), risk(), decided("held"))
    other = msgspec.structs.replace(risk("red"), facts="0f")
    assert (step(held, other).status, step(held, other).risk) == (Status.HELD, other)
