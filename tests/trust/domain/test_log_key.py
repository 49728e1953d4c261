from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest
from tests.trust.proof_bench import ProofBench

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.encoding import base64url
from zhidao.core.errors import Refused
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trust.domain.log_key import (
    check_declaration,
    former_logs,
    log_origin,
    possession_message,
)
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.domain.trust_list import TrustedNode, trust_list
from zhidao.trust.events import LogKeyDeclared

NODE = party_id("corridor")
OLD, NEW = (SoftwareKey(Algorithm.ED25519, bytes([n]) * 32) for n in (1, 2))
FORMER, LOG = (NoteKey(log_origin(NODE, key.public), key.public) for key in (OLD, NEW))
NOW = Utc.parse("2026-05-01T09:00:00Z")


def declaration(signer: SoftwareKey = NEW, **changes):
    """A declaration with the new key's signature, then changed without asking it again."""
    fact = LogKeyDeclared(
        origin=LOG.name,
        key=LOG.key.multikey,
        former_origin=FORMER.name,
        former_key=FORMER.key.multikey,
        carried_leaves=5,
        carried_root="ab" * 32,
        known_leaves=9,
        known_root="cd" * 32,
        known_head="a note",
        reason="the disk was lost",
        possession="",
    )
    possession = base64url(signer.sign(possession_message(fact)))
    return msgspec.structs.replace(fact, **{"possession": possession} | changes)


def said(fact, aggregate: str = f"log/{LOG.name}"):
    clock, randomness = HandClock(NOW), SeededRandomness(1)
    scribe = Scribe(
        node=NODE,
        key=OLD,
        ring=FixedKeyRing({}),
        clock=clock,
        ids=IdSource(clock, randomness),
        randomness=randomness,
    )
    actor = Actor(NODE, Role.NODE)
    entry = scribe.write(
        fact,
        by=actor.party,
        aggregate=aggregate,
        version=1,
        owner=NODE,
        visible=(),
        occurred_at=None,
    )
    return entry.event


def test_a_declaration_is_signed_by_the_nodes_key_and_by_the_new_one():
    fact = declaration()
    assert check_declaration(said(fact), former=FORMER, new=LOG) == fact


@pytest.mark.parametrize(
    "fact",
    [
        declaration(carried_leaves=6),
        declaration(known_leaves=5),
        declaration(known_root="ef" * 32),
        declaration(reason="nothing happened"),
        declaration(possession="AA"),
        declaration(possession="not base64url!"),
        declaration(OLD),
        declaration(key=FORMER.key.multikey),
        declaration(former_key=LOG.key.multikey),
        declaration(origin="zhidao-log/corridor/0000000000000000"),
        declaration(carried_leaves=-1),
    ],
)
def test_a_changed_declaration_does_not_hold(fact):
    with pytest.raises(Refused) as refused:
        check_declaration(said(fact), former=FORMER, new=LOG)
    assert refused.value.code == "wrong_log_key"


def test_a_declaration_counts_in_its_own_place_and_for_its_own_logs_only():
    stranger = NoteKey("zhidao-log/other/1", NEW.public)
    for event, former, new in (
        (said(declaration(), aggregate="log/other"), FORMER, LOG),
        (said(declaration()), stranger, LOG),
        (said(declaration()), FORMER, stranger),
    ):
        with pytest.raises(Refused):
            check_declaration(event, former=former, new=new)


def test_a_trust_list_knows_the_logs_that_a_nodes_keys_signed_before():
    trust = trust_list("t", NOW, [TrustedNode(NODE, LOG, (OLD.public, NEW.public))], [])
    assert trust.logs == (LOG, FORMER)
    assert trust.node_of_log(FORMER) == trust.node_of_log(LOG) == trust.nodes[0]
    # A key of a node signs logs of that node's name only.
    assert trust.node_of_log(NoteKey(log_origin(party_id("other"), OLD.public), OLD.public)) is None
    before = trust_list("t", NOW, [TrustedNode(NODE, FORMER, (OLD.public,))], [])
    assert before.logs == (FORMER,)
    assert before.node_of_log(LOG) is None


def test_an_origin_is_the_nodes_name_and_the_first_sixteen_digits_of_its_keys_fingerprint():
    # The origin that stands in the golden proof of version 1.
    assert log_origin("operator", ProofBench().node_key.public) == (
        "zhidao-log/operator/2746add072252d92"
    )
    groups = OLD.public.fingerprint.split("-")
    assert log_origin("corridor", OLD.public) == "zhidao-log/corridor/" + "".join(groups[:4])


def test_only_keys_that_sign_logs_name_former_ones():
    other = SoftwareKey(Algorithm.ML_DSA_44, b"m" * 32).public
    found = former_logs(NODE, (OLD.public, other, NEW.public))
    assert found == (FORMER, LOG)


def test_the_new_key_signs_the_whole_declaration_but_its_own_signature():
    fact = declaration()
    fields = {name: value for name, value in fact.payload().items() if name != "possession"}
    assert possession_message(fact) == (
        b"zhidao log key declaration v1\n"
        + json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    )


@pytest.mark.parametrize(("leaves", "holds"), [(0, True), (1, True), (-1, False), (-2, False)])
def test_a_new_log_may_carry_nothing_and_not_less(leaves, holds):
    fact = signed_anew(carried_leaves=leaves)
    if holds:
        assert check_declaration(said(fact), former=FORMER, new=LOG) == fact
        return
    with pytest.raises(Refused, match="it carries fewer leaves than none"):
        check_declaration(said(fact), former=FORMER, new=LOG)


def signed_anew(**changes):
    """A declaration that says something else and that the new key signed as it stands."""
    fact = msgspec.structs.replace(declaration(), **changes)
    return msgspec.structs.replace(fact, possession=base64url(NEW.sign(possession_message(fact))))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"origin": "zhidao-log/corridor/0"}, "it is not the node's own open word about its log"),
        ({"key": FORMER.key.multikey}, "it declares another log than this one"),
        ({"former_origin": LOG.name}, "it goes on from another log"),
        ({"former_key": LOG.key.multikey}, "it goes on from another log"),
    ],
)
def test_a_well_signed_declaration_of_another_log_is_told_what_it_is(changes, told):
    with pytest.raises(Refused) as refused:
        check_declaration(said(signed_anew(**changes)), former=FORMER, new=LOG)
    assert str(refused.value) == f"the declaration of a new log key does not hold: {told}"


def test_only_the_nodes_own_open_word_declares_its_log():
    event = said(declaration())
    stranger = replace(event.asserted_by, party=party_id("other"))
    for changes in (
        *({"open": False}, {"custodian": True}, {"asserted_by": stranger}),
        *({"recorded_by": stranger}, {"aggregate": "log/other"}),
    ):
        with pytest.raises(Refused, match="not the node's own open word about its log"):
            check_declaration(replace(event, **changes), former=FORMER, new=LOG)


def test_what_the_new_key_did_not_sign_is_told_apart_from_what_cannot_be_read():
    for possession, told in (
        ("not base64url!", "the new key's signature is unreadable"),
        ("", "the new key did not sign it"),
        (base64url(OLD.sign(possession_message(declaration()))), "the new key did not sign it"),
    ):
        with pytest.raises(Refused, match=told):
            check_declaration(said(declaration(possession=possession)), former=FORMER, new=LOG)
