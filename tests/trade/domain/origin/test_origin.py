"""Origin by hand-checked cases, the proof tree, the track, and duty to the minor unit."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from zhidao.core.errors import MalformedInput, NotFound
from zhidao.core.money import Currency
from zhidao.trade.domain.origin.agreements import (
    ACFTA,
    AGREEMENTS,
    RCEP,
    ProductRule,
    import_rules,
)
from zhidao.trade.domain.origin.determination import (
    BillOfMaterials,
    Decision,
    Material,
    Outcome,
    Reason,
    Route,
    determine,
)
from zhidao.trade.domain.origin.duty import (
    DeclaredLine,
    Joined,
    Rate,
    TariffLine,
    assess,
)

DATA = Path(__file__).parents[2] / "data"
ORIGIN = list(csv.DictReader((DATA / "origin_cases.csv").read_text().splitlines()))
DUTY = list(csv.DictReader((DATA / "duty_cases.csv").read_text().splitlines()))


def materials(text: str) -> Iterator[Material]:
    for part in filter(None, text.split(";")):
        hs, value, origin, proofs, weight, *_ = [*part.split("/"), "", ""]
        yield Material(
            f"input {hs}", hs, Decimal(value), origin,
            frozenset(filter(None, [proofs])), Decimal(weight or 0),
        )  # fmt: skip


def bill_of(case: dict[str, str]) -> BillOfMaterials:
    costs = {k: Decimal(v) for k, v in (c.split() for c in filter(None, case["costs"].split(";")))}
    return BillOfMaterials(
        product=case["id"],
        hs=case["hs"],
        country=case["country"],
        fob=Decimal(case["fob"]),
        materials=tuple(materials(case["materials"])),
        weight_kg=Decimal(case["weight"] or 0),
        wholly_obtained=case["flags"] == "wo",
        reacted=case["flags"] == "reacted",
        **costs,
    )


@pytest.mark.parametrize("case", ORIGIN, ids=[case["id"] for case in ORIGIN])
def test_a_hand_checked_case_of_origin(case):
    agreement = AGREEMENTS[case["agreement"]]
    if case["rule"]:
        agreement = agreement.with_rules({case["hs"]: ProductRule.parse(case["rule"])})
    decision = determine(bill_of(case), agreement)
    assert decision.outcome == case["outcome"]
    assert decision.criterion == case["criterion"]
    assert decision.notes == tuple(filter(None, [case["notes"]]))
    assert decision.share_percent == Decimal(case["share"])


def pump(value: str, *, rule: str = "RVC40", route: Route | None = None) -> Decision:
    bill = BillOfMaterials(
        "pump", "841370", "CN", Decimal(1000), (Material("shaft", "848310", Decimal(value), "DE"),)
    )
    return determine(bill, RCEP.with_rules({"8413": ProductRule.parse(rule)}), route=route)


def sentences(reason: Reason) -> Iterator[str]:
    yield reason.sentence
    for child in reason.because:
        yield from sentences(child)


def test_the_proof_tree_names_what_the_answer_rests_on():
    told = list(sentences(pump("600").proof))
    assert "build-down 40.000 % of at least 40 %" in told
    told = list(sentences(pump("600", rule="CTH").proof))
    assert "shaft 848310 of DE: change of heading" in told
    # A share just below is cut, never rounded up to look like enough.
    assert "build-down 39.999 % of at least 40 %" in list(sentences(pump("600.0000001").proof))


def test_a_track_outside_of_the_agreement_takes_the_preference_away():
    assert pump("600", route=Route(("CN", "VN"))).outcome is Outcome.ORIGINATING
    assert pump("600", route=Route(("CN", "TW", "VN"))).outcome is Outcome.NOT_ORIGINATING
    held = Route(("CN", "TW", "VN"), frozenset(("TW",)))
    assert pump("600", route=held).outcome is Outcome.ORIGINATING
    assert pump("600", route=Route(())).outcome is Outcome.NOT_ORIGINATING


def test_wrong_rules_and_values_are_named():
    with pytest.raises(MalformedInput, match="RVC0"):
        ProductRule.parse("CTH | RVC0")
    with pytest.raises(MalformedInput, match="line 2"):
        import_rules("hs,rule\n84137,CTH\n")
    assert str(import_rules("hs,rule\n8413,CTH|RVC40\n")["8413"]) == "CTH | RVC40"
    with pytest.raises(MalformedInput):
        BillOfMaterials("x", "841370", "CN", Decimal("NaN"), ())
    with pytest.raises(MalformedInput):
        BillOfMaterials("x", "841370", "CN", Decimal(0), ())


def test_members_are_those_of_the_agreements():
    assert len(RCEP.members) == 15
    assert len(ACFTA.members) == 11


def rate(text: str) -> Rate:
    """`10` per cent, `2u` for each unit, `10+2u`, `10>2u` the higher, `10<2u` the lower."""
    for sign, joined in (("+", Joined.SUM), (">", Joined.HIGHER), ("<", Joined.LOWER)):
        if sign in text:
            percent, _, unit = text.partition(sign)
            return Rate(Decimal(percent), Decimal(unit.rstrip("u")), joined)
    if text.endswith("u"):
        return Rate(per_unit=Decimal(text[:-1]))
    return Rate(Decimal(text))


def claim(agreement: str, outcome: Outcome = Outcome.ORIGINATING) -> Decision:
    return Decision(agreement, outcome, "PE", (), Decimal(100), Reason("given", holds=True))


@pytest.mark.parametrize("case", DUTY, ids=[case["id"] for case in DUTY])
def test_a_hand_checked_case_of_duty(case):
    rates = {"MFN": rate(case["mfn"])}
    rates |= {n: rate(case[n.lower()]) for n in ("RCEP", "ACFTA") if case[n.lower()]}
    excise = case["excise"].removesuffix("i")
    line = TariffLine(
        "1", rates, Decimal(case["vat"]), Decimal(excise or 0), case["excise"].endswith("i")
    )
    assessed = assess(
        DeclaredLine("1", Decimal(case["value"]), Decimal(case["quantity"] or 0)),
        {"1": line},
        Currency(case["currency"]),
        claims=[claim(name) for name in case["claims"].split()],
    )
    wanted = [case["regime"], *(int(case[f"{n}_minor"]) for n in ("duty", "excise", "vat"))]
    assert [
        assessed.regime,
        assessed.duty.minor,
        assessed.excise.minor,
        assessed.vat.minor,
    ] == wanted
    assert assessed.total.minor == sum(wanted[1:])


def test_what_does_not_originate_is_not_claimed_and_an_unknown_code_is_named():
    line = TariffLine("1", {"MFN": rate("10"), "RCEP": rate("0")}, Decimal(13))
    goods = DeclaredLine("1", Decimal(100), Decimal(1))
    refused = [claim("RCEP", Outcome.UNDECIDED)]
    assert assess(goods, {"1": line}, Currency("CNY"), claims=refused).regime == "MFN"
    with pytest.raises(NotFound, match="no line 1"):
        assess(goods, {}, Currency("CNY"))
