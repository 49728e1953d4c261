"""What a terminal meets along a route: served, silent or in between, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zhidao.connectivity.domain.bearer_policy import BearerPolicy
from zhidao.connectivity.domain.radio.corridor import CorridorCoverage
from zhidao.connectivity.domain.radio.gaps import gaps, with_silences
from zhidao.connectivity.domain.radio.link_budget import Cell
from zhidao.connectivity.domain.radio.reception import Radio, chances
from zhidao.connectivity.domain.radio.route_line import RouteLine
from zhidao.connectivity.domain.radio.stretches import Terms, stretches


def coverage_along(
    route: RouteLine,
    cells: Sequence[Cell],
    *,
    radio: Radio,
    terms: Terms,
    policy: BearerPolicy,
    step_m: float,
    say: Callable[[str], None] = lambda _: None,
) -> CorridorCoverage:
    """The stretches of a route by the cells around it, a place judged each step_m.

    Raises MalformedInput for a step, or for a cell that its model is not for.
    """
    at_m = route.samples(step_m)
    found = stretches(
        at_m,
        chances(*route.places(at_m), cells, radio, say),
        terms,
        extrapolate=radio.extrapolate,
    )
    between = gaps(found, terms, policy)
    return CorridorCoverage(
        route,
        tuple(cells),
        radio,
        terms,
        policy,
        step_m,
        at_m,
        with_silences(found, between),
        between,
    )
