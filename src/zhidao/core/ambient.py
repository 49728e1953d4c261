"""What a program takes from its surroundings: time and chance, always as arguments."""

from __future__ import annotations

import hashlib
from typing import Protocol

from zhidao.core.timescale import Utc


class Clock(Protocol):
    """Tells what time it is."""

    def now(self) -> Utc:
        """The present instant."""
        ...


class Randomness(Protocol):
    """Gives bytes that nobody can guess (or, in a simulation, that a seed repeats)."""

    def token(self, size: int) -> bytes:
        """`size` random bytes."""
        ...


class HandClock:
    """A clock that moves only when told: for tests, simulation and scenario time."""

    def __init__(self, start: Utc) -> None:
        self._now = start

    def now(self) -> Utc:
        """The instant last set."""
        return self._now

    def set(self, at: Utc) -> None:
        """Moves the clock, forwards or backwards."""
        self._now = at

    def advance(self, seconds: int) -> None:
        """Moves the clock forward by whole seconds."""
        self._now = self._now.plus_ns(seconds * 1_000_000_000)


class SeededRandomness:
    """SHA-256 in counter mode over a seed: repeats exactly, and is no source of secrets."""

    def __init__(self, seed: int | bytes) -> None:
        self._seed = seed if isinstance(seed, bytes) else str(seed).encode()
        self._counter = 0

    def token(self, size: int) -> bytes:
        """The next `size` bytes of the stream."""
        out = bytearray()
        while len(out) < size:
            block = self._seed + self._counter.to_bytes(8, "big")
            out += hashlib.sha256(block).digest()
            self._counter += 1
        return bytes(out[:size])
