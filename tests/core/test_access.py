"""Roles and relations as data: who is admitted, and who stands in which relation."""

from __future__ import annotations

from copy import deepcopy
from types import SimpleNamespace

import pytest

from zhidao.core.access import CALLER, OPEN, READ, Access, Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Forbidden
from zhidao.core.ids import party_id

PAYS = access(
    *(Role.PARTY, Role.NODE),
    relation=Relation.OWNER,
    of="the account",
    parties=lambda found: (found.holder,),
)
ACCOUNT = SimpleNamespace(holder="importer")


def _actor(party: str, role: Role) -> Actor:
    return Actor(party_id(party), role)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.OPERATOR, Role.AUDITOR])
def test_a_role_that_is_not_declared_is_refused_whatever_the_relation(role: Role) -> None:
    with pytest.raises(Forbidden, match="node or party"):
        PAYS.check(_actor("importer", role), ACCOUNT)


def test_the_right_role_still_needs_the_relation() -> None:
    PAYS.check(_actor("importer", Role.PARTY), ACCOUNT)
    with pytest.raises(Forbidden, match="owner of the account"):
        PAYS.check(_actor("exporter", Role.PARTY), ACCOUNT)
    # The node itself acts on events for everybody.
    PAYS.check(_actor("corridor", Role.NODE), ACCOUNT)


def test_what_is_open_admits_everybody_and_the_rest_only_its_roles() -> None:
    for role in Role:
        OPEN.admit(_actor("anybody", role))
    assert OPEN.is_open
    assert not CALLER.is_open
    with pytest.raises(Forbidden):
        READ.admit(_actor("corridor", Role.ADMIN))


def test_a_rule_without_a_resolver_admits_no_party_to_what_it_checks() -> None:
    bare = access(Role.PARTY, relation=Relation.PEER)
    with pytest.raises(Forbidden):
        bare.check(_actor("importer", Role.PARTY), ACCOUNT)


def test_relations_are_told_by_the_words_that_the_documentation_explains() -> None:
    assert [str(relation) for relation in Relation] == ["anybody", "owner", "peer", "bank_of"]


def test_a_refusal_names_the_object_only_where_the_rule_does() -> None:
    unnamed = access(Role.PARTY, relation=Relation.OWNER)
    assert unnamed.of == ""
    with pytest.raises(Forbidden, match="only the owner may do this, not importer"):
        unnamed.check(_actor("importer", Role.PARTY), ACCOUNT)
    rule = Access(frozenset({Role.PARTY}), Relation.BANK_OF)
    with pytest.raises(Forbidden, match="only the bank_of may do this, not importer"):
        rule.check(_actor("importer", Role.PARTY), ACCOUNT)


def test_a_rule_says_whether_it_knows_the_parties_itself() -> None:
    assert PAYS.has_resolver is True
    assert READ.has_resolver is False


def test_only_a_rule_for_nodes_alone_is_met_by_a_nodes_own_signature() -> None:
    assert access(Role.NODE).is_for_nodes is True
    for rule in (PAYS, OPEN, CALLER):
        assert rule.is_for_nodes is False


def test_a_copied_declaration_is_the_same_rule() -> None:
    # The framework copies what a route declares; a rule is compared by being the same one.
    assert deepcopy({"access": PAYS})["access"] is PAYS
