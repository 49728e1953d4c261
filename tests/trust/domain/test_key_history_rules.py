"""Rotations and revocations moment by moment, and who may say them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from zhidao.core.encoding import base64url
from zhidao.core.errors import Refused
from zhidao.core.events import SignedEvent, Speaker
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trust.domain.key_history import KeyHistory, Revocation, Rotation, rotation_message
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.domain.trust_list import TrustedNode, TrustedParty, TrustList, trust_list
from zhidao.trust.events import KeyRevoked, KeyRotated

NODE, OTHER_NODE, CARRIER, EXPORTER = map(PartyId, ("node", "spare", "carrier", "exporter"))
OLD, SECOND, NEW, NEWER, THIRD, NODE_KEY, SPARE_KEY, NODE_NEW = (
    SoftwareKey(Algorithm.ED25519, bytes([n]) * 32) for n in range(1, 9)
)
START = Utc.parse("2026-05-04T08:00:00Z")


def at(seconds: float) -> Utc:
    return START.plus_ns(int(seconds * 10**9))


def listed() -> TrustList:
    """The carrier has two keys, the exporter and each of two nodes one."""
    nodes = [
        TrustedNode(party, NoteKey(f"log/{party}", key.public), (key.public,))
        for party, key in ((NODE, NODE_KEY), (OTHER_NODE, SPARE_KEY))
    ]
    parties = [
        TrustedParty(CARRIER, "Carrier", "carrier", (OLD.public, SECOND.public)),
        TrustedParty(EXPORTER, "Exporter", "exporter", (THIRD.public,)),
    ]
    return trust_list("corridor", START, nodes, parties)


def event(fact: Any, by: SoftwareKey, seconds: float, *, party: PartyId = CARRIER) -> SignedEvent:
    return SignedEvent(
        id=UUID(int=5),
        type=fact.told_as,
        aggregate=f"keys/{party}",
        version=1,
        owner=party,
        visible=(),
        occurred_at=at(seconds),
        recorded_at=at(seconds),
        payload=fact.payload(),
        open=True,
        custodian=False,
        asserted_by=Speaker(party, by.public),
        recorded_by=Speaker(NODE, NODE_KEY.public),
    )


def rotated(
    former: SoftwareKey, new: SoftwareKey, seconds: float, *, party: PartyId = CARRIER, **more: str
) -> SignedEvent:
    shown = new.sign(rotation_message(party, former.public, new.public))
    fact = KeyRotated(
        **{
            "party": party,
            "former": former.public.multikey,
            "key": new.public.multikey,
            "possession": base64url(shown),
            "reason": "yearly",
            **more,
        }
    )
    return event(fact, former, seconds, party=party)


def revoked(
    key: SoftwareKey,
    since: float,
    *,
    by: SoftwareKey,
    seconds: float = 100,
    speaker: PartyId = CARRIER,
    of: PartyId = CARRIER,
) -> SignedEvent:
    fact = KeyRevoked(party=of, key=key.public.multikey, since=str(at(since)), reason="stolen")
    return event(fact, by, seconds, party=speaker)


def faults(
    history: KeyHistory, key: SoftwareKey, *seconds: float, party: str = CARRIER
) -> list[str]:
    return [history.fault(party, key.public, at(each)) for each in seconds]


def test_a_key_of_the_list_counts_always_and_another_never() -> None:
    history = KeyHistory.of(listed(), [])
    assert faults(history, OLD, -1e6, 0, 1e6) == [""] * 3
    assert faults(history, NEW, -1e6, 0, 1e6) == ["unknown_speaker"] * 3
    assert faults(history, THIRD, 0) == ["unknown_speaker"]
    assert faults(history, THIRD, 0, party=EXPORTER) == [""]
    assert faults(history, NODE_KEY, 0, party=NODE) == [""]


def test_at_the_moment_of_a_rotation_both_keys_count() -> None:
    history = KeyHistory.of(listed(), [rotated(OLD, NEW, 10)])
    assert faults(history, OLD, 9, 10, 10.000000001, 11) == ["", "", "retired_key", "retired_key"]
    assert faults(history, NEW, 9, 9.999999999, 10, 11) == ["early_key", "early_key", "", ""]
    assert faults(history, SECOND, 9, 11) == ["", ""]


def test_a_chain_of_rotations_is_followed_in_the_order_of_the_log() -> None:
    both = [rotated(OLD, NEW, 10), rotated(NEW, NEWER, 20)]
    history = KeyHistory.of(listed(), both)
    assert faults(history, NEW, 9, 10, 20, 21) == ["early_key", "", "", "retired_key"]
    assert faults(history, NEWER, 19, 20, 21) == ["early_key", "", ""]
    # The other way round nobody knew the key that was given up.
    turned = KeyHistory.of(listed(), both[::-1])
    assert faults(turned, NEWER, 21) == ["unknown_speaker"]
    assert faults(turned, NEW, 21) == [""]


def test_a_key_that_two_gave_way_to_counts_from_the_first_time() -> None:
    history = KeyHistory.of(listed(), [rotated(OLD, NEW, 10), rotated(SECOND, NEW, 20)])
    assert faults(history, NEW, 9, 10, 15, 25) == ["early_key", "", "", ""]
    assert faults(history, SECOND, 20, 21) == ["", "retired_key"]


def test_a_key_given_up_gives_way_to_no_other() -> None:
    history = KeyHistory.of(listed(), [rotated(OLD, NEW, 10), rotated(OLD, NEWER, 11)])
    assert faults(history, NEWER, 12) == ["unknown_speaker"]
    assert faults(history, NEW, 12) == [""]


@pytest.mark.parametrize("by", [SECOND, NODE_KEY])
def test_nothing_of_a_key_counts_from_the_moment_of_its_revocation(by: SoftwareKey) -> None:
    speaker = NODE if by is NODE_KEY else CARRIER
    history = KeyHistory.of(listed(), [revoked(OLD, 50, by=by, speaker=speaker)])
    assert faults(history, OLD, 49.999999999, 50, 51, 100) == ["", *["revoked_key"] * 3]
    assert faults(history, SECOND, 200) == [""]


def test_of_two_revocations_the_earlier_moment_holds() -> None:
    both = [revoked(OLD, 50, by=SECOND), revoked(OLD, 30, by=SECOND)]
    for events in (both, both[::-1]):
        assert faults(KeyHistory.of(listed(), events), OLD, 29, 30, 50) == [
            *("", "revoked_key", "revoked_key"),
        ]


def test_a_rotation_after_the_loss_is_void_and_one_before_it_stands() -> None:
    loss = revoked(OLD, 50, by=SECOND)
    after = KeyHistory.of(listed(), [rotated(OLD, NEW, 50), loss])
    assert faults(after, NEW, 60) == ["unknown_speaker"]
    before = KeyHistory.of(listed(), [rotated(OLD, NEW, 49), loss])
    assert faults(before, NEW, 60) == [""]
    assert faults(before, OLD, 50) == ["revoked_key"]


def test_a_revocation_is_said_by_another_good_key_of_the_party_or_by_a_node() -> None:
    gone = rotated(SECOND, NEW, 10)
    cases: list[tuple[list[SignedEvent], bool]] = [
        ([revoked(OLD, 50, by=SECOND)], True),
        ([revoked(OLD, 50, by=OLD)], False),
        ([revoked(OLD, 50, by=NEWER)], False),
        ([revoked(OLD, 50, by=THIRD, speaker=EXPORTER)], False),
        ([revoked(OLD, 50, by=NODE_KEY, speaker=NODE)], True),
        ([revoked(OLD, 50, by=SPARE_KEY, speaker=OTHER_NODE)], True),
        ([revoked(OLD, 50, by=SPARE_KEY, speaker=NODE)], False),
        # A key that was given up says nothing any more, its successor does.
        ([gone, revoked(OLD, 50, by=SECOND)], False),
        ([gone, revoked(OLD, 50, by=NEW)], True),
        # Nor does one that was revoked before.
        ([revoked(SECOND, 5, by=OLD), revoked(OLD, 50, by=SECOND)], False),
    ]
    for events, holds in cases:
        history = KeyHistory.of(listed(), events)
        assert faults(history, OLD, 60) == (["revoked_key"] if holds else [""])


def test_a_key_that_a_node_went_over_to_records_too() -> None:
    history = KeyHistory.of(listed(), [rotated(NODE_KEY, NODE_NEW, 10, party=NODE)])
    assert history.records(NODE, NODE_NEW.public)
    assert history.records(NODE, NODE_KEY.public)
    assert not history.records(OTHER_NODE, NODE_NEW.public)
    assert not history.records(NODE, NEW.public)
    partys = KeyHistory.of(listed(), [rotated(OLD, NEW, 10)])
    assert not partys.records(CARRIER, NEW.public)
    assert not partys.records(CARRIER, OLD.public)
    # A void rotation makes no recorder.
    void = KeyHistory.of(listed(), [rotated(NEWER, NODE_NEW, 10, party=NODE)])
    assert not void.records(NODE, NODE_NEW.public)


def bad(one: SignedEvent) -> str:
    with pytest.raises(Refused) as caught:
        KeyHistory.of(listed(), [one])
    assert caught.value.code == "bad_key_event"
    return str(caught.value)


def test_an_event_about_keys_that_is_not_what_it_says_is_refused_by_its_id() -> None:
    good = rotated(OLD, NEW, 10)
    assert bad(rotated(OLD, NEW, 10, possession="")) == (
        f"trust.KeyRotated.v1 is not what it says (event {good.id})"
    )
    own = rotation_message(CARRIER, OLD.public, NEW.public)
    for wrong in (
        # Shown by another key, for another party, for another pair of keys.
        base64url(OLD.sign(own)),
        base64url(NEW.sign(rotation_message(EXPORTER, OLD.public, NEW.public))),
        base64url(NEW.sign(rotation_message(CARRIER, SECOND.public, NEW.public))),
        base64url(NEW.sign(own)) + "=",
    ):
        bad(rotated(OLD, NEW, 10, possession=wrong))
    bad(rotated(OLD, OLD, 10))
    bad(rotated(OLD, NEW, 10, key="z"))
    bad(replace(good, payload={**good.payload, "former": "z"}))
    bad(replace(good, asserted_by=Speaker(CARRIER, SECOND.public)))
    bad(replace(good, asserted_by=Speaker(EXPORTER, OLD.public)))
    bad(replace(good, payload={**good.payload, "more": 1}))
    # The carrier's rotation in the exporter's name, well shown and well said.
    moved = replace(good, owner=EXPORTER, asserted_by=Speaker(EXPORTER, OLD.public))
    bad(moved)


def test_a_revocation_names_a_key_and_a_moment_that_is_not_to_come() -> None:
    good = revoked(OLD, 100, by=SECOND, seconds=100)
    assert faults(KeyHistory.of(listed(), [good]), OLD, 99, 100) == ["", "revoked_key"]
    bad(revoked(OLD, 100.000000001, by=SECOND, seconds=100))
    bad(replace(good, payload={**good.payload, "since": "yesterday"}))
    bad(replace(good, payload={**good.payload, "key": "z"}))
    bad(replace(good, payload={**good.payload, "more": 1}))


def test_a_rotation_is_shown_over_party_and_both_keys() -> None:
    message = rotation_message(CARRIER, OLD.public, NEW.public)
    assert (
        message
        == (
            f'["zhidao key rotation v1","carrier","{OLD.public.multikey}","{NEW.public.multikey}"]'
        ).encode()
    )


def test_events_of_other_kinds_say_nothing_about_keys() -> None:
    other = replace(rotated(OLD, NEW, 10), type="trust.Other.v1")
    assert faults(KeyHistory.of(listed(), [other]), NEW, 20) == ["unknown_speaker"]


def test_a_history_may_be_made_of_what_is_known_already() -> None:
    history = KeyHistory(
        listed(),
        [Rotation(CARRIER, OLD.public, NEW.public, at(10))],
        [Revocation(CARRIER, SECOND.public, at(5))],
    )
    assert faults(history, NEW, 9, 10) == ["early_key", ""]
    assert faults(history, SECOND, 4, 5) == ["", "revoked_key"]
