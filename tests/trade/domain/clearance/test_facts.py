"""A kilogram is compared in the one currency of the rules, or not at all, and then they say so."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.clearance.facts import risk_facts, screened_facts
from zhidao.trade.domain.clearance.reference import REFERENCE
from zhidao.trade.domain.clearance.risk import Look, RiskRule, RuleSet, decide
from zhidao.trade.domain.clearance.screening import read_list
from zhidao.trade.domain.documents.formalities import customs_value, invoiced_value
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.wire import canonical_entry
from zhidao.trade.wire.risk_file import read_rules

# Invoiced in USD, declared in VND at 25,400: some 2,000 units of account apart a kilogram.
ENTRY = canonical_entry.read((Path(__file__).parents[2] / "data" / "set_entry.json").read_bytes())
NET_KG = Decimal(ENTRY.total("netWeight"))


def said(**changed: str) -> CanonicalConsignment:
    values = {**ENTRY.values, **{name.replace("__", "."): v for name, v in changed.items()}}
    return CanonicalConsignment(values, ENTRY.sources)


def rules_in(currency: str, below: str = "1000000", **rates: str) -> RuleSet:
    rule = RiskRule("cheap", "value.perKilogram", Look.BELOW, below, 40, "cheap")
    return RuleSet(
        *("r", "1", (rule,), 30, 70),
        currency=currency,
        rates=tuple(sorted(rates.items())),
        rates_of="2026-11-30" if rates else "",
    )


def per_kilogram(facts: dict[str, str]) -> Decimal:
    return Decimal(facts["value.perKilogram"])


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))


def test_in_the_invoices_currency_nobodys_rate_is_needed() -> None:
    facts = risk_facts(said(), rules=rules_in("USD"))
    assert per_kilogram(facts) == cents(invoiced_value(ENTRY) / NET_KG)
    assert facts["value.perKilogramCurrency"] == "USD"
    # Whoever declares at another rate is worth no more a kilogram.
    lied = risk_facts(said(customsValuation__exchangeRate="2540000"), rules=rules_in("USD"))
    assert per_kilogram(lied) == per_kilogram(facts)


def test_in_the_declarations_currency_the_declared_value_counts() -> None:
    facts = risk_facts(said(), rules=rules_in("VND"))
    assert per_kilogram(facts) == cents(customs_value(ENTRY) / NET_KG)


def test_another_currency_is_compared_by_the_operators_rate_of_a_day() -> None:
    facts = risk_facts(said(), rules=rules_in("EUR", USD="0.5", VND="1"))
    assert per_kilogram(facts) == cents(invoiced_value(ENTRY) * Decimal("0.5") / NET_KG)
    assert facts["value.perKilogramRate"] == "USD 0.5 of 2026-11-30"


def test_one_limit_means_one_value_in_whatever_currency_an_invoice_is() -> None:
    rules = rules_in("EUR", below="10", USD="0.5", VND="0.00002")
    dear = {"invoiceDocument__currencyCode": "EUR"}
    facts = [risk_facts(said(**each), rules=rules) for each in ({}, dear)]
    assert per_kilogram(facts[1]) == pytest.approx(2 * per_kilogram(facts[0]), abs=Decimal("0.02"))


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        (rules_in("EUR"), "no rate from USD or VND to EUR"),
        (rules_in("EUR", CNY="0.12"), "no rate from USD or VND to EUR"),
        (rules_in(""), "the rules name no currency"),
        (REFERENCE, "no rate from USD or VND to EUR"),
    ],
)
def test_without_a_rate_the_rule_is_not_asked_and_says_so(rules: RuleSet, why: str) -> None:
    facts = risk_facts(said(), rules=rules)
    assert "value.perKilogram" not in facts
    [told] = [one for one in decide(facts, rules).matches if one.rule == "cheap"]
    assert (told.fact, told.value, told.weight) == ("value.notCompared", why, 0)


def test_a_rule_that_looks_at_something_else_says_nothing_of_rates() -> None:
    other = RiskRule("many", "items.count", Look.ABOVE, "1000", 40, "many")
    rules = RuleSet("r", "1", (other,), 30, 70)
    assert decide(risk_facts(said(), rules=rules), rules).matches == ()


def test_rules_with_rates_are_read_back_as_they_were_and_old_ones_keep_their_digest() -> None:
    rules = rules_in("EUR", CNY="0.1265", USD="0.86")
    assert read_rules(jcs(rules.plain())) == rules
    assert set(rules_in("").plain()) == {
        *("name", "version", "yellow_from", "red_from", "random_permille", "seed", "rules")
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "", "rates": {"USD": "1"}, "rates_of": "2026-11-30"},
        {"currency": "EUR", "rates": {"USD": "1"}},
        {"currency": "EUR", "rates_of": "2026-11-30"},
        {"currency": "EUR", "rates": {"EUR": "1"}, "rates_of": "2026-11-30"},
        {"currency": "EUR", "rates": {"USD": "0"}, "rates_of": "2026-11-30"},
        {"currency": "EUR", "rates": {"USD": "-1"}, "rates_of": "2026-11-30"},
        {"currency": "EUR", "rates": {"USD": "much"}, "rates_of": "2026-11-30"},
        {"currency": "EUR", "rates": {"USD": "1"}, "rates_of": "yesterday"},
        {"currency": "ZZZ"},
        {"currency": "EUR", "rates": {"usd": "1"}, "rates_of": "2026-11-30"},
    ],
)
def test_rates_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(MalformedInput):
        read_rules(jcs({**rules_in("").plain(), **wrong}))


@pytest.mark.bound("trade.wire.risk_file.RATES_MAX")
def test_more_rates_than_there_are_currencies_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhidao.trade.domain.clearance.risk.Currency", lambda code: code)
    codes = [f"{a}{b}{c}" for a in "ABCDEFG" for b in "ABCDEFG" for c in "ABCDE"]
    plain = {**rules_in("").plain(), "currency": "ZZZ", "rates_of": "2026-11-30"}
    assert len(read_rules(jcs({**plain, "rates": dict.fromkeys(codes[:200], "1")})).rates) == 200
    with pytest.raises(MalformedInput):
        read_rules(jcs({**plain, "rates": dict.fromkeys(codes[:201], "1")}))


def test_a_rule_on_a_country_is_not_passed_by_leaving_it_out() -> None:
    path = "unloadingBaseportLocation.id"
    rule = RiskRule("port", path, Look.STARTS, "IR", 100, "sanctioned")
    number = RiskRule("number", "consigneeParty.leiId", Look.EQUALS, "X", 100, "one of few")
    rules = RuleSet("r", "1", (rule, number), 30, 70, screened=True)
    listing = read_list(b"name,Nobody Of These\n", issued_on=date(2026, 9, 1))
    whole = screened_facts(said(), rules=rules, listing=listing)
    assert decide(whole, rules).channel == "green"
    silent = said().without(lambda one: one == path)
    made = decide(screened_facts(silent, rules=rules, listing=listing), rules)
    assert (made.channel, [match.rule for match in made.matches]) == ("yellow", ["floor-unnamed"])
