"""What happens to the consignment on its way: places, times, signals; made from a seed or a file.

The simulation room chooses trajectories and faults; signals are made in the positioning room.
"""

from __future__ import annotations

import gzip
import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np

from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.wire.compact import Track, pack
from zhidao.connectivity.wire.rdss import Send3, as_received, build
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic, course, destination
from zhidao.core.polygon import Polygon
from zhidao.core.timescale import NS, Gpst, Utc
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.receiver import Receiver, spoofed, synthesize
from zhidao.positioning.events import Site
from zhidao.positioning.wire.geojson import read_site
from zhidao.positioning.wire.rinex.navigation import read_navigation
from zhidao.positioning.wire.rinex.observation_files import read_observations
from zhidao.positioning.wire.rinex.window import cut_window
from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations
from zhidao.simulation import participants

HOUR_NS: Final = 3600 * NS
DAY_NS: Final = 24 * HOUR_NS
RISK_PPB: Final = 10_000
WINDOW_EPOCHS: Final = 48
_EPOCH_S: Final = 5
# BeiDou, Galileo, GPS: one constellation alone cannot show that it is right as a whole.
_SYSTEMS: Final = "CEG"
_TRACK_POINTS: Final = 24
_NETWORK_RADIUS_M: Final = 900.0
_SPOOF_M: Final = 12_000.0
CARD: Final = "4170417"
_CENTRE: Final = "4100001"
# Through the Hexi corridor: Xi'an, Lanzhou, Jiayuguan, Hami, Urumqi, Khorgos, Almaty (degrees).
CORRIDOR: Final = (
    (34.27, 108.95),
    (36.06, 103.83),
    (39.77, 98.29),
    (42.83, 93.51),
    (43.83, 87.62),
    (44.21, 80.41),
)
YARD: Final = ("Almaty dry port, container yard", 43.3540, 77.0120)
# Its outline in metres east and north of that point: a terminal building stands in the north-east.
YARD_OUTLINE_M: Final = (
    (-195.0, -115.0),
    (150.0, -155.0),
    (190.0, 60.0),
    (70.0, 80.0),
    (70.0, 175.0),
    (-60.0, 195.0),
    (-175.0, 85.0),
)
RECORDED_SITE: Final = "site of the recording"
SEA: Final = (
    (31.23, 121.49),
    (1.26, 103.84),
    (12.6, 43.4),
    (31.3, 32.4),
    (36.0, -5.6),
    (50.9, 1.4),
)


@dataclass(frozen=True, slots=True)
class Reported:
    """A point of the way as the terminal reports it, degrees WGS 84."""

    at: Utc
    latitude_deg: float
    longitude_deg: float


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle on WGS 84, degrees and metres."""

    latitude_deg: float
    longitude_deg: float
    radius_m: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything about one voyage. `true_place` is where the antenna is at the end."""

    consignment: str
    order: str
    terminal: str
    phone: str
    seal: str
    voyage: participants.Voyage
    site: Site
    begins: Utc
    not_before: Utc
    not_after: Utc
    risk_ppb: int
    navigation: bytes
    window: bytes
    window_at: Utc
    window_ends: Utc
    track: tuple[Reported, ...]
    network: Circle
    simulated: bool
    link_down: tuple[int, int] = field(default=(9, 12))

    def short_message(self) -> str:
        """The sentence by which the positions of the outage come over BeiDou short message."""
        first, last = self.link_down
        points = tuple(
            Point.on_grid(
                at=reported.at,
                latitude_ndeg=round(reported.latitude_deg * 1e6) * 1000,
                longitude_ndeg=round(reported.longitude_deg * 1e6) * 1000,
            )
            for reported in self.track[first:last]
        )
        sent = Send3(_CENTRE, 1, 1, 2, pack(Track(points, simulated=True)), 0)
        clock = points[-1].observed_at.to_datetime().strftime("%H%M%S")
        return build(as_received(sent, sender=CARD, at_hhmmss=clock))


