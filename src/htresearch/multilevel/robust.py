r"""CR2: standard errors that hold whatever happens inside clusters, and the degrees of freedom that go with them.

The estimator of Bell & McCaffrey for a working model :math:`V_s`, as Pustejovsky & Tipton (2018),
doi:10.1080/07350015.2016.1247004, define it: :math:`A_s = D_s B_s^{-1/2} D_s'` with :math:`V_s = D_s D_s'` and
:math:`B_s = D_s'(V_s - X_s \Phi X_s')D_s`. All of it happens in the space that U and X span in a cluster, on whose
complement V is the identity and X is 0. An orthonormal basis of that space has as many columns as the cluster has
innermost groups (cells, where groups cross) times r, and one per column of X that varies within them; in it V, X and
the residuals follow from cross-products, so that no matrix has a side as long as the rows. Where clusters have many
such groups, and none cross, `resolvent` does without matrices of that size. Under precision weights
rows stand for rows times the root of their weight: of the adjustments that make the estimator unbiased under the
model, the one for such rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from htresearch.multilevel.degrees import JointTest, wald
from htresearch.multilevel.reml import Solution
from htresearch.multilevel.resolvent import Resolvent
from htresearch.multilevel.variances import whitening

#: Entries of the matrices that are taken apart at once.
_BATCH = 4_000_000
#: Clusters with more innermost groups times columns of U than this, and so many more per coefficient, are left to
#: `resolvent`: there it is the faster one.
_LARGE = (80, 3)
#: Where V has eigenvalues above this all clusters are: the matrices here lose digits as its square.
_WIDE = 1e4


@dataclass(frozen=True, eq=False)
class ClusterRobust:
    """Inference by CR2.

    Attributes
    ----------
    solution : Solution
    clusters : numpy.ndarray
        For each outermost group its cluster, 0 to the number of clusters less 1.
    """

    solution: Solution
    clusters: np.ndarray

    @cached_property
    def _sums(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For each cluster X'V⁻¹Ae, X'A V⁻¹X and X'V⁻¹(AMA)V⁻¹X, in the search's coordinates."""
        products, p = self.solution.products, len(self.solution.optimum.profile.beta)
        number = self.clusters.max() + 1
        found = np.empty((number, p)), np.empty((number, p, p)), np.empty((number, p, p))
        resolvent, large = Resolvent(self.solution), np.zeros(number, dtype=bool)
        if not products.crossed:
            groups = np.bincount(self.clusters[products.nest.down(products.nest.depth - 1, 0)])
            large = groups * len(products.random) > _LARGE[0] + _LARGE[1] * p
            large |= resolvent.largest > _WIDE
        for cluster in np.flatnonzero(large):
            for sums, own in zip(found, resolvent.sums(np.flatnonzero(self.clusters == cluster)), strict=True):
                sums[cluster] = own
        if not large.all():
            space, phi = _Space.of(self.solution, self.clusters), self.solution.optimum.profile.covariance
            for which, V, rows in space.batches(np.flatnonzero(~large)):
                for sums, own in zip(found, _adjusted(V, rows[:, :, :-1], rows[:, :, -1], phi), strict=True):
                    sums[which] = own
        return found

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of the fixed effects."""
        scores = self._sums[0]
        onto = self.solution.coordinates.onto @ self.solution.optimum.profile.covariance
        return onto @ (scores.T @ scores) @ onto.T

    def _spread(self, contrasts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each cluster P_ss (contrasts by contrasts) and t (p by contrasts): P_st = -t_s't_t between clusters."""
        _, meets, own = self._sums
        phi = self.solution.optimum.profile.covariance
        rows = contrasts @ self.solution.coordinates.onto @ phi
        half = np.linalg.cholesky(phi).T
        return rows @ own @ rows.T, half @ meets @ rows.T

    def df(self, contrasts: np.ndarray) -> np.ndarray:
        """Return Satterthwaite's degrees of freedom of each row: (ΣP_ss)² / ΣP_st²."""
        found = []
        for row in contrasts:
            own, t = self._spread(row[None, :])
            own, t = own[:, 0, 0], t[:, :, 0]
            before = np.cumsum(t[:-1, :, None] * t[:-1, None, :], axis=0)
            pairs = np.einsum("ci,cij,cj->", t[1:], before, t[1:])
            found.append(own.sum() ** 2 / (np.sum(own**2) + 2 * pairs))
        return np.array(found)

    def joint(self, contrasts: np.ndarray) -> JointTest:
        """Test all rows at once: approximate Hotelling's T² ("HTZ", section 3.2 of the paper)."""
        own, t = self._spread(contrasts)
        values, vectors = np.linalg.eigh(own.sum(axis=0))
        root = (vectors / np.sqrt(values)) @ vectors.T
        own, t = root @ own @ root, t @ root
        q = len(contrasts)
        alike = np.swapaxes(t, 1, 2) @ t
        flat = t.reshape(len(t), -1)
        gram = (flat.T @ flat).reshape(t.shape[1], q, t.shape[1], q)
        every = np.sum(gram**2) + np.einsum("asbt,atbs->", gram, gram)
        variance = every + np.sum(_both(own) - _both(alike))
        df = q * (q + 1) / variance
        scale = (df - q + 1) / df
        statistic = scale * wald(self.solution.beta, self.covariance, contrasts)
        return JointTest(float(statistic), q, float(df - q + 1))


