from __future__ import annotations

import numpy as np
import pytest

from zhidao.positioning.domain.single_point.estimation import absorb, plain_absorb, restart


def _case(seed):
    chance = np.random.default_rng(seed)
    size, rows = 9, 12
    root = chance.normal(size=(size, size))
    covariance = root @ root.T + np.eye(size)
    columns = np.array([chance.choice(size, 4, replace=False) for _ in range(rows)])
    columns[chance.random(columns.shape) < 0.2] = -1
    return {
        "state": chance.normal(size=size),
        "covariance": covariance,
        "alive": np.arange(size),
        "columns": columns,
        "factors": chance.normal(size=columns.shape),
        "values": chance.normal(size=rows),
        "variances": chance.uniform(1e-4, 1.0, rows),
    }


def test_rows_one_after_another_and_all_at_once_agree():
    pytest.importorskip("numba")
    from zhidao.positioning.domain.kernels.estimation import absorb_rows

    for seed in range(5):
        case = _case(seed)
        case["variances"][3] = np.inf
        state, covariance = case["state"].copy(), case["covariance"].copy()
        absorb_rows(
            state, covariance, *(case[n] for n in ("alive", "columns", "factors", "values")),
            case["variances"],
        )  # fmt: skip
        plain = case["state"].copy(), case["covariance"].copy()
        told = {n: case[n] for n in ("columns", "factors", "values", "variances")}
        plain_absorb(*plain, case["alive"], **told)
        assert state == pytest.approx(plain[0], abs=1e-9)
        assert covariance == pytest.approx(plain[1], abs=1e-9)


def test_states_that_are_not_alive_stay_as_they_are():
    case = _case(1)
    case["alive"] = np.array([0, 1, 2, 3, 4, 5])
    case["columns"] = np.where(case["columns"] > 5, -1, case["columns"])
    before = case["state"].copy(), case["covariance"].copy()
    absorb(**case)
    assert np.array_equal(case["state"][6:], before[0][6:])
    assert np.array_equal(case["covariance"][6:], before[1][6:])
    assert not np.array_equal(case["state"][:6], before[0][:6])


def test_a_state_that_begins_anew_forgets_its_ties():
    covariance = np.full((3, 3), 0.5) + np.eye(3)
    restart(covariance, 1, 9.0)
    assert covariance[1].tolist() == [0, 9, 0]
    assert covariance[:, 1].tolist() == [0, 9, 0]
    assert covariance[0, 2] == 0.5
