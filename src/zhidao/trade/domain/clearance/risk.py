"""Risk by named rules and weights: no hidden model, and the same facts give the same decision."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from zhidao.core.canonical import Json, jcs
from zhidao.core.errors import MalformedInput
from zhidao.core.money import Currency

RULES_MAX: Final = 1000
PER_KILOGRAM: Final = "value.perKilogram"
"""What a kilogram is worth in the rules' currency."""
NOT_COMPARED: Final = "value.notCompared"
"""Why there is no value of a kilogram in the rules' currency."""
_PERMILLE: Final = 1000


class Channel(StrEnum):
    """Green: released as declared. Yellow: papers are looked at. Red: goods are inspected."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Look(StrEnum):
    """How a rule looks at a fact."""

    EQUALS = "equals"
    STARTS = "starts"
    ABOVE = "above"
    BELOW = "below"


def _number(text: str, where: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise MalformedInput(f"not a number: {text[:40]!r}", where=where) from error
    if not number.is_finite():
        raise MalformedInput(f"not a number: {text[:40]!r}", where=where)
    return number


@dataclass(frozen=True, slots=True)
class RiskRule:
    """`fact` names one fact, or many by a star at its end; each match adds `weight` once.

    `reason_zh`: the reason in Chinese, '' where nobody wrote one.
    """

    id: str
    fact: str
    test: Look
    value: str
    weight: int
    reason: str
    reason_zh: str = ""

    def __post_init__(self) -> None:
        if self.test in (Look.ABOVE, Look.BELOW):
            _number(self.value, f"rule {self.id}")


FLOOR: Final = (
    RiskRule(
        "floor-unscreened",
        "screening.list",
        Look.EQUALS,
        "none",
        0,
        "no list was screened, so nothing is green",
        "未对照任何名单，因此不走绿色通道",
    ),
    RiskRule(
        "floor-listed",
        "screening.hits",
        Look.ABOVE,
        "0",
        0,
        "what stands on a list is not green",
        "名单上的不走绿色通道",
    ),
    RiskRule(
        "floor-alike",
        "screening.alike",
        Look.ABOVE,
        "0",
        0,
        "what is written like a listed name is not green",
        "写法与名单上的名称相似的不走绿色通道",
    ),
    RiskRule(
        "floor-unnamed",
        "screening.missing",
        Look.ABOVE,
        "0",
        0,
        "what a declaration does not name was not screened",
        "申报中未写明的未经对照，因此不走绿色通道",
    ),
)
"""What an operator's rules cannot leave out: they add to no score, and end what would be green."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules with the scores from which a declaration is yellow and red.

    `currency`: in which values by weight are compared; `rates`: units of it for one unit of each
    other currency, as the operator's customs give them, of the day `rates_of`. What has no rate is
    not compared, and each rule that would look at it says so.

    `random_permille`: how many of 1000 declarations become yellow without any reason; which ones
    follows from their facts and `seed`, so that an auditor finds the same.

    `screened`: whatever the rules say, nothing is green that a list hit or that no list was held
    against (see `FLOOR`). False in decisions of before there was such a promise.
    """

    name: str
    version: str
    rules: tuple[RiskRule, ...]
    yellow_from: int
    red_from: int
    random_permille: int = 0
    seed: str = ""
    currency: str = ""
    rates: tuple[tuple[str, str], ...] = ()
    rates_of: str = ""
    screened: bool = False

    def __post_init__(self) -> None:
        names = [rule.id for rule in self.rules]
        if len(set(names)) != len(names) or len(names) > RULES_MAX:
            raise MalformedInput("risk rules have one id each, and are 1,000 at most")
        if not 0 < self.yellow_from <= self.red_from or not 0 <= self.random_permille <= _PERMILLE:
            raise MalformedInput("scores rise from yellow to red; permille are 0 to 1000")
        self._check_rates()

    def _check_rates(self) -> None:
        known = [currency for currency, _ in self.rates]
        for currency in filter(None, (self.currency, *known)):
            Currency(currency)
        if bool(self.rates) != bool(self.rates_of) or (self.rates and not self.currency):
            raise MalformedInput("rates have a day and the currency that they lead to")
        if self.currency in known or any(_number(rate, "rates") <= 0 for _, rate in self.rates):
            raise MalformedInput("a rate is above zero and leads from another currency")
        self._check_day()

    def _check_day(self) -> None:
        try:
            date.fromisoformat(self.rates_of or "2000-01-01")
        except ValueError as error:
            raise MalformedInput(
                f"no such day: {self.rates_of[:20]!r}", where="rates_of"
            ) from error

    def rate(self, currency: str) -> Decimal | None:
        """Units of the rules' currency for one unit of this one; None if nobody said."""
        if currency and currency == self.currency:
            return Decimal(1)
        found = dict(self.rates).get(currency)
        return None if found is None else Decimal(found)

    def plain(self) -> Json:
        """The rules as JSON values, in their order."""
        return {
            "name": self.name,
            "version": self.version,
            "yellow_from": self.yellow_from,
            "red_from": self.red_from,
            "random_permille": self.random_permille,
            "seed": self.seed,
            # Rules without them keep the digest that they always had.
            **({"currency": self.currency} if self.currency else {}),
            **({"rates": dict(self.rates), "rates_of": self.rates_of} if self.rates else {}),
            **({"screened": True} if self.screened else {}),
            "rules": [
                {
                    "id": rule.id,
                    "fact": rule.fact,
                    "test": rule.test.value,
                    "value": rule.value,
                    "weight": rule.weight,
                    "reason": rule.reason,
                    # Rules without one keep the digest that they always had.
                    **({"reason_zh": rule.reason_zh} if rule.reason_zh else {}),
                }
                for rule in self.rules
            ],
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical rules, hex."""
        return hashlib.sha256(jcs(self.plain())).hexdigest()


@dataclass(frozen=True, slots=True)
class RiskMatch:
    """A rule that matched, the fact it saw, and what it added."""

    rule: str
    fact: str
    value: str
    weight: int


@dataclass(frozen=True, slots=True)
class RiskDecision:
    """The decision with everything that is needed to make it again."""

    rules: str
    facts: str
    score: int
    channel: Channel
    matches: tuple[RiskMatch, ...]
    at_random: bool


def facts_digest(facts: Mapping[str, str]) -> str:
    """SHA-256 of the canonical facts, hex."""
    return hashlib.sha256(jcs(dict(facts))).hexdigest()


def decide(facts: Mapping[str, str], rules: RuleSet) -> RiskDecision:
    """The channel of a declaration; the same facts and rules always give the same decision."""
    matches = tuple(match for rule in rules.rules for match in _matches(rule, facts))
    score = sum(match.weight for match in matches)
    digest = facts_digest(facts)
    drawn = hashlib.sha256(f"{rules.seed}:{digest}".encode()).digest()
    # 2^64 draws over 1000 boxes differ by less than one in 10^16.
    at_random = int.from_bytes(drawn[:8], "big") % _PERMILLE < rules.random_permille
    channel = _channel(score, rules, at_random=at_random)
    if channel is Channel.GREEN and rules.screened:
        ended = tuple(match for rule in FLOOR for match in _matches(rule, facts))
        matches, channel = matches + ended, Channel.YELLOW if ended else channel
    return RiskDecision(rules.digest, digest, score, channel, matches, at_random)


def _channel(score: int, rules: RuleSet, *, at_random: bool) -> Channel:
    if score >= rules.red_from:
        return Channel.RED
    return Channel.YELLOW if score >= rules.yellow_from or at_random else Channel.GREEN


def _matches(rule: RiskRule, facts: Mapping[str, str]) -> list[RiskMatch]:
    if rule.fact.endswith("*"):
        names = sorted(name for name in facts if name.startswith(rule.fact[:-1]))
    else:
        names = [rule.fact] if rule.fact in facts else []
    if rule.fact == PER_KILOGRAM and not names and NOT_COMPARED in facts:
        # A rule that could not be asked is no rule that did not match.
        return [RiskMatch(rule.id, NOT_COMPARED, facts[NOT_COMPARED], 0)]
    return [
        RiskMatch(rule.id, name, facts[name], rule.weight)
        for name in names
        if _holds(rule, facts[name], name)
    ]


def _holds(rule: RiskRule, value: str, name: str) -> bool:
    if rule.test is Look.EQUALS:
        return value == rule.value
    if rule.test is Look.STARTS:
        return value.startswith(rule.value)
    seen, limit = _number(value, name), Decimal(rule.value)
    return seen > limit if rule.test is Look.ABOVE else seen < limit
