"""Reference risk rules: what a single window starts with until its customs gives its own.

The weights are ours and stand for nobody's policy; an operator's file replaces all of them.
"""

from __future__ import annotations

from typing import Final

from zhidao.trade.domain.clearance.risk import Look, RiskRule, RuleSet

REFERENCE: Final = RuleSet(
    name="reference",
    version="2026-11",
    rules=(
        RiskRule(
            "listed",
            "screening.hits",
            Look.ABOVE,
            "0",
            100,
            "a name or code stands on the operator's list",
        ),
        RiskRule("unscreened", "screening.list", Look.EQUALS, "none", 10, "no list was screened"),
        RiskRule(
            "cheap", "value.perKilogram", Look.BELOW, "1", 40, "less than one unit a kilogram"
        ),
        RiskRule("many-lines", "items.count", Look.ABOVE, "20", 30, "many lines of goods"),
    ),
    yellow_from=30,
    red_from=70,
    random_permille=10,
    seed="reference",
)
