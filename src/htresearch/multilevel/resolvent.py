r"""CR2 of large clusters, without matrices of their size: time and memory grow as their innermost groups.

The adjustments of `robust` are inverse roots. With :math:`M = V - X \Phi X'` in a cluster,

.. math:: A V^{-1} X = (VM)^{-1/2} X = \frac{2}{\pi} \int_0^\infty (t^2 + V^2 - V X \Phi X')^{-1} X \, dt. \tag{1}

By Woodbury, with :math:`E_t = (V^2 + t^2)^{-1}`, and as :math:`\frac{2}{\pi} \int E_t \, dt = V^{-1}`,

.. math:: A V^{-1} X = V^{-1} X + \frac{2}{\pi} \int_0^\infty V E_t X \, R^{-1} F \, dt, \quad F = X' E_t X, \tag{2}

.. math:: R = \Phi^{-1} - X' V E_t X = R_0 + t^2 K, \quad K = X' V^{-1} E_t X. \tag{3}

:math:`R_0 = \Phi^{-1} - X'V^{-1}X` is what the other clusters know. As :math:`(V - it)^{-1} = V E_t + i t E_t`, the
real and imaginary parts of

.. math:: [V^{-1} X \; X]' (V - it)^{-1} [X \; e] \tag{4}

hold all of it, and they come from eliminating one level after another, as in `likelihood`. A cluster leaves
X'V⁻¹Ae and X'AV⁻¹X; since AMA = V, :math:`X' V^{-1} (AMA) V^{-1} X` is :math:`J = X' V^{-1} X`.

A coefficient that no other cluster knows, :math:`R_0 c = 0`, is reproduced, and A is the root of a pseudo-inverse. As
c'X'V⁻¹e = 0 and c'X' = 0 in every other cluster, what (2) holds at t = 0 that has no bound drops out of all that is
used: in the columns C of such coefficients :math:`X'VE_tX` and :math:`e'VE_tX` become :math:`-t^2 K` and
:math:`-t^2 e'V^{-1}E_tX`. AMA loses what is reproduced: with :math:`L = X' V^{-2} X`

.. math:: X' V^{-1} (AMA) V^{-1} X = J - L C \, (C' X' V^{-3} X \, C)^{-1} \, C' L. \tag{5}

The integral is a sum over the nodes of Hale, Higham & Trefethen (2008), doi:10.1137/070700607, method 3. It errs as
:math:`\exp(-2 \pi^2 N / (\log(\lambda_{max} / \lambda_{min}) + 3))`, λ the eigenvalues of VM other than 0, so that
some thirty nodes leave rounding only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.linalg import block_diag
from scipy.special import ellipj, ellipkm1

from htresearch.multilevel.crossproducts import pseudo_inverse, times
from htresearch.multilevel.likelihood import identity_plus, inverted
from htresearch.multilevel.reml import Solution

#: What the quadrature may err by, relative to the root.
_ERROR = 1e-12
#: A t that is next to nothing: real parts there are those of V⁻¹, imaginary parts by t those of V⁻².
_NEXT_TO_NOTHING = 1e-9
#: A coefficient of which other clusters know less than this part is known to one cluster alone.
_KNOWN = 1e-10
#: About how many nodes the quadrature takes.
_NODES = 32
#: Numbers that are held at once.
_HELD = 4_000_000


@dataclass(frozen=True, eq=False)
class Resolvent:
    """Adjusted sums of clusters of nested groups.

    Attributes
    ----------
    solution : Solution
        Of a model whose groups nest.
    """

    solution: Solution

    def sums(self, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """X'V⁻¹Ae, X'AV⁻¹X and X'V⁻¹(AMA)V⁻¹X of a cluster, in the search's coordinates.

        Of a coefficient that no other cluster knows the second leaves out what has no product with that of another
        cluster.

        Parameters
        ----------
        groups : numpy.ndarray
            The outermost groups that make the cluster.
        """
        nothing, p = np.array([_NEXT_TO_NOTHING]), len(self.solution.beta)
        start = self._parts(groups, np.eye(p))
        turn, known = self._turned(groups, _products(start, nothing)[0][0, :, :p])
        alone = known == 0
        t, weights = quadrature(known[~alone].min(initial=1.0), self.largest**2)
        real, imaginary = _products(self._parts(groups, turn), np.append(nothing, t))
        J_e, squared, cubed = real[0, :, p], imaginary[0, p:, :p], imaginary[0, :p, :p]
        scores, meets = _integrals(real[1:], imaginary[1:], t, weights, known)
        scores, meets = scores + np.where(alone, 0.0, J_e), meets + np.diag(1 - known)
        taken, back = squared[:, alone], np.linalg.inv(turn)
        own = np.diag(1 - known) - taken @ np.linalg.solve(cubed[np.ix_(alone, alone)], taken.T)
        return scores @ back, back.T @ meets @ back, back.T @ own @ back

    def _turned(self, groups: np.ndarray, J: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return combinations of columns in which Φ is 1 and R₀ diagonal, and its diagonal, exactly 0 where it is.

        Columns that are 0 in all other clusters are found before V comes in, for V's digits are not theirs.
        """
        columns = self.solution.coordinates.columns[:, :-1]  # orthonormal over all rows
        values, vectors = np.linalg.eigh(columns.T @ self._total[groups].sum(axis=0) @ columns)
        lost = vectors[:, values > 1 - _KNOWN]
        number, half = lost.shape[1], np.linalg.cholesky(self.solution.optimum.profile.covariance)
        rest = half @ np.linalg.qr(np.linalg.solve(half, lost), mode="complete")[0][:, number:]
        known, vectors = np.linalg.eigh(np.eye(len(J) - number) - rest.T @ J @ rest)
        lost = lost @ np.linalg.inv(np.linalg.cholesky(lost.T @ J @ lost)).T
        return np.hstack([lost, rest @ vectors]), np.append(np.zeros(number), np.maximum(known, _KNOWN))

    @cached_property
    def largest(self) -> float:
        """Bound V's eigenvalues: 1 and, for each level, the largest trace of what it adds in a group."""
        profile = self.solution.optimum.profile
        bound, inside, nest = 1.0, profile.data.gram, profile.data.nest
        for k in range(nest.depth - 1, -1, -1):
            bound += np.einsum("rs,gsr->g", profile.gammas[k], inside).max()
            inside = nest.up(inside, k, max(k - 1, 0))
        return float(bound)

    @cached_property
    def _total(self) -> np.ndarray:
        """Cross-products of [X y] for each outermost group."""
        return self.solution.products.total

    @cached_property
    def _about(self) -> tuple[np.ndarray, ...]:
        """For each level the coefficients of [V⁻¹X X e] on U about those of the group around, outermost first."""
        profile = self.solution.optimum.profile
        solved = times(pseudo_inverse(profile.data.gram), profile.projected[-1][:, :, :-1])
        given = profile.data.coefficients @ profile.onto
        return profile.about_means(np.concatenate([solved, given], axis=2))

    @cached_property
    def _ends(self) -> list[np.ndarray]:
        """For each level but the innermost where the groups inside each group begin, and where the last ends."""
        nest = self.solution.products.nest
        return [np.append(starts, size) for starts, size in zip(nest.starts, nest.sizes[1:], strict=True)]

    def _parts(self, groups: np.ndarray, turn: np.ndarray) -> list[_Part]:
        """Take a cluster apart, its columns X `turn`, so that what is held of each part stays small."""
        p, r, inside = len(self.solution.beta), len(self.solution.products.random), groups
        for ends in self._ends[:-1]:
            inside = _inside(ends, inside)[0]
        pieces = 1 + len(inside) * _NODES * 2 * (r + 2 * p) * (r + p + 1) // _HELD
        return [self._part(chosen, turn) for chosen in np.array_split(groups, min(pieces, len(groups)))]

    def _part(self, groups: np.ndarray, turn: np.ndarray) -> _Part:
        products, profile = self.solution.products, self.solution.optimum.profile
        columns = self.solution.coordinates.columns @ profile.onto @ block_diag(turn, 1.0)
        within, turn = columns.T @ products.within[groups].sum(axis=0) @ columns, block_diag(turn, turn, 1.0)
        about, starts = [self._about[0][groups] @ turn], [np.zeros(1, dtype=int)]
        for ends, level in zip(self._ends, self._about[1:], strict=True):
            groups, first = _inside(ends, groups)
            about.append(level[groups] @ turn)
            starts.append(first)
        return _Part(profile.gammas, starts, profile.data.gram[groups], about, within)


