from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.node.leases.roles import ROLES, SINGLE, parse_roles, single


def test_all_is_every_role_also_beside_others():
    assert parse_roles("all") == parse_roles("page, all") == frozenset(ROLES)


def test_roles_of_many_stand_alone_and_need_no_lease():
    assert parse_roles(" api,page ") == {"api", "page"}
    assert single(parse_roles("api")) == ()
    assert single(parse_roles("all")) == tuple(sorted(SINGLE))


@pytest.mark.parametrize("text", ["", ",", "api,pages", "ALL"])
def test_a_word_that_is_no_role_is_refused_with_the_list(text: str):
    with pytest.raises(MalformedInput) as refused:
        parse_roles(text)
    assert refused.value.code == "unknown_role"
    assert all(role in refused.value.remedy for role in ROLES)


@pytest.mark.parametrize("text", ["ledger", "api,log,relay", ",".join(SINGLE[1:])])
def test_roles_that_share_memory_are_named_together(text: str):
    with pytest.raises(Refused) as refused:
        parse_roles(text)
    assert refused.value.code == "roles_together"
