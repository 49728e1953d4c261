"""A receivable has one name however it is spelled, one home, and never more shares than its sum."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency
from zhidao.finance.domain.receivables.receivable import (
    Receivable,
    Shares,
    folded,
    home_of,
    invoice_key,
)

OWED = Receivable(
    obligor="DK 1",
    supplier="CN 91320594MA1ABCDE7X",
    invoice="INV-2026/0417",
    shipment="MAEU 123",
    amount_minor=1_000,
    currency=Currency("EUR"),
    due_on="2026-08-30",
)
SHARES = Shares(OWED, confirmed=True)


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MINOR_MAX + 1, 1.0, True])
def test_an_amount_is_a_whole_number_within_its_bounds(amount: Any) -> None:
    for good in (1, AMOUNT_MINOR_MAX):
        assert replace(OWED, amount_minor=good).amount_minor == good
    with pytest.raises(MalformedInput, match="minor units"):
        replace(OWED, amount_minor=amount)


@pytest.mark.parametrize("name", ["obligor", "supplier", "invoice", "shipment"])
def test_what_names_a_receivable_has_letters_and_up_to_120_characters(name: str) -> None:
    changes: dict[str, Any] = {name: "x" * 120}
    assert replace(OWED, **changes)
    for bad in ("", " - ", "x" * 121):
        changes = {name: bad}
        with pytest.raises(MalformedInput, match=f"receivable's {name} has"):
            replace(OWED, **changes)


def test_a_due_day_is_a_day() -> None:
    with pytest.raises(MalformedInput, match="no such day") as refusal:
        replace(OWED, due_on="2026-02-30")
    assert refusal.value.where == "due_on"


def test_text_is_folded_to_capitals_and_digits_with_look_alikes_made_equal() -> None:
    assert folded(" inv-2O26/0417 ") == folded("INV 2026 04I7") == "1NV20260417"
    assert folded("oil") == "011"
    assert folded("ＡＢ１") == "AB1"


def test_an_invoice_is_one_however_it_is_spelled_and_whatever_its_amount() -> None:
    same = replace(OWED, obligor="dk-i", supplier="cn91320594ma1abcde7x", invoice="inv 2O26 0417")
    assert same.invoice_key == OWED.invoice_key
    assert replace(OWED, amount_minor=1, due_on="2027-01-01").invoice_key == OWED.invoice_key
    assert json.loads(OWED.invoice_key) == ["invoice", "DK1", "CN91320594MA1ABCDE7X", "1NV20260417"]
    keys = {
        OWED.invoice_key,
        replace(OWED, obligor="DK 2").invoice_key,
        replace(OWED, supplier="CN 2").invoice_key,
        replace(OWED, invoice="2").invoice_key,
    }
    assert len(keys) == 4


def test_a_shipment_keeps_its_name_under_a_new_invoice() -> None:
    assert replace(OWED, invoice="2", shipment="maeu-I23").shipment_key == OWED.shipment_key
    assert json.loads(OWED.shipment_key) == ["shipment", "MAEU123"]


@pytest.mark.parametrize("empty", range(3))
def test_an_invoice_without_one_of_its_parts_has_no_key(empty: int) -> None:
    parts = ["DK 1", "CN 2", "A-7"]
    parts[empty] = " - "
    with pytest.raises(MalformedInput, match="obligor, supplier and number"):
        invoice_key(parts[0], parts[1], invoice=parts[2])


def test_an_obligors_debts_have_one_home_that_moves_only_with_its_node() -> None:
    nodes = ["a", "b", "c"]
    homes = {f"DK {n}": home_of(f"DK {n}", nodes) for n in range(200)}
    assert set(homes.values()) == {"a", "b", "c"}
    for obligor, home in homes.items():
        assert home_of(obligor.lower(), nodes[::-1]) == home
        smaller = home_of(obligor, ["a", "b"])
        assert home in {smaller, "c"}
        # The highest hash of both names: every node has computed it since the first registration.
        hashes = {n: hashlib.sha256(f"{folded(obligor)}\n{n}".encode()).hexdigest() for n in nodes}
        assert hashes[home] == max(hashes.values())
    with pytest.raises(Refused, match="at least one node"):
        home_of("DK 1", [])


def _refused(code: str, act: Any, *words: Any, **more: Any) -> Refused:
    with pytest.raises(Refused) as refusal:
        act(*words, **more)
    assert refusal.value.code == code
    return refusal.value


def test_shares_are_taken_up_to_the_last_minor_unit() -> None:
    some = SHARES.pledged("P-1", "bank", 400)
    assert (SHARES.free_minor, some.free_minor) == (1_000, 600)
    assert some.pledges == {"P-1": ("bank", 400)}
    _refused("double_pledge", some.pledged, "P-2", "other", 601)
    all_of_it = some.pledged("P-2", "other", 600)
    assert all_of_it.free_minor == 0
    _refused("double_pledge", all_of_it.pledged, "P-3", "third", 1)
    assert SHARES.pledged("P-1", "bank", 1).free_minor == 999


@pytest.mark.parametrize("amount", [0, -5, 1.0, True])
def test_a_share_is_a_positive_whole_number(amount: Any) -> None:
    with pytest.raises(MalformedInput, match="positive whole number"):
        SHARES.pledged("P-1", "bank", amount)


def test_only_what_is_confirmed_unpaid_and_undisputed_is_pledged() -> None:
    assert Shares(OWED) == Shares(OWED, False, "", "", {})
    unconfirmed = _refused("not_confirmed", Shares(OWED).pledged, "P-1", "bank", 1)
    assert "confirm it" in str(unconfirmed.remedy)
    paid = replace(SHARES, paid_on="2026-07-01")
    assert "paid on 2026-07-01" in str(_refused("paid", paid.pledged, "P-1", "bank", 1))
    disputed = replace(SHARES, disputed="broken")
    assert "disputes it" in str(_refused("disputed", disputed.pledged, "P-1", "bank", 1))


def test_a_share_goes_on_by_its_holder_only() -> None:
    held = SHARES.pledged("P-1", "bank", 400).pledged("P-2", "bank", 100)
    moved = held.assigned("P-1", by="bank", to="fund")
    assert moved.pledges == {"P-1": ("fund", 400), "P-2": ("bank", 100)}
    _refused("not_holder", moved.assigned, "P-1", by="bank", to="bank")
    _refused("not_holder", moved.released, "P-1", by="bank")
    assert moved.released("P-1", by="fund").pledges == {"P-2": ("bank", 100)}
    _refused("no_share", moved.assigned, "P-3", by="bank", to="fund")
    _refused("no_share", moved.released, "P-3", by="bank")
