"""Reads position frames: what a terminal claims in them, point by point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Frame
from zhidao.core.timescale import Utc
from zhidao.devices.domain.custody import StoredFrame
from zhidao.devices.domain.track import NO_TIME, Report, TrackPoint, objection
from zhidao.devices.wire.egts.kept import POSITION_ID, kept_record
from zhidao.devices.wire.egts.subrecords import (
    BEIDOU,
    ExtPosData,
    PosData,
    Subrecord,
    subrecords_of,
)
from zhidao.devices.wire.jt808.frame import decode_kept
from zhidao.devices.wire.jt808.messages import decode_message
from zhidao.devices.wire.jt808.position import (
    ITEM_SATELLITES,
    STATUS_BEIDOU,
    STATUS_ENCRYPTED,
    STATUS_POSITIONED,
    PositionBatch,
    PositionReport,
    time_from_bcd,
)
from zhidao.devices.wire.teltonika.packet import decode_frame
from zhidao.devices.wire.teltonika.records import RECORD_IDS, Record, decode_records

POSITION_IDS: Final = (PositionReport.ID, PositionBatch.ID, *RECORD_IDS, POSITION_ID)
# The lowest land is 430 m below the sea: sixteen bits are a depth down to here, else a height.
_DEPTH_M: Final = 1_000
_U16: Final = 0xFFFF
# What a tenth of a km/h in sixteen bits can tell; no vehicle is so fast.
_SPEED_KMH: Final = 6_553.5
_E7_UDEG: Final = 10


def reports_of(frame: StoredFrame) -> tuple[Report, ...]:
    """The reports in a stored frame; none in one that is no position, or that cannot be read."""
    if frame.message_id not in POSITION_IDS:
        return ()
    try:
        points = tuple(points_of(frame))
    except MalformedInput:
        return ()  # It stands as it came; whoever covers it tells that it cannot be read.
    return tuple(
        Report(frame.terminal, frame.id, place, point) for place, point in enumerate(points)
    )


def points_of(frame: StoredFrame) -> Iterator[TrackPoint]:
    """The points in a stored frame; one whose time does not exist bears its time of receipt.

    A part of a divided batch has none: they are in the whole, which is kept beside its parts.
    """
    if frame.message_id in RECORD_IDS:
        for record in decode_records(decode_frame(frame.plain)):
            yield _recorded(record, frame.received_at)
        return
    if frame.message_id == POSITION_ID:
        yield from _located(subrecords_of(kept_record(frame.plain)), frame.received_at)
        return
    whole = decode_kept(frame.plain)
    if whole.header.packet_number:
        return
    try:
        message = decode_message(frame.message_id, whole.body, whole.header.edition)
    except MalformedInput:
        return
    if isinstance(message, PositionReport):
        yield _point(message, frame.received_at)
    elif isinstance(message, PositionBatch):
        yield from (_point(report, frame.received_at) for report in message.reports)


def _point(report: PositionReport, received_at: Utc) -> TrackPoint:
    try:
        observed_at, wrong_time = time_from_bcd(report.time_bcd), ""
    except MalformedInput:
        observed_at, wrong_time = received_at, NO_TIME
    latitude, longitude = report.signed_latitude_udeg, report.signed_longitude_udeg
    reason = wrong_time or objection(
        positioned=bool(report.status & STATUS_POSITIONED),
        latitude_udeg=latitude,
        longitude_udeg=longitude,
        observed_at=observed_at,
        received_at=received_at,
    )
    satellites = next((i.value for i in report.items if i.id == ITEM_SATELLITES), b"")
    return TrackPoint(
        observed_at=observed_at,
        received_at=received_at,
        latitude_udeg=latitude,
        longitude_udeg=longitude,
        frame=Frame.GCJ02 if report.status & STATUS_ENCRYPTED else Frame.WGS84,
        altitude_m=_height_m(report.altitude_m),
        speed_kmh=report.speed_kmh,
        course_deg=report.course_deg,
        beidou=bool(report.status & STATUS_BEIDOU),
        satellites=int.from_bytes(satellites, "big"),
        valid=not reason,
        reason=reason,
    )


def _recorded(record: Record, received_at: Utc) -> TrackPoint:
    """The point in a record of Teltonika: without satellites it repeats the last place."""
    try:
        observed_at, wrong_time = record.at, ""
    except MalformedInput:
        observed_at, wrong_time = received_at, NO_TIME
    latitude, longitude = (
        round(degrees_e7 / _E7_UDEG) for degrees_e7 in (record.latitude_e7, record.longitude_e7)
    )
    reason = wrong_time or objection(
        positioned=record.satellites > 0,
        latitude_udeg=latitude,
        longitude_udeg=longitude,
        observed_at=observed_at,
        received_at=received_at,
    )
    return TrackPoint(
        observed_at=observed_at,
        received_at=received_at,
        latitude_udeg=latitude,
        longitude_udeg=longitude,
        frame=Frame.WGS84,
        altitude_m=max(record.altitude_m, -_DEPTH_M),
        speed_kmh=min(record.speed_kmh, _SPEED_KMH),
        course_deg=record.course_deg,
        # It does not say which systems its satellites are of.
        beidou=False,
        satellites=record.satellites,
        valid=not reason,
        reason=reason,
    )


def _located(subrecords: Sequence[Subrecord], received_at: Utc) -> Iterator[TrackPoint]:
    """The points in a record of EGTS; how good one is stands behind it."""
    said, quality = None, ExtPosData()
    for each in subrecords:
        if isinstance(each, PosData):
            if said is not None:
                yield _placed(said, quality, received_at)
            said, quality = each, ExtPosData()
        elif isinstance(each, ExtPosData):
            quality = each
    if said is not None:
        yield _placed(said, quality, received_at)


def _placed(said: PosData, quality: ExtPosData, received_at: Utc) -> TrackPoint:
    """The point in a position of EGTS. PZ-90.02 is not told from WGS 84: they are a metre apart."""
    try:
        observed_at, wrong_time = said.at, ""
    except MalformedInput:
        observed_at, wrong_time = received_at, NO_TIME
    reason = wrong_time or objection(
        positioned=said.is_valid,
        latitude_udeg=said.latitude_udeg,
        longitude_udeg=said.longitude_udeg,
        observed_at=observed_at,
        received_at=received_at,
    )
    return TrackPoint(
        observed_at=observed_at,
        received_at=received_at,
        latitude_udeg=said.latitude_udeg,
        longitude_udeg=said.longitude_udeg,
        frame=Frame.WGS84,
        altitude_m=max(-_DEPTH_M, min(said.height_m, _U16 - _DEPTH_M)),
        speed_kmh=said.speed_tenth_kmh / 10,
        course_deg=said.course_deg,
        beidou=bool((quality.systems or 0) & BEIDOU),
        satellites=quality.satellites or 0,
        valid=not reason,
        reason=reason,
    )


def _height_m(sixteen: int) -> int:
    """The height in a report of JT/T 808, whose standard has no sign; below the sea it is used."""
    return sixteen - (_U16 + 1) if sixteen > _U16 - _DEPTH_M else sixteen
