"""Several models side by side, as papers print them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text, label, listing
from htresearch.multilevel.basis import Basis
from htresearch.multilevel.compare import same_outcome
from htresearch.multilevel.crossproducts import INTERCEPT

if TYPE_CHECKING:
    from htresearch.appearance import Table
    from htresearch.multilevel.fit import MultilevelFit

SHOWN = ("std_error", "interval", "none")
_PARTS = {
    "fixed": Text("固定效应", "Fixed effects"),
    "random": Text("随机部分的方差", "Variances of the random part"),
    "fit": Text("模型", "Model"),
}
_INTERCEPT = Text("截距", "intercept")
_FIT = {
    "n": Text("行数", "Rows"),
    "marginal": Text("边际 R²", "Marginal R²"),
    "conditional": Text("条件 R²", "Conditional R²"),
    "log_likelihood": Text("对数似然", "Log-likelihood"),
    "aic": Text("AIC", "AIC"),
    "bic": Text("BIC", "BIC"),
}


@dataclass(frozen=True, eq=False)
class ModelTable:
    """Several models side by side; `model_table` makes it.

    Attributes
    ----------
    frame : pandas.DataFrame
        What `tidy` returns.
    summary : pandas.DataFrame
        What `glance` returns.
    note : tuple of Text
        How the models were fitted and which rows of the table may be compared.
    uncertainty : str
        What stands with an estimate: ``"std_error"``, ``"interval"`` or ``"none"``.
    beside : bool
        Whether it stands beside the estimate rather than below.
    stars : tuple of float
        Levels below which a p value earns a star more.
    digits : int
        Significant digits.
    basis : tuple of Basis
        Whose outcomes the coefficients rest on, a part per model.
    """

    frame: pd.DataFrame
    summary: pd.DataFrame
    note: tuple[Text, ...]
    uncertainty: str = "std_error"
    beside: bool = False
    stars: tuple[float, ...] = ()
    digits: int = 3
    basis: tuple[Basis, ...] = field(default=(), repr=False)

    def tidy(self) -> pd.DataFrame:
        """Return a row per model and term.

        The columns are those of `Estimates.tidy` behind model, effect (``fixed`` or ``random``) and group; a random
        term's estimate is its variance (a correlation where term names two effects), without standard error.
        """
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """Return a row per model.

        The columns are model, n, the groups by level, method, R² (marginal, conditional), the intraclass correlation
        of each level, and log_likelihood, aic and bic by likelihood, the method they were found by.
        """
        return self.summary.copy()

    def table(self, title: Text | str = "", names: Mapping[str, Text | str] | None = None) -> Table:
        """Return the table for readers, in the language now spoken.

        Parameters
        ----------
        title
            Above the table.
        names
            Labels of terms that `htresearch.language.label` does not know.
        """
        from htresearch.appearance import table

        rows = [*self._fixed(names or {}), *self._random(names or {}), *self._fit()]
        models = list(self.summary["model"])
        shown = pd.DataFrame(rows, columns=["part", "term", *models], dtype=object)
        labels = {"term": Text("", ""), **{model: str(model) for model in models}}
        note = str(Text("", " ")).join(map(str, self.note))
        return table(shown, title, note, names=labels, groups="part", right=models)

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.table()._repr_mimebundle_(include, exclude)

    def _fixed(self, names: Mapping[str, Text | str]) -> list[list]:
        """Return the rows of the coefficients."""
        fixed = self.frame[self.frame["effect"] == "fixed"]
        rows = []
        for term in _in_order(fixed):
            found = fixed[fixed["term"] == term].set_index("model")
            cells = [self._estimate(found.loc[m]) if m in found.index else ("", "") for m in self.summary["model"]]
            name = _said(term, names)
            if self.beside:
                rows.append([_PARTS["fixed"], name, *(_cell(" ".join(filter(None, cell))) for cell in cells)])
                continue
            rows.append([_PARTS["fixed"], name, *(_cell(estimate) for estimate, _ in cells)])
            if self.uncertainty != "none":
                rows.append([_PARTS["fixed"], _cell(""), *(_cell(below) for _, below in cells)])
        return rows

    def _estimate(self, row: pd.Series) -> tuple[str, str]:
        """Return an estimate and what stands with it."""
        stars = "*" * sum(row["p_value"] < level for level in self.stars)
        estimate = f"{self._number(row['estimate'])}{stars}"
        if self.uncertainty == "std_error":
            return estimate, f"({self._number(row['std_error'])})"
        if self.uncertainty == "interval":
            return estimate, f"[{self._number(row['conf_low'])}, {self._number(row['conf_high'])}]"
        return estimate, ""

    def _random(self, names: Mapping[str, Text | str]) -> list[list]:
        """Return the rows of the variances, then of the intraclass correlations."""
        random = self.frame[self.frame["effect"] == "random"]
        found = random.set_index(["group", "term", "model"])["estimate"]
        rows = []
        keys = list(dict.fromkeys(zip(random["group"], random["term"], strict=True)))
        groups = [*dict.fromkeys(group for group, _ in keys if group != "Residual"), "Residual"]
        for group, term in sorted(keys, key=lambda key: (groups.index(key[0]), ", " in key[1])):
            values = [found.get((group, term, model), np.nan) for model in self.summary["model"]]
            rows.append([_PARTS["random"], _random_name(group, term, names), *map(self._filled, values)])
        for column in self.summary.filter(like="icc_"):
            name = Text("组内相关：{group}", "ICC: {group}").format(group=_group(column.removeprefix("icc_")))
            rows.append([_PARTS["random"], name, *map(self._filled, self.summary[column])])
        return rows

    def _fit(self) -> list[list]:
        """Return the rows about whole models."""
        groups = [column for column in self.summary if column.startswith("n_")]
        named = {"n": _FIT["n"]}
        for column in groups:
            named[column] = Text("{group}（组数）", "{group} (groups)").format(
                group=_group(column.removeprefix("n_"))
            )
        rows = []
        for column, name in {**named, **_FIT}.items():
            show = self._whole if column in named else self._likelihood if column in _EXACT else self._filled
            rows.append([_PARTS["fit"], name, *map(show, self.summary[column])])
        return rows

    def _number(self, value: float) -> str:
        from htresearch.appearance import significant

        return "–" if np.isnan(value) else significant(float(value), self.digits).replace("-", "−")

    def _filled(self, value: float) -> Text:
        return _cell("" if np.isnan(value) else self._number(value))

    def _whole(self, value: float) -> Text:
        return _cell("" if np.isnan(value) else f"{int(value):,}")

    def _likelihood(self, value: float) -> Text:
        """Show tenths: differences of likelihoods are read off the table."""
        return _cell(f"{value:,.1f}".replace("-", "−"))


_EXACT = ("log_likelihood", "aic", "bic")


def model_table(
    models: Mapping[str, MultilevelFit],
    inference: str = "satterthwaite",
    conf_level: float = 0.95,
    uncertainty: str = "std_error",
    beside: bool = False,
    stars: tuple[float, ...] = (),
    digits: int = 3,
) -> ModelTable:
    """Set models side by side: coefficients, variances, intraclass correlations, likelihoods.

    Estimates are those of the models as they were fitted. Likelihoods, AIC and BIC can be compared only between
    models of the same rows that were fitted by the same method and, for REML, have the same fixed part; so where the
    methods or the fixed parts differ, these three rows are of ML fits, and the note says so. Where models use
    different rows it says that these rows of the table are not to be compared.

    Parameters
    ----------
    models
        The models by the name of their column.
    inference, conf_level
        As in `estimates`; the same for every model.
    uncertainty
        What stands with an estimate: ``"std_error"``, ``"interval"``, the confidence interval, or ``"none"``.
    beside
        Whether it stands beside the estimate; else below.
    stars
        Levels such as ``(0.05, 0.01, 0.001)``: a star for each that the p value is below. None unless asked for: a
        star says less than an interval.
    digits
        Significant digits.

    Returns
    -------
    ModelTable
        ``.tidy()``, ``.glance()``, and ``.table()`` for readers, which also shows in a notebook.

    Raises
    ------
    ArgumentError
        If there is no model, or an argument is outside what it can be.
    UnsupportedError
        If a model does not allow the inference.

    Examples
    --------
    >>> import numpy as np, pandas as pd, htresearch as ht
    >>> rng = np.random.default_rng(1)
    >>> school = np.repeat(np.arange(20), 15)
    >>> hours = rng.uniform(0, 40, 300)
    >>> score = 60 + 0.2 * hours + rng.normal(0, 3, 20)[school] + rng.normal(0, 5, 300)
    >>> frame = pd.DataFrame({"school_id": school, "hours": hours, "score": score})
    >>> empty, full = (ht.fit_multilevel(f"score ~ {x} + (1 | school_id)", frame) for x in ("1", "hours"))
    >>> found = ht.multilevel.model_table({"empty": empty, "with hours": full})
    >>> found.glance()[["model", "method", "likelihood"]].values.tolist()
    [['empty', 'reml', 'ml'], ['with hours', 'reml', 'ml']]
    """
    checks.require(
        _no_models(models),
        checks.one_of("uncertainty", uncertainty, SHOWN),
        checks.integer("digits", digits, 1, 15),
        *[checks.between("stars", level, 0, 1, open_ends=True) for level in stars],
    )
    fits = {str(name): fit for name, fit in models.items()}
    found = {name: fit.estimates(inference, conf_level) for name, fit in fits.items()}
    judged, said = _comparable(fits)
    frame = pd.concat([_tidy(name, fits[name], found[name].tidy()) for name in fits], ignore_index=True)
    summary = pd.DataFrame([_summary(name, fits[name], judged[name]) for name in fits])
    ordered = [c for c in summary if not c.startswith(("icc_", "n_"))]
    groups, icc = [c for c in summary if c.startswith("n_")], [c for c in summary if c.startswith("icc_")]
    at = ordered.index("n") + 1
    shown = _shown_note(inference, conf_level, uncertainty, stars, [e.note for e in found.values()], fits)
    return ModelTable(
        frame,
        summary[[*ordered[:at], *groups, *ordered[at:], *icc]],
        (*shown, *said),
        uncertainty,
        beside,
        tuple(sorted(stars, reverse=True)),
        digits,
        tuple(part for e in found.values() for part in e.basis),
    )


def _tidy(model: str, fit: MultilevelFit, fixed: pd.DataFrame) -> pd.DataFrame:
    """Return a model's coefficients, then its variances and correlations."""
    components = fit.variance_components
    value = components["variance"]
    if "correlation" in components:
        value = value.fillna(components["correlation"])
    random = pd.DataFrame({"group": components["group"], "term": components["term"], "estimate": value})
    parts = [fixed.assign(effect="fixed", group=""), random.assign(effect="random")]
    whole = pd.concat(parts, ignore_index=True).assign(model=model)
    return whole[["model", "effect", "group", *fixed.columns]]


