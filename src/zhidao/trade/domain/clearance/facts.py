"""What risk rules look at: the declaration's fields, and what was found out about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from zhidao.core.text.plain_text import says_something
from zhidao.trade.domain.clearance.risk import NOT_COMPARED, PER_KILOGRAM, RuleSet
from zhidao.trade.domain.clearance.screening import Hit, ScreeningList, screen, screen_alike
from zhidao.trade.domain.comparison import CheckResult, names_anybody
from zhidao.trade.domain.documents.formalities import customs_value, invoiced_value
from zhidao.trade.domain.model.catalogue import ITEM
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.model.forms import plain


def risk_facts(
    declaration: CanonicalConsignment,
    *,
    rules: RuleSet,
    answers: Iterable[CheckResult] = (),
    listing: ScreeningList | None = None,
    hits: Iterable[Hit] = (),
    alike: Iterable[Hit] = (),
) -> dict[str, str]:
    """Facts by name: fields, `value.*`, `crosscheck.<row>`, `screening.*`.

    A row's worst answer counts; a screening without a list is told as such, and so is a value by
    weight that cannot be told in the currency of the rules.
    """
    facts = dict(declaration.values)
    facts["value.customs"] = plain(customs_value(declaration))
    facts |= _per_kilogram(declaration, rules)
    facts["items.count"] = str(declaration.counts[ITEM])
    rank = {"agree": 0, "undecided": 1, "conflict": 2}
    for answer in answers:
        name = f"crosscheck.{answer.rule}"
        if rank[answer.answer.value] >= rank[facts.get(name, "agree")]:
            facts[name] = answer.answer.value
    # A list of nothing is no list: nothing was held against anything.
    said = f"{listing.issued_on} {listing.digest}" if listing and not listing.is_empty else "none"
    facts["screening.list"] = said
    facts["screening.hits"] = str(len(found := list(hits)))
    for number, hit in enumerate(found):
        facts[f"screening.hit.{number}"] = f"{hit.text} is listed as {hit.listed}"
    missing = unnamed(declaration)
    missing += [path for path in _unasked(facts, rules) if path not in missing]
    close = [f"{hit.text} is written like {hit.listed}" for hit in alike]
    return facts | _placed("missing", missing) | _placed("alike", close)


def _placed(name: str, places: Sequence[str]) -> dict[str, str]:
    """How many there are and each by its number; nothing of none, as facts were before these."""
    if not places:
        return {}
    numbered = {f"screening.{name}.{number}": place for number, place in enumerate(places)}
    return {f"screening.{name}": str(len(places))} | numbered


def screened_facts(
    declaration: CanonicalConsignment, *, rules: RuleSet, listing: ScreeningList | None
) -> dict[str, str]:
    """The facts with every name and code of the declaration held against the list."""
    names, codes = named(declaration), declaration.each(ITEM, "typeCode")
    hits = screen(listing, names, codes) if listing else []
    alike = screen_alike(listing, names) if listing else []
    exact = {hit.text for hit in hits}
    return risk_facts(
        declaration,
        rules=rules,
        listing=listing,
        hits=hits,
        alike=[hit for hit in alike if hit.text not in exact],
    )


def named(declaration: CanonicalConsignment) -> list[str]:
    """Every party and every means of transport that a declaration names."""
    ends = ("Party.name", ".meansName", "Party.contactName")
    return sorted({text for path, text in declaration.values.items() if path.endswith(ends)})


def unnamed(declaration: CanonicalConsignment) -> list[str]:
    """The fields that are screened and not there: who sends and receives, where, and what it is.

    A name in which no letter is seen, as `-` or `...`, names nobody.
    """
    wanted = [*_COUNTRIES, *(f"{ITEM}[{k}].typeCode" for k in range(declaration.counts[ITEM]))]
    if not declaration.counts[ITEM]:
        wanted.append(f"{ITEM}[0].typeCode")
    nobody = [path for path in _WHO if not names_anybody(declaration.get(path))]
    return [*nobody, *(path for path in wanted if not declaration.get(path).strip())]


def _unasked(facts: Mapping[str, str], rules: RuleSet) -> list[str]:
    """Fields of who, where and what that a rule looks at and the declaration leaves out.

    A rule that could not be asked is no rule that did not match.
    """
    return sorted(
        {
            rule.fact
            for rule in rules.rules
            if rule.fact.endswith(_TELLING) and not says_something(facts.get(rule.fact, ""))
        }
    )


_WHO: Final = ("consignorParty.name", "consigneeParty.name")
_COUNTRIES: Final = tuple(
    f"{role}Party.postalAddress.countryId" for role in ("consignor", "consignee")
)
# Of these each declaration can say something; of a number that few have, a rule cannot ask that.
_TELLING: Final = (
    *("Party.name", ".countryId", "originCountry.id", ".typeCode", "BaseportLocation.id"),
    ".meansName",
)


def _per_kilogram(declaration: CanonicalConsignment, rules: RuleSet) -> dict[str, str]:
    """The value of a kilogram in the rules' one currency, or why there is none.

    From the invoice's amounts where they can be compared: the rate of the declaration itself is
    the declarant's word.
    """
    net = declaration.total("netWeight")
    if not net:
        return {}
    invoiced = declaration.get("invoiceDocument.currencyCode")
    declared = declaration.get("customsValuation.currencyCode", invoiced)
    for currency, value in ((invoiced, invoiced_value), (declared, customs_value)):
        rate = rules.rate(currency)
        if rate is None:
            continue
        amount = (value(declaration) * rate / net).quantize(Decimal("0.01"))
        told = {PER_KILOGRAM: plain(amount), f"{PER_KILOGRAM}Currency": rules.currency}
        if currency != rules.currency:
            told[f"{PER_KILOGRAM}Rate"] = f"{currency} {rate:f} of {rules.rates_of}"
        return told
    known = " or ".join(dict.fromkeys(filter(None, (invoiced, declared))))
    why = f"no rate from {known} to {rules.currency}" if rules.currency else _NO_CURRENCY
    return {NOT_COMPARED: why}


_NO_CURRENCY = "the rules name no currency"
