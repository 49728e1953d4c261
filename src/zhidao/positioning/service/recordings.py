"""What people have, as what solvers take: files and streams of any kind, told by their content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.observables.signal_codes import SINGLE_SIGNALS
from zhidao.positioning.domain.satellites.ephemeris import Navigation, table_of
from zhidao.positioning.domain.satellites.glonass import glonass_table
from zhidao.positioning.domain.satellites.joining import join_navigation, join_observations
from zhidao.positioning.domain.satellites.precise import PreciseTable
from zhidao.positioning.service.by_parts import ObservationFile, read_parts
from zhidao.positioning.wire.broadcast.glonass_strings import StringCollector
from zhidao.positioning.wire.broadcast.inav import FNAV_SIGNALS, InavCollector
from zhidao.positioning.wire.broadcast.subframes import LEGACY_SIGNALS, SubframeCollector
from zhidao.positioning.wire.precise.antex import read_antennas
from zhidao.positioning.wire.precise.b2b_log import B2bFrame, read_b2b_log
from zhidao.positioning.wire.precise.sp3 import read_clocks, read_sp3
from zhidao.positioning.wire.receivers.ubx import (
    RAWX,
    Subframe,
    raw_time_ns,
    read_raw,
    ubx_messages,
)
from zhidao.positioning.wire.recognition import FileKind, kind_of
from zhidao.positioning.wire.rinex.navigation import LEGACY, read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations
from zhidao.positioning.wire.rinex.parts import Warned
from zhidao.positioning.wire.rtcm import ephemeris as rtcm_ephemeris
from zhidao.positioning.wire.rtcm import glonass_1020 as rtcm_glonass
from zhidao.positioning.wire.rtcm.frame import message_number, payloads
from zhidao.positioning.wire.rtcm.msm import decode_msm
from zhidao.positioning.wire.rtcm.msm_observations import observations_of
from zhidao.positioning.wire.streams import marked, rtcm_is_simulated, ubx_is_simulated

_SUBFRAME_KIND: Final = (0x02, 0x13)
_CIVIL: Final = {
    code: message
    for message, codes in (
        ("CNV1", "C1P C1D C1X"),
        ("CNV2", "C5P C5D C5X"),
        ("CNV3", "C7D C7P C7Z"),
    )
    for code in codes.split()
}


@dataclass(slots=True)
class Recordings:
    """What some files hold together. `kinds` tells what each was, in order.

    files: of observations that are read only when they are asked for, part after part. warned: told
    what was left out of them; without it a file that is cut at its end is refused.
    """

    kinds: list[tuple[str, FileKind]] = field(default_factory=list)
    observations: list[Observations] = field(default_factory=list)
    navigation: list[Navigation] = field(default_factory=list)
    orbits: list[PreciseTable] = field(default_factory=list)
    clocks: list[PreciseTable] = field(default_factory=list)
    antennas: list[bytes] = field(default_factory=list)
    frames: list[B2bFrame] = field(default_factory=list)
    files: list[ObservationFile] = field(default_factory=list)
    warned: Warned | None = None

    def antenna_offsets_m(self, gpst_ns: int) -> dict[int, tuple[float, float, float]]:
        """Offsets of satellites' antennas at an instant, by number; later files count."""
        found: dict[int, tuple[float, float, float]] = {}
        for data in self.antennas:
            found |= read_antennas(data, gpst_ns=gpst_ns)
        return found

    def frames_of_one(self) -> tuple[B2bFrame, ...]:
        """PPP-B2b frames of the satellite that sent most. Raises Refused where there are none."""
        if not self.frames:
            raise Refused("none of the files holds PPP-B2b frames", code="no_frames")
        prn = Counter(frame.prn for frame in self.frames).most_common(1)[0][0]
        return tuple(frame for frame in self.frames if frame.prn == prn)

    def parts(self, *, systems: str = "") -> Iterator[Observations]:
        """The observations of one receiver, a day or some thousand epochs at once.

        systems: letters to keep, all if empty. Raises MalformedInput where there are none.
        """
        if not self.observations and not self.files:
            raise MalformedInput(
                "none of the files holds observations",
                code="no_observations",
                remedy="add the receiver's file: RINEX, RTCM 3 with MSM, or UBX with RXM-RAWX",
            )
        read = read_parts(self.files, systems=systems, warned=self.warned)
        if self.observations:
            # Streams are read whole already.
            yield join_observations([*self.observations, *read])
        else:
            yield from read

    def receiver(self) -> Observations:
        """All observations of one receiver. Raises MalformedInput where there are none."""
        return join_observations(list(self.parts()))

    def broadcast(self) -> Navigation:
        """All ephemerides. Raises MalformedInput where there are none."""
        found = join_navigation(self.navigation) if self.navigation else None
        if found is None or not found.systems:
            raise MalformedInput(
                "none of the files holds broadcast ephemerides",
                code="no_ephemerides",
                remedy="add the RINEX navigation file of the day",
            )
        return found