def _summary(model: str, fit: MultilevelFit, judged: MultilevelFit) -> dict:
    """Return what is said of a whole model."""
    return {
        "model": model,
        "n": fit.design.n,
        **{f"n_{level.name}": level.size for level in fit.design.levels},
        "method": fit.method,
        **fit.r_squared().iloc[0].to_dict(),
        "log_likelihood": judged.log_likelihood,
        "aic": judged.aic,
        "bic": judged.bic,
        "likelihood": judged.method,
        **{f"icc_{group}": icc for group, icc in fit.icc().set_index("group")["icc"].items()},
    }


def _comparable(fits: dict[str, MultilevelFit]) -> tuple[dict[str, MultilevelFit], list[Text]]:
    """Return the fits whose likelihoods are shown, and what is to be said of comparing them."""
    first, *rest = fits.values()
    different = [name for name, fit in fits.items() if fit.design.n != first.design.n or not same_outcome(first, fit)]
    said = [_other_rows(different, fits)] if different else []
    if {fit.method for fit in fits.values()} == {"ml"} or not rest:
        return fits, said
    if all(fit.method == "reml" and _same_fixed(first, fit) for fit in rest) and first.method == "reml":
        return fits, [*said, _BY_REML]
    return {name: fit.refit("ml") for name, fit in fits.items()}, [*said, _BY_ML]