def simulated_scenario(consignment: str, *, fail: str, seed: int) -> Scenario:
    """The corridor from Xi'an to Almaty with signals made from a seed."""
    name, latitude, longitude = YARD
    yard = Geodetic.from_ndeg(
        latitude_ndeg=round(latitude * 1e9), longitude_ndeg=round(longitude * 1e9)
    )
    planned = Utc.parse("2026-09-20T06:00:00Z")
    arrives = planned.plus_ns(9 * HOUR_NS) if fail == "late" else planned
    navigation = constellation(
        arrives.plus_ns(-HOUR_NS), arrives.plus_ns(HOUR_NS), seed=seed, systems=_SYSTEMS
    )
    place_m = _route_into(yard)
    true_place = yard
    if fail == "spoof":
        # The truck is elsewhere; a transmitter on board tells the yard to its receiver.
        true_place = destination(yard, azimuth_deg=95.0, distance_m=_SPOOF_M)
        truth_m = _route_into(true_place)
        shift = (place_m - truth_m).mean(axis=0)
        place_m = _spoof(truth_m, shift, true_place)
    at = Gpst.from_utc(arrives).ns + np.arange(WINDOW_EPOCHS, dtype=np.int64) * _EPOCH_S * NS
    seen = synthesize(Receiver(gpst_ns=at, ecef_m=place_m, systems=_SYSTEMS), navigation, seed=seed)
    begins = planned.plus_ns(-3 * DAY_NS)
    return Scenario(
        consignment=consignment,
        order=participants.ORDER,
        terminal=participants.TERMINAL,
        phone=participants.PHONE,
        seal=participants.SEAL,
        voyage=participants.TO_ALMATY,
        site=Site.of_polygon(name, _outline(yard)),
        begins=begins,
        not_before=planned.plus_ns(-12 * HOUR_NS),
        not_after=planned.plus_ns(6 * HOUR_NS),
        risk_ppb=RISK_PPB,
        navigation=gzip.compress(write_navigation(navigation), mtime=0),
        window=gzip.compress(write_observations(seen), mtime=0),
        window_at=arrives,
        window_ends=Gpst(int(at[-1])).to_utc(),
        track=_track([*CORRIDOR, (latitude, longitude)], begins, arrives),
        network=Circle(true_place.latitude_deg, true_place.longitude_deg, _NETWORK_RADIUS_M),
        simulated=True,
    )


def recorded_scenario(
    consignment: str,
    *,
    observations: bytes,
    navigation: bytes,
    site: Site,
) -> Scenario:
    """The same papers and parties with real signals: the window in the middle of a recording.

    The site comes from the caller and never from the recording. Raises MalformedInput, Refused.
    """
    read_navigation(navigation)
    seen = read_observations(observations)
    if not len(seen.gpst_ns):
        raise MalformedInput(
            "the recording holds no epoch", remedy="give a RINEX file with observations"
        )
    first, last = _middle(seen)
    window = cut_window(observations, first, last, systems=_SYSTEMS)
    middle = site.middle
    begins = first.plus_ns(-30 * DAY_NS)
    return Scenario(
        consignment=consignment,
        order=participants.ORDER,
        terminal=participants.TERMINAL,
        phone=participants.PHONE,
        seal=participants.SEAL,
        voyage=participants.Voyage(
            loading=participants.Place("CNSHA", "Shanghai"),
            discharge=participants.Place("DKEBJ", "Esbjerg"),
            issued_on=begins.to_datetime().date().isoformat(),
            shipped_on=begins.to_datetime().date().isoformat(),
            due_on=first.plus_ns(90 * DAY_NS).to_datetime().date().isoformat(),
            mode="sea",
            means="Meridian Star",
        ),
        site=site,
        begins=begins,
        not_before=first.plus_ns(-12 * HOUR_NS),
        not_after=last.plus_ns(6 * HOUR_NS),
        risk_ppb=RISK_PPB,
        navigation=navigation,
        window=gzip.compress(window, mtime=0),
        window_at=first,
        window_ends=last,
        track=_track([*SEA, (middle.latitude_deg, middle.longitude_deg)], begins, first),
        network=Circle(middle.latitude_deg, middle.longitude_deg, _NETWORK_RADIUS_M),
        simulated=False,
    )


