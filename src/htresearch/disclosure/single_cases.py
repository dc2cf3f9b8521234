"""Studies of one's own class: shown inside, by consent; what many of them say together may be published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htresearch.disclosure.check import register
from htresearch.disclosure.labels import any_identifying
from htresearch.disclosure.results import marks, refused
from htresearch.disclosure.rules import Rules
from htresearch.disclosure.verdicts import Finding, Verdicts, decide
from htresearch.language import Text

if TYPE_CHECKING:
    from htresearch.singlecase import Synthesis

_ROOM = "htresearch.singlecase."
#: What the package returns about one class, or a few: each is its teacher's, and mostly a few pupils'.
CASES = tuple(
    _ROOM + name
    for name in (
        "effect.EffectSize",
        "effect_sizes.EffectSizes",
        "between_case.BetweenCaseEffect",
        "drawing.Drawing",
        "observers.ObserverAgreement",
        "piecewise.PiecewiseRegression",
        "piecewise_multilevel.MultilevelPiecewise",
        "randomisation.RandomisationTest",
        "standards.Standards",
        "two_groups.ClassComparison",
        "visual.VisualAnalysis",
        "cases.Case",
        "class_data.Classes",
    )
)


@register(*CASES)
def check_case(result: object, rules: Rules, consent: bool = False) -> Verdicts:
    """Check the study of a class: inside a school, with the consent of whom it is about; never in public.

    Parameters
    ----------
    consent
        Whether all whom it is about have agreed that these readers see it.
    """
    if not rules.mark:
        return refused(rules, "single_case", type(result).__name__, _OWN_CLASS)
    if consent is not True:
        return refused(rules, "single_case", type(result).__name__, _NO_CONSENT)
    frame = getattr(result, "frame", None)
    terms = list(frame["term"]) if frame is not None and "term" in frame else [type(result).__name__]
    note = (
        *marks(rules),
        Text("只给本班的人看，并已征得同意。", "For those of the class alone, who have agreed."),
    )
    findings = [_NAMES] if any_identifying(terms) else []
    named = [str(i + 1) for i in range(len(terms))] if findings else [str(t) for t in terms]
    return decide(named, findings, rules, kind="single_case", method=type(result).__name__, note=note)


@register(_ROOM + "synthesis.Synthesis")
def check_synthesis(result: Synthesis, rules: Rules, part: str = "tidy") -> Verdicts:
    """Check a synthesis of single-case studies: the mean over enough studies, without what each one found.

    Parameters
    ----------
    part
        ``"tidy"``: the mean and how studies differ. ``"plot"`` (a line per case) and ``"leave_one_out"`` show cases.
    """
    if part != "tidy" and not rules.mark:
        return refused(rules, "single_case", part, _PER_CASE)
    studies = int(result.read.clusters.max()) + 1
    findings = [_few_studies(rules.threshold)] if studies < rules.threshold else []
    note = marks(rules)
    return decide([str(t) for t in result.frame["term"]], findings, rules, kind="synthesis", method=part, note=note)


_OWN_CLASS = Finding(
    None,
    "single_case",
    Text(
        "这是一个班的记录，一看便知是哪位班主任。",
        "These are the records of a class: its head teacher is known from them.",
    ),
    Text(
        "只在校内、经本人同意后给出（rules='internal', consent=True）；要公开，请公开多项研究的综合结果。",
        "Show it inside with consent (rules='internal', consent=True); publish a synthesis of many studies.",
    ),
)
_NO_CONSENT = Finding(
    None,
    "consent",
    Text("没有写明已征得同意。", "That those concerned have agreed is not said."),
    Text("征得同意后请写 consent=True。", "With their consent, say consent=True."),
)
_PER_CASE = Finding(
    None,
    "persons",
    Text("图表里每个个案各有一行，就是每位班主任各有一行。", "It has a line per case, and so per head teacher."),
    Text("请只公开平均效果与异质性。", "Publish the mean effect and how studies differ."),
)
_NAMES = Finding(
    None,
    "identifying",
    Text("名称里有能认出人的内容。", "Labels hold what tells who somebody is."),
    Text("请去掉。", "Take it out."),
)


def _few_studies(least: int) -> Finding:
    return Finding(
        None,
        "threshold",
        Text("综合的研究太少，每项研究的结果可以推算。", "Too few studies: what each one found could be worked out."),
        Text(f"至少须有 {least} 项。", f"At least {least} are needed."),
    )
