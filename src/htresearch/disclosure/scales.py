"""Results about scales: how items hang together says little of anybody; what their level is, says something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from htresearch.disclosure.check import register
from htresearch.disclosure.labels import any_identifying
from htresearch.disclosure.models import thresholds
from htresearch.disclosure.results import marks
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.verdicts import Finding, Verdicts, decide
from htresearch.language import Text
from htresearch.result import Estimates

if TYPE_CHECKING:
    from htresearch.scales import Agreement, Invariance, MeasurementFit

#: Columns and glances that hold a number of respondents.
_SIZES = ("n", "n_respondents")
_PLAIN = "htresearch.scales."


@register(
    _PLAIN + "reliability.Reliability",
    _PLAIN + "correlations.Correlations",
    _PLAIN + "efa.ExploratoryFactors",
    _PLAIN + "parallel.ParallelAnalysis",
    _PLAIN + "adequacy.Adequacy",
    _PLAIN + "raters.RaterAgreement",
)
def check_structure(result: Estimates, rules: Rules) -> Verdicts:
    """Check how items or raters go together: correlations, reliabilities, loadings."""
    return _decide(result, rules, _enough(result, rules, rules.threshold))


@register(_PLAIN + "item_statistics.ItemStatistics")
def check_items(result: Estimates, rules: Rules, counts: Mapping[str, int] | None = None) -> Verdicts:
    """Check means, spreads and category shares of items.

    Parameters
    ----------
    counts
        ``n_teachers`` and ``n_schools`` behind the answers: the mean of one class is its teacher's. Where teachers
        answered for themselves, ``n_teachers`` is their number.
    """
    findings = _enough(result, rules, rules.threshold) + _behind(counts, rules)
    for i, row in result.frame.iterrows():
        for share in ("floor", "ceiling"):
            if share not in row:
                continue
            inside = row[share] * row["n"]
            for persons in (inside, row["n"] - inside):
                if round(persons) < rules.threshold and not (round(persons) == 0 and rules.zero_cells):
                    findings.append(_few_at_an_end(int(i), rules.threshold))
    return _decide(result, rules, findings)


@register(_PLAIN + "cfa.MeasurementFit")
def check_measurement(result: MeasurementFit, rules: Rules, counts: Mapping[str, int] | None = None) -> Verdicts:
    """Check a measurement model: respondents and degrees of freedom in each group, and who stands behind means.

    Parameters
    ----------
    counts
        As in `check_items`; needed where the model has intercepts or means.
    """
    findings = _groups(result.sizes, result, rules)
    if (result.frame["operator"] == "~1").any():
        findings += _behind(counts, rules)
    return _decide(result, rules, findings)


@register(_PLAIN + "invariance.Invariance")
def check_invariance(result: Invariance, rules: Rules) -> Verdicts:
    """Check the steps of invariance: respondents in each group."""
    findings = [f for fit in result.fits.values() for f in _groups(fit.sizes, fit, rules)]
    return _decide(result, rules, list(dict.fromkeys(findings)))


@register(_PLAIN + "agreement.Agreement")
def check_agreement(result: Agreement, rules: Rules, part: str = "tidy") -> Verdicts:
    """Check agreement within classes.

    Parameters
    ----------
    part
        ``"tidy"``: what holds for all groups together. ``"groups"`` or ``"plot"``: a row or a dot per group, each of
        which is one teacher's; refused in public.
    """
    findings = _enough(result, rules, rules.threshold)
    n_groups = int(result.summary["n_groups"].iloc[0])
    if n_groups < rules.threshold:
        findings.append(_few_classes(rules.threshold))
    if part != "tidy":
        findings += [] if rules.mark else [_PER_CLASS]
        if result.groups["n"].min() < rules.threshold:
            findings.append(_few_respondents(None, rules.threshold))
    return _decide(result, rules, findings)


def _decide(result: Estimates, rules: Rules, findings: list[Finding]) -> Verdicts:
    words = result.frame.select_dtypes(exclude="number").to_numpy().ravel()
    if any_identifying(words) or any_identifying(t for note in result.note for t in (note.zh, note.en)):
        findings = [*findings, _NAMES]
    terms = [str(term) for term in result.frame["term"]]
    named = [str(Text("名称从略", "name withheld")) for _ in terms] if _NAMES in findings else terms
    return decide(named, findings, rules, kind="scale", method=type(result).__name__, note=marks(rules))


def _enough(result: Estimates, rules: Rules, least: int) -> list[Finding]:
    """Refuse fewer respondents than a number needs, and nearly as many items as respondents."""
    findings, found = [], []
    for column in _SIZES:
        if column in result.frame:
            sizes = result.frame[column].to_numpy(float)
            findings += [_few_respondents(int(i), least) for i in np.flatnonzero(~(sizes >= least))]
            found += list(sizes)
        if column in result.summary:
            found += list(result.summary[column].to_numpy(float))
    found = [size for size in found if not np.isnan(size)]
    if not found:
        return [_UNCOUNTED]
    if min(found) < least:
        findings.append(_few_respondents(None, least))
    items = float(result.summary["n_items"].max()) if "n_items" in result.summary else 0.0
    if min(found) - items < rules.residual_df:
        findings.append(_few_beyond(rules.residual_df))
    return findings


def _groups(sizes: Mapping[str, int], fit: MeasurementFit, rules: Rules) -> list[Finding]:
    if not sizes:
        return [_UNCOUNTED]
    findings = []
    if min(sizes.values()) < rules.threshold:
        findings.append(_few_respondents(None, rules.threshold))
    parameters = int((fit.frame["std_error"] > 0).sum()) / len(sizes)
    if min(sizes.values()) - parameters < rules.residual_df:
        findings.append(_few_beyond(rules.residual_df))
    return findings


def _behind(counts: Mapping[str, int] | None, rules: Rules) -> list[Finding]:
    """Refuse levels of answers behind which too few teachers or schools stand, or nobody knows how many."""
    needed = {kind: least for kind, least in thresholds(["student"], rules).items() if kind != "student"}
    findings = []
    for kind, least in needed.items():
        known = (counts or {}).get(f"n_{kind}s")
        if least > 1 and known is None:
            findings.append(_uncounted(f"n_{kind}s"))
        elif known is not None and not known >= least:
            findings.append(_few_units(kind, least))
    return findings


# -- what is said ----------------------------------------------------------------------------------------------------

_UNCOUNTED = Finding(
    None,
    "unknown",
    Text("不知道有多少人作答。", "How many answered is not known."),
    Text("请检查分析直接返回的结果。", "Check the result that the analysis returned."),
)
_NAMES = Finding(
    None,
    "identifying",
    Text("名称或说明里有能认出人的内容。", "Labels or notes hold what tells who somebody is."),
    Text("请去掉。", "Take it out."),
)
_PER_CLASS = Finding(
    None,
    "persons",
    Text("逐班的值就是逐位班主任的值。", "A value per class is a value per head teacher."),
    Text("请公开各班的平均值和中位数。", "Publish the mean and the median over classes."),
)


def _uncounted(name: str) -> Finding:
    return Finding(
        None,
        "unknown",
        Text(
            "不知道作答者来自多少教师、多少学校。",
            "From how many teachers and schools the answers come is not known.",
        ),
        Text(f"请用 counts= 给出 {name}。", f"Say it by counts=, {name}."),
    )


def _few_respondents(cell: int | None, least: int) -> Finding:
    return Finding(
        cell,
        "threshold",
        Text("作答的人太少。", "Too few answered."),
        Text(f"至少须有 {least} 人。", f"At least {least} are needed."),
    )


def _few_beyond(least: int) -> Finding:
    return Finding(
        None,
        "residual_df",
        Text("题目或参数几乎与人一样多。", "There are nearly as many items or parameters as respondents."),
        Text(f"人数至少须多出 {least}。", f"There must be at least {least} more respondents."),
    )


def _few_units(kind: str, least: int) -> Finding:
    who = {"teacher": Text("教师", "teachers"), "school": Text("学校", "schools")}[kind]
    return Finding(
        None,
        f"{kind}s",
        Text(f"作答者只来自少数几名（所）{who.zh}。", f"The answers come from a few {who.en} alone."),
        Text(f"至少须有 {least}。", f"At least {least} are needed."),
    )


def _few_at_an_end(cell: int, least: int) -> Finding:
    return Finding(
        cell,
        "threshold",
        Text(
            "选最低或最高一档的人太少，或人人都选。",
            "Too few chose the lowest or highest answer, or all but a few did.",
        ),
        Text(
            f"每一边至少须有 {least} 人；请略去 floor 与 ceiling。",
            f"At least {least} on each side; leave floor and ceiling out.",
        ),
    )


def _few_classes(least: int) -> Finding:
    return Finding(
        None,
        "threshold",
        Text("班级太少，每班的值可以推算。", "Too few classes: each one's value could be worked out."),
        Text(f"至少须有 {least} 个班。", f"At least {least} are needed."),
    )
