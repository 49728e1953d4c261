"""A route judged: its stretches and gaps, and everything that they rest on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhidao.connectivity.domain.bearer_policy import BearerPolicy
from zhidao.connectivity.domain.radio.gaps import Gap
from zhidao.connectivity.domain.radio.link_budget import Cell
from zhidao.connectivity.domain.radio.path_loss import Floats
from zhidao.connectivity.domain.radio.reception import Radio
from zhidao.connectivity.domain.radio.route_line import RouteLine
from zhidao.connectivity.domain.radio.stretches import Service, Stretch, Terms


@dataclass(frozen=True, slots=True)
class CorridorCoverage:
    """What a terminal meets along a route. at_m: where its samples lie, shape (n,)."""

    route: RouteLine
    cells: tuple[Cell, ...]
    radio: Radio
    terms: Terms
    policy: BearerPolicy
    step_m: float
    at_m: Floats
    stretches: tuple[Stretch, ...]
    gaps: tuple[Gap, ...]

    def length_m(self, service: Service) -> float:
        """How much of the route has a service."""
        return sum(each.length_m for each in self.stretches if each.service is service)

    @property
    def extrapolated_m(self) -> float:
        """How much of it was judged by formulas beyond their range."""
        return sum(each.length_m for each in self.stretches if each.extrapolated)

    def line(self, stretch: Stretch) -> tuple[Floats, Floats]:
        """Latitudes and longitudes of a stretch, from its start to its end."""
        inner = self.at_m[stretch.first : stretch.last + 1]
        inner = inner[(inner > stretch.from_m) & (inner < stretch.to_m)]
        return self.route.places(np.r_[stretch.from_m, inner, stretch.to_m])
