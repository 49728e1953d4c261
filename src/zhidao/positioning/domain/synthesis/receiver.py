"""What a receiver on a given way would have measured: ranges, phases, Doppler and strengths.

Truth is built from the same orbit and clock messages that the solver will read, plus errors that
the messages do not hold: slow orbit and clock errors, an ionosphere that the Klobuchar model meets
only in part, a troposphere a few per cent off, multipath and noise. Everything comes from a seed.
Simulated data show that parts agree with each other; they say nothing about accuracy outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from zhidao.core.errors import Refused
from zhidao.positioning.domain.atmosphere.klobuchar_saastamoinen import ionosphere_m, troposphere_m
from zhidao.positioning.domain.observables.observations import (
    Bools,
    Bytes,
    Floats,
    Ints,
    ObservationHeader,
    Observations,
    SystemObservations,
)
from zhidao.positioning.domain.observables.signals import (
    SPEED_OF_LIGHT_MPS,
    SYSTEMS,
    carrier_hz,
    satellite_name,
)
from zhidao.positioning.domain.satellites.ephemeris import UNKNOWN, Ephemerides, Navigation, choose
from zhidao.positioning.domain.satellites.orbits import rotation_radps, satellite_states
from zhidao.positioning.domain.single_point.geometry import enu_axes, geodetic
from zhidao.positioning.domain.single_point.signal_choice import SignalChoice

_NS: Final = 1_000_000_000
_DAY_NS: Final = 86_400 * _NS
_TRAVEL_ROUNDS: Final = 4
_LOWEST: Final = float(np.deg2rad(3.0))
_SIGNALS: Final = {"C": "2I", "G": "1C", "E": "1C", "J": "1C"}
SIMULATED_MARKER: Final = "SIMULATED"
SIMULATED_COMMENT: Final = "SIMULATED OBSERVATIONS, NO SATELLITE WAS RECEIVED"


@dataclass(frozen=True, slots=True)
class SatelliteBias:
    """An injected fault: a satellite's ranges are off by so much from one epoch to another."""

    satellite: str
    bias_m: float
    first_epoch: int = 0
    last_epoch: int | None = None


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """Standard deviations of what the messages do not hold; metres at the zenith unless said.

    orbit_m: orbit and clock error, one value a satellite that wanders slowly. ionosphere: share of
    the modelled delay that is missing or too much, one value for the day, and `ionosphere_each`
    one a satellite. troposphere: the same for the troposphere. multipath_m wanders within
    `multipath_s`; both it and noise grow as 1 / sin(elevation). outlier: chance that a range has
    ten times its noise. clock_m, clock_drift_mps: the receiver's clock. strength_slope_db: by how
    much strengths fall from the zenith to where the sine of the elevation is a tenth;
    strength_each_db: by how much satellites differ.
    """

    orbit_m: float = 0.6
    orbit_s: float = 1800.0
    ionosphere: float = 0.25
    ionosphere_each: float = 0.10
    troposphere: float = 0.03
    multipath_m: float = 0.35
    multipath_s: float = 120.0
    noise_m: float = 0.20
    outlier: float = 0.0
    clock_m: float = 3_000.0
    clock_drift_mps: float = 0.5
    strength_dbhz: float = 46.0
    lost_dbhz: float = 28.0
    strength_slope_db: float = 8.0
    strength_each_db: float = 2.2


