"""Rules under the names that a known family has: what makes a file of a test one of that family."""

from __future__ import annotations

from zhidao.trade.domain.rule_families import FAMILIES


def padding(family: str) -> str:
    """A Schematron pattern that is about nothing, with as many names as the family's rules have."""
    known = FAMILIES[family]
    names = [*sorted(known.core), *(f"{known.marks[0]}P{n}" for n in range(known.least))]
    asserts = "".join(f'<assert id="{name}" test="true()"/>' for name in names)
    return f'<pattern id="padding"><rule context="padding">{asserts}</rule></pattern>'
