"""Observations and ephemerides as one stream of RTCM 3 or UBX, in the order of time.

Simulated observations say so in the stream itself: RTCM by text messages 1029, UBX by INF-WARNING.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Gpst
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.observables.signals import SYSTEMS
from zhidao.positioning.domain.satellites.ephemeris import Ephemerides, Navigation
from zhidao.positioning.wire.broadcast.glonass_strings import encode_strings
from zhidao.positioning.wire.broadcast.inav import encode_pages
from zhidao.positioning.wire.broadcast.subframes import encode_subframes
from zhidao.positioning.wire.receivers.ubx import Subframe, UbxMessage, write_raw
from zhidao.positioning.wire.rtcm.ephemeris import encode_ephemeris
from zhidao.positioning.wire.rtcm.frame import frame, message_number
from zhidao.positioning.wire.rtcm.glonass_1020 import encode_glonass
from zhidao.positioning.wire.rtcm.msm_observations import epoch_messages
from zhidao.positioning.wire.rtcm.station import StationPlace
from zhidao.positioning.wire.rtcm.text import TextMessage

SIMULATED: Final = "SIMULATED: NO SATELLITE WAS RECEIVED"
INF_WARNING: Final = (0x04, 0x01)
_NS: Final = 1_000_000_000
_WEEK_S: Final = 604_800
_BDT_BEHIND_GPST_S: Final = 14
# A stream that somebody joins late tells what it is at least so often.
_REMINDER_EPOCHS: Final = 100


def rtcm_stream(
    seen: Observations, navigation: Navigation | None = None, *, station: int = 0
) -> bytes:
    """Frames: station place 1006, ephemerides, then the MSM7 of each epoch.

    An ephemeris comes once, before the first epoch. Those of systems without a message of ours
    are left out, as are values that do not fit their field.
    """
    out = []
    if any(seen.header.approximate_ecef_m):
        place = StationPlace(station, seen.header.approximate_ecef_m, 0.0)
        out.append(frame(place.encode()))
    if navigation:
        for row in range(len(navigation.ephemerides)):
            with suppress(MalformedInput):
                out.append(frame(encode_ephemeris(navigation.ephemerides, row)))
    if navigation and navigation.glonass is not None:
        for row in range(len(navigation.glonass)):
            with suppress(MalformedInput):
                out.append(frame(encode_glonass(navigation.glonass, row)))
    simulated = seen.simulated or bool(navigation and navigation.simulated)
    for epoch, messages in enumerate(
        epoch_messages(seen, station=station, channels=_channels(navigation))
    ):
        if simulated and epoch % _REMINDER_EPOCHS == 0:
            at = Gpst(int(seen.gpst_ns[epoch])).to_utc()
            out.append(frame(TextMessage.at(at, SIMULATED, station=station).encode()))
        out += [frame(message) for message in messages]
    return b"".join(out)


def rtcm_is_simulated(messages: Iterable[bytes]) -> bool:
    """Whether a text message among the payloads of a stream says that it is simulated."""
    for payload in messages:
        if b"SIMULATED" in payload and message_number(payload) == TextMessage.NUMBER:
            with suppress(MalformedInput):
                if "SIMULATED" in TextMessage.decode(payload).text:
                    return True
    return False


def ubx_is_simulated(messages: Iterable[UbxMessage]) -> bool:
    """Whether a warning in the stream says that it is simulated."""
    return any(m.kind == INF_WARNING and b"SIMULATED" in m.payload for m in messages)


def marked(seen: Observations, *, simulated: bool) -> Observations:
    """The observations with the mark that their stream bears; one that they have stays."""
    if not simulated or seen.simulated:
        return seen
    return replace(seen, header=replace(seen.header, simulated=True, comments=(SIMULATED,)))


def _channels(navigation: Navigation | None) -> dict[int, int]:
    if navigation is None or navigation.glonass is None:
        return {}
    store = navigation.glonass
    return dict(zip((store.satellite % 100).tolist(), store.channel.tolist(), strict=True))


def ubx_stream(seen: Observations, navigation: Navigation | None = None) -> bytes:
    """RXM-SFRBX of ephemerides, each from an hour before its reference time on, and RXM-RAWX.

    Check bits of BDS, GPS and QZSS words are zero: readers of such streams do not look at them.
    """
    simulated = seen.simulated or bool(navigation and navigation.simulated)
    pending = broadcast_messages(navigation) if navigation else []
    out = []
    for epoch, raw in enumerate(write_raw(seen)):
        if simulated and epoch % _REMINDER_EPOCHS == 0:
            out.append(UbxMessage(INF_WARNING, SIMULATED.encode()))
        # What was sent an hour before its reference time is known by now.
        while pending and pending[0][0] <= int(seen.gpst_ns[epoch]) + 3600 * _NS:
            out += pending.pop(0)[1]
        out.append(raw)
    return b"".join(message.encode() for message in out)


def broadcast_messages(navigation: Navigation) -> list[tuple[int, list[UbxMessage]]]:
    """Each ephemeris as messages, by reference time; what does not fit its fields is left out."""
    store = navigation.ephemerides
    found = []
    for row in range(len(store)):
        system = SYSTEMS[int(store.satellite[row]) // 100]
        prn, toe_ns = int(store.satellite[row]) % 100, int(store.toe_ns[row])
        with suppress(MalformedInput):
            parts = [
                Subframe(system, prn, 0, tuple(p)).encode() for p in _pages(store, row, system)
            ]
            found.append((toe_ns, parts))
    glonass = navigation.glonass
    for row in range(len(glonass) if glonass is not None else 0):
        assert glonass is not None
        prn, toe_ns = int(glonass.satellite[row]) % 100, int(glonass.toe_ns[row])
        channel, frame = int(glonass.channel[row]), toe_ns // (900 * _NS) & 0xFFFF
        with suppress(MalformedInput):
            words = encode_strings(glonass, row, frame=frame)
            parts = [Subframe("R", prn, 0, tuple(p), channel).encode() for p in words]
            found.append((toe_ns, parts))
    found.sort(key=lambda item: item[0])
    return found


def _pages(store: Ephemerides, row: int, system: str) -> list[list[int]]:
    """Raises MalformedInput for a system without pages of ours."""
    second = int(store.toe_ns[row]) // _NS
    if system == "E":
        return encode_pages(store, row, second_of_week=second % _WEEK_S)
    if system not in "CGJ":
        raise MalformedInput(f"no pages of ours for the system {system}")
    behind = _BDT_BEHIND_GPST_S if system == "C" else 0
    return encode_subframes(store, row, second_of_week=(second - behind) % _WEEK_S // 30 * 30)
