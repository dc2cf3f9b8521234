"""The analysis of variance of a score by groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Between:
    """The analysis of variance of a score by groups."""

    sizes: np.ndarray
    means: np.ndarray
    within: np.ndarray  # sums of squares about the group's mean
    ms_between: float
    ms_within: float

    @classmethod
    def of(cls, score: np.ndarray, index: np.ndarray) -> Between:
        """Take the score of each member and the number of its group."""
        sizes = np.bincount(index)
        means = np.bincount(index, score) / sizes
        within = np.bincount(index, (score - means[index]) ** 2)
        between = float(sizes @ (means - score.mean()) ** 2)
        return cls(sizes, means, within, between / (len(sizes) - 1), float(within.sum()) / (len(score) - len(sizes)))

    def apart(self) -> np.ndarray:
        """Tell which groups' means lie further from the mean of all than their 95 % interval reaches."""
        whole = np.average(self.means, weights=self.sizes)
        return np.abs(self.means - whole) > 1.96 * np.sqrt(self.ms_within / self.sizes)

    @property
    def df1(self) -> int:
        """Groups less one."""
        return len(self.sizes) - 1

    @property
    def df2(self) -> int:
        """Members less groups."""
        return int(self.sizes.sum()) - len(self.sizes)

    @property
    def statistic(self) -> float:
        """F."""
        return self.ms_between / self.ms_within

    @property
    def ratio(self) -> float:
        """τ² / σ², unbiased whatever the sizes."""
        return (self.statistic - 1) / self.size_for_variance

    @property
    def size_for_variance(self) -> float:
        """The size of groups that makes τ² unbiased."""
        n = self.sizes.sum()
        return float((n - (self.sizes**2).sum() / n) / self.df1)

    def reliability(self, ratio: float) -> np.ndarray:
        """Return each group's τ² / (τ² + σ² / n); no variance between groups, no reliability."""
        ratio = max(ratio, 0.0)
        return ratio * self.sizes / (1 + ratio * self.sizes)

    def bounds(self, conf_level: float) -> np.ndarray:
        """Return the F statistic over its quantiles: what it would be at either end of the interval."""
        tails = [(1 + conf_level) / 2, (1 - conf_level) / 2]
        return self.statistic / stats.f.ppf(tails, self.df1, self.df2)

    def from_ratio(self, ratio: float) -> float:
        """Return the mean reliability over groups."""
        return float(self.reliability(ratio).mean())