# Noise, reflections and strengths as in a geodetic day at 30 s (Esbjerg) and five minutes of two
# receivers at 1 Hz (Nagoya): code minus phase steps by 0.03 to 0.08 m over the sine of the
# elevation, residuals by 0.34 to 0.64 m; strengths fall by 9 to 16 dB a decade of the sine and
# differ by 1.8 to 2.9 dB between satellites, Doppler by 0.006 m/s.
FITTED_ERRORS: Final = ErrorModel(multipath_m=0.35, noise_m=0.08, strength_slope_db=10.0)
# Of two receivers under one sky, whose errors of orbits and air are the same.
OWN_ERRORS: Final = ErrorModel(
    orbit_m=0.0, ionosphere=0.0, ionosphere_each=0.0, troposphere=0.0, multipath_m=0.1, noise_m=0.1
)


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver on its way: where it is at each epoch, what it hears, what is done to it.

    gpst_ns (e,), rising. ecef_m (e, 3): the place that the signals tell. For a spoofed receiver
    that is the spoofer's place and not where the antenna is: see `spoofed`. outages: first and
    last epochs of stretches, as in a tunnel, without any signal. signals: by system, the bands and
    attributes that are tracked, such as {"C": ("2I", "6I")}; one each where nothing is said.
    clock_jumps: epochs from which the receiver's clock is off by so many metres more. jamming:
    stretches of epochs, and by how many dB-Hz all strengths fall in them; under
    `errors.lost_dbhz` a satellite is lost, and the noise grows as the strength falls.
    """

    gpst_ns: Ints
    ecef_m: Floats
    systems: str = "C"
    mask_deg: float = 5.0
    faults: Sequence[SatelliteBias] = ()
    errors: ErrorModel = field(default_factory=ErrorModel)
    marker: str = SIMULATED_MARKER
    outages: Sequence[tuple[int, int]] = ()
    signals: Mapping[str, Sequence[str]] = field(default_factory=dict)
    clock_jumps: Sequence[tuple[int, float]] = ()
    jamming: Sequence[tuple[int, int, float]] = ()

    def fallen_dbhz(self) -> Floats:
        """By how much jamming lowers strengths at each epoch, (e,)."""
        out = np.zeros(len(self.gpst_ns))
        for first, last, fall in self.jamming:
            out[max(first, 0) : last + 1] += fall
        return out

    def tracked(self, system: str) -> tuple[str, ...]:
        """Bands and attributes of a system's signals."""
        return tuple(self.signals.get(system, ())) or (_SIGNALS[system],)


def spoofed(ecef_m: Floats, *, east_m: float, north_m: float, from_epoch: int = 0) -> Floats:
    """The way that a consistent spoofer tells: the true one, shifted from an epoch on; (e, 3).

    All ranges fit together, so no test within the receiver can see it; only others can.
    """
    latitude, longitude, _ = geodetic(ecef_m)
    axes = enu_axes(latitude, longitude)
    shift_m = axes[:, 0] * east_m + axes[:, 1] * north_m
    shift_m[:from_epoch] = 0
    return ecef_m + shift_m


def synthesize(receiver: Receiver, navigation: Navigation, *, seed: int) -> Observations:
    """Raw observations of the receiver: C, L, D and S of each signal.

    Raises Refused if times do not rise, shapes differ, or no ephemeris fits any epoch.
    """
    at, place_m = receiver.gpst_ns, receiver.ecef_m
    if place_m.shape != (len(at), 3) or (np.diff(at) <= 0).any() or not len(at):
        raise Refused("a way needs one place (x, y, z) for each of its rising epochs")
    chance = np.random.default_rng(np.random.SeedSequence([0x5167, seed]))
    sky = _sky(receiver, navigation)
    effects = _errors(receiver, navigation, sky, chance)
    tables = {
        system: table
        for system in receiver.systems
        if (table := _table(system, receiver, sky, effects, chance)) is not None
    }
    header = ObservationHeader(
        marker=receiver.marker if "SIMULATED" in receiver.marker else SIMULATED_MARKER,
        receiver="ZHIDAO SYNTHESIS",
        approximate_ecef_m=(float(place_m[0, 0]), float(place_m[0, 1]), float(place_m[0, 2])),
        interval_s=float(np.median(np.diff(at))) / _NS if len(at) > 1 else 0.0,
        comments=(SIMULATED_COMMENT, f"SEED {seed}"),
        simulated=True,
    )
    return Observations(header, at, np.zeros(len(at), bool), tables)


@dataclass(frozen=True, slots=True)
class _Sky:
    """All satellites at all epochs, (e, s); `seen` says which are above the mask and known."""

    satellite: Ints
    seen: Bools
    ephemeris: Ephemerides
    range_m: Floats
    rate_mps: Floats
    clock_s: Floats
    elevation: Floats
    azimuth: Floats


