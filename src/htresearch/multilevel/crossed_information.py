r"""Second derivatives of the criterion where groups cross.

The averages cost one solution per column. The traces need the squares of all entries of :math:`Z_i'V^{-1}Z_j`, and
with them the whole inverse of the matrix of the factors that were not eliminated: they are refused beyond
`MOST_EFFECTS`. Where that matrix is sparse or too large the search does without: it takes averages for its steps
(Gilmour, Thompson & Cullis 1995, doi:10.2307/2533274) and differences of the gradient for the second derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from htresearch.errors import Fault, UnsupportedError
from htresearch.language import Text
from htresearch.multilevel.crossproducts import times
from htresearch.multilevel.information import Direction, Information

if TYPE_CHECKING:
    from htresearch.multilevel.crossed_likelihood import CrossedProfile

#: Effects of the factors but the largest up to which the expected information is found: about a gigabyte.
MOST_EFFECTS = 6000
#: Up to so many the traces cost no more than a few gradients, sparse or not.
_CHEAP = 300


@dataclass(frozen=True, eq=False)
class CrossedInformation(Information):
    """What the second derivatives are made of, at one profile.

    Attributes
    ----------
    profile : CrossedProfile
    directions : tuple of Direction
    """

    profile: CrossedProfile
    directions: tuple[Direction, ...]

    @cached_property
    def second(self) -> np.ndarray:
        """A'V⁻¹G_iV⁻¹G_jV⁻¹A with A = [X e], parameters by parameters by m by m."""
        return self._second(slice(None))

    def _second(self, which: slice) -> np.ndarray:
        """Return `second` for some of the columns of [X e]."""
        profile, data = self.profile, self.profile.data
        rows = [times(d.matrix[None], profile.projected[d.level][:, :, which]) for d in self.directions]
        count, m = len(rows), rows[0].shape[2]
        spread = [np.zeros((*gram.shape[:2], count, m)) for gram in data.grams]
        for i, (d, own) in enumerate(zip(self.directions, rows, strict=True)):
            spread[d.level][:, :, i] = own
        own, others = profile.stacked(tuple(part.reshape(*part.shape[:2], -1) for part in spread))
        flat = own.reshape(-1, count * m)
        onto = times(data.grams[data.eliminated], own) + (data.joint @ others).reshape(own.shape)
        across = profile.against(onto, data.joint.T @ flat + data.among @ others)
        found = np.array(
            [np.tensordot(r, across[d.level], ((0, 1), (0, 1))) for d, r in zip(self.directions, rows, strict=True)]
        )
        found = found.reshape(count, m, count, m).swapaxes(1, 2)
        return (found + found.transpose(1, 0, 3, 2)) / 2

    @cached_property
    def average(self) -> np.ndarray:
        """y'PG_iPG_jPy / σ² (Gilmour et al. 1995, equation 6)."""
        across = self._second(slice(-1, None))[:, :, 0, 0]
        cross = self.first[:, :-1, -1]
        return (across - cross @ self.profile.covariance @ cross.T) / self.profile.sigma2

    @cached_property
    def square_traces(self) -> np.ndarray:
        """tr(V⁻¹G_iV⁻¹G_j).

        Raises
        ------
        UnsupportedError
            Where the factors but the largest have more than `MOST_EFFECTS` effects together.
        """
        effects = len(self.profile.root)
        if effects > MOST_EFFECTS:
            raise UnsupportedError(
                Fault(
                    Text("方差参数的期望信息", "The expected information of the variances"),
                    Text(
                        f"除最大的因子外，各随机因子共有 {effects} 个随机效应，多于 {MOST_EFFECTS} 个",
                        f"the random factors but the largest have {effects} effects together, more than "
                        f"{MOST_EFFECTS}",
                    ),
                    Text(
                        "请用 inference='satterthwaite'，它不需要期望信息",
                        "Use inference='satterthwaite', which does without",
                    ),
                )
            )
        return _square_traces(self.profile, self.directions)

    @property
    def _few(self) -> bool:
        """Whether the traces cost next to nothing."""
        return len(self.profile.root) <= min(_CHEAP, MOST_EFFECTS)

    @cached_property
    def scoring(self) -> np.ndarray:
        """Expected, or averaged, second derivatives with σ² taken out: never indefinite."""
        if self._few:
            return super().scoring
        return self.average - np.outer(self.squares, self.squares) / self.profile.df

    @cached_property
    def observed(self) -> np.ndarray:
        """Twice the observed information, from the traces or, where those are refused, from `hessian`."""
        if len(self.profile.root) <= MOST_EFFECTS:
            return super().observed
        return self.hessian + np.outer(self.squares, self.squares) / self.profile.df

    @cached_property
    def hessian(self) -> np.ndarray:
        """Second derivatives of the profiled criterion, by differences where the traces cost more."""
        whole = len(self.profile.root) <= MOST_EFFECTS and self.profile.factor.pattern.whole
        return super().hessian if self._few or whole else self._differences()

    def _differences(self) -> np.ndarray:
        """Second derivatives by differences, a little inside of where the covariances may be."""
        data, gammas = self.profile.data, self.profile.gammas
        # The criterion bends at a scale of the variance and of what a level alone tells of it.
        steps = [1e-5 * (np.trace(g) / len(g) + len(m) / data.n) for g, m in zip(gammas, data.grams, strict=True)]
        inside = [g + step * np.eye(len(g)) for g, step in zip(gammas, steps, strict=True)]
        here = self._gradient_at(inside)
        found = []
        for d in self.directions:
            moved = list(inside)
            moved[d.level] = moved[d.level] + steps[d.level] * d.matrix
            found.append((self._gradient_at(moved) - here) / steps[d.level])
        return (np.array(found) + np.array(found).T) / 2

    def _gradient_at(self, gammas: list[np.ndarray]) -> np.ndarray:
        profile = self.profile.data.profile(tuple(gammas), self.profile.reml)
        return CrossedInformation(profile, self.directions).gradient