def _same_fixed(one: MultilevelFit, other: MultilevelFit) -> bool:
    """Tell whether two fixed parts are coded alike: REML's likelihood depends on it."""
    if one.design.names != other.design.names or str(one.formula.fixed) != str(other.formula.fixed):
        return False
    if one.design.X is None or other.design.X is None or len(one.design.X) != len(other.design.X):
        return True
    return bool(np.allclose(one.design.X, other.design.X))


_BY_REML = Text(
    "各模型固定部分相同，对数似然、AIC、BIC 为限制最大似然（REML）的值。",
    "The fixed parts are the same; log-likelihoods, AIC and BIC are those of restricted maximum likelihood (REML).",
)
_BY_ML = Text(
    "各模型的固定部分或估计方法不同，REML 的似然不可比较：对数似然、AIC、BIC 三行取自最大似然（ML）重新拟合，"
    "其余各行不变。",
    "The fixed parts or the methods differ, so that REML likelihoods cannot be compared: log-likelihood, AIC and BIC "
    "are of fits by maximum likelihood (ML); all other rows are of the models as fitted.",
)


def _other_rows(different: list[str], fits: dict[str, MultilevelFit]) -> Text:
    first = next(iter(fits))
    sizes = listing(
        Text(f"{name}（{fits[name].design.n} 行）", f"{name} ({fits[name].design.n} rows)") for name in different
    )
    return Text(
        "{sizes}所用的行或因变量与 {first}（{n} 行）不同：对数似然、AIC、BIC 不能在它们之间比较。",
        "{sizes} rest on other rows or another outcome than {first} ({n} rows): log-likelihoods, AIC and BIC must "
        "not be compared between them.",
    ).format(sizes=sizes, first=first, n=fits[first].design.n)


