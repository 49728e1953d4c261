"""The maximal offset by OR-Tools (an extra: `planning`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.programs.extras import command_for
from zhidao.finance.domain.receivables.netting import Obligations


def max_offset(obligations: Obligations) -> NDArray[np.int64]:
    """How much of each obligation can be cancelled with no money at all, minor units, shape (n,).

    The cancelled parts are cycles: each party pays as much as it receives, and no other choice
    cancels more. Raises Unavailable where OR-Tools is not installed.
    """
    try:
        from ortools.graph.python import min_cost_flow
    except ImportError as error:
        raise Unavailable(
            "the maximal offset needs OR-Tools, which is not installed",
            code="no_ortools",
            remedy=command_for("planning"),
        ) from error
    solver = min_cost_flow.SimpleMinCostFlow()
    count = len(obligations.amount_minor)
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        obligations.debtor,
        obligations.creditor,
        obligations.amount_minor,
        np.full(count, -1, np.int64),
    )
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise Refused(f"OR-Tools found no offset: {status}", code="no_offset")
    return np.asarray(solver.flows(arcs), np.int64)
