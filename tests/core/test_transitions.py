"""A table of transitions: what may be done, why not, and what a written act made of a state."""

from __future__ import annotations

from zhidao.core.transitions import Guard, Machine, Transition, never, rows_of

PAID = Guard[int]("something was paid", lambda paid: paid > 0, "art. 1", "{it} was paid")
MUCH = Guard[int]("all was paid", lambda paid: paid > 9, "art. 2", "it is too little")
SHOP = Machine[int](
    "sale",
    "new",
    (
        Transition("new", "order", "buyer", "ordered"),
        Transition("ordered", "send", "seller", "sent", (PAID, MUCH)),
        *rows_of(("ordered", "sent"), "ask", "anybody"),
        Transition("ordered", "cancel", "buyer", "void"),
        Transition("ordered", "decide", "judge", "sent", (PAID,)),
        Transition("ordered", "decide", "judge", "void", (MUCH,)),
    ),
    {("sent", "cancel"): (never("art. 3", "it is sent"),), ("new", "send"): (PAID, MUCH)},
)


def test_states_and_ends_are_read_from_the_rows() -> None:
    assert SHOP.states == ("new", "ordered", "sent", "void")
    assert SHOP.ends == ("sent", "void")
    assert SHOP.who("send") == "seller"


def test_the_first_guard_that_does_not_hold_is_the_reason() -> None:
    assert SHOP.why_not("ordered", "send", 0) is PAID
    assert SHOP.why_not("ordered", "send", 9) is MUCH
    assert SHOP.why_not("ordered", "send", 10) is None
    assert SHOP.may("ordered", "send", 10)
    assert PAID.refusal(0) == "0 was paid"


def test_one_row_of_several_is_enough() -> None:
    assert SHOP.why_not("ordered", "decide", 1) is None
    assert SHOP.why_not("ordered", "decide", 0) is PAID


def test_what_leads_nowhere_says_why() -> None:
    closed = SHOP.why_not("sent", "cancel", 1)
    assert closed is not None
    assert (closed.rule, closed.refusal(1)) == ("art. 3", "it is sent")
    assert SHOP.why_not("new", "send", 0) is PAID
    assert SHOP.why_not("new", "send", 10) is MUCH, "it never leads anywhere, whatever holds"
    plain = SHOP.why_not("void", "ask", 1)
    assert plain is not None
    assert plain.refusal(1) == "nothing that is void lets anybody ask"


def test_a_written_act_counts_where_it_has_a_row_or_leads_only_forward_to_one_state() -> None:
    assert SHOP.after("new", "order") == "ordered"
    assert SHOP.after("new", "send") == "sent", "another version let it be written there"
    assert SHOP.after("void", "order") == "void", "nothing goes back"
    assert SHOP.after("sent", "ask") == "sent"
    assert SHOP.after("ordered", "decide") == "ordered", "one of two: the table cannot tell"
    assert SHOP.after("ordered", "of another version") == "ordered"