@dataclass(frozen=True, eq=False)
class _Space:
    """What a cluster's basis is made of.

    Attributes
    ----------
    keys : numpy.ndarray
        For each innermost group (a cell, where groups cross) the group of each level.
    gammas : list of numpy.ndarray
        Covariance of U's effects at each level relative to the residual variance.
    members : list of numpy.ndarray
        The innermost groups of each cluster.
    roots : numpy.ndarray
        Symmetric root of U'U of each innermost group.
    between : numpy.ndarray
        [X e] in the basis of U, by innermost group.
    within : numpy.ndarray
        [X e] in the basis of what X has beside U, by cluster.
    """

    keys: np.ndarray
    gammas: list[np.ndarray]
    members: list[np.ndarray]
    roots: np.ndarray
    between: np.ndarray
    within: np.ndarray

    @classmethod
    def of(cls, solution: Solution, clusters: np.ndarray) -> _Space:
        optimum, products = solution.optimum, solution.products
        nest, onto = products.nest, optimum.profile.onto
        of_group = clusters[nest.down(nest.depth - 1, 0)]
        order = np.argsort(of_group, kind="stable")
        members = np.split(order, np.searchsorted(of_group[order], np.arange(1, clusters.max() + 1)))
        basis = whitening(products.gram.sum(axis=0) / products.n)
        turns = [np.linalg.solve(basis, own) for own in optimum.structure.bases]
        gammas = [turn @ gamma @ turn.T for turn, gamma in zip(turns, optimum.profile.gammas, strict=True)]
        values, vectors = np.linalg.eigh(basis.T @ products.gram @ basis)
        roots = (vectors * np.sqrt(np.maximum(values, 0))[:, None, :]) @ np.swapaxes(vectors, 1, 2)
        columns = solution.coordinates.columns @ onto
        between = roots @ np.linalg.solve(basis, products.coefficients @ columns)
        sums = np.zeros((clusters.max() + 1, *products.within.shape[1:]))
        np.add.at(sums, clusters, products.within)
        return cls(products.keys, gammas, members, roots, between, _split_within(columns.T @ sums @ columns))

    def batches(self, clusters: np.ndarray):
        """Yield clusters of about the same size together: which they are, their V and their [X e]."""
        # Padding adds directions in which V is the identity and X is 0: they change nothing.
        padded = np.array([_round_up(len(self.members[cluster])) for cluster in clusters])
        r, p = self.roots.shape[1], self.within.shape[1]
        for size in np.unique(padded):
            which = clusters[padded == size]
            step = max(1, int(_BATCH // (size * r + p) ** 2))
            for start in range(0, len(which), step):
                chosen = which[start : start + step]
                yield chosen, *self._batch(chosen, int(size))

    def _batch(self, chosen: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        at = np.full((len(chosen), size), -1)
        for row, cluster in enumerate(chosen):
            at[row, : len(self.members[cluster])] = self.members[cluster]
        there = at >= 0
        r, p = self.roots.shape[1], self.within.shape[1]
        roots = self.roots[at] * there[:, :, None, None]
        V = np.zeros((len(chosen), size, r, size, r))
        for k, gamma in enumerate(self.gammas):
            group = self.keys[at, k]
            together = (group[:, :, None] == group[:, None, :])[:, :, None, :, None]
            V += together * np.einsum("cjrs,ckts->cjrkt", roots @ gamma, roots)
        full = np.zeros((len(chosen), size * r + p, size * r + p))
        full[:, : size * r, : size * r] = V.reshape(len(chosen), size * r, size * r)
        full += np.eye(size * r + p)
        rows = np.zeros((len(chosen), size * r + p, p + 1))
        rows[:, : size * r] = (self.between[at] * there[:, :, None, None]).reshape(len(chosen), size * r, p + 1)
        rows[:, size * r :] = self.within[chosen]
        return full, rows


def _split_within(sums: np.ndarray) -> np.ndarray:
    """Write [X e] in an orthonormal basis of the columns of X within groups, from their cross-products."""
    values, vectors = np.linalg.eigh(sums[:, :-1, :-1])
    kept = values > 1e-12 * np.maximum(values[:, -1:], 1e-300)
    root = np.sqrt(np.where(kept, values, 1.0))
    turned = np.swapaxes(vectors, 1, 2) @ sums[:, :-1, :]
    return np.where(kept, 1 / root, 0.0)[:, :, None] * turned


def _adjusted(
    V: np.ndarray, X: np.ndarray, e: np.ndarray, phi: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X'V⁻¹Ae, X'A V⁻¹X and X'V⁻¹(AMA)V⁻¹X of clusters of the same size.

    A takes the root of a pseudo-inverse: 0 in directions that the model fits exactly. In the others AMA is V.
    """
    lower = np.linalg.cholesky(V)
    middle = np.swapaxes(lower, 1, 2) @ (V - X @ phi @ np.swapaxes(X, 1, 2)) @ lower
    values, vectors = np.linalg.eigh(middle)
    kept = values > 1e-12 * values[:, -1:]
    turned = np.swapaxes(vectors, 1, 2) @ np.linalg.solve(lower, X) * kept[:, :, None]
    adjusted = lower @ (vectors @ (turned / np.sqrt(np.where(kept, values, 1.0))[:, :, None]))
    scores = np.einsum("cpq,cp->cq", adjusted, e)
    return scores, np.swapaxes(X, 1, 2) @ adjusted, np.swapaxes(turned, 1, 2) @ turned


def _both(stack: np.ndarray) -> np.ndarray:
    """(tr P)² + tr(PP) of each matrix."""
    return np.einsum("cii->c", stack) ** 2 + np.einsum("cij,cji->c", stack, stack)


def _round_up(size: int) -> int:
    """Round up to one of a few sizes, at most a sixth larger."""
    step = max(1, 2 ** (int(size).bit_length() - 3))
    return -(-int(size) // step) * step
