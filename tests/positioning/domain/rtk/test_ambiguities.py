from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zhidao.positioning.domain.rtk.ambiguities import ratio_threshold, resolve, success_rate


def _geometry(count, chance, *, phase_m=0.003):
    """A float covariance as double differences of one epoch have it: strongly correlated."""
    toward = chance.normal(size=(count, 3))
    design = np.zeros((2 * count, 3 + count))
    design[:count, :3] = design[count:, :3] = toward
    design[count:, 3:] = 0.19 * np.eye(count)
    weight = np.r_[np.full(count, 0.3**-2), np.full(count, phase_m**-2)]
    return np.linalg.inv(design.T @ (weight[:, None] * design))[3:, 3:]


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_the_search_finds_what_enumeration_finds(seed):
    chance = np.random.default_rng(seed)
    root = np.eye(3) * 0.3 + np.tril(chance.uniform(-0.2, 0.2, size=(3, 3)))
    covariance = root @ root.T
    values = chance.uniform(-50, 50, 3)
    base = np.rint(values)
    inverse = np.linalg.inv(covariance)
    offs = np.array([base + step for step in product(range(-9, 10), repeat=3)]) - values
    norms = np.einsum("ni,ij,nj->n", offs, inverse, offs)
    best = np.argsort(norms)[:2]
    found = resolve(values, covariance)
    assert found.ended
    assert found.norms == pytest.approx(norms[best].tolist(), rel=1e-9)
    assert np.array_equal(found.integers, (offs + values)[best[0]].round())


@given(st.integers(0, 10**6), st.integers(4, 20))
@example(808621, 20)
@settings(max_examples=10, deadline=None)
def test_ambiguities_of_a_strong_geometry_are_found_whatever_their_size(seed, count):
    chance = np.random.default_rng(seed)
    covariance = _geometry(count, chance, phase_m=1e-4)
    truth = chance.integers(-(10**7), 10**7, count)
    small = np.linalg.cholesky(covariance * 1e-6) @ chance.normal(size=count)
    found = resolve(truth + small, covariance)
    assert np.array_equal(found.integers, truth)
    assert found.ratio > 10


@pytest.mark.slow
def test_compiled_and_interpreted_search_agree():
    pytest.importorskip("numba")
    from zhidao.positioning.domain.kernels import integer_search

    chance = np.random.default_rng(4)
    covariance = _geometry(6, chance)
    values = np.linalg.cholesky(covariance) @ chance.normal(size=6)
    found, norms, _, _ = integer_search.nearest(values, covariance, 2)
    size = len(values)
    lower, diagonal, _ = integer_search.factorize.py_func(covariance)
    change, back = integer_search.decorrelate.py_func(lower, diagonal)
    assert np.array_equal(change.T @ back, np.eye(size))
    near, plain = np.zeros((2, size)), np.zeros(2)
    base = np.rint(values)
    assert integer_search.search.py_func(lower, diagonal, change.T @ (values - base), near, plain)
    assert np.array_equal(near @ back.T + base, found)
    assert plain == pytest.approx(norms)


def test_an_impossible_covariance_gives_no_result():
    found = resolve(np.array([0.2, 0.4]), np.array([[1.0, 2.0], [2.0, 1.0]]))
    assert not found.ended
    assert found.ratio == 0


def test_success_is_sure_for_exact_ambiguities_and_unlikely_for_vague_ones():
    assert success_rate(np.array([1e-6, 1e-6])) == pytest.approx(1)
    assert success_rate(np.array([1.0, 1.0])) == pytest.approx(0.3829**2, rel=1e-3)


def test_the_threshold_of_a_fixed_failure_rate_keeps_that_rate():
    covariance = _geometry(5, np.random.default_rng(8)) * 1.5
    limit = ratio_threshold(covariance, 0.01, samples=2000, chance=np.random.default_rng(1))
    chance = np.random.default_rng(2)
    root = np.linalg.cholesky(covariance)
    wrong = accepted = 0
    for _ in range(2000):
        found = resolve(root @ chance.standard_normal(5), covariance)
        if found.ratio > limit:
            accepted += 1
            wrong += bool(found.integers.any())
    assert wrong / 2000 < 0.02
    assert accepted > 0