def messages_for(signals: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """Which broadcast messages hold the clocks and delays of these signals, for navigation files.

    Raises MalformedInput where signals of one system need clocks of different messages.
    """
    out = dict(LEGACY)
    for system, text in signals.items():
        codes = [code for part in text.split("/") for code in part.split("+")]
        has_l5 = any(code[1] == "5" for code in codes)
        if system == "C":
            out["C"] = _of_beidou(text, codes) or out["C"]
        elif system == "E" and has_l5:
            out["E"] = ("FNAV",)
        elif system in "GJ" and has_l5:
            # Only CNAV tells the delay of L5 against the clock.
            out[system] = ("CNAV",)
        elif system == "R":
            out["R"] = ("FDMA",)
    return out


def _of_beidou(text: str, codes: Sequence[str]) -> tuple[str, ...]:
    """The message of BeiDou's civil signals; empty for the older ones, which go by D1 and D2."""
    found = {_CIVIL.get(code, "") for code in codes}
    if len(found) > 1 and "" in found:
        raise MalformedInput(
            f"C={text}: B1I, B2I and B3I go by D1/D2 and B1C, B2a and B2b by B-CNAV",
            remedy="take signals of one family",
        )
    # B1C with B2a goes by the clock of the first one named.
    return () if "" in found else (_CIVIL[codes[0]],)


Kept = bytes | ObservationFile


def read_recordings(
    files: Iterable[tuple[str, Kept]],
    *,
    signals: Mapping[str, str] = SINGLE_SIGNALS,
    near: Utc | None = None,
    warned: Warned | None = None,
) -> Recordings:
    """All that the files hold, each recognised by its content.

    files: names, for messages only, and bytes, or how a file of observations is opened, which is
    then left for later. near: settles the week of RTCM streams, which tell none. Raises
    MalformedInput naming the file.
    """
    out = Recordings(warned=warned)
    for name, data in files:
        if isinstance(data, ObservationFile):
            out.kinds.append((name, FileKind.OBSERVATIONS))
            out.files.append(data)
            continue
        try:
            kind = kind_of(data)
            out.kinds.append((name, kind))
            _take(out, kind, data, signals, near)
        except MalformedInput as error:
            where = f"{name}, {error.where}" if error.where else name
            raise MalformedInput(
                str(error.args[0]), code=error.code, where=where, remedy=error.remedy
            ) from error
    return out


def _take(
    out: Recordings, kind: FileKind, data: bytes, signals: Mapping[str, str], near: Utc | None
) -> None:
    if kind is FileKind.OBSERVATIONS:
        out.observations.append(read_observations(data))
    elif kind is FileKind.NAVIGATION:
        out.navigation.append(read_navigation(data, messages=messages_for(signals)))
    elif kind is FileKind.ORBITS:
        out.orbits.append(read_sp3(data))
    elif kind is FileKind.CLOCKS:
        out.clocks.append(read_clocks(data))
    elif kind is FileKind.ANTENNAS:
        out.antennas.append(data)
    elif kind is FileKind.B2B:
        out.frames += read_b2b_log(data)
    elif kind is FileKind.RTCM:
        _take_rtcm(out, data, near)
    elif kind is FileKind.UBX:
        _take_ubx(out, data)


def _take_rtcm(out: Recordings, data: bytes, near: Utc | None) -> None:
    if near is None:
        raise MalformedInput(
            "an RTCM stream tells no week", code="no_week", remedy="give a time near it: --near"
        )
    messages = payloads(data)
    table = decode_msm(messages)
    if len(table.number):
        seen = observations_of(table, near=near)
        out.observations.append(marked(seen, simulated=rtcm_is_simulated(messages)))
    near_ns = Gpst.from_utc(near).ns
    rows: list[dict[str, Any]] = []
    glonass: list[dict[str, Any]] = []
    for payload in messages:
        number = message_number(payload)
        # A message whose checksum holds and whose fields do not: as if it had not come.
        with suppress(MalformedInput):
            if number == rtcm_glonass.NUMBER:
                glonass.append(rtcm_glonass.decode_glonass(payload, near_gpst_ns=near_ns))
            elif number in rtcm_ephemeris.NUMBERS:
                rows.append(rtcm_ephemeris.decode_ephemeris(payload, near_gpst_ns=near_ns))
    if rows or glonass:
        _add(out, rows, glonass)


def _take_ubx(out: Recordings, data: bytes) -> None:
    messages = ubx_messages(data)
    seen = read_raw(messages)
    if len(seen.gpst_ns):
        out.observations.append(marked(seen, simulated=ubx_is_simulated(messages)))
    near_ns = int(seen.gpst_ns[0]) if len(seen.gpst_ns) else 0
    legacy, galileo, strings = SubframeCollector(), InavCollector(), StringCollector()
    rows, glonass = [], []
    for message in messages:
        if message.kind == RAWX:
            near_ns = raw_time_ns(message.payload)
        if message.kind != _SUBFRAME_KIND or not near_ns:
            continue
        # What does not hold together is as if it had not come.
        with suppress(MalformedInput):
            part = Subframe.decode(message)
            if part.system == "R":
                near = {"channel": part.channel, "near_gpst_ns": near_ns}
                row = strings.add(part.prn, part.words, **near)
                glonass += [row] if row else []
                continue
            if part.system == "E" and part.signal not in FNAV_SIGNALS:
                row = galileo.add(part.prn, part.words, near_gpst_ns=near_ns)
            elif part.signal in LEGACY_SIGNALS.get(part.system, ()):
                row = legacy.add(part.system, part.prn, part.words, near_gpst_ns=near_ns)
            else:
                row = None  # CNAV, B-CNAV and F/NAV look alike and are others.
            rows += [row] if row else []
    if rows or glonass:
        _add(out, rows, glonass)


def _add(out: Recordings, rows: list[dict[str, Any]], glonass: list[dict[str, Any]]) -> None:
    out.navigation.append(
        Navigation(table_of(rows), glonass=glonass_table(glonass) if glonass else None)
    )
