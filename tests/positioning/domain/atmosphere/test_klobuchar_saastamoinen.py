from __future__ import annotations

import numpy as np

from zhidao.positioning.domain.atmosphere.klobuchar_saastamoinen import ionosphere_m, troposphere_m
from zhidao.positioning.domain.observables.signals import B1I_HZ, L1_HZ
from zhidao.positioning.domain.satellites.ephemeris import Klobuchar

GPS = Klobuchar(
    (0.3820e-07, 0.1490e-07, -0.1790e-06, 0.0),
    (0.1430e06, 0.0, -0.3280e06, 0.1130e06),
    bds=False,
)


def _delay(model, *, elevation_deg, azimuth_deg, second_of_day, carrier_hz):
    return float(
        ionosphere_m(
            model,
            latitude=np.deg2rad(40.0),
            longitude=np.deg2rad(-100.0),
            elevation=np.deg2rad(elevation_deg),
            azimuth=np.deg2rad(azimuth_deg),
            second_of_day=np.array(second_of_day),
            carrier_hz=np.array(carrier_hz),
        )
    )


def test_the_gps_form_gives_the_published_example():
    # A worked example that circulates with the model (latitude 40 N, longitude 100 W, elevation
    # 20, azimuth 210 degrees, 20:45 GPST, the coefficients above): 23.784 m on L1.
    got = _delay(GPS, elevation_deg=20, azimuth_deg=210, second_of_day=74700, carrier_hz=L1_HZ)
    assert abs(got - 23.784) < 0.01


def test_both_forms_tell_about_the_same_story():
    ours = Klobuchar(GPS.alpha, GPS.beta, bds=True)
    for second in (0, 30_000, 74_700):
        one = _delay(GPS, elevation_deg=60, azimuth_deg=90, second_of_day=second, carrier_hz=L1_HZ)
        two = _delay(
            ours, elevation_deg=60, azimuth_deg=90, second_of_day=second, carrier_hz=B1I_HZ
        )
        assert 0.5 < one / two < 2


def test_night_is_five_nanoseconds_at_the_zenith():
    got = _delay(
        Klobuchar(GPS.alpha, GPS.beta, bds=True),
        elevation_deg=90,
        azimuth_deg=0,
        second_of_day=30_000,
        carrier_hz=B1I_HZ,
    )
    assert abs(got - 1.499) < 0.001


def test_delays_grow_towards_the_horizon_and_fall_with_height():
    angles = np.deg2rad(np.array([90, 45, 20, 10.0]))
    low = troposphere_m(latitude=np.array(0.7), height_m=np.array(0.0), elevation=angles)
    high = troposphere_m(latitude=np.array(0.7), height_m=np.array(3000.0), elevation=angles)
    assert (np.diff(low) > 0).all()
    assert (high < low).all()
    assert 2.3 < low[0] < 2.6
