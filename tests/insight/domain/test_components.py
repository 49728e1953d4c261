from __future__ import annotations

import pytest

from zhidao.insight.domain.components import Component, ComponentList, concerned_parts


def concern(outbound: str, *inbound: str) -> str:
    part = Component("a", "1", "", inbound, "components[0]")
    found = concerned_parts([outbound] if outbound else [], [ComponentList("f", "x", "", (part,))])
    assert len(found) <= 1
    return str(found[0].concern) if found else ""


@pytest.mark.parametrize(
    ("outbound", "inbound", "expected"),
    [
        ("Apache-2.0", "MIT", ""),
        ("Apache-2.0", "MPL-2.0", ""),
        ("Apache-2.0", "LGPL-2.1-or-later", ""),
        ("Apache-2.0", "GPL-3.0-only", "stronger"),
        ("MIT", "AGPL-3.0-or-later", "stronger"),
        ("Apache-2.0", "GPL-2.0-only", "incompatible"),
        ("GPL-2.0-only", "Apache-2.0", "incompatible"),
        ("GPL-2.0-or-later", "Apache-2.0", ""),
        ("GPL-3.0-only", "GPL-2.0-only", "incompatible"),
        ("GPL-3.0-only", "GPL-2.0-or-later", ""),
        ("AGPL-3.0-only", "GPL-3.0-or-later", ""),
        ("GPL-3.0-only", "AGPL-3.0-only", "stronger"),
        ("Apache-2.0", "SSPL-1.0", "closed"),
        ("Apache-2.0", "BUSL-1.1", "closed"),
        ("Apache-2.0", "CC-BY-NC-4.0", "closed"),
        ("Apache-2.0", "MIT License", "unreadable"),
        # A choice is taken as it fits best, on either side.
        ("Apache-2.0", "GPL-3.0-only OR MIT", ""),
        ("MIT OR GPL-3.0-only", "GPL-3.0-only", ""),
        ("Apache-2.0", "GPL-2.0-only OR GPL-3.0-only", "stronger"),
        ("Apache-2.0", "MIT AND GPL-3.0-only", "stronger"),
        ("Apache-2.0", "(BUSL-1.1 OR GPL-3.0-only) AND MIT", "stronger"),
        # Without a known licence of the whole only the part itself can be judged.
        ("", "SSPL-1.0", "closed"),
        ("", "MIT", ""),
    ],
)
def test_what_a_person_must_look_at(outbound: str, inbound: str, expected: str):
    assert concern(outbound, inbound) == expected


def test_of_all_that_a_part_states_the_gravest_is_told():
    assert concern("Apache-2.0", "MIT", "GPL-3.0-only", "BUSL-1.1") == "closed"
    assert concern("Apache-2.0") == ""


def test_an_expression_of_ten_thousand_terms_is_left_to_a_person():
    assert concern("MIT", " OR ".join(["MIT"] * 10_000)) == "unreadable"