def _square_traces(profile: CrossedProfile, directions: tuple[Direction, ...]) -> np.ndarray:
    """Return tr(V⁻¹G_iV⁻¹G_j) from the whole S⁻¹ and sums in its pattern.

    With S̃ = ΛS⁻¹Λ and Y = ΛS⁻¹Λ⁻¹, Z'V⁻¹Z of two of the others is -Λ⁻¹S⁻¹Λ⁻¹ but for the diagonal, of the eliminated
    factor and another FC_g Y, and of the eliminated factor FM - FC_g S̃ C_h'F'. Sums over its levels are those of
    K = Σ C_g'F'EFC_g, E a direction of it.
    """
    data, e, f = profile.data, profile.data.elimination, profile.data.eliminated
    root, inverse = profile.root, profile.factor.inverse()
    across = -inverse / root / root[:, None]
    np.fill_diagonal(across, profile.diagonal)
    place = dict(zip(data.others, zip(data.blocks, profile.turns, strict=True), strict=True))
    scaled = inverse * root[:, None] * root
    pulled = profile.own - profile.diagonals[f]
    products = {}
    for i, d in enumerate(directions):
        if d.level == f:
            weights = np.swapaxes(profile.shrink, 1, 2) @ d.matrix @ profile.shrink
            K = e.symmetric(profile.turned_entries(e.products(weights)))
            products[i] = (K.toarray() if profile.factor.pattern.whole else K) @ scaled
    turned = [d.matrix if d.level == f else place[d.level][1].T @ d.matrix @ place[d.level][1] for d in directions]

    def meet(i: int, j: int) -> float:
        k, other = directions[i].level, directions[j].level
        if k == other == f:
            left, right = times(profile.own, turned[i][None]), times(profile.own, turned[j][None])
            lost = np.einsum("gab,gba->", times(pulled, turned[i][None]), right)
            lost += np.einsum("gab,gba->", left, times(pulled, turned[j][None]))
            return np.einsum("gab,gba->", left, right) - lost + np.einsum("ab,ba->", products[i], products[j])
        if k == f:
            block = place[other][0]
            r = len(turned[j])
            scale = root[block][:r] ** 2
            above, below = scaled[:, block], products[i][:, block]
            return sum(
                turned[j][c, d] / scale[c] / scale[d] * np.einsum("eh,eh->", above[:, c::r], below[:, d::r])
                for c, d in np.ndindex(r, r)
            )
        block, beside = place[k][0], place[other][0]
        B = across[block, beside]
        r, s = len(turned[i]), len(turned[j])
        if r * s == 1:
            return turned[i].item() * turned[j].item() * np.einsum("gh,gh->", B, B)
        B = B.reshape(len(B) // r, r, -1, s)
        return np.sum(B * (np.einsum("ac,gchd->gahd", turned[i], B) @ turned[j]))

    found = np.empty((len(directions),) * 2)
    for i in range(len(directions)):
        for j in range(i + 1):
            first, then = (i, j) if directions[i].level == f else (j, i)
            found[i, j] = found[j, i] = meet(first, then)
    return found
