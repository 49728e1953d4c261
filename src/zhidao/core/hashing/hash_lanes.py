"""SHA-256 of many messages of one length side by side: the compiled twin of `hashtree`.

hashlib spends most of its time on short messages in making objects. Here sixteen messages go
through the rounds together, each a lane of the processor's vector registers, which is four times as
fast on one core and needs no interpreter lock. Imported only where `compiling` says so.
Source: FIPS 180-4 sections 4.1.2, 5.3.3 and 6.2.2; RFC 9162 section 2.1.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zhidao.core.compiling import inlined, kernel

Words = NDArray[np.uint32]
_LANES: Final = 16
_BLOCK: Final = 16
"""Words of a block."""


def _first_primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def _cube_root(value: int) -> int:
    """The greatest whole number whose cube is not above the value."""
    low, high = 0, 1 << (value.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= value else (low, middle - 1)
    return low


_PRIMES: Final = _first_primes(64)
# The first 32 bits of the fractional parts of the primes' cube roots and square roots.
_ROUND: Final[Words] = np.array([_cube_root(p << 96) % 2**32 for p in _PRIMES], np.uint32)
_BEGIN: Final[Words] = np.array([math.isqrt(p << 64) % 2**32 for p in _PRIMES[:8]], np.uint32)


def warm_up() -> None:
    """Compiles what is here, or reads it from the disk where it lies compiled."""
    root_of(leaf_level(bytes(12), 4))


def leaf_level(data: bytes, size: int) -> Words:
    """The hashes of leaves of `size` bytes each, which lie one after the other: shape (n, 8).

    The same as `hashtree.leaf_hash` of each; `size` is a multiple of 4.
    """
    return _digests(np.frombuffer(data, ">u4").astype(np.uint32).reshape(-1, size // 4), 0)


def level_of(hashes: Sequence[bytes]) -> Words:
    """Hashes that were made elsewhere, as a level of the tree: shape (n, 8)."""
    return np.frombuffer(b"".join(hashes), ">u4").astype(np.uint32).reshape(-1, 8)


def root_of(level: Words) -> bytes:
    """The root over leaf hashes, shape (n, 8), at least one: the same as `hashtree.tree_root`."""
    while len(level) > 1:
        above = _digests(level[: len(level) // 2 * 2].reshape(-1, 16), 1)
        # A last odd one goes up as it is.
        level = np.concatenate([above, level[-1:]]) if len(level) % 2 else above
    root: Words = level[0].astype(">u4")
    return root.tobytes()


def _digests(words: Words, prefix: int) -> Words:
    """SHA-256 of one prefix byte and a row, for each row of shape (n, m): shape (n, 8).

    Words here are numbers, the first byte the highest.
    """
    out = np.empty((len(words), 8), np.uint32)
    _fill(words, np.uint32(prefix), _ROUND, _BEGIN, out)
    return out


# numba adds two uint32 to a uint64, and half the lanes would be gone: each sum is cut back at once.


@inlined
def _turned(value: Any, by: Any) -> Any:
    """A word turned right by some bits."""
    return np.uint32(np.uint32(value >> np.uint32(by)) | np.uint32(value << np.uint32(32 - by)))


@inlined
def _round(
    state: Any,
    a: Any,
    b: Any,
    c: Any,
    d: Any,
    e: Any,
    f: Any,
    g: Any,
    h: Any,
    k: Any,
    w: Any,
    at: Any,
) -> None:
    """One round of all lanes; `a` to `h` say where the working variables stand this time."""
    for lane in range(_LANES):
        e_, f_, g_ = state[e * _LANES + lane], state[f * _LANES + lane], state[g * _LANES + lane]
        sum1 = np.uint32(np.uint32(_turned(e_, 6) ^ _turned(e_, 11)) ^ _turned(e_, 25))
        choice = np.uint32(g_ ^ np.uint32(e_ & np.uint32(f_ ^ g_)))
        first = np.uint32(
            np.uint32(state[h * _LANES + lane] + sum1)
            + np.uint32(np.uint32(choice + k) + w[at + lane])
        )
        a_, b_, c_ = state[a * _LANES + lane], state[b * _LANES + lane], state[c * _LANES + lane]
        sum0 = np.uint32(np.uint32(_turned(a_, 2) ^ _turned(a_, 13)) ^ _turned(a_, 22))
        most = np.uint32(np.uint32(a_ & b_) | np.uint32(c_ & np.uint32(a_ | b_)))
        state[d * _LANES + lane] = np.uint32(state[d * _LANES + lane] + first)
        state[h * _LANES + lane] = np.uint32(first + np.uint32(sum0 + most))


@kernel
def _compress(digest: Words, state: Words, w: Words, constants: Words) -> None:
    """Takes one block of all lanes, the first 16 rows of `w`, into their digests."""
    for t in range(16, 64):
        for lane in range(_LANES):
            x, y = w[(t - 15) * _LANES + lane], w[(t - 2) * _LANES + lane]
            low = np.uint32(
                np.uint32(_turned(x, 7) ^ _turned(x, 18)) ^ np.uint32(x >> np.uint32(3))
            )
            high = np.uint32(
                np.uint32(_turned(y, 17) ^ _turned(y, 19)) ^ np.uint32(y >> np.uint32(10))
            )
            w[t * _LANES + lane] = np.uint32(
                np.uint32(w[(t - 16) * _LANES + lane] + low)
                + np.uint32(w[(t - 7) * _LANES + lane] + high)
            )
    for at in range(8 * _LANES):
        state[at] = digest[at]
    # Eight rounds by eight: then each variable is back where it stood, and nothing was moved.
    for t in range(0, 64, 8):
        row = t * _LANES
        _round(state, 0, 1, 2, 3, 4, 5, 6, 7, constants[t], w, row)
        _round(state, 7, 0, 1, 2, 3, 4, 5, 6, constants[t + 1], w, row + _LANES)
        _round(state, 6, 7, 0, 1, 2, 3, 4, 5, constants[t + 2], w, row + 2 * _LANES)
        _round(state, 5, 6, 7, 0, 1, 2, 3, 4, constants[t + 3], w, row + 3 * _LANES)
        _round(state, 4, 5, 6, 7, 0, 1, 2, 3, constants[t + 4], w, row + 4 * _LANES)
        _round(state, 3, 4, 5, 6, 7, 0, 1, 2, constants[t + 5], w, row + 5 * _LANES)
        _round(state, 2, 3, 4, 5, 6, 7, 0, 1, constants[t + 6], w, row + 6 * _LANES)
        _round(state, 1, 2, 3, 4, 5, 6, 7, 0, constants[t + 7], w, row + 7 * _LANES)
    for at in range(8 * _LANES):
        digest[at] = np.uint32(digest[at] + state[at])


@kernel
def _fill(words: Words, prefix: Any, constants: Words, begin: Words, out: Words) -> None:
    """Sixteen rows at a time; the last few are hashed along with copies of the last."""
    count, length = words.shape
    blocks = (4 * length + 1 + 9 + 63) // 64
    digest = np.empty(8 * _LANES, np.uint32)
    state = np.empty(8 * _LANES, np.uint32)
    w = np.empty(64 * _LANES, np.uint32)
    # The message one byte further left than it is hashed: prefix, row, the one bit that ends it.
    message = np.zeros((blocks * _BLOCK + 1) * _LANES, np.uint32)
    message[:_LANES] = prefix
    message[(length + 1) * _LANES : (length + 2) * _LANES] = np.uint32(0x80000000)
    for start in range(0, count, _LANES):
        for lane in range(_LANES):
            row = min(start + lane, count - 1)
            for at in range(length):
                message[(at + 1) * _LANES + lane] = words[row, at]
        for at in range(8):
            for lane in range(_LANES):
                digest[at * _LANES + lane] = begin[at]
        for block in range(blocks):
            first = block * _BLOCK * _LANES
            for at in range(_BLOCK * _LANES):
                w[at] = np.uint32(
                    np.uint32(message[first + at] << np.uint32(24))
                    | np.uint32(message[first + _LANES + at] >> np.uint32(8))
                )
            if block == blocks - 1:
                w[15 * _LANES : 16 * _LANES] = np.uint32(8 * (4 * length + 1))
            _compress(digest, state, w, constants)
        for lane in range(min(_LANES, count - start)):
            for at in range(8):
                out[start + lane, at] = digest[at * _LANES + lane]
