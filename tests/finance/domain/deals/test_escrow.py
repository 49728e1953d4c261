"""A conditional payment is the fold of its history; time and agreement decide at exact moments."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from tests.finance.domain.deals.histories import START_S, at, history

from zhidao.core.errors import Refused
from zhidao.core.timescale import NS, Utc
from zhidao.finance.domain.deals.condition import Attestation, name
from zhidao.finance.domain.deals.escrow import (
    ESCROW,
    NEVER_NS,
    Escrow,
    EscrowNow,
    act_of,
    fold,
    joint_share,
    permit,
)
from zhidao.finance.domain.naming import transfer_id
from zhidao.finance.events.banks import (
    DisputeRaised,
    EscrowDecided,
    EscrowHeld,
    EscrowNoted,
    EscrowOpened,
    EscrowSettled,
    ResolutionSigned,
)

WORD = {"kind": "word", "by": "inspector", "word": "ok"}
LEAF = name(Attestation(by="inspector", word="ok"))
OPENED = EscrowOpened(
    escrow="E-1",
    payer="importer",
    payee="exporter",
    payer_bank="bank",
    payee_bank="other-bank",
    amount_minor="100",
    currency="CNY",
    condition={"kind": "by", "until": str(at(50)), "of": WORD},
    refund_after=str(at(80)),
    arbiter="",
    reference="",
)
HELD = EscrowHeld(escrow="E-1", transfer="t")
DISPUTED = DisputeRaised(escrow="E-1", reason="broken")
DONE = {"release": "released", "refund": "refunded", "share": "shared"}
SETTLED = EscrowSettled(escrow="E-1", to_payee_minor="0")


def noted(*, holds: bool, event: str = "") -> EscrowNoted:
    return EscrowNoted(escrow="E-1", leaf=LEAF, holds=holds, event=event, recorded_at=str(at(7)))


def signed(share: int) -> ResolutionSigned:
    return ResolutionSigned(escrow="E-1", to_payee_minor=str(share), reason="agreed")


def decided(outcome: str) -> EscrowDecided:
    return EscrowDecided(
        escrow="E-1",
        outcome=outcome,
        reason="jointly",
        to_payee_minor="0",
        transfer="t",
        signed_by=[],
    )


def escrow_of(*facts: object, opened: EscrowOpened = OPENED) -> Escrow:
    escrow = fold(history("escrow/bank/E-1", opened, *facts))
    assert escrow is not None
    return escrow


def test_nothing_makes_none_and_the_opening_makes_one() -> None:
    assert fold([]) is None
    escrow = escrow_of()
    assert (escrow.key, escrow.version, escrow.name) == ("bank/E-1", 1, "E-1")
    assert (escrow.amount.minor, escrow.amount.currency.code) == (100, "CNY")
    assert escrow.owner == "bank"
    assert escrow.transfer("hold") == transfer_id("escrow", "hold", "bank", "E-1")
    assert escrow.transfer("hold") != escrow.transfer("void")


def test_those_read_it_who_are_parties_or_whose_word_it_waits_for() -> None:
    assert escrow_of().readers == ["exporter", "importer", "inspector", "other-bank"]
    judged = EscrowOpened(**{**OPENED.payload(), "arbiter": "judge", "payee_bank": "bank"})
    assert escrow_of(opened=judged).readers == ["exporter", "importer", "inspector", "judge"]


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([], "opened"),
        ([HELD], "held"),
        ([HELD, ("importer", DISPUTED)], "disputed"),
        ([("importer", DISPUTED)], "disputed"),
        ([HELD, decided("release")], "decided"),
        ([HELD, ("importer", DISPUTED), decided("share")], "decided"),
        ([HELD, decided("release"), SETTLED], "released"),
        ([HELD, decided("refund"), SETTLED], "refunded"),
        ([HELD, decided("share"), SETTLED], "shared"),
    ],
)
def test_each_fact_moves_it_one_state_on(facts: list[object], state: str) -> None:
    escrow = escrow_of(*facts)
    assert (escrow.state, escrow.version) == (state, 1 + len(facts))


def test_what_each_fact_says_is_kept() -> None:
    facts = [HELD, ("importer", DISPUTED), ("exporter", DISPUTED), decided("refund"), SETTLED]
    escrow = escrow_of(*facts)
    assert (escrow.held, escrow.decided, escrow.settled) == (HELD, decided("refund"), SETTLED)
    assert escrow.disputes == (("importer", "broken"), ("exporter", "broken"))


def test_a_leaf_holds_since_it_was_written_down_and_can_lapse() -> None:
    escrow = escrow_of(HELD, noted(holds=True, event="e-9"))
    assert escrow.met == {LEAF: (START_S + 7) * NS}
    assert escrow.because == {LEAF: "e-9"}
    # A word rests on nothing else: it is its own event.
    assert escrow_of(noted(holds=True)).because == {LEAF: str(history("a", HELD, HELD)[1].id)}
    gone = escrow_of(noted(holds=True), noted(holds=False))
    assert (gone.met, gone.because) == ({}, {})


def test_another_leaf_stays_when_one_lapses() -> None:
    other = EscrowNoted(escrow="E-1", leaf="other", holds=True, event="e", recorded_at=str(at(9)))
    escrow = escrow_of(other, noted(holds=True), noted(holds=False))
    assert escrow.met == {"other": (START_S + 9) * NS}
    assert escrow.because == {"other": "e"}


def test_a_later_signature_takes_the_place_of_the_same_partys_earlier_one() -> None:
    escrow = escrow_of(("importer", signed(30)), ("exporter", signed(40)), ("importer", signed(40)))
    assert {who: each.to_payee_minor for who, each in escrow.resolutions.items()} == {
        "importer": "40",
        "exporter": "40",
    }


def test_an_unknown_fact_counts_as_a_version_and_changes_nothing() -> None:
    events = history("escrow/E-1", OPENED, HELD)
    escrow = fold([events[0], replace(events[1], type="finance.Later.v9")])
    assert escrow is not None
    assert (escrow.key, escrow.held, escrow.version) == ("E-1", None, 2)


GRACE_NS = 10 * NS


@pytest.mark.parametrize(
    ("now_s", "look_s"),
    [
        (0, 50),  # The condition's own deadline comes first.
        (60, 50),  # Its passing is believed when the grace is over, and not before.
        (61, 80),
        (90, 80),
    ],
)
def test_time_is_looked_at_just_after_each_deadline_and_its_grace(now_s: int, look_s: int) -> None:
    look_ns = escrow_of(HELD).look_ns(now_ns=(START_S + now_s) * NS, grace_ns=GRACE_NS)
    assert look_ns == (START_S + look_s) * NS + GRACE_NS + 1


def test_when_every_deadline_is_over_it_is_looked_at_now() -> None:
    now_ns = (START_S + 91) * NS
    assert escrow_of(HELD).look_ns(now_ns=now_ns, grace_ns=GRACE_NS) == now_ns


def test_time_does_not_decide_a_dispute_but_what_was_decided_goes_on() -> None:
    now_ns = START_S * NS
    disputed = [HELD, ("importer", DISPUTED)]
    assert escrow_of(*disputed).look_ns(now_ns=now_ns, grace_ns=0) == NEVER_NS
    after = escrow_of(*disputed, decided("share"))
    assert after.look_ns(now_ns=now_ns, grace_ns=0) == (START_S + 50) * NS + 1


def test_two_who_sign_the_same_decide_and_the_payee_alone_may_give_all_back() -> None:
    shares = (None, 0, 30, 100)
    for payer, payee, arbiter in product(shares, repeat=3):
        told = zip(("importer", "exporter", "judge"), (payer, payee, arbiter), strict=True)
        facts = [(who, signed(share)) for who, share in told if share is not None]
        found = joint_share(escrow_of(*facts))
        agreed = [s for s in (0, 30, 100) if (payer, payee, arbiter).count(s) > 1]
        if agreed:
            assert found is not None
            assert found[0] == agreed[0] or (found[0] == 0 and payee == 0)
        elif payee == 0:
            assert found == (0, ["exporter"])
        else:
            assert found is None
        if found is not None:
            words = dict(
                zip(("importer", "exporter", "judge"), (payer, payee, arbiter), strict=True)
            )
            assert found[1] == [who for who in words if words[who] == found[0]]


def test_the_moment_that_does_not_come_lies_in_2116_and_fits_a_column_of_64_bits() -> None:
    assert str(Utc.from_unix_ns(NEVER_NS)).startswith("2116-02-20T23:53:38")
    assert NEVER_NS.bit_length() < 64


def test_the_table_speaks_of_states_acts_and_parties_in_words_that_pages_show() -> None:
    assert (ESCROW.name, ESCROW.start) == ("escrow", "new")
    assert ESCROW.states == (
        *("new", "opened", "held", "disputed", "decided", "released", "refunded", "shared"),
    )
    assert ESCROW.ends == ("released", "refunded", "shared")
    by = {}
    for row in ESCROW.rows:
        by.setdefault(row.who, set()).add(row.act)
    assert by["payer's bank"] == {"open"}
    assert by["payer or payee"] == {"dispute"}
    assert by["payer, payee or arbiter"] == {"sign a resolution"}
    assert by["node, or the party whose word it is"] == {"note a leaf of the condition"}
    assert {"hold the money", "release", "settle as released"} < by["node"]
    assert len(by) == 5


@pytest.mark.parametrize(
    ("reason", "act"),
    [
        *(("no_funds", "refund for want of money or room"), ("jointly", "decide as agreed")),
        *(("no_line", "refund for want of money or room"), ("by_payee", "decide as agreed")),
        *(("condition_met", "release"), ("condition_lost", "refund, the condition is lost")),
        *(("time_over", "refund, the time is over"), ("anything", "decide as agreed")),
    ],
)
def test_a_decision_is_the_act_that_its_reason_says(reason: str, act: str) -> None:
    told = EscrowDecided(**{**decided("refund").payload(), "reason": reason})
    assert act_of(escrow_of(HELD), told) == act


def test_a_settlement_is_the_act_that_was_decided_and_none_before() -> None:
    assert act_of(escrow_of(HELD), SETTLED) == ""
    for outcome, done in DONE.items():
        assert act_of(escrow_of(HELD, decided(outcome)), SETTLED) == f"settle as {done}"


def test_a_fact_that_the_table_does_not_know_is_no_act() -> None:
    later = replace(history("escrow/E-1", OPENED, HELD)[1], type="finance.Later.v9")
    assert act_of(escrow_of(HELD), later) == ""


def test_what_was_decided_is_settled_so_and_not_otherwise() -> None:
    acts = {outcome: f"settle as {done}" for outcome, done in DONE.items()}
    for outcome in acts:
        now = EscrowNow(escrow_of(HELD, decided(outcome)), at(10).unix_ns)
        assert [each for each, act in acts.items() if now.may(act)] == [outcome]


def _refused(escrow: Escrow, fact: object, second: int = 10) -> str:
    with pytest.raises(Refused) as refusal:
        permit(EscrowNow(escrow, at(second).unix_ns), fact)
    return refusal.value.code


def test_an_act_out_of_turn_is_refused_under_a_code() -> None:
    assert _refused(escrow_of(), SETTLED) == "escrow_state"
    for facts in ([decided("release")], [decided("share"), SETTLED]):
        for fact in (DISPUTED, signed(0), noted(holds=True)):
            assert _refused(escrow_of(HELD, *facts), fact) == "escrow_decided"
    most = escrow_of(HELD, *[("importer", DISPUTED)] * 32)
    assert _refused(most, DISPUTED) == "too_many"
    one_less = escrow_of(HELD, *[("importer", DISPUTED)] * 31)
    permit(EscrowNow(one_less, at(10).unix_ns), DISPUTED)
    with pytest.raises(Refused):
        permit(EscrowNow(escrow_of(), at(10).unix_ns), HELD, HELD)


def test_the_time_to_refund_comes_a_moment_after_it_was_named() -> None:
    late = EscrowDecided(**{**decided("refund").payload(), "reason": "time_over"})
    named_ns = at(80).unix_ns
    assert not EscrowNow(escrow_of(HELD), named_ns).is_over
    assert EscrowNow(escrow_of(HELD), named_ns + 1).is_over
    assert _refused(escrow_of(HELD), late, 80) == "escrow_state"
    permit(EscrowNow(escrow_of(HELD), named_ns + 1), late)
    assert EscrowNow(escrow_of(HELD), named_ns + 1).may("refund, the time is over")


def test_a_refusal_says_of_which_escrow_which_act_needs_what() -> None:
    late = EscrowDecided(**{**decided("refund").payload(), "reason": "time_over"})
    with pytest.raises(Refused) as refusal:
        permit(EscrowNow(escrow_of(HELD), at(10).unix_ns), late)
    needed = "the time to refund has come"
    assert str(refusal.value) == f"escrow E-1: refund, the time is over needs that {needed}"


def test_every_condition_of_an_act_reads_as_a_sentence_on_pages() -> None:
    read = {row.act: [guard.reads for guard in row.guards] for row in ESCROW.rows if row.guards}
    assert read["dispute"] == ["it was disputed fewer than 32 times"]
    assert read["settle as refunded"] == ["the decision is to refund"]