def _shown_note(
    inference: str,
    conf_level: float,
    uncertainty: str,
    stars: tuple[float, ...],
    notes: list[tuple[Text, ...]],
    fits: dict[str, MultilevelFit],
) -> list[Text]:
    """Say what stands in the cells, then what every model has to say, once."""
    said = []
    if uncertainty == "std_error":
        said.append(Text("括号内为标准误。", "Standard errors in parentheses."))
    if uncertainty == "interval":
        said.append(
            Text(f"方括号内为 {conf_level:.0%} 置信区间。", f"Confidence intervals ({conf_level:.0%}) in brackets.")
        )
    if stars:
        levels = sorted(stars, reverse=True)
        marks = "，".join(f"{'*' * (i + 1)} p < {level:g}" for i, level in enumerate(levels))
        said.append(Text(f"{marks}。", f"{marks.replace('，', ', ')}."))
    once = dict.fromkeys(note for own in notes for note in own[1:])
    many = len(fits) > 1
    for note in once:
        holders = [name for name, own in zip(fits, notes, strict=True) if note in own]
        alone = many and len(holders) < len(fits)
        said.append(Text("{who}：{note}", "{who}: {note}").format(who=listing(holders), note=note) if alone else note)
    methods = {fit.method for fit in fits.values()}
    if methods == {"reml"}:
        said.append(Text("估计值均为 REML。", "Estimates are by REML."))
    elif methods == {"ml"}:
        said.append(Text("估计值均为 ML。", "Estimates are by ML."))
    else:
        by = [
            Text(f"{name} 用 {fit.method.upper()}", f"{name} by {fit.method.upper()}") for name, fit in fits.items()
        ]
        said.append(Text("估计方法：{by}。", "Estimates: {by}.").format(by=listing(by)))
    return said


def _in_order(fixed: pd.DataFrame) -> list[str]:
    """Return the terms in the order of the models, the intercept first and products after what they are made of."""
    terms = list(dict.fromkeys(fixed["term"]))
    return sorted(terms, key=lambda term: (term != INTERCEPT, term.count(":")))


def _said(term: str, names: Mapping[str, Text | str]) -> Text:
    """Return the label of a term, a product's factor by factor."""
    if term in names:
        return _cell(names[term])
    parts = [names.get(part, label(part)) for part in term.split(":")]
    return Text(" × ".join(_in(part, "zh") for part in parts), " × ".join(_in(part, "en") for part in parts))


def _random_name(group: str, term: str, names: Mapping[str, Text | str]) -> Text:
    if group == "Residual":
        return Text("残差", "Residual")
    if ", " in term:
        parts = [_INTERCEPT if part == INTERCEPT else _said(part, names) for part in term.split(", ")]
        both = Text("与".join(p.zh for p in parts), " and ".join(p.en for p in parts))
        return Text("{group}：{both}的相关", "{group}: correlation of {both}").format(group=_group(group), both=both)
    if term == INTERCEPT:
        return Text("{group}：{term}", "{group}: {term}").format(group=_group(group), term=_INTERCEPT)
    return Text("{group}：{term}的斜率", "{group}: slope of {term}").format(
        group=_group(group), term=_said(term, names)
    )


def _group(name: str) -> Text:
    """Return what the groups of a level are, by its innermost column: schools, not their numbers."""
    found = label(name.split(":")[-1])
    return Text(found.zh.removesuffix("编号"), found.en)


def _in(text: Text | str, language: str) -> str:
    return getattr(text, language) if isinstance(text, Text) else str(text)


def _cell(text: Text | str) -> Text:
    """Return a cell that is shown as it is."""
    return text if isinstance(text, Text) else Text(str(text), str(text))


def _no_models(models: object) -> Fault | None:
    if isinstance(models, Mapping) and models:
        return None
    return Fault(
        checks.argument("models"),
        Text("须为“列名：模型”的字典，至少一个模型", "must be models by the name of their column, one at least"),
        Text('请写 {"模型 1": fit1, "模型 2": fit2}', 'Write {"Model 1": fit1, "Model 2": fit2}'),
        type(models).__name__,
    )
