"""CR2 of large clusters against whole matrices, and against the way that small clusters take."""

from dataclasses import replace

import numpy as np
import pytest

from htresearch.multilevel import resolvent, robust
from htresearch.multilevel.resolvent import quadrature
from htresearch.multilevel.robust import ClusterRobust

from . import dense
from .random_designs import deep, draw, draw_crossed, rich


@pytest.fixture
def way(monkeypatch):
    """Send all clusters one way."""

    def choose(name):
        monkeypatch.setattr(robust, "_LARGE", (0, 0) if name == "resolvent" else (10**9, 0))
        monkeypatch.setattr(robust, "_WIDE", np.inf)

    return choose


@pytest.mark.parametrize("low, high", [(0.5, 0.6), (1, 1), (0.1, 1e3), (1e-4, 1e9), (1e-10, 1e14)])
def test_the_sum_over_nodes_is_the_inverse_root(low, high):
    t, weights = quadrature(low, high)
    at = np.geomspace(low, high, 400)
    np.testing.assert_allclose(np.sum(weights / (t**2 + at[:, None]), axis=1) * np.sqrt(at), 1, rtol=1e-9)
    assert len(t) < 100


def with_columns(case, *columns):
    return replace(case, X=np.column_stack([case.X, *columns]))


def known_to_one(seed):
    """A covariate and an indicator of an innermost group, both 0 outside one outermost group."""
    case = draw(seed)
    inside = case.codes[0] == 0
    noise = np.random.default_rng(seed).normal(size=len(inside))
    first = case.codes[-1] == case.codes[-1][inside].min()
    return with_columns(case, *([noise * inside, first] if len(case.codes) > 1 else [noise * inside]))


def fixed_groups(seed):
    """A dummy of an outermost group beside the groups' random effects: each dummy lives in one cluster."""
    case = draw(seed)
    return with_columns(case, *(case.codes[0] == g for g in range(2)))


DESIGNS = [(draw, seed) for seed in range(20, 26)] + [(deep, seed) for seed in range(20, 24)]
DESIGNS += [(rich, 21), (rich, 22)]
DESIGNS += [(known_to_one, seed) for seed in range(40, 46)] + [(fixed_groups, seed) for seed in range(40, 43)]


@pytest.mark.parametrize("kind, seed", DESIGNS)
@pytest.mark.parametrize("several", [False, True])
def test_large_clusters_take_the_papers_formula(kind, seed, several, way):
    """Scores, and P_st = p_s'V p_t of all pairs, from matrices as long as the rows."""
    case = kind(seed)
    solution = case.solve()
    of_group = np.arange(case.codes[0].max() + 1) % (4 if several else 100)
    raw = [c / solution.sigma2 for c in solution.covariances]
    V = dense.relative_covariance(case.codes, case.terms, case.U, raw, case.weights)
    unit = np.ones(len(V)) if case.weights is None else np.sqrt(case.weights)
    V, X, y = V * np.outer(unit, unit), case.X * unit[:, None], case.y * unit
    weights = dense.cr2(V, X, of_group[case.codes[0]])

    way("resolvent")
    ours = ClusterRobust(solution, of_group)
    scores = np.array([w.T @ y for w in weights])
    covariance = scores.T @ scores
    size = np.sqrt(np.outer(*[np.diag(solution.covariance)] * 2))
    np.testing.assert_allclose(ours.covariance / size, covariance / size, rtol=1e-6, atol=1e-7)
    slopes = np.eye(X.shape[1])[1:3]
    P = np.array([[slopes @ a.T @ V @ b @ slopes.T for b in weights] for a in weights])
    by_row = [np.trace(P[..., i, i]) ** 2 / np.sum(P[..., i, i] ** 2) for i in range(2)]
    np.testing.assert_allclose(ours.df(slopes), by_row, rtol=1e-6)


