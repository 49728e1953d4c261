"""Messages of streams and rows of files as plain dictionaries, one a message, for people and jq."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, fields, is_dataclass
from typing import Any, Final

import numpy as np

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Gpst, Utc
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.observables.signals import SYSTEMS, satellite_name
from zhidao.positioning.domain.satellites.ephemeris import MESSAGES, Ephemerides, Navigation
from zhidao.positioning.domain.satellites.glonass import GlonassEphemerides
from zhidao.positioning.wire.receivers import ubx
from zhidao.positioning.wire.receivers.nmea import fix_of, sentences
from zhidao.positioning.wire.rtcm import ephemeris as rtcm_ephemeris
from zhidao.positioning.wire.rtcm import glonass_1020 as rtcm_glonass
from zhidao.positioning.wire.rtcm.frame import FrameReader, message_number
from zhidao.positioning.wire.rtcm.msm import SYSTEM_OF, decode_msm, is_msm
from zhidao.positioning.wire.rtcm.msm_observations import SIGNALS
from zhidao.positioning.wire.rtcm.station import GlonassBiases, StationPlace
from zhidao.positioning.wire.rtcm.text import TextMessage

_STATION: Final = (1005, 1006)


def rtcm_rows(data: bytes) -> Iterator[dict[str, Any]]:
    """One row a frame, in order: number, length, and the fields where they are read here."""
    reader = FrameReader()
    for payload in (*reader.feed(data), *reader.close()):
        number = message_number(payload)
        row: dict[str, Any] = {"message": number, "bytes": len(payload)}
        try:
            row |= _rtcm_fields(number, payload)
        except MalformedInput as error:
            row["malformed"] = str(error)
        yield row


def _rtcm_fields(number: int, payload: bytes) -> dict[str, Any]:
    if number in _STATION:
        return asdict(StationPlace.decode(payload))
    if number == TextMessage.NUMBER:
        return asdict(TextMessage.decode(payload))
    if number == 1230:
        return asdict(GlonassBiases.decode(payload))
    if number == rtcm_glonass.NUMBER:
        return rtcm_glonass.LAYOUT.read(payload)
    if number in rtcm_ephemeris.NUMBERS:
        return rtcm_ephemeris.raw_of(payload)
    return _msm_fields(number, payload) if is_msm(number) else {}


def _msm_fields(number: int, payload: bytes) -> dict[str, Any]:
    table = decode_msm([payload])
    if not len(table.number):
        raise MalformedInput("the masks or the length do not fit")
    system = SYSTEM_OF[number // 10]
    shift = 19 if system == "S" else 0
    cells = [
        {
            "satellite": satellite_name(system, int(table.satellite[row]) + shift),
            "signal": SIGNALS[system].get(int(table.signal[row]), str(int(table.signal[row]))),
            "range_m": _number(table.range_m[row]),
            "phase_m": _number(table.phase_m[row]),
            "rate_mps": _number(table.rate_mps[row]),
            "lock": int(table.lock[row]),
            "half_cycle": bool(table.half[row]),
            "strength_dbhz": _number(table.strength_dbhz[row]),
        }
        for row in range(len(table.satellite))
    ]
    return {
        "station": int(table.station[0]),
        "time": int(table.time[0]),
        "more": bool(table.more[0]),
        "cells": cells,
    }


def ubx_rows(data: bytes) -> Iterator[dict[str, Any]]:
    """One row a UBX message; RXM-RAWX and RXM-SFRBX with their content."""
    for message in ubx.ubx_messages(data):
        row: dict[str, Any] = {
            "message": f"{message.kind[0]:02X}-{message.kind[1]:02X}",
            "bytes": len(message.payload),
        }
        try:
            if message.kind == ubx.SFRBX:
                row |= asdict(ubx.Subframe.decode(message))
            elif message.kind == ubx.RAWX:
                seen = ubx.read_raw([message])
                row |= {"time_utc": str(seen.utc(0)), "satellites": list(observation_rows(seen))}
        except MalformedInput as error:
            row["malformed"] = str(error)
        yield row


def nmea_rows(data: bytes) -> Iterator[dict[str, Any]]:
    """One row a sentence with a right checksum, with the place where it tells one."""
    for sentence in sentences(data):
        row: dict[str, Any] = asdict(sentence)
        try:
            fix = fix_of(sentence)
        except MalformedInput as error:
            row["malformed"] = str(error)
        else:
            row |= {"fix": _plain(fix)} if fix else {}
        yield row


def observation_rows(seen: Observations) -> Iterator[dict[str, Any]]:
    """One row a satellite and epoch; only what was observed."""
    times = [str(seen.utc(epoch)) for epoch in range(len(seen.gpst_ns))]
    for system, table in sorted(seen.systems.items()):
        for row in range(len(table.prn)):
            values = {
                code: value
                for code, value in zip(table.codes, table.values[row].tolist(), strict=True)
                if math.isfinite(value)
            }
            name = satellite_name(system, int(table.prn[row]))
            yield {"time_utc": times[int(table.epoch[row])], "satellite": name} | values


def navigation_rows(navigation: Navigation) -> Iterator[dict[str, Any]]:
    """One row a broadcast message, times as UTC."""
    for table in (navigation.ephemerides, navigation.glonass):
        if table is not None:
            for row in range(len(table)):
                yield _message(table, row)


def _message(table: Ephemerides | GlonassEphemerides, row: int) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for column in fields(table):
        value = getattr(table, column.name)[row]
        if column.name == "satellite":
            out["satellite"] = satellite_name(SYSTEMS[int(value) // 100], int(value) % 100)
        elif column.name.endswith("_ns"):
            out[column.name.removesuffix("_ns") + "_utc"] = str(_utc(int(value)))
        elif column.name == "message":
            out["message"] = MESSAGES[int(value)]
        else:
            out[column.name] = _plain(value)
    return out


def _utc(gpst_ns: int) -> Utc:
    return Gpst(gpst_ns).to_utc()


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _plain(value: Any) -> Any:
    """A value that JSON can hold; None for NaN."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(part) for name, part in asdict(value).items()}
    if isinstance(value, np.ndarray):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return _number(value)
    return value
