"""Origin by hand-checked cases, the proof tree, the track, and duty to the minor unit."""

from __future__ import annotations

import csv
import runpy
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


def test_the_tables_hold_what_another_script_derives_and_enough_of_it():
    for name in ("origin_cases", "duty_cases"):
        derive = runpy.run_path(str(DATA / "derive_cases.py"))["derived"]
        assert derive(name) == (DATA / f"{name}.csv").read_text()
    assert len(ORIGIN) >= 200
    assert len(DUTY) >= 500
    shares = {case["share"] for case in ORIGIN}
    assert {"39.999", "40"} <= shares


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


@pytest.mark.parametrize("first", range(0, len(ORIGIN), 50))
def test_hand_checked_cases_of_origin(first):
    for case in ORIGIN[first : first + 50]:
        agreement = AGREEMENTS[case["agreement"]]
        if case["rule"]:
            agreement = agreement.with_rules({case["hs"]: ProductRule.parse(case["rule"])})
        route = Route(tuple(case["route"].split()), frozenset(case["control"].split()))
        decision = determine(bill_of(case), agreement, route=route if case["route"] else None)
        said = (decision.outcome.value, decision.criterion, " ".join(decision.notes))
        told = f"{case['id']}: {case['reason']}"
        assert said == (case["outcome"], case["criterion"], case["notes"]), told
        assert decision.share_percent == Decimal(case["share"]), told


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


@pytest.mark.parametrize("first", range(0, len(DUTY), 50))
def test_hand_checked_cases_of_duty(first):
    for case in DUTY[first : first + 50]:
        rates = {"MFN": rate(case["mfn"])}
        rates |= {n: rate(case[n.lower()]) for n in ("RCEP", "ACFTA") if case[n.lower()]}
        excise = case["excise"].removesuffix("i")
        inside = case["excise"].endswith("i")
        line = TariffLine("1", rates, Decimal(case["vat"]), Decimal(excise or 0), inside)
        found = assess(
            DeclaredLine("1", Decimal(case["value"]), Decimal(case["quantity"] or 0)),
            {"1": line},
            Currency(case["currency"]),
            claims=[claim(name) for name in case["claims"].split()],
        )
        wanted = [int(case[f"{n}_minor"]) for n in ("duty", "excise", "vat")]
        told = f"{case['id']}: {case['reason']}"
        assert found.regime == case["regime"], told
        assert [found.duty.minor, found.excise.minor, found.vat.minor] == wanted, told
        assert found.total.minor == sum(wanted), told


def test_what_does_not_originate_is_not_claimed_and_an_unknown_code_is_named():
    line = TariffLine("1", {"MFN": rate("10"), "RCEP": rate("0")}, Decimal(13))
    goods = DeclaredLine("1", Decimal(100), Decimal(1))
    refused = [claim("RCEP", Outcome.UNDECIDED)]
    assert assess(goods, {"1": line}, Currency("CNY"), claims=refused).regime == "MFN"
    with pytest.raises(NotFound, match="no line 1"):
        assess(goods, {}, Currency("CNY"))
