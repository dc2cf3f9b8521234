"""Page two: the study held against the standards for single-case research, in kind words."""

from __future__ import annotations

from htresearch.language import Text, label, listing
from htresearch.publish.class_report.findings import Findings


def against_the_standard(found: Findings) -> list[Text]:
    """Say what the standards ask for, what of it this study has, and what that does not mean."""
    standards = found.standards
    if standards is None:
        return []
    version = standards.glance()["version"].item()
    worst: dict[str, int] = {}
    for row in standards.tidy().itertuples():
        worst[row.term] = min(worst.get(row.term, 3), _ORDER[row.verdict])
    groups = [
        (Text("做到了", "met"), [3]),
        (Text("有保留地做到", "met with reservations"), [2]),
        (Text("还没有做到", "not met yet"), [0]),
        (Text("还不知道", "not known"), [1]),
    ]
    parts = []
    for name, ranks in groups:
        terms = [label(term, within="term") for term, rank in worst.items() if rank in ranks]
        if terms:
            said = listing([Text(term.zh, term.en[:1].lower() + term.en[1:]) for term in terms])
            parts.append(Text(f"{name.zh}：{said.zh}", f"{name.en}: {said.en}"))
    held = Text(
        f"按 WWC（{version} 版）对单案例研究的要求，{'；'.join(p.zh for p in parts)}。",
        f"Of what the WWC (version {version}) asks of single-case studies, {'; '.join(p.en for p in parts)}.",
    )
    return [held, _MEANT["AB" if found.study.plan.design == "AB" else standards.verdict]]


#: From the worst to the best.
_ORDER = {"fails": 0, "unknown": 1, "reservations": 2, "meets": 3}

_NOT_YET = Text(
    "这套标准说的是这样的设计能证明多少，不是您做得好不好；缺的几条，下一轮补上就行。",
    "The standards are about how much such a design can prove, not about how well the work was done; what is "
    "missing can "
    "be added in the next round.",
)
_MEANT = {
    "AB": Text(
        "前后各一段，只有一次比较，按这套标准不能算证明。这说的是设计，不是您做得好不好：看清一次变化，是再做一次的起点。",
        "One stretch before and one after are a single comparison, which by these standards proves nothing. "
        "That is about "
        "the design, not about how well the work was done: to have seen one change clearly is where the next begins.",
    ),
    "meets": Text(
        "设计的各条都做到了；接下来要看的，是图上的变化是不是每次都跟着办法走。",
        "All that is asked of the design is there; what counts now is whether the records in the picture "
        "follow the change "
        "each time.",
    ),
    "reservations": Text(
        "大体做到了，记录再多几次就更稳当。",
        "By and large it is there; a few more records would make it steadier.",
    ),
    "unknown": _NOT_YET,
    "fails": _NOT_YET,
}
