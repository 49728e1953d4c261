"""A log under a new key: what is declared, and when a declaration holds.

A node that came back without the newest leaves may not sign another history over the same sizes.
It may go on in a *new* log, under a new key and therefore a new origin, which begins with the
leaves that it still has: they keep their indices, and every older head of at most that size stays a
beginning of the new log. What the former log held beyond them is named by its last known head.
"""

from __future__ import annotations

from typing import Final

from zhidao.core.canonical import jcs
from zhidao.core.encoding import parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, PublicKey
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.events import LogKeyDeclared

_PURPOSE: Final = b"zhidao log key declaration v1\n"


def log_origin(name: str, key: PublicKey) -> str:
    """The origin of a node's log: its name and its key's fingerprint, so that no two are equal.

    The key belongs in it because a log under a new key is a new log.
    """
    return f"zhidao-log/{name}/{key.fingerprint.replace('-', '')[:16]}"


def former_logs(party: PartyId, keys: tuple[PublicKey, ...]) -> tuple[NoteKey, ...]:
    """The logs that a node's recording keys may have signed before: their origins name the keys."""
    return tuple(
        NoteKey(log_origin(party, key), key) for key in keys if key.algorithm is Algorithm.ED25519
    )


def possession_message(fact: LogKeyDeclared) -> bytes:
    """What the new key signs: the whole declaration but that signature."""
    fields = fact.payload()
    del fields["possession"]
    return _PURPOSE + jcs(fields)


def check_declaration(event: SignedEvent, *, former: NoteKey, new: NoteKey) -> LogKeyDeclared:
    """The declaration inside an event, if it declares `new` in the place of `former`.

    Raises Refused (`wrong_log_key`) for another log, a record that the node's own key did not
    sign, or a new key that did not sign it. The event's own signatures were checked before.
    """
    fact = LogKeyDeclared.of(event)
    said_by_node = event.asserted_by == event.recorded_by and not event.custodian
    if event.aggregate != f"log/{fact.origin}" or not event.open or not said_by_node:
        raise _wrong("it is not the node's own open word about its log")
    if (fact.origin, fact.key) != (new.name, new.key.multikey):
        raise _wrong("it declares another log than this one")
    if (fact.former_origin, fact.former_key) != (former.name, former.key.multikey):
        raise _wrong("it goes on from another log")
    if fact.carried_leaves < 0:
        raise _wrong("it carries fewer leaves than none")
    try:
        signature = parse_base64url(fact.possession)
    except MalformedInput as error:
        raise _wrong("the new key's signature is unreadable") from error
    if not new.key.verifies(signature, possession_message(fact)):
        raise _wrong("the new key did not sign it")
    return fact


def _wrong(why: str) -> Refused:
    return Refused(f"the declaration of a new log key does not hold: {why}", code="wrong_log_key")
