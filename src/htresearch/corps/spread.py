"""Whether schools differ more than chance makes them differ."""

from __future__ import annotations

import numpy as np
import pandas as pd

from htresearch.corps.catalogue import definitions
from htresearch.corps.funnel import limits
from htresearch.corps.indicators import Indicators

#: Where fewer are expected of a middling school, Q is far from its distribution.
FEWEST_EXPECTED = 2
#: With fewer schools nothing is said of how they differ: it would be about single ones.
FEWEST_SCHOOLS = 10


def spread(found: Indicators, term: str) -> pd.DataFrame:
    """Return how far units differ in a term, a row per indicator with limits and at least ten units.

    Parameters
    ----------
    found
        Of schools, nothing hidden.
    term
        Which term.

    Returns
    -------
    pandas.DataFrame
        indicator_id, n_units, size (the middling denominator), whole (the district's value), chance and beyond
        (standard deviations between units), statistic, df, p_value, expected and outside (units outside the 95 %
        limits).

    References
    ----------
    DerSimonian, R., & Laird, N. (1986). Meta-analysis in clinical trials. Controlled Clinical Trials, 7, 177-188.
    https://doi.org/10.1016/0197-2456(86)90046-2
    """
    from scipy.special import chdtrc

    known, lines = definitions(), []
    whole = found.district[(found.district["term_id"] == term) & (found.district["group"] == "")]
    for name, district in whole.set_index("indicator_id", drop=False).iterrows():
        definition, rows = known[name], found.of(name)
        rows = rows[(rows["term_id"] == term) & (rows["denominator"] > 0) & rows["estimate"].notna()]
        n = rows["denominator"].to_numpy(float)
        if definition.interval not in ("wilson", "ratio") or len(n) < FEWEST_SCHOOLS or not district["std_error"] > 0:
            continue
        share = district["numerator"] / district["denominator"]
        if definition.interval == "wilson" and np.median(n) * min(share, 1 - share) < FEWEST_EXPECTED:
            continue
        # What a unit of this size would have, drawn from the district.
        error = district["std_error"] * np.sqrt(district["denominator"] / n)
        off = rows["estimate"].to_numpy(float) - district["estimate"]
        weight = 1 / error**2
        off = off - (weight * off).sum() / weight.sum()
        q, df = float((weight * off**2).sum()), len(n) - 1
        excess = max(q - df, 0) / (weight.sum() - (weight**2).sum() / weight.sum())
        low, high = limits(definition, district, n, 0.95)
        lies = rows["estimate"].to_numpy(float)
        lines.append(
            {
                "indicator_id": name,
                "n_units": len(n),
                "size": float(np.median(n)),
                "whole": float(district["estimate"]),
                "chance": float(np.sqrt(np.mean(error**2))),
                "beyond": float(np.sqrt(excess)),
                "statistic": q,
                "df": df,
                "p_value": float(chdtrc(df, q)),
                "expected": 0.05 * len(n),
                "outside": int(((lies < low - 1e-12) | (lies > high + 1e-12)).sum()),
            }
        )
    columns = [
        "indicator_id",
        "n_units",
        "size",
        "whole",
        "chance",
        "beyond",
        "statistic",
        "df",
        "p_value",
        "expected",
        "outside",
    ]
    return pd.DataFrame(lines, columns=columns)
