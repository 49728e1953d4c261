"""PPP-B2b frames as a receiver logs them, line by line, and the corrections that they make.

A line holds week and second of GPST, the number of the satellite, message type, length and the
frame as hexadecimal digits, between blanks or tabulators.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.observables.observations import Ints
from zhidao.positioning.domain.satellites.corrections import (
    CorrectionSeries,
    CorrectionStore,
    snapshots,
)
from zhidao.positioning.wire.compression import plain_text
from zhidao.positioning.wire.precise.ppp_b2b import B2bMessage, decode_b2b

BYTES_MAX: Final = 128 * 1024 * 1024
_WORDS: Final = 6
_NS: Final = 1_000_000_000
_WEEK_NS: Final = 604_800 * _NS
_HEX_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class B2bFrame:
    """One frame: when it came (GPST nanoseconds), from which BDS satellite, and its bytes."""

    gpst_ns: int
    prn: int
    payload: bytes


def read_b2b_log(data: bytes) -> tuple[B2bFrame, ...]:
    """All frames, plain or gzipped. Raises MalformedInput with the line for anything else."""
    text = plain_text(data, bytes_max=BYTES_MAX)
    frames = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            week, second, prn = (int(word) for word in words[:3])
            payload = bytes.fromhex(words[5].decode("ascii"))
        except (ValueError, IndexError):
            raise MalformedInput("no PPP-B2b frame", where=f"line {number}") from None
        if len(words[5]) > _HEX_MAX:
            raise MalformedInput(
                f"a PPP-B2b frame has at most {_HEX_MAX} hexadecimal digits",
                where=f"line {number}",
            )
        good = len(words) == _WORDS
        if not (good and 0 <= week < 10_000 and 0 <= second < 604_800 and 1 <= prn <= 63):
            raise MalformedInput("no PPP-B2b frame", where=f"line {number}")
        frames.append(B2bFrame(week * _WEEK_NS + second * _NS, prn, payload))
    return tuple(frames)


def take_b2b(store: CorrectionStore, message: B2bMessage) -> None:
    """Puts what a message tells into the store."""
    if message.kind == 1 and message.iodp is not None:
        store.set_mask(message.iodp, message.satellites)
    for satellite, signal, bias_m in message.biases_m:
        store.code_bias_m[satellite, signal] = bias_m
    for orbit in message.orbits:
        store.set_orbit(
            orbit.satellite,
            second=message.second,
            iodn=orbit.iodn,
            iod_corr=orbit.iod_corr,
            orbit_m=(orbit.radial_m, orbit.along_m, orbit.cross_m),
            accuracy_m=orbit.accuracy_m,
        )
    for clock in message.clocks:
        store.set_clock(
            iodp=message.iodp,
            place=clock.place,
            satellite=clock.satellite,
            second=message.second,
            iod_corr=clock.iod_corr,
            clock_m=clock.clock_m,
        )


def corrections_at(frames: Iterable[B2bFrame], gpst_ns: Ints) -> CorrectionSeries:
    """What held at each of the rising instants, by the frames of one satellite until then.

    Damaged frames are passed over; they were for one message only.
    """
    ordered = sorted(frames, key=lambda frame: frame.gpst_ns)
    messages: list[tuple[int, B2bMessage]] = []
    for frame in ordered:
        try:
            found = decode_b2b(frame.payload)
        except MalformedInput:
            continue
        if found is not None:
            messages.append((frame.gpst_ns, found))
    named = {orbit.satellite for _, message in messages for orbit in message.orbits}

    def steps() -> Iterator[tuple[int, CorrectionStore]]:
        store, index = CorrectionStore(), 0
        for instant in np.asarray(gpst_ns).tolist():
            while index < len(messages) and messages[index][0] <= instant:
                take_b2b(store, messages[index][1])
                index += 1
            yield instant, store

    return snapshots(steps(), sorted(named))
