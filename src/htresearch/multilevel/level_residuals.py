"""What groups leave of the outcome at their own level: raw, shrunken, and how far each can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch.multilevel.groups import named_level
from htresearch.multilevel.remarks import require_groups

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit


def level_residuals(fit: MultilevelFit, group: str) -> pd.DataFrame:
    """Return the residuals of one level's groups, with their comparative and diagnostic standard deviations.

    They come from cross-products, so that a model of a lazy table has them too.

    Parameters
    ----------
    group
        A level's name, as in `random_effects`.

    Returns
    -------
    pandas.DataFrame
        A row per group and random effect: the columns that name the group; term; all further columns in the
        outcome's units, per unit of the effect's column:

        raw
            What the group's own rows say: least squares on what the fixed part and the predicted effects of the
            groups around (of all other factors, where groups cross) leave of the outcome, weighted for the groups
            inside; missing where the rows of the group cannot tell its effects.
        estimate
            The shrunken residual (BLUP, empirical Bayes), as in `random_effects`.
        comparative_sd
            Standard deviation of estimate about the group's true effect: for comparing groups, and for intervals.
            Unlike lme4's ``condVar`` it counts the uncertainty of the fixed effects too.
        diagnostic_sd
            Standard deviation of estimate itself under the model: for checking the model. The squares of the two
            add up to the effect's variance.
        standardised
            estimate by diagnostic_sd; near standard normal where the model holds. Missing where the variance is 0.

    Raises
    ------
    ArgumentError
        If no level has that name.
    UnsupportedError
        If the model was read from a file that kept no names of groups.

    References
    ----------
    Goldstein, H. (2011). Multilevel Statistical Models (4th ed.), appendix 2.2. https://doi.org/10.1002/9780470973394
    Snijders, T. A. B., & Bosker, R. J. (2012). Multilevel Analysis (2nd ed.), sections 4.8 and 10.6. Sage.

    Examples
    --------
    >>> import numpy as np, pandas as pd, htresearch as ht
    >>> rng = np.random.default_rng(1)
    >>> school = np.repeat(np.arange(12), 10)
    >>> frame = pd.DataFrame({"school_id": school, "score": rng.normal(0, 3, 12)[school] + rng.normal(0, 5, 120)})
    >>> fit = ht.fit_multilevel("score ~ 1 + (1 | school_id)", frame)
    >>> fit.level_residuals("school_id").columns.tolist()[2:]
    ['raw', 'estimate', 'comparative_sd', 'diagnostic_sd', 'standardised']
    """
    require_groups(fit, "level_residuals")
    level = named_level(fit.design.levels, group)
    at = fit.design.levels.index(level)
    found = _effects(fit, at)
    names = [fit.design.random.names[c] for b in fit.design.random.blocks if b.level == at for c in b.columns]
    parts = []
    for name, (raw, estimate, whole, diagnostic) in zip(names, found, strict=True):
        diagnostic = np.clip(diagnostic, 0, whole)
        sd = np.sqrt(diagnostic)
        parts.append(
            level.labels.assign(
                term=name,
                raw=raw,
                estimate=estimate,
                comparative_sd=np.sqrt(whole - diagnostic),
                diagnostic_sd=sd,
                standardised=np.divide(estimate, sd, out=np.full(len(sd), np.nan), where=sd > 0),
            )
        )
    return pd.concat(parts, ignore_index=True)


#: Of one effect in every group: raw and shrunken residual, variance, variance of the shrunken residual.
Effect = tuple[np.ndarray, np.ndarray, float, np.ndarray]


def _effects(fit: MultilevelFit, at: int) -> list[Effect]:
    """Find the residuals of one level; the letters are those of `likelihood`."""
    optimum = fit.solution.optimum
    profile, structure = optimum.profile, optimum.structure
    order = np.argsort(profile.data.ids[at])
    here = [(b, g) for b, g in zip(structure.blocks, optimum.covariances, strict=True) if b.level == at]

    information, right = (_of_crossed if fit.design.crossed else _of_nested)(fit, at)
    # Per unit of the level's own columns: (L'SL)⁻¹ L'S C e, L their place in the coordinates of U.
    L = np.hstack([np.linalg.solve(block.scale.T, block.loading.T).T for block, _ in here])
    raw = _least_squares(L.T @ information @ L, right @ L)

    # û = Γ Z'V⁻¹e, whose covariance is Γ (Z'V⁻¹Z - Z'V⁻¹X Φ X'V⁻¹Z) Γ.
    fixed = profile.projected[at][:, :, :-1]
    kept = profile.diagonals[at] - fixed @ profile.covariance @ np.swapaxes(fixed, 1, 2)
    found = []
    for block, gamma in here:
        onto = block.scale @ gamma @ block.loading.T
        estimate = profile.projected[at][:, :, -1] @ onto.T
        diagnostic = profile.sigma2 * np.einsum("ir,grs,is->gi", onto, kept, onto)
        whole = profile.sigma2 * np.diag(block.scale @ gamma @ block.scale.T)
        for i in range(block.size):
            found.append((raw[order, len(found)], estimate[order, i], float(whole[i]), diagnostic[order, i]))
    return found


def _least_squares(information: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve for each group's effects; those of a group whose rows cannot tell all of them are missing."""
    unit = 1 / np.sqrt(np.maximum(np.einsum("gii->gi", information), 1e-300))
    even = information * unit[:, :, None] * unit[:, None, :]
    known = np.linalg.eigvalsh(even)[:, 0] > 1e-9
    found = np.full(right.shape, np.nan)
    found[known] = unit[known] * np.linalg.solve(even[known], (unit * right)[known][:, :, None])[:, :, 0]
    return found


def _of_nested(fit: MultilevelFit, at: int) -> tuple[np.ndarray, np.ndarray]:
    """Return S of each group, and S C e of what the groups around leave of e."""
    profile = fit.solution.optimum.profile
    around = 0.0  # predicted effects of the levels around, in the coordinates of U
    for k in range(at):
        predicted = profile.projected[k][:, :, -1] @ profile.gammas[k]
        around = (around + predicted)[profile.data.nest.parents[k]]
    level = profile.levels[at]
    own = level.coefficients @ np.append(-profile.beta, 1.0) - around
    return level.information, (level.information @ own[:, :, None])[:, :, 0]


def _of_crossed(fit: MultilevelFit, at: int) -> tuple[np.ndarray, np.ndarray]:
    """Return U'U of each group, and U' of what all other factors leave of e.

    V⁻¹e is what all predicted effects leave, weighted, so that Z'V⁻¹e is what is missing of the group's own.
    """
    profile = fit.solution.optimum.profile
    left = profile.projected[at][:, :, -1]
    gram = profile.data.grams[at]
    return gram, left + (gram @ (left @ profile.gammas[at])[:, :, None])[:, :, 0]