@pytest.mark.parametrize("kind, seed", [(deep, 24), (known_to_one, 44), (rich, 23)])
def test_both_ways_agree_in_every_figure(kind, seed, way):
    solution = kind(seed).solve()
    of_group = np.arange(solution.products.nest.sizes[0])
    rows = np.eye(len(solution.beta))
    found = []
    for name in ("dense", "resolvent"):
        way(name)
        ours = ClusterRobust(solution, of_group)
        joint = ours.joint(rows[1:3])
        found.append([*np.diag(ours.covariance), *ours.df(rows), joint.statistic, joint.df_denominator])
    np.testing.assert_allclose(*found, rtol=1e-8)


def test_a_coefficient_known_almost_to_one_cluster_alone_keeps_a_degree_of_freedom(way):
    """Satterthwaite's are at least 1; they were .2 as long as two sums of squares were subtracted."""
    case = deep(21)
    noise = np.random.default_rng(1).normal(size=len(case.y))
    case = with_columns(case, noise * np.select([case.codes[0] == 0, case.codes[0] == 1], [1, 1e-4]))
    solution = case.solve()
    for name in ("dense", "resolvent"):
        way(name)
        ours = ClusterRobust(solution, np.arange(solution.products.nest.sizes[0]))
        assert 1 <= ours.df(np.eye(5)[4:])[0] < 1.2


def test_clusters_taken_apart_leave_the_same(way, monkeypatch):
    case = deep(20)
    solution, of_group = case.solve(), np.zeros(case.codes[0].max() + 1, dtype=int)
    of_group[::2] = 1
    way("resolvent")
    whole = ClusterRobust(solution, of_group)._sums
    monkeypatch.setattr(resolvent, "_HELD", 1)
    for one, other in zip(whole, ClusterRobust(solution, of_group)._sums, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9 * np.abs(one).max())


def large(spread):
    """Five schools of 100 classes; standard deviation of both levels relative to the residual's."""
    rng = np.random.default_rng(3)
    case = draw(1, deepest=1)
    inner = np.repeat(np.arange(500), 4)
    codes = (inner // 100, inner)
    X = np.column_stack([np.ones(2000), rng.normal(size=2000), rng.normal(size=500)[inner]])
    y = X @ [1, 2, 3] + rng.normal(size=2000)
    y += spread * (rng.normal(size=5)[codes[0]] + rng.normal(size=500)[inner])
    return replace(
        case, X=X, y=y, U=np.ones((2000, 1)), codes=codes, terms=[(0, (0,)), (1, (0,))], weights=None, reml=True
    )


def test_large_clusters_are_never_written_as_matrices(monkeypatch):
    solution = large(0.5).solve()
    monkeypatch.setattr(robust._Space, "of", None)
    assert np.isfinite(ClusterRobust(solution, np.arange(5)).covariance).all()


def test_standard_errors_hold_where_groups_differ_thousands_of_times_more_than_rows():
    """A slope within groups then has that of least squares with a dummy for every group, up to one in thousands."""
    case = large(3000.0)
    solution = case.solve()
    found = ClusterRobust(solution, np.arange(5)).covariance[1, 1]
    x = case.X[:, 1] - (np.bincount(case.codes[1], case.X[:, 1]) / 4)[case.codes[1]]
    y = case.y - (np.bincount(case.codes[1], case.y) / 4)[case.codes[1]]
    information = np.bincount(case.codes[0], x * x)
    scores = np.bincount(case.codes[0], x * (y - x * (x @ y) / (x @ x)))
    theirs = np.sum(scores**2 / (1 - information / (x @ x))) / (x @ x) ** 2
    assert found == pytest.approx(theirs, rel=1e-3)


def test_crossed_groups_go_the_dense_way(way):
    solution = draw_crossed(3).solve()
    assert solution.products.crossed
    of_group = np.zeros(solution.products.nest.sizes[0], dtype=int)
    way("resolvent")
    assert np.isfinite(ClusterRobust(solution, of_group)._sums[1]).all()
