"""Reference risk rules: what a single window starts with until its customs gives its own.

The weights are ours and stand for nobody's policy; an operator's file replaces all of them. No
rates stand here, since nobody gave any: values are compared where the invoice is in euros.
"""

from __future__ import annotations

from typing import Final

from zhidao.trade.domain.clearance.risk import Look, RiskRule, RuleSet

REFERENCE: Final = RuleSet(
    name="reference",
    version="2026-12-2",
    rules=(
        RiskRule(
            "listed",
            "screening.hits",
            Look.ABOVE,
            "0",
            100,
            "a name or code stands on the operator's list",
            "名称或编码在运营方的名单上",
        ),
        RiskRule(
            "unscreened",
            "screening.list",
            Look.EQUALS,
            "none",
            30,
            "no list was screened",
            "未对照任何名单",
        ),
        RiskRule(
            "cheap",
            "value.perKilogram",
            Look.BELOW,
            "1",
            40,
            "less than one euro a kilogram",
            "每千克价值不足一欧元",
        ),
        RiskRule(
            "many-lines", "items.count", Look.ABOVE, "20", 30, "many lines of goods", "货物行数多"
        ),
    ),
    yellow_from=30,
    red_from=70,
    random_permille=10,
    seed="reference",
    currency="EUR",
)