def _middle(seen: Observations) -> tuple[Utc, Utc]:
    """First and last of 48 epochs in the middle of a recording."""
    at = seen.gpst_ns
    start = max(0, (len(at) - WINDOW_EPOCHS) // 2)
    stop = min(len(at), start + WINDOW_EPOCHS) - 1
    return Gpst(int(at[start])).to_utc(), Gpst(int(at[stop])).to_utc()


def circle_site(*, latitude_deg: float, longitude_deg: float, radius_m: float) -> Site:
    """A circle around the place of a recording."""
    centre = Geodetic(latitude_deg, longitude_deg)
    return Site(
        name=RECORDED_SITE,
        latitude_ndeg=centre.latitude_ndeg,
        longitude_ndeg=centre.longitude_ndeg,
        radius_mm=round(radius_m * 1000),
    )


def file_site(geojson: bytes) -> Site:
    """The polygon of a GeoJSON file. Raises MalformedInput."""
    return read_site(geojson, name=RECORDED_SITE)


def _outline(yard: Geodetic) -> Polygon:
    corners = []
    for east_m, north_m in YARD_OUTLINE_M:
        azimuth_deg = math.degrees(math.atan2(east_m, north_m)) % 360
        distance_m = math.hypot(east_m, north_m)
        corners.append(destination(yard, azimuth_deg=azimuth_deg, distance_m=distance_m))
    return Polygon(tuple(corners))


def _route_into(yard: Geodetic) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Slowly through the gate and to a stand, 40 m from the middle; (epochs, 3) metres ECEF."""
    gate = destination(yard, azimuth_deg=250.0, distance_m=160.0)
    stand = destination(yard, azimuth_deg=60.0, distance_m=40.0)
    rolling = WINDOW_EPOCHS // 3
    share = np.minimum(1.0, np.arange(WINDOW_EPOCHS) / rolling)
    start, stop = (np.array(_xyz(p)) for p in (gate, stand))
    way: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = start + (stop - start) * share[:, None]
    return way


def _xyz(place: Geodetic) -> tuple[float, float, float]:
    ecef = place.to_ecef()
    return ecef.x_m, ecef.y_m, ecef.z_m


def _spoof(
    truth_m: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    shift_m: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    place: Geodetic,
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    latitude, longitude = np.deg2rad(place.latitude_deg), np.deg2rad(place.longitude_deg)
    east = np.array([-np.sin(longitude), np.cos(longitude), 0.0])
    north = np.array(
        [
            -np.sin(latitude) * np.cos(longitude),
            -np.sin(latitude) * np.sin(longitude),
            np.cos(latitude),
        ]
    )
    return spoofed(truth_m, east_m=float(shift_m @ east), north_m=float(shift_m @ north))


def _track(corners: list[tuple[float, float]], begins: Utc, arrives: Utc) -> tuple[Reported, ...]:
    """Points along straight legs at even speed, the last one at the end."""
    places = [
        Geodetic.from_ndeg(latitude_ndeg=round(a * 1e9), longitude_ndeg=round(b * 1e9))
        for a, b in corners
    ]
    legs = [course(a, b) for a, b in pairwise(places)]
    total_m = sum(leg.distance_m for leg in legs)
    points = []
    for number in range(_TRACK_POINTS):
        share = number / (_TRACK_POINTS - 1)
        left_m = share * total_m
        index = 0
        while index < len(legs) - 1 and left_m > legs[index].distance_m:
            left_m -= legs[index].distance_m
            index += 1
        place = destination(places[index], azimuth_deg=legs[index].azimuth_deg, distance_m=left_m)
        at = begins.plus_ns(round(share * (arrives.since_ns(begins) // NS)) * NS)
        points.append(Reported(at, place.latitude_deg, place.longitude_deg))
    return tuple(points)
