"""The node's own keys: where they lie, and with which of them it records now.

The first, `node`, names the node for good: its first log, its chain, its witness. It also records,
until the node goes over to `node-2`, `node-3` and so on, each rotation an open event signed by the
key that is given up. Which one counts is read from those events and not from the files, so that an
act that died halfway is finished by repeating.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.events import SignedEvent, every
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, PublicKey, Signer
from zhidao.node.adapters.key_files import KeyFiles, read_passphrase
from zhidao.node.config import Config
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal
from zhidao.trust.events import KeyRevoked, KeyRotated
from zhidao.trust.service.key_register import aggregate_of_keys

FIRST: Final = "node"
_ALGORITHM: Final = Algorithm.ED25519


class KeySource(Protocol):
    """Keeps private keys under names: sealed files, or a token."""

    def get(self, name: str, algorithm: Algorithm) -> Signer | None:
        """The key of that name, or None."""
        ...

    def make(self, name: str, algorithm: Algorithm) -> Signer:
        """The key of that name, made if it is new."""
        ...


def key_source(config: Config, files: KeyFiles) -> KeySource:
    """Where the node's own keys are: in a token if `keys.token_module` names one, else in files.

    Raises Refused and Unavailable as the token does; Refused (`two_identities`) if files hold
    another identity already, which a token would silently replace.
    """
    module = config.text("keys.token_module")
    if not module:
        return files
    if files.get(FIRST, _ALGORITHM) is not None:
        raise Refused(
            "this data folder has a node key in a file already",
            code="two_identities",
            remedy="leave keys.token_module empty, or begin with an empty data folder",
        )
    from zhidao.node.adapters.pkcs11_keys import Token

    label, pin_file = config.text("keys.token_label"), config.text("keys.token_pin_file")
    pin = read_passphrase(pin_file, config.data, "") if pin_file else None
    if not label or pin is None:
        raise MalformedInput(
            "a token needs its label and its PIN",
            where="keys.token_label, keys.token_pin_file",
            remedy="name the token, and a file of mode 0600 outside the data folder",
        )
    return Token(Path(module), label, pin)


def own_key_name(number: int) -> str:
    """The name of a recording key by its number."""
    return FIRST if number == 1 else f"{FIRST}-{number}"


def own_keys_of(source: KeySource) -> list[Signer]:
    """All keys with which this node recorded or was about to, in order."""
    found = [source.make(FIRST, _ALGORITHM)]
    while key := source.get(own_key_name(len(found) + 1), _ALGORITHM):
        found.append(key)
    return found


def present_of(known: Sequence[Signer], history: Sequence[SignedEvent]) -> int:
    """The place among the known keys of the one that records now, by the node's key events.

    Raises Unavailable (`no_key`) if the events name a key that is not there.
    """
    places = {key.public.multikey: place for place, key in enumerate(known)}
    present = known[0].public.multikey
    for fact in every(tuple(history), KeyRotated):
        if fact.former == present:
            present = fact.key
    if present not in places:
        raise Unavailable(
            "this node recorded with a key that is not here any more",
            code="no_key",
            remedy="import the newest export of its keys",
        )
    return places[present]


def revoked_of(node: PartyId, history: Sequence[SignedEvent]) -> tuple[PublicKey, ...]:
    """The node's own keys that it took back, by its key events."""
    facts = every(tuple(history), KeyRevoked)
    named = dict.fromkeys(fact.key for fact in facts if fact.party == node)
    return tuple(PublicKey.from_multikey(key) for key in named)


def meeting_key(known: Sequence[Signer], revoked: Sequence[PublicKey]) -> Signer:
    """The key for peers that do not know the present one yet: of those not taken back the oldest.

    That one they know longest: a rotation alone does not make them refuse it.
    """
    return next(key for key in known if key.public not in revoked)


async def revoked_keys(database: Database, node: PartyId) -> tuple[PublicKey, ...]:
    """The node's own keys that were taken back, as its journal says."""
    journal = PostgresJournal(database, "trust", lambda: None)
    entries = await journal.load(aggregate_of_keys(node), viewer=None)
    return revoked_of(node, [entry.event for entry in entries])


async def recording_keys(
    database: Database, source: KeySource, node: PartyId
) -> tuple[Signer, list[Signer]]:
    """The key that records now, and all up to it. Raises Unavailable as `present_of` does."""
    journal = PostgresJournal(database, "trust", lambda: None)
    entries = await journal.load(aggregate_of_keys(node), viewer=None)
    known = own_keys_of(source)
    place = present_of(known, [entry.event for entry in entries])
    return known[place], known[: place + 1]
