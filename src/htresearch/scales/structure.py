"""The parameters of a measurement model in one or more groups: which are free, fixed, equal.

Σ = ΛΨΛ' + Θ and μ = ν + Λα, as in Jöreskog (1971), Psychometrika, 36, 409-426, https://doi.org/10.1007/BF02291366.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from htresearch.scales.syntax import MeasurementModel, Row

#: What may be equal across groups.
EQUAL = ("loadings", "intercepts", "residuals", "means")
LOADING, FACTOR, RESIDUAL, INTERCEPT, MEAN = range(5)
_OF = {"loadings": LOADING, "intercepts": INTERCEPT, "residuals": RESIDUAL, "means": MEAN}


@dataclass(frozen=True)
class Parameter:
    """One entry of one matrix in one group; `free` is its place among the free parameters, or -1."""

    left: str
    operator: str
    right: str
    group: int
    matrix: int
    row: int
    column: int
    fixed: float
    free: int

    @property
    def term(self) -> str:
        """The parameter as lavaan writes it."""
        return f"{self.left} {self.operator} {self.right}".strip()


@dataclass(frozen=True)
class Structure:
    """A measurement model laid out for `n_groups` groups.

    Attributes
    ----------
    parameters : tuple of Parameter
        In lavaan's order, group after group.
    n_free : int
        Parameters that are free and different.
    means : bool
        Whether means are part of the model.
    """

    factors: tuple[str, ...]
    items: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    n_groups: int
    n_free: int
    means: bool

    def of_group(self, group: int) -> list[Parameter]:
        """Return the parameters of one group."""
        return [p for p in self.parameters if p.group == group]

    @property
    def df(self) -> int:
        """Moments less free parameters."""
        n = len(self.items)
        return self.n_groups * (n * (n + 1) // 2 + n * self.means) - self.n_free


def lay_out(
    model: MeasurementModel, n_groups: int = 1, equal: Collection[str] = (), means: bool = False, std_lv: bool = False
) -> Structure:
    """Complete a written model as lavaan's `cfa` does, in every group."""
    laid = [(group, *entry) for group in range(n_groups) for entry in _rows(model, group, equal, means, std_lv)]
    # As in lavaan, whatever has the label of a fixed parameter is fixed at the same value.
    held = {row.label: fixed for _, row, *_, fixed in reversed(laid) if row.label and fixed is not None}
    parameters: list[Parameter] = []
    places: dict[object, int] = {}
    for group, row, matrix, i, j, own in laid:
        fixed = held.get(row.label) if own is None else own
        free = -1
        if fixed is None:
            # Residual covariances are no residual variances: lavaan keeps them apart, too.
            tied = any(_OF[name] == matrix for name in equal) and not (matrix == RESIDUAL and i != j)
            key = row.label or (matrix, i, j, -1 if tied else group)
            free = places.setdefault(key, len(places))
        value = 0.0 if fixed is None else fixed
        parameters.append(Parameter(row.left, row.operator, row.right, group, matrix, i, j, value, free))
    return Structure(model.factors, model.items, tuple(parameters), n_groups, len(places), means or model.means)


def _rows(model: MeasurementModel, group: int, equal: Collection[str], means: bool, std_lv: bool):
    """Every parameter of a group: the row, its matrix and place there, and its fixed value or None."""
    rows = [row.of_group(group) for row in model.rows]
    factor = {name: k for k, name in enumerate(model.factors)}
    item = {name: i for i, name in enumerate(model.items)}
    # What other groups' equal loadings or intercepts already fix needs no fixing of its own.
    unit = std_lv and not (group and "loadings" in equal)
    shifted = group > 0 and "intercepts" in equal and "means" not in equal
    written = {(r.operator, frozenset((r.left, r.right))): r for r in rows if r.operator != "=~"}

    def value(row: Row | None, default: float | None) -> float | None:
        if row is None:
            return default
        return None if row.free else row.fixed

    for name in model.factors:
        for place, row in enumerate(r for r in rows if r.operator == "=~" and r.left == name):
            marker = place == 0 and not std_lv and not row.free and row.fixed is None
            yield row, LOADING, item[row.right], factor[name], 1.0 if marker else value(row, None)
    for row in rows:
        if row.operator == "~~" and row.left != row.right and row.left in item:
            yield row, RESIDUAL, item[row.left], item[row.right], value(row, None)
    for name, i in item.items():
        row = written.get(("~~", frozenset((name,))))
        yield row or Row(name, "~~", name), RESIDUAL, i, i, value(row, None)
    for name, k in factor.items():
        row = written.get(("~~", frozenset((name,))))
        default = 1.0 if unit else None
        given = value(row, default) if row is None or row.fixed is not None or row.free else default
        yield row or Row(name, "~~", name), FACTOR, k, k, given
    for k, left in enumerate(model.factors):
        for right in model.factors[k + 1 :]:
            row = written.get(("~~", frozenset((left, right))))
            yield row or Row(left, "~~", right), FACTOR, k, factor[right], value(row, None)
    if not (means or model.means):
        return
    for name, i in item.items():
        row = written.get(("~1", frozenset((name, ""))))
        yield row or Row(name, "~1", ""), INTERCEPT, i, 0, value(row, None)
    for name, k in factor.items():
        row = written.get(("~1", frozenset((name, ""))))
        yield row or Row(name, "~1", ""), MEAN, k, 0, value(row, None if shifted else 0.0)
