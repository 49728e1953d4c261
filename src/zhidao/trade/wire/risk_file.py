"""Risk rules as a JSON file; its canonical bytes are what the digest of a rule set is of."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from zhidao.trade.domain.clearance.risk import RULES_MAX, Look, RiskRule, RuleSet
from zhidao.trade.wire.fields import Name, Reference, Short, ShortOrNone, Text, read_struct
from zhidao.trade.wire.file_schema import schema_of

RATES_MAX: Final = 200
"""Currencies with a rate in one file; ISO 4217 knows some 180."""
_Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
_CurrencyOrNone = Annotated[str, msgspec.Meta(pattern=r"^([A-Z]{3})?\Z")]
_Score = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class _Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Reference
    fact: Name
    test: Look
    value: Short
    weight: Annotated[int, msgspec.Meta(ge=-1_000_000, le=1_000_000)]
    reason: Text
    reason_zh: Annotated[str, msgspec.Meta(max_length=300)] = ""


class _Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    version: Short
    yellow_from: _Score
    red_from: _Score
    rules: Annotated[list[_Rule], msgspec.Meta(max_length=RULES_MAX)]
    random_permille: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    seed: ShortOrNone = ""
    currency: _CurrencyOrNone = ""
    rates: Annotated[dict[_Currency, Short], msgspec.Meta(max_length=RATES_MAX)] = msgspec.field(
        default_factory=dict
    )
    rates_of: ShortOrNone = ""
    screened: bool = False


def schema() -> dict[str, Any]:
    """The JSON Schema of risk rules."""
    return schema_of(_Rules, "Risk rules")


def read_rules(data: bytes) -> RuleSet:
    """The rules of a file. Raises MalformedInput naming the field."""
    document = read_struct(data, _Rules, what="risk rules")
    return RuleSet(
        name=document.name,
        version=document.version,
        rules=tuple(
            RiskRule(
                id=rule.id,
                fact=rule.fact,
                test=rule.test,
                value=rule.value,
                weight=rule.weight,
                reason=rule.reason,
                reason_zh=rule.reason_zh,
            )
            for rule in document.rules
        ),
        yellow_from=document.yellow_from,
        red_from=document.red_from,
        random_permille=document.random_permille,
        seed=document.seed,
        currency=document.currency,
        rates=tuple(sorted(document.rates.items())),
        rates_of=document.rates_of,
        screened=document.screened,
    )
