"""Which key of a party counts when: rotations and revocations, as open events tell them.

A trust list says whose a key is; this says since when and until when, by the time at which the node
recorded. A rotation is said by the former key, and the new one proves that it is there. A
revocation names the moment from which nothing of the key counts, so a rotation that a thief made
after it is void together with all that his key said. Whoever shows a proof chooses what he opens:
a rotation or revocation that he leaves out is not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.canonical import jcs
from zhidao.core.encoding import parse_base64url
from zhidao.core.errors import Refused, ZhidaoError
from zhidao.core.events import SignedEvent, Speaker
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.events import KeyRevoked, KeyRotated

_CONTEXT: Final = "zhidao key rotation v1"


def rotation_message(party: str, former: PublicKey, key: PublicKey) -> bytes:
    """What the new key signs, to show that it is there."""
    return jcs([_CONTEXT, party, former.multikey, key.multikey])


@dataclass(frozen=True, slots=True)
class Rotation:
    """A party went over from one key to another."""

    party: str
    former: PublicKey
    key: PublicKey
    at: Utc


@dataclass(frozen=True, slots=True)
class Revocation:
    """Nothing that a party's key says counts from a moment on."""

    party: str
    key: PublicKey
    since: Utc


class KeyHistory:
    """The keys of a trust list with their rotations and revocations."""

    def __init__(
        self, trust: TrustList, rotations: Sequence[Rotation], revocations: Sequence[Revocation]
    ) -> None:
        """The rotations in the order of the log."""
        self._trust = trust
        self._since: dict[tuple[str, PublicKey], Utc] = {}
        self._until: dict[tuple[str, PublicKey], Utc] = {}
        self._revoked: dict[tuple[str, PublicKey], Utc] = {}
        self._recording: set[tuple[str, PublicKey]] = set()
        for each in revocations:
            before = self._revoked.get((each.party, each.key), each.since)
            self._revoked[each.party, each.key] = min(before, each.since)
        for rotation in rotations:
            # A void rotation changes nothing: its key stays as unknown as it was.
            if self.fault(rotation.party, rotation.former, rotation.at) == "":
                self._until[rotation.party, rotation.former] = rotation.at
                self._since.setdefault((rotation.party, rotation.key), rotation.at)
                if self.records(rotation.party, rotation.former):
                    self._recording.add((rotation.party, rotation.key))

    @classmethod
    def of(cls, trust: TrustList, events: Iterable[SignedEvent]) -> KeyHistory:
        """From events in the order of the log whose place in it is proven.

        Only what the right one said counts: a rotation by the key that it gives up, a revocation
        by another key of the party or by a node that records. Raises Refused (`bad_key_event`)
        for an event of these kinds that is not what it says.
        """
        rotations: list[Rotation] = []
        revocations: list[Revocation] = []
        for event in events:
            if event.type == KeyRotated.TYPE:
                rotations.append(_rotation(event))
            elif event.type == KeyRevoked.TYPE:
                revocation = _revocation(event)
                known = cls(trust, rotations, revocations)
                if known._may_revoke(event.asserted_by, revocation, event.recorded_at):
                    revocations.append(revocation)
        return cls(trust, rotations, revocations)

    def fault(self, party: str, key: PublicKey, at: Utc) -> str:
        """`` if the party's key counts at a time, else the reason code.

        `unknown_speaker`, `revoked_key`, `retired_key` (rotated away before), `early_key` (the
        rotation to it came later).
        """
        name = (party, key)
        since = self._since.get(name)
        if since is None and not self._trust.speaks(party, key):
            return "unknown_speaker"
        if name in self._revoked and at >= self._revoked[name]:
            return "revoked_key"
        if name in self._until and at > self._until[name]:
            return "retired_key"
        return "early_key" if since is not None and at < since else ""

    def records(self, party: str, key: PublicKey) -> bool:
        """Whether a node records with it: by the list, or gone over to from such a key."""
        return (party, key) in self._recording or self._trust.records(party, key)

    def _may_revoke(self, speaker: Speaker, revocation: Revocation, at: Utc) -> bool:
        if self._trust.records(speaker.party, speaker.key):
            return True
        other = (speaker.party, speaker.key) != (revocation.party, revocation.key)
        own = speaker.party == revocation.party
        return own and other and not self.fault(speaker.party, speaker.key, at)


def _rotation(event: SignedEvent) -> Rotation:
    try:
        fact = KeyRotated.of(event)
        former = PublicKey.from_multikey(fact.former)
        key = PublicKey.from_multikey(fact.key)
        possession = parse_base64url(fact.possession)
    except ZhidaoError as error:
        raise _bad(event) from error
    shown = key.verifies(possession, rotation_message(fact.party, former, key))
    if key == former or not shown or event.asserted_by != Speaker(event.owner, former):
        raise _bad(event)
    if event.owner != fact.party:
        raise _bad(event)
    return Rotation(fact.party, former, key, event.recorded_at)


def _revocation(event: SignedEvent) -> Revocation:
    try:
        fact = KeyRevoked.of(event)
        key, since = PublicKey.from_multikey(fact.key), Utc.parse(fact.since)
    except ZhidaoError as error:
        raise _bad(event) from error
    if since > event.recorded_at:
        raise _bad(event)
    return Revocation(fact.party, key, since)


def _bad(event: SignedEvent) -> Refused:
    return Refused(
        f"{event.type} is not what it says", code="bad_key_event", where=f"event {event.id}"
    )
