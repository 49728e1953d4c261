"""A title is the fold of its contracts' events; events of other contracts count nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from zhidao.trust.domain.evm import ZERO_ADDRESS, Address
from zhidao.trust.domain.title_state import TitleBook, TitleEvent, TitleState

FACTORY, REGISTRY, ESCROW, SELLER, BUYER = (Address(bytes([n]) * 20) for n in range(1, 6))
NUMBER = 0xABCD
TITLE = NUMBER.to_bytes(32, "big")
CREATED = TitleEvent("TitleEscrowCreated", FACTORY, (ESCROW, REGISTRY, NUMBER))


def event(name: str, *values: Any, address: Address = ESCROW) -> TitleEvent:
    return TitleEvent(name, address, values)


def book(*events: TitleEvent) -> TitleBook:
    made = TitleBook(registry=REGISTRY, factory=FACTORY)
    made.apply((CREATED, *events))
    return made


def state(*events: TitleEvent) -> TitleState:
    found = book(*events).get(TITLE)
    assert found is not None
    return found


HELD = (
    event("BeneficiaryTransfer", ZERO_ADDRESS, SELLER),
    event("HolderTransfer", ZERO_ADDRESS, BUYER),
)


def test_a_new_title_is_nobodys_and_lives() -> None:
    assert state() == TitleState(
        title=TITLE,
        escrow=ESCROW,
        holder=ZERO_ADDRESS,
        beneficiary=ZERO_ADDRESS,
        nominee=ZERO_ADDRESS,
        surrendered=False,
        active=True,
    )


def test_each_event_changes_its_part_and_an_unknown_one_nothing() -> None:
    held = state(*HELD)
    assert (held.beneficiary, held.holder) == (SELLER, BUYER)
    assert state(*HELD, event("Nomination", ZERO_ADDRESS, BUYER)) == replace(held, nominee=BUYER)
    back = state(*HELD, event("ReturnToIssuer"))
    assert back == replace(held, surrendered=True)
    assert back.after(event("TokenReceived")) == held
    assert back.after(event("Shred")) == replace(held, active=False)
    assert held.after(event("Pause", 1, 2)) is held


def test_an_owner_has_both_parts_of_a_title_that_lives_and_is_not_back() -> None:
    both = (HELD[0], event("HolderTransfer", ZERO_ADDRESS, SELLER))
    assert state(*both).sole_owner == SELLER
    assert state(*HELD).sole_owner is None
    assert state(*both, event("ReturnToIssuer")).sole_owner is None
    assert state(*both, event("Shred")).sole_owner is None


def test_a_transaction_tells_the_titles_that_it_touched_once_as_they_then_stand() -> None:
    made = TitleBook(registry=REGISTRY, factory=FACTORY)
    assert made.get(TITLE) is None
    assert made.apply((CREATED, *HELD)) == (state(*HELD),)
    assert made.states() == (state(*HELD),)
    assert made.apply(()) == ()


def test_escrows_of_other_factories_and_registries_are_not_ours() -> None:
    for other in (
        replace(CREATED, address=SELLER),
        replace(CREATED, values=(ESCROW, BUYER, NUMBER)),
        event("HolderTransfer", ZERO_ADDRESS, BUYER),
    ):
        made = TitleBook(registry=REGISTRY, factory=FACTORY)
        assert made.apply((other, *HELD)) == ()
        assert made.states() == ()
    assert book().apply((replace(HELD[0], address=BUYER),)) == ()


def test_a_restored_book_goes_on_where_the_other_stood() -> None:
    fresh = TitleBook(registry=REGISTRY, factory=FACTORY)
    fresh.restore(book(*HELD).states())
    assert fresh.get(TITLE) == state(*HELD)
    assert fresh.apply((event("ReturnToIssuer"),)) == (state(*HELD, event("ReturnToIssuer")),)
