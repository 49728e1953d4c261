"""How the keys of parties are named, so that all that one has had are found in order."""

from __future__ import annotations

from typing import Final, Protocol

from zhidao.core.keys import Algorithm, SoftwareKey

WAITING: Final = "_next"


class HeldKeys(Protocol):
    """Keys by name."""

    def get(self, name: str, algorithm: Algorithm) -> SoftwareKey | None:
        """The key of that name, or None."""
        ...


def party_key_name(party: str, number: int) -> str:
    """The name of a party's key by its number; no party's name holds an underscore."""
    return f"party.{party}" if number == 1 else f"party.{party}_{number}"


def waiting_key_name(party: str) -> str:
    """The name of a key to which a party is about to go over; nobody signs by it yet."""
    return f"party.{party}{WAITING}"


def party_keys(held: HeldKeys, party: str, algorithm: Algorithm) -> list[SoftwareKey]:
    """All keys that a party has had here in order, the present one last."""
    found: list[SoftwareKey] = []
    while key := held.get(party_key_name(party, len(found) + 1), algorithm):
        found.append(key)
    return found
