"""Baselines and precise points in one call each, for those who use positioning as a library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from zhidao.core.errors import MalformedInput, Refused
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.observables.signal_codes import matched, pairs_of
from zhidao.positioning.domain.ppp.corrected import CorrectedProducts
from zhidao.positioning.domain.ppp.ppp_settings import B2B_PAIRS, LEGACY_PAIRS, PppSettings
from zhidao.positioning.domain.ppp.products import PreciseProducts
from zhidao.positioning.domain.ppp.rays import glonass_channels_of
from zhidao.positioning.domain.ppp.solving import PppSolution, solve_precise
from zhidao.positioning.domain.rtk.baselines import Baselines
from zhidao.positioning.domain.rtk.instantaneous import solve_baselines
from zhidao.positioning.domain.rtk.rtk_settings import ALL_SIGNALS, HOLD, RtkSettings
from zhidao.positioning.domain.satellites.ephemeris import Navigation
from zhidao.positioning.domain.satellites.precise import PreciseTable
from zhidao.positioning.wire.precise.b2b_log import B2bFrame, corrections_at


def rtk(
    rover: Observations,
    base: Observations,
    navigation: Navigation,
    base_ecef_m: Sequence[float],
    settings: RtkSettings | None = None,
) -> Baselines:
    """The rover's place at each epoch beside a base whose place is exact.

    Without settings: all systems that both receivers and the navigation have, one code of each
    band that both have, a moving rover, and the mode that fixes most: ambiguities are held once
    they were fixed for some epochs, and an epoch that is not fixed so is tried by itself. Every
    epoch has a status, and a reason where it is not fixed. base_ecef_m: the frame of the result is
    the frame of these numbers.
    """
    if len(base_ecef_m) != 3:
        raise MalformedInput(f"a base's place has x, y and z in metres, not {len(base_ecef_m)}")
    chosen = settings
    if chosen is None:
        found = matched(rover, base, ALL_SIGNALS)
        if not found.signals:
            raise Refused("rover and base have no band in common", code="no_common_signal")
        base, chosen = found.base, RtkSettings(signals=found.signals, mode=HOLD)
    return solve_baselines(rover, base, navigation, base_ecef_m, chosen)


def ppp(
    seen: Observations,
    *,
    orbits: PreciseTable,
    clocks: PreciseTable | None = None,
    navigation: Navigation | None = None,
    antenna_offset_m: Mapping[int, tuple[float, float, float]] | None = None,
    settings: PppSettings | None = None,
) -> PppSolution:
    """Precise points by SP3 orbits and CLK clocks; without clocks those of the SP3 file are taken.

    GLONASS needs navigation, which tells its channels. antenna_offset_m: offsets of satellites'
    antennas by number, in place of the built-in means (see `read_antennas`). The frame is that of
    the products, the point the receiver's antenna phase centre.
    """
    channels: dict[int, int] = {}
    if navigation is not None and navigation.glonass is not None:
        channels = glonass_channels_of(navigation.glonass.satellite, navigation.glonass.channel)
    products = PreciseProducts(orbits, clocks or orbits, dict(antenna_offset_m or {}))
    chosen = settings or PppSettings(pairs=pairs_of(seen, LEGACY_PAIRS))
    return solve_precise(seen, products, chosen, glonass_channels=channels)


def ppp_b2b(
    seen: Observations,
    navigation: Navigation,
    frames: Iterable[B2bFrame],
    settings: PppSettings | None = None,
) -> PppSolution:
    """Precise points by PPP-B2b. frames: of one BDS satellite, as `read_b2b_log` gives them.

    navigation holds B-CNAV-1 of BDS and LNAV of GPS, which are what PPP-B2b corrects.
    """
    kept = tuple(frames)
    if len({frame.prn for frame in kept}) > 1:
        raise MalformedInput("PPP-B2b frames of several satellites; take those of one")
    products = CorrectedProducts(navigation.ephemerides, corrections_at(kept, seen.gpst_ns))
    return solve_precise(seen, products, settings or PppSettings(pairs=dict(B2B_PAIRS)))
