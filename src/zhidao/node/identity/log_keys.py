"""Which keys sign this node's logs: the node's own at first, then those declared after it.

A declared key is called `log-2`, `log-3` and so on; the highest number counts. Keys are exported
and imported together, so that a node which moves goes on with the log that it was writing.
"""

from __future__ import annotations

from pathlib import Path

from zhidao.core.keys import Algorithm, Signer
from zhidao.node.identity.own_keys import FIRST, KeySource


def key_name(number: int) -> str:
    """The name of the log's key by its number; the first is the node's own."""
    return FIRST if number == 1 else f"log-{number}"


def log_keys_of(keys: KeySource) -> list[Signer]:
    """All keys of this node's logs in order, the present one last; the first is made if new."""
    found = [keys.make(FIRST, Algorithm.ED25519)]
    while key := keys.get(key_name(len(found) + 1), Algorithm.ED25519):
        found.append(key)
    return found


def newest_log_key(folder: Path) -> str:
    """The name of the present log's key, by the files alone; needs no passphrase."""
    number = 1
    while (folder / f"{key_name(number + 1)}.{Algorithm.ED25519.label}.key").exists():
        number += 1
    return key_name(number)
