"""Whether the keys at hand are those that the node's own records know: none lost, none another's.

Which keys there were, the folder of keys can say only as far as it is whole: one that came out of
an older export knows nothing of what was made later. The database does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, PublicKey
from zhidao.node.security.party_keys import party_key_name, waiting_key_name

LACKING_REMEDY: Final = (
    "move the folder keys aside and import the newest export: zhidao keys import FILE; if none has"
    " them, zhidao keys revoke PARTY --reason WHY gives the party new ones"
)
OTHER_REMEDY: Final = (
    "put the right file back from a copy of the folder, or move the folder keys aside and import"
    " the newest export: zhidao keys import FILE; until then nothing is signed"
)
_SIGNING: Final = Algorithm.ED25519
# How many parties one sentence names.
NAMED_MAX: Final = 20

Held = Callable[[str], PublicKey | None]
"""The public key of a name and algorithm (`party.maker.ed25519`), or None."""


@dataclass(frozen=True, slots=True)
class PartyRecord:
    """What the database knows of a party's keys.

    `made`: those with which it was made, empty for a party of an earlier release; `later`: those to
    which it went over, in order; `given_up`: those that it left; `revoked`: those that were taken
    back. All as Multikeys.
    """

    party: PartyId
    made: Sequence[str]
    later: Sequence[str] = ()
    given_up: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()

    def made_of(self, algorithm: Algorithm) -> PublicKey | None:
        """The key of a kind with which the party was made, or None if nobody wrote it down."""
        known = map(PublicKey.from_multikey, self.made)
        return next((key for key in known if key.algorithm is algorithm), None)

    def present(self) -> PublicKey | None:
        """The signing key that counts by these records, or None if they do not know it."""
        made = self.made_of(_SIGNING)
        known = [*([made.multikey] if made else []), *self.later]
        return PublicKey.from_multikey(known[-1]) if known else None


@dataclass(frozen=True, slots=True)
class Finding:
    """A key that is not as the records say; `is_other`: another one lies under its name."""

    party: PartyId
    label: str
    seen: str
    is_other: bool = False


def compare(records: Sequence[PartyRecord], held: Held) -> list[Finding]:
    """What does not fit, in order of party."""
    return [finding for record in records for finding in _of_party(record, held)]


def _of_party(record: PartyRecord, held: Held) -> Iterator[Finding]:
    yield from _made(record, held)
    yield from _later(record, held)


def _made(record: PartyRecord, held: Held) -> Iterator[Finding]:
    """Of the keys with which the party was made."""
    party = record.party
    made = record.made_of(_SIGNING)
    # Taken back because it was lost: what stands in its place is a new key, and so is the account.
    renewed = made is not None and made.multikey in record.revoked
    for algorithm in (_SIGNING, Algorithm.SECP256K1):
        label = f"{party_key_name(party, 1)}.{algorithm.label}"
        key, known = held(label), record.made_of(algorithm)
        if key is None:
            print_ = f" {known.fingerprint}" if known else ""
            yield Finding(party, label, f"missing: the party {party} was made here with it{print_}")
        elif known is not None and key != known and not renewed:
            seen = f"it holds {key.fingerprint}, and {party} was made with {known.fingerprint}"
            yield Finding(party, label, seen, is_other=True)


def _later(record: PartyRecord, held: Held) -> Iterator[Finding]:
    """Of the keys to which it went over, also by a revocation, which does not say to which."""
    party, there = record.party, signing_keys(record.party, held)
    label = f"{party_key_name(party, len(there) + 1)}.{_SIGNING.label}"
    for text in record.later:
        if text not in there and text not in record.revoked:
            later = PublicKey.from_multikey(text).fingerprint
            yield Finding(party, label, f"missing: {party} went over to it, {later}")
            return
    if there and there[-1] in record.given_up | record.revoked:
        yield Finding(party, label, f"missing: {party} signs no more with the key before it")


def signing_keys(party: PartyId, held: Held) -> list[str]:
    """The signing keys at hand as Multikeys, last the one that waits for the end of a change."""
    found: list[str] = []
    while key := held(f"{party_key_name(party, len(found) + 1)}.{_SIGNING.label}"):
        found.append(key.multikey)
    waiting = held(f"{waiting_key_name(party)}.{_SIGNING.label}")
    return [*found, waiting.multikey] if waiting else found


def lost_key(record: PartyRecord, held: Held) -> PublicKey | None:
    """The present signing key of a party, if it is known and not at hand, nor one in its place."""
    there, present = signing_keys(record.party, held), record.present()
    if present is None or present.multikey in there:
        return None
    is_renewed = bool(there) and there[-1] not in record.given_up | record.revoked
    return None if is_renewed and present.multikey in record.revoked else present


def without_keys(findings: Sequence[Finding]) -> Mapping[PartyId, str]:
    """The parties that lack a key, each with the names of what it lacks.

    Raises Refused (`key_misplaced`) if a key is another's.
    """
    lacking: dict[PartyId, str] = {}
    for each in findings:
        if each.is_other:
            raise Refused(
                f"{each.label}: {each.seen}",
                code="key_misplaced",
                where=f"keys/{each.label}.key",
                remedy=OTHER_REMEDY,
            )
        said = lacking.get(each.party, "")
        lacking[each.party] = f"{said}, {each.label}" if said else each.label
    return lacking


def named(parties: Mapping[PartyId, str]) -> str:
    """The parties in one line; of many, how many more there are."""
    names = sorted(parties)
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more