def _sky(receiver: Receiver, navigation: Navigation) -> _Sky:
    store = navigation.ephemerides
    wanted = [SYSTEMS.index(system) for system in receiver.systems]
    satellite = np.unique(store.satellite[np.isin(store.satellite // 100, wanted)])
    epochs, count = len(receiver.gpst_ns), len(satellite)
    cell_satellite = np.tile(satellite, epochs)
    cell_at = np.repeat(receiver.gpst_ns, count)
    row = choose(store, cell_satellite, cell_at)
    known = row != UNKNOWN
    if not known.any():
        raise Refused("no ephemeris fits any epoch of the way", code="no_navigation")
    eph = store.take(np.where(known, row, 0))
    place_m = np.repeat(receiver.ecef_m, count, 0)
    range_m, clock_s, toward = _travel(eph, cell_at, place_m)
    # The range rate by a central difference of half a second, receiver at rest against its way.
    half_ns = _NS // 4
    ahead_m, _, _ = _travel(eph, cell_at + half_ns, place_m)
    behind_m, _, _ = _travel(eph, cell_at - half_ns, place_m)
    own_mps = np.repeat(_velocity(receiver), count, 0)
    rate_mps = (ahead_m - behind_m) * (_NS / (2 * half_ns)) - np.einsum("ni,ni->n", own_mps, toward)
    latitude, longitude, _ = geodetic(place_m)
    local = np.einsum("nij,nj->ni", enu_axes(latitude, longitude), toward)
    elevation = np.arcsin(np.clip(local[:, 2], -1, 1))
    shape = (epochs, count)
    seen = known & (elevation >= np.deg2rad(receiver.mask_deg))
    for first, last in receiver.outages:
        seen.reshape(shape)[max(first, 0) : last + 1] = False
    if receiver.jamming:
        low = np.log10(np.maximum(np.sin(elevation), 1e-3)).reshape(shape)
        strength = receiver.errors.strength_dbhz + receiver.errors.strength_slope_db * low
        strength = strength - receiver.fallen_dbhz()[:, None]
        seen &= (strength >= receiver.errors.lost_dbhz).reshape(-1)
    return _Sky(
        satellite=satellite,
        seen=seen.reshape(shape),
        ephemeris=eph,
        range_m=range_m.reshape(shape),
        rate_mps=rate_mps.reshape(shape),
        clock_s=clock_s.reshape(shape),
        elevation=elevation.reshape(shape),
        azimuth=np.arctan2(local[:, 0], local[:, 1]).reshape(shape),
    )


def _travel(eph: Ephemerides, at_ns: Ints, place_m: Floats) -> tuple[Floats, Floats, Floats]:
    """Range on the way of the signal, clock at sending, and direction to the satellite."""
    travel_s = np.full(len(at_ns), 0.08)
    rotation = rotation_radps(eph.satellite)
    for _ in range(_TRAVEL_ROUNDS):
        states = satellite_states(eph, at_ns, -travel_s)
        angle = rotation * travel_s
        x, y, z = states.ecef_m.T
        turned = np.stack(
            (x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle), z), -1
        )
        between = turned - place_m
        range_m = np.linalg.norm(between, axis=1)
        travel_s = range_m / SPEED_OF_LIGHT_MPS
    return range_m, states.clock_s, between / range_m[:, None]


def _velocity(receiver: Receiver) -> Floats:
    if len(receiver.gpst_ns) < 2:
        return np.zeros_like(receiver.ecef_m)
    return np.gradient(receiver.ecef_m, (receiver.gpst_ns - receiver.gpst_ns[0]) / _NS, axis=0)


@dataclass(frozen=True, slots=True)
class _Effects:
    """Errors of each range (e, s), the ionosphere apart since phases turn its sign; clocks (e,)."""

    common_m: Floats
    ionosphere_m: Floats
    code_m: Floats
    clock_m: Floats
    clock_mps: Floats


def _errors(
    receiver: Receiver, navigation: Navigation, sky: _Sky, chance: np.random.Generator
) -> _Effects:
    model, at = receiver.errors, receiver.gpst_ns
    shape = sky.seen.shape
    since_s = (at - at[0]) / _NS
    latitude, longitude, height_m = geodetic(receiver.ecef_m)
    held = np.maximum(sky.elevation, _LOWEST)
    air_m = troposphere_m(latitude=latitude[:, None], height_m=height_m[:, None], elevation=held)
    charge_m = np.zeros(shape)
    if navigation.klobuchar:
        charge_m = ionosphere_m(
            navigation.klobuchar,
            latitude=latitude[:, None],
            longitude=longitude[:, None],
            elevation=held,
            azimuth=sky.azimuth,
            second_of_day=np.asarray(at % _DAY_NS / _NS, np.float64)[:, None],
            carrier_hz=_carriers(sky.satellite)[None, :],
        )
    charge_m *= 1 + chance.normal(0, model.ionosphere)
    charge_m *= 1 + chance.normal(0, model.ionosphere_each, shape[1])
    air_m *= 1 + chance.normal(0, model.troposphere)
    orbit_m = model.orbit_m * _wander(since_s, model.orbit_s, shape[1], chance)
    code_m = _code_errors(receiver, sky, chance)
    drift_mps = model.clock_drift_mps * (1 + 0.1 * _wander(since_s, 300.0, 1, chance)[:, 0])
    start_m = chance.normal(0, model.clock_m)
    steps = np.diff(since_s, prepend=since_s[0])
    clock_m = start_m + np.cumsum(drift_mps * steps)
    for epoch, jump_m in receiver.clock_jumps:
        clock_m[max(epoch, 0) :] += jump_m
    return _Effects(
        common_m=air_m + orbit_m + _faults(receiver, sky),
        ionosphere_m=charge_m,
        code_m=code_m,
        clock_m=clock_m,
        clock_mps=drift_mps,
    )


def _code_errors(receiver: Receiver, sky: _Sky, chance: np.random.Generator) -> Floats:
    """Multipath and noise of one signal's ranges, (e, s); every signal has its own."""
    model, shape = receiver.errors, sky.seen.shape
    since_s = (receiver.gpst_ns - receiver.gpst_ns[0]) / _NS
    reflected_m = model.multipath_m * _wander(since_s, model.multipath_s, shape[1], chance)
    noise_m = model.noise_m * chance.normal(size=shape)
    noise_m *= np.where(chance.random(shape) < model.outlier, 10.0, 1.0)
    # Thermal noise goes with the root of the noise power: 20 dB less signal is ten times the noise.
    noise_m *= 10 ** (receiver.fallen_dbhz() / 20)[:, None]
    errors_m: Floats = (reflected_m + noise_m) / np.sin(np.maximum(sky.elevation, _LOWEST))
    return errors_m


def _wander(since_s: Floats, within_s: float, count: int, chance: np.random.Generator) -> Floats:
    """First-order Gauss-Markov series of unit deviation, (e, count), for any spacing of epochs."""
    out = np.empty((len(since_s), count))
    out[0] = chance.normal(size=count)
    keep = np.exp(-np.diff(since_s) / within_s)
    fresh = chance.normal(size=(len(since_s), count))
    for index, share in enumerate(keep.tolist(), 1):
        out[index] = share * out[index - 1] + np.sqrt(1 - share * share) * fresh[index]
    return out


def _faults(receiver: Receiver, sky: _Sky) -> Floats:
    out = np.zeros(sky.seen.shape)
    names = [satellite_name(SYSTEMS[n // 100], n % 100) for n in sky.satellite.tolist()]
    for fault in receiver.faults:
        if fault.satellite not in names:
            raise Refused(f"there is no satellite {fault.satellite!r} to make faulty")
        last = len(out) - 1 if fault.last_epoch is None else fault.last_epoch
        out[fault.first_epoch : last + 1, names.index(fault.satellite)] += fault.bias_m
    return out


def _carriers(satellite: Ints) -> Floats:
    systems = [SYSTEMS[number // 100] for number in satellite.tolist()]
    return np.array([carrier_hz(s, "C" + _SIGNALS[s]) for s in systems])


def _table(
    system: str, receiver: Receiver, sky: _Sky, effects: _Effects, chance: np.random.Generator
) -> SystemObservations | None:
    columns = sky.satellite // 100 == SYSTEMS.index(system)
    epoch, cell = np.nonzero(sky.seen & columns[None, :])
    if not len(epoch):
        return None
    model = receiver.errors
    low = np.log10(np.sin(sky.elevation[epoch, cell]))
    strength = model.strength_dbhz + model.strength_slope_db * low
    strength -= receiver.fallen_dbhz()[epoch]
    # A stream of its own: what else is drawn does not depend on how satellites differ.
    each = chance.spawn(1)[0].normal(size=len(sky.satellite))
    strength += model.strength_each_db * each[cell]
    parts = [
        _signal(system, signal, receiver, sky, effects, (epoch, cell), strength, chance)
        for signal in receiver.tracked(system)
    ]
    values = np.concatenate([part for part, _ in parts], axis=1)
    return SystemObservations(
        system=system,
        codes=tuple(kind + signal for signal in receiver.tracked(system) for kind in "CLDS"),
        epoch=epoch,
        prn=sky.satellite[cell] % 100,
        values=np.round(values, 3),
        lost_lock=np.zeros(values.shape, np.uint8),
        strength=np.concatenate([digits for _, digits in parts], axis=1),
    )


def _signal(
    system: str,
    signal: str,
    receiver: Receiver,
    sky: _Sky,
    effects: _Effects,
    where: tuple[Ints, Ints],
    fall_dbhz: Floats,
    chance: np.random.Generator,
) -> tuple[Floats, Bytes]:
    """Range, phase, Doppler and strength of one signal, (n, 4), and the strength digits."""
    code, (epoch, cell) = "C" + signal, where
    wave_m = SPEED_OF_LIGHT_MPS / carrier_hz(system, code)
    flat = epoch * len(sky.satellite) + cell
    # The solver's own group delay of the signal, so that both agree in what a message means.
    delay_s = SignalChoice.of(system, code).delay_s(sky.ephemeris.take(flat))
    delay_m = SPEED_OF_LIGHT_MPS * np.nan_to_num(delay_s)
    # A receiver's time tag is off by its clock, and within that time the satellite moves.
    clock_m = effects.clock_m[epoch]
    moved_m = -sky.rate_mps[epoch, cell] * clock_m / SPEED_OF_LIGHT_MPS
    true_m = sky.range_m[epoch, cell] + moved_m + clock_m
    true_m += (
        delay_m - SPEED_OF_LIGHT_MPS * sky.clock_s[epoch, cell] + effects.common_m[epoch, cell]
    )
    # The delay of the ionosphere goes with 1/f^2; the effects hold that of the system's first.
    first_hz = carrier_hz(system, "C" + _SIGNALS[system])
    charge_m = effects.ionosphere_m[epoch, cell] * (first_hz / carrier_hz(system, code)) ** 2
    code_m = effects.code_m[epoch, cell]
    if signal != _SIGNALS[system]:
        code_m = _code_errors(receiver, sky, chance)[epoch, cell]
    start = np.rint(chance.uniform(-1e6, 1e6, len(sky.satellite)))[cell]
    quiet = chance.normal(0, 0.003, (2, len(epoch)))
    strength = fall_dbhz + chance.normal(0, 0.5, len(epoch))
    doppler_hz = -(sky.rate_mps[epoch, cell] + effects.clock_mps[epoch]) / wave_m + 10 * quiet[1]
    values = np.stack(
        (
            true_m + charge_m + code_m,
            (true_m - charge_m + quiet[0]) / wave_m + start,
            doppler_hz,
            strength,
        ),
        1,
    )
    digits = np.zeros((len(epoch), 4), np.uint8)
    digits[:, :2] = np.clip(np.floor(strength / 6), 1, 9)[:, None]
    return values, digits
