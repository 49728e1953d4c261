"""Coverage along a route as JSON and as GeoJSON (RFC 7946), with what it rests on."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from zhidao.connectivity.domain.radio.corridor import CorridorCoverage
from zhidao.connectivity.domain.radio.gaps import Gap
from zhidao.connectivity.domain.radio.path_loss import VALIDITY, Model
from zhidao.connectivity.domain.radio.reception import models_of
from zhidao.connectivity.domain.radio.stretches import Service, Stretch

SOURCE: Final = "3GPP TR 38.901, clause 7.4"


def as_json(found: CorridorCoverage) -> dict[str, Any]:
    """The whole answer: assumptions, summary, stretches, gaps."""
    return {
        "summary": summary_of(found),
        "assumptions": assumptions_of(found),
        "stretches": [_stretch(found, each) for each in found.stretches],
        "gaps": [_gap(found, each) for each in found.gaps],
    }


def as_geojson(found: CorridorCoverage) -> bytes:
    """Each stretch as a line with its properties, each cell as a point."""
    lines = [
        {
            "type": "Feature",
            "geometry": {"type": "LineString", "coordinates": _coordinates(found, each)},
            "properties": {"kind": "stretch"} | _stretch(found, each),
        }
        for each in found.stretches
    ]
    points = [
        {
            "type": "Feature",
            "geometry": {
                "type": "Point",
                "coordinates": [each.place.longitude_deg, each.place.latitude_deg],
            },
            "properties": {"kind": "cell", "name": each.name, "model": each.model.value},
        }
        for each in found.cells
    ]
    document = {
        "type": "FeatureCollection",
        "summary": summary_of(found),
        "assumptions": assumptions_of(found),
        "features": [*lines, *points],
    }
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"


def summary_of(found: CorridorCoverage) -> dict[str, Any]:
    """Lengths in metres by service, and the longest silence to be expected."""
    return {
        "length_m": _whole(found.route.length_m),
        "samples": len(found.at_m),
        "cells": len(found.cells),
        "models": {model.value: count for model, count in models_of(found.cells)},
        **{f"{each.value}_m": _whole(found.length_m(each)) for each in Service},
        "extrapolated_m": _whole(found.extrapolated_m),
        "gaps": len(found.gaps),
        "short_messages": sum(each.short_messages for each in found.gaps),
        "longest_silence_s": max((each.expected_silence_s for each in found.gaps), default=0),
    }


def assumptions_of(found: CorridorCoverage) -> dict[str, Any]:
    """Every number that the answer rests on and that no file gave."""
    radio, terms = found.radio, found.terms
    terminal, around = radio.terminal, radio.around
    return {
        "source": SOURCE,
        "line_of_sight": radio.sight.value,
        "shadow_fading": "normal in dB, by table 7.4.1-1; sites independent, cells of a site not",
        "terrain": "none: no model here knows hills",
        "beyond_the_model": "served by nothing at worst; at best as free space, to the horizon",
        "ranges_m": {model.value: _ranges(model) for model, _ in models_of(found.cells)},
        "extrapolated": radio.extrapolate,
        "any_height": around.any_height,
        "terminal_height_m": around.terminal_height_m,
        "building_height_m": around.building_height_m,
        "street_width_m": around.street_width_m,
        "terminal_gain_dbi": terminal.gain_dbi,
        "terminal_power_dbm": terminal.power_dbm,
        "noise_figure_db": terminal.noise_figure_db,
        "site_noise_figure_db": terminal.site_noise_figure_db,
        "snr_db": terminal.snr_db,
        "uplink_khz": terminal.uplink_khz,
        "loss_db": terminal.loss_db,
        "inside": terminal.inside.value,
        "cells_without_uplink": sum(math.isnan(each.gain_dbi) for each in found.cells),
        "served_from": terms.served,
        "silent_below": terms.silent,
        "speed_kmh": terms.speed_kmh,
        "report_s": terms.report_s,
        "short_after_s": found.policy.silence_s,
        "short_early_s": found.policy.early_s,
        "step_m": found.step_m,
    }


def _ranges(model: Model) -> dict[str, float]:
    valid = VALIDITY[model]
    return {
        "from": valid.nearest_m,
        "to_with_line_of_sight": valid.farthest_clear_m,
        "to_without": valid.farthest_blocked_m,
    }


def _stretch(found: CorridorCoverage, each: Stretch) -> dict[str, Any]:
    return {
        "from_m": _whole(each.from_m),
        "to_m": _whole(each.to_m),
        "service": each.service.value,
        "served_chance": [round(each.low, 4), round(each.high, 4)],
        "silent_s": [round(part, 1) for part in each.silent_s],
        "extrapolated": each.extrapolated,
        "expected_silence_s": each.expected_silence_s,
        "short_message": each.short_message.value,
        "cells": [found.cells[number].name for number in each.cells],
    }


def _gap(found: CorridorCoverage, each: Gap) -> dict[str, Any]:
    ends = found.stretches[each.first], found.stretches[each.last]
    return {
        "from_m": _whole(each.from_m),
        "to_m": _whole(each.to_m),
        "from": _coordinates(found, ends[0])[0],
        "to": _coordinates(found, ends[1])[-1],
        "expected_silence_s": each.expected_silence_s,
        "surely_silent": each.surely_silent,
        "short_messages": each.short_messages,
        "short_after_s": each.short_after_s if each.short_messages else None,
    }


def _coordinates(found: CorridorCoverage, each: Stretch) -> list[list[float]]:
    latitude_deg, longitude_deg = found.line(each)
    return [
        [round(longitude, 6), round(latitude, 6)]
        for latitude, longitude in zip(latitude_deg.tolist(), longitude_deg.tolist(), strict=True)
    ]


def _whole(length_m: float) -> int:
    return round(length_m)