@dataclass(frozen=True, eq=False)
class _Part:
    """Some outermost groups of a cluster.

    Attributes
    ----------
    gammas : tuple of numpy.ndarray, r by r
        Covariance of U's effects at each level relative to the residual variance, from the outside in.
    starts : list of numpy.ndarray
        For each level the first group in each group of the level around; around the outermost there is one.
    gram : numpy.ndarray, groups by r by r
        U'U of each innermost group.
    about : list of numpy.ndarray, groups by r by 2p + 1
        For each level the coefficients of [V⁻¹X X e] on U about those of the group around.
    within : numpy.ndarray, p + 1 by p + 1
        Cross-products of what U leaves of [X e]; it leaves the same of V⁻¹X.
    """

    gammas: tuple[np.ndarray, ...]
    starts: list[np.ndarray]
    gram: np.ndarray
    about: list[np.ndarray]
    within: np.ndarray

    def products(self, t: np.ndarray) -> np.ndarray:
        """[V⁻¹X X]'(V - it)⁻¹[X e] at each t, t by 2p by p + 1.

        From the inside out; columns are taken about their means at t = 0, so that nothing large is ever subtracted.
        """
        p = len(self.within) - 1
        S, q, G = self._innermost(t)
        for gamma, starts, about in zip(self.gammas[-2::-1], self.starts[-2::-1], self.about[-2::-1], strict=True):
            shrink = inverted(identity_plus(S @ gamma))
            S, left = shrink @ S, np.swapaxes(q[..., : 2 * p], 2, 3)
            q = shrink @ q
            G = G - left @ gamma @ q[..., p:]
            about = about[:, None]
            moved, left = S @ about, np.swapaxes(about[..., : 2 * p], 2, 3)
            G = G + left @ (moved + q)[..., p:] + np.swapaxes(q[..., : 2 * p], 2, 3) @ about[..., p:]
            S, q, G = (np.add.reduceat(stack, starts, axis=0) for stack in (S, q + moved, G))
        both = np.concatenate([self.within[:p], self.within[:p]])
        return G[0] + both / (1 - 1j * t)[:, None, None]

    def _innermost(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """U'(V - it)⁻¹U, U'(V - it)⁻¹A and [V⁻¹X X]'(V - it)⁻¹[X e] of the innermost groups, by the group around.

        A is [V⁻¹X X e]. A group's (V - it)⁻¹ is taken apart once: at every t it is a sum of the same products.
        """
        r, p = self.gram.shape[1], len(self.within) - 1
        values, vectors = np.linalg.eigh(self.gram)
        root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
        values, vectors = np.linalg.eigh(np.swapaxes(root, 1, 2) @ self.gammas[-1] @ root)
        turned = np.swapaxes(root @ vectors, 1, 2)
        rows = np.concatenate([turned, turned @ self.about[-1]], axis=2).reshape(-1, r + 2 * p + 1)
        left, right = rows[:, :-1], np.concatenate([rows[:, :r], rows[:, r + p :]], axis=1)
        values = 1 + np.maximum(values, 0.0).ravel()
        ends = np.append(self.starts[-1] * r, len(rows))
        joint = np.zeros((len(ends) - 1, 2 * len(t), left.shape[1] * right.shape[1]))
        step = max(1, _HELD // joint.shape[2])
        for i, (first, last) in enumerate(pairwise(ends)):
            for start in range(first, last, step):
                some = slice(start, min(start + step, last))
                pairs = (left[some, :, None] * right[some, None, :]).reshape(-1, joint.shape[2])
                scale = 1 / (values[some] ** 2 + t[:, None] ** 2)
                joint[i] += np.concatenate([values[some] * scale, t[:, None] * scale]) @ pairs
        joint = joint[:, : len(t)] + 1j * joint[:, len(t) :]
        joint = joint.reshape(len(ends) - 1, len(t), left.shape[1], right.shape[1])
        q = np.concatenate([np.swapaxes(joint[..., r : r + p, :r], 2, 3), joint[..., :r, r:]], axis=3)
        return joint[..., :r, :r], q, joint[..., r:, r:]


def quadrature(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    r"""Return t and w with :math:`\sum_j w_j / (t_j^2 + \lambda) = \lambda^{-1/2}` for λ from `low` to `high`.

    Elliptic nodes (method 3 of the paper); the upper half mirrors the lower, where elliptic functions lose no digits.
    """
    ratio = low / high
    half = int(np.ceil(-np.log(_ERROR) * (3 - np.log(ratio)) / (4 * np.pi**2)))
    quarter = ellipkm1(ratio)
    sn, cn, dn, _ = ellipj((np.arange(half) + 0.5) * quarter / (2 * half), 1 - ratio)
    t, w = np.sqrt(low) * sn / cn, np.sqrt(low) * dn / cn**2
    mirror = np.sqrt(low * high) / t
    return np.append(t, mirror[::-1]), np.append(w, (mirror / t * w)[::-1]) * quarter / (half * np.pi)


def _products(parts: list[_Part], t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """X'VE[X e] and [V⁻¹X X]'E[X e] of a cluster at each t."""
    found = sum(part.products(t) for part in parts)
    p = found.shape[1] // 2
    return found.real[:, p:], found.imag / t[:, None, None]


def _integrals(
    real: np.ndarray, imaginary: np.ndarray, t: np.ndarray, weights: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What the integral of equation 2 adds to e'AV⁻¹X and X'AV⁻¹X, in columns in which R₀ is diagonal: `known`."""
    p, alone, square = len(known), known == 0, (t**2)[:, None, None]
    S, K, F = real, imaginary[:, :p], imaginary[:, p:, :p]
    S[:, alone] = -square * K[:, alone]
    inner = weights[:, None, None] * np.linalg.solve(np.diag(known) + square * K[:, :, :p], F)
    return np.einsum("ti,tij->j", S[:, :, p], inner), np.einsum("tik,tij->kj", S[:, :, :p], inner)


def _inside(ends: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the groups inside groups, and where those of each begin among them."""
    counts = ends[groups + 1] - ends[groups]
    first = np.cumsum(counts) - counts
    return np.arange(counts.sum()) + np.repeat(ends[groups] - first, counts), first
