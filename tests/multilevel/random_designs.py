"""Small designs of every kind, drawn from a seed: depth, slopes, weights, unbalanced, nearly empty groups."""

from dataclasses import dataclass

import numpy as np

from htresearch.multilevel.crossproducts import INTERCEPT, from_rows


@dataclass
class Case:
    X: np.ndarray
    y: np.ndarray
    U: np.ndarray
    codes: tuple
    terms: list
    weights: np.ndarray | None
    reml: bool

    @property
    def products(self):
        names = (INTERCEPT, *(f"x{i}" for i in range(1, self.X.shape[1])), "y")
        random = (INTERCEPT, "x1", "x2")[: self.U.shape[1]]
        A = np.column_stack([self.X, self.y])
        return from_rows(A, self.U, self.codes, names, random, self.weights)


def draw(seed):
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(1, 4))
    parents = [np.zeros(1, int)]
    groups = int(rng.integers(5, 9))
    codes = [np.arange(groups)]
    for _ in range(depth - 1):
        inner = np.repeat(np.arange(len(codes[-1])), rng.integers(1, 4, len(codes[-1])))
        codes = [code[inner] for code in codes] + [np.arange(len(inner))]
    del parents
    sizes = rng.integers(1, 6, len(codes[-1]))
    sizes[0] = 6
    codes = [np.repeat(code, sizes) for code in codes]
    order = rng.permutation(len(codes[0]))
    codes = tuple(code[order] for code in codes)
    n = len(order)
    slopes = int(rng.integers(0, 3))
    x = rng.normal(rng.choice([0, 30]), 2, (n, 2))
    X = np.column_stack([np.ones(n), x, rng.normal(size=groups)[codes[0]]])
    U = X[:, : slopes + 1]
    terms = []
    for k in range(depth):
        kind = rng.choice(["intercept", "correlated", "apart"]) if slopes else "intercept"
        columns = tuple(range(slopes + 1))
        if kind == "intercept":
            terms.append((k, (0,)))
        elif kind == "correlated":
            terms.append((k, columns))
        else:
            terms += [(k, (c,)) for c in columns]
    y = X @ [3, 0.5, -1, 1] + rng.normal(size=n)
    for k, columns in terms:
        spread = rng.choice([0.0, 0.3, 1.0])
        effects = spread * rng.normal(size=(codes[k].max() + 1, len(columns)))
        scale = np.where(np.array(columns) > 0, 0.4, 1.0)
        y = y + np.sum(
            (U[:, list(columns)] - U[:, list(columns)].mean(0) * (np.array(columns) > 0))
            * (effects * scale)[codes[k]],
            axis=1,
        )
    weights = rng.uniform(0.5, 2, n) if rng.random() < 0.3 else None
    return Case(X, y, U, codes, terms, weights, bool(rng.random() < 0.7))
