"""Each call on a title: what it does, and under which code it is refused. The machine's twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from zhidao.core.errors import Refused
from zhidao.trust.domain.evm import ZERO_ADDRESS, Address
from zhidao.trust.domain.title_rules import GAS_ACT_MIN, GAS_MINT_MIN, TitleRules
from zhidao.trust.domain.title_state import TitleState

ADMIN, SELLER, BUYER, BANK, STRANGER = (Address(bytes([n]) * 20) for n in range(1, 6))
MINTER = b"m" * 32
TITLE = b"t" * 32


def _escrow(title: bytes) -> Address:
    return Address(title[:20])


def _rules(beneficiary: Address = SELLER, holder: Address = SELLER) -> TitleRules:
    rules = TitleRules(ADMIN, _escrow)
    rules.mint(ADMIN, MINTER, TITLE, beneficiary=beneficiary, holder=holder)
    return rules


def _parts(state: TitleState) -> tuple[Address, Address, Address]:
    return state.beneficiary, state.holder, state.nominee


def _refused(code: str, act: Callable[..., Any], *words: Any, **more: Any) -> None:
    with pytest.raises(Refused) as refusal:
        act(*words, **more)
    assert refusal.value.code == code


def test_a_call_has_as_much_gas_as_the_dearest_of_its_kind_and_half_again() -> None:
    assert (GAS_MINT_MIN, GAS_ACT_MIN) == (550_000, 400_000)


def test_a_title_is_minted_once_by_whoever_has_the_role_to_somebody() -> None:
    rules = TitleRules(ADMIN, _escrow)
    _refused("not_allowed", rules.mint, SELLER, MINTER, TITLE, beneficiary=SELLER, holder=SELLER)
    for nobody in (
        {"beneficiary": ZERO_ADDRESS, "holder": BUYER},
        {"beneficiary": BUYER, "holder": ZERO_ADDRESS},
    ):
        _refused("contract_refused", rules.mint, ADMIN, MINTER, TITLE, **nobody)
    state = rules.mint(ADMIN, MINTER, TITLE, beneficiary=SELLER, holder=BUYER)
    assert state == TitleState(TITLE, _escrow(TITLE), holder=BUYER, beneficiary=SELLER)
    _refused("title_exists", rules.mint, ADMIN, MINTER, TITLE, beneficiary=SELLER, holder=SELLER)


def test_roles_are_given_and_taken_by_the_admin_alone() -> None:
    rules = TitleRules(ADMIN, _escrow)
    _refused("not_allowed", rules.grant, SELLER, MINTER, SELLER)
    rules.grant(ADMIN, MINTER, SELLER)
    _refused("not_allowed", rules.mint, SELLER, b"r" * 32, TITLE, beneficiary=BUYER, holder=BUYER)
    assert rules.mint(SELLER, MINTER, TITLE, beneficiary=BUYER, holder=BUYER)
    _refused("not_allowed", rules.revoke, SELLER, MINTER, SELLER)
    _refused("contract_refused", rules.revoke, ADMIN, MINTER, ADMIN)
    rules.revoke(ADMIN, MINTER, SELLER)
    other = b"u" * 32
    _refused("not_allowed", rules.mint, SELLER, MINTER, other, beneficiary=BUYER, holder=BUYER)


def test_nobody_acts_on_a_title_that_is_not_there() -> None:
    rules, other = _rules(), b"u" * 32
    _refused("no_title", rules.nominate, SELLER, other, BUYER)
    _refused("no_title", rules.restore, ADMIN, MINTER, other)
    _refused("contract_refused", rules.burn, ADMIN, MINTER, other)


def test_the_holder_hands_the_title_on_and_only_the_holder() -> None:
    rules = _rules()
    _refused("not_holder", rules.transfer_holder, BUYER, TITLE, BUYER)
    _refused("no_receiver", rules.transfer_holder, SELLER, TITLE, ZERO_ADDRESS)
    _refused("already_holder", rules.transfer_holder, SELLER, TITLE, SELLER)
    assert _parts(rules.transfer_holder(SELLER, TITLE, BUYER)) == (SELLER, BUYER, ZERO_ADDRESS)
    _refused("not_holder", rules.transfer_holder, SELLER, TITLE, BANK)


def test_the_beneficiary_nominates_and_the_holder_endorses() -> None:
    rules = _rules(beneficiary=SELLER, holder=BANK)
    _refused("not_beneficiary", rules.nominate, BANK, TITLE, BUYER)
    _refused("already_beneficiary", rules.nominate, SELLER, TITLE, SELLER)
    _refused("not_nominated", rules.endorse, BANK, TITLE, BUYER)
    assert _parts(rules.nominate(SELLER, TITLE, BUYER)) == (SELLER, BANK, BUYER)
    _refused("already_nominated", rules.nominate, SELLER, TITLE, BUYER)
    _refused("not_holder", rules.endorse, SELLER, TITLE, BUYER)
    _refused("not_nominated", rules.endorse, BANK, TITLE, STRANGER)
    _refused("no_receiver", rules.endorse, BANK, TITLE, ZERO_ADDRESS)
    assert _parts(rules.endorse(BANK, TITLE, BUYER)) == (BUYER, BANK, ZERO_ADDRESS)


def test_who_has_both_parts_endorses_anybody_and_gives_both_at_once() -> None:
    assert _parts(_rules().endorse(SELLER, TITLE, BUYER)) == (BUYER, SELLER, ZERO_ADDRESS)
    rules = _rules()
    state = rules.transfer(SELLER, TITLE, beneficiary=BUYER, holder=BANK)
    assert _parts(state) == (BUYER, BANK, ZERO_ADDRESS)
    _refused("not_nominated", rules.transfer, BANK, TITLE, beneficiary=SELLER, holder=SELLER)
    rules.nominate(BUYER, TITLE, SELLER)
    _refused("already_holder", rules.transfer, BANK, TITLE, beneficiary=SELLER, holder=BANK)
    _refused("not_holder", rules.transfer, BUYER, TITLE, beneficiary=SELLER, holder=SELLER)
    state = rules.transfer(BANK, TITLE, beneficiary=SELLER, holder=SELLER)
    assert _parts(state) == (SELLER, SELLER, ZERO_ADDRESS)


def test_a_holder_rejects_back_to_the_one_before_once() -> None:
    rules = _rules()
    _refused("no_receiver", rules.reject_holder, SELLER, TITLE)
    rules.transfer_holder(SELLER, TITLE, BUYER)
    _refused("not_holder", rules.reject_holder, SELLER, TITLE)
    assert _parts(rules.reject_holder(BUYER, TITLE)) == (SELLER, SELLER, ZERO_ADDRESS)
    _refused("no_receiver", rules.reject_holder, SELLER, TITLE)


def test_a_beneficiary_rejects_back_to_the_one_before_once() -> None:
    rules = _rules()
    rules.endorse(SELLER, TITLE, BUYER)
    _refused("not_beneficiary", rules.reject_beneficiary, SELLER, TITLE)
    assert _parts(rules.reject_beneficiary(BUYER, TITLE)) == (SELLER, SELLER, ZERO_ADDRESS)
    _refused("no_receiver", rules.reject_beneficiary, SELLER, TITLE)


def test_who_has_both_parts_rejects_both_together_or_neither() -> None:
    rules = _rules()
    rules.transfer(SELLER, TITLE, beneficiary=BUYER, holder=BUYER)
    _refused("dual_role", rules.reject_holder, BUYER, TITLE)
    _refused("dual_role", rules.reject_beneficiary, BUYER, TITLE)
    _refused("not_beneficiary", rules.reject, SELLER, TITLE)
    assert _parts(rules.reject(BUYER, TITLE)) == (SELLER, SELLER, ZERO_ADDRESS)
    _refused("no_receiver", rules.reject, SELLER, TITLE)


def test_both_parts_are_rejected_only_where_both_came_from_somebody() -> None:
    rules = _rules(beneficiary=BUYER, holder=SELLER)
    rules.transfer_holder(SELLER, TITLE, BUYER)
    # The holder before is known, a beneficiary before there never was.
    _refused("no_receiver", rules.reject, BUYER, TITLE)
    rules = _rules(beneficiary=SELLER, holder=SELLER)
    rules.transfer_holder(SELLER, TITLE, BUYER)
    _refused("not_beneficiary", rules.reject, BUYER, TITLE)
    _refused("not_holder", rules.reject, SELLER, TITLE)


def test_whoever_hands_on_both_parts_one_by_one_forgets_the_beneficiary_before() -> None:
    rules = _rules()
    rules.transfer(SELLER, TITLE, beneficiary=BUYER, holder=BUYER)
    rules.transfer_holder(BUYER, TITLE, BANK)
    _refused("no_receiver", rules.reject_beneficiary, BUYER, TITLE)
    # In hands of two the one before stays known.
    rules = _rules()
    rules.endorse(SELLER, TITLE, BUYER)
    rules.transfer_holder(SELLER, TITLE, BANK)
    assert _parts(rules.reject_beneficiary(BUYER, TITLE)) == (SELLER, BANK, ZERO_ADDRESS)


def test_a_nomination_forgets_the_beneficiary_before_and_with_both_parts_the_holder_too() -> None:
    rules = _rules()
    rules.endorse(SELLER, TITLE, BUYER)
    rules.nominate(BUYER, TITLE, BANK)
    _refused("no_receiver", rules.reject_beneficiary, BUYER, TITLE)
    rules = _rules()
    rules.transfer_holder(SELLER, TITLE, BUYER)
    rules.nominate(SELLER, TITLE, BANK)
    assert _parts(rules.reject_holder(BUYER, TITLE)) == (SELLER, SELLER, BANK)
    rules = _rules()
    rules.transfer(SELLER, TITLE, beneficiary=BUYER, holder=BUYER)
    rules.nominate(BUYER, TITLE, BANK)
    _refused("no_receiver", rules.reject, BUYER, TITLE)


def test_an_endorsement_forgets_the_holder_before() -> None:
    rules = _rules()
    rules.transfer_holder(SELLER, TITLE, BUYER)
    rules.nominate(SELLER, TITLE, BANK)
    rules.endorse(BUYER, TITLE, BANK)
    _refused("no_receiver", rules.reject_holder, BUYER, TITLE)


def test_who_has_both_parts_gives_the_title_back_and_it_is_restored_or_burnt() -> None:
    apart = _rules(beneficiary=SELLER, holder=BUYER)
    _refused("not_beneficiary", apart.give_back, BUYER, TITLE)
    _refused("not_holder", apart.give_back, SELLER, TITLE)
    rules = _rules()
    _refused("not_surrendered", rules.restore, ADMIN, MINTER, TITLE)
    _refused("not_surrendered", rules.burn, ADMIN, MINTER, TITLE)
    rules.nominate(SELLER, TITLE, BUYER)
    back = rules.give_back(SELLER, TITLE)
    assert (back.surrendered, back.active, _parts(back)) == (
        *(True, True, (SELLER, SELLER, ZERO_ADDRESS)),
    )
    _refused("title_surrendered", rules.transfer_holder, SELLER, TITLE, BUYER)
    _refused("not_allowed", rules.restore, SELLER, MINTER, TITLE)
    again = rules.restore(ADMIN, MINTER, TITLE)
    assert (again.surrendered, again.active, again.holder) == (False, True, SELLER)
    rules.give_back(SELLER, TITLE)
    _refused("not_allowed", rules.burn, SELLER, MINTER, TITLE)
    burnt = rules.burn(ADMIN, MINTER, TITLE)
    assert (burnt.active, burnt.surrendered) == (False, False)
    assert _parts(burnt) == (ZERO_ADDRESS,) * 3
    _refused("title_inactive", rules.transfer_holder, SELLER, TITLE, BUYER)
    _refused("title_inactive", rules.burn, ADMIN, MINTER, TITLE)
    _refused("not_surrendered", rules.restore, ADMIN, MINTER, TITLE)
    _refused("title_exists", rules.mint, ADMIN, MINTER, TITLE, beneficiary=BUYER, holder=BUYER)


def test_what_was_before_a_return_is_forgotten() -> None:
    rules = _rules()
    rules.transfer(SELLER, TITLE, beneficiary=BUYER, holder=BUYER)
    rules.give_back(BUYER, TITLE)
    rules.restore(ADMIN, MINTER, TITLE)
    _refused("no_receiver", rules.reject, BUYER, TITLE)
