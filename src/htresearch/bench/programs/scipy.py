"""SciPy: permutation tests of two samples, which are randomisation tests of records in any order."""


def turns(frame, task):
    """All orders with as many records under treatment."""
    import numpy as np
    from scipy.stats import permutation_test

    def difference(after, before, axis):
        return np.mean(after, axis=axis) - np.mean(before, axis=axis)

    treated = frame["treated"].to_numpy() == 1
    values = frame["value"].to_numpy()
    found = permutation_test(
        (values[treated], values[~treated]),
        difference,
        vectorized=True,
        n_resamples=10**7,
        batch=100_000,
        alternative="greater",
    )
    yield found.pvalue
