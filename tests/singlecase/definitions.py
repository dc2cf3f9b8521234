"""Every index once more, by loops over pairs and subsets: slow, and nothing of the package in it."""

import itertools
import math
import statistics

from hypothesis import settings

#: So many series per property: each is computed several times over.
briefly = settings(max_examples=12, deadline=None)


def better(a, b, sign):
    return sign * b > sign * a


def nap(before, after, sign=1):
    count = 0.0
    for a in before:
        for b in after:
            count += 1 if better(a, b, sign) else 0.5 if a == b else 0
    return count / (len(before) * len(after))


def nap_variance(before, after, sign=1):
    """Mee (1990): the estimate from pairs of pairs; ties as half."""
    m, n = len(before), len(after)
    q = [[1.0 if better(a, b, sign) else 0.5 if a == b else 0.0 for b in after] for a in before]
    found = sum(map(sum, q)) / (m * n)
    inside = max(1 / (2 * m * n), min(1 - 1 / (2 * m * n), found))
    q1 = sum((sum(row) / n - found) ** 2 for row in q) / m
    q2 = sum((sum(q[i][j] for i in range(m)) / m - found) ** 2 for j in range(n)) / n
    q3 = sum((x - found) ** 2 for row in q for x in row) / (m * n)
    unbiased = (inside * (1 - inside) + n * q1 + m * q2 - 2 * q3) / ((m - 1) * (n - 1)) if min(m, n) > 1 else math.nan
    hanley = (inside * (1 - inside) + (n - 1) * q1 + (m - 1) * q2) / (m * n)
    return unbiased, hanley


def kendall_s(values, sign=1):
    s = 0
    for i, j in itertools.combinations(range(len(values)), 2):
        s += better(values[i], values[j], sign) - better(values[j], values[i], sign)
    return s


def s_between(before, after, sign=1):
    return sum(better(a, b, sign) - better(b, a, sign) for a in before for b in after)


def pnd(before, after, sign=1):
    return sum(all(better(a, b, sign) for a in before) for b in after) / len(after)


def pem(before, after, sign=1):
    middle = statistics.median(before)
    return sum(1 if better(middle, b, sign) else 0.5 if b == middle else 0 for b in after) / len(after)


def fewest_removed(before, after, sign=1):
    """Every way of keeping some of all observations is tried."""
    points = [("A", v) for v in before] + [("B", v) for v in after]
    for removed in range(len(points) + 1):
        for gone in itertools.combinations(range(len(points)), removed):
            kept = [p for i, p in enumerate(points) if i not in gone]
            a = [v for phase, v in kept if phase == "A"]
            b = [v for phase, v in kept if phase == "B"]
            if all(better(x, y, sign) for x in a for y in b):
                return removed
    raise AssertionError


def theil_sen(values):
    return statistics.median(
        (values[j] - values[i]) / (j - i) for i, j in itertools.combinations(range(len(values)), 2)
    )
