"""Which plans of a study have been seen, so that a change after the first record is not overlooked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import date
from itertools import pairwise
from pathlib import Path

from htresearch import checks
from htresearch.atomic import write_file
from htresearch.errors import Fault, IntakeError
from htresearch.intake.class_study.faults import path_fault
from htresearch.intake.class_study.layout import ENTRIES
from htresearch.intake.class_study.study import Change, ClassStudy, Plan
from htresearch.language import Text, listing

_FORMAT = 1
#: The heading of the report is no part of what was planned.
_HEADING = ("school", "class_name")
_STARTS = Text("从哪天开始", "Days on which phases begin")


class PlanHistory:
    """The plans that were seen, by study; kept in a JSON file beside the reports.

    It holds fingerprints and dates, not what the plans say.

    Parameters
    ----------
    path
        The file, which need not exist yet.

    Raises
    ------
    IntakeError
        If the file is there but is no such history: a change could be overlooked.

    Examples
    --------
    >>> import tempfile
    >>> history = PlanHistory(Path(tempfile.mkdtemp()) / "plans.json")
    >>> len(history)
    0
    """

    def __init__(self, path: str | Path):
        checks.require(path_fault(path))
        self.path = Path(path)
        self._seen = _load(self.path)

    def __len__(self) -> int:
        return len(self._seen)

    def changes(self, study: ClassStudy, on: date | None = None) -> tuple[Change, ...]:
        """Return the changes of a study's plan: those the teacher wrote down and those found by comparison.

        Parameters
        ----------
        study
            As it was read; it has records, so whatever differs was changed after the first of them.
        on
            The day on which a difference counts as noticed; today unless given.
        """
        seen = [*self._seen.get(study.study_id, ())] if study.study_id else []
        now = _state(study.plan, on or date.today())
        if seen and seen[-1]["fingerprint"] != now["fingerprint"]:
            seen.append(now)
        found = [
            Change(date.fromisoformat(then["seen_on"]), what, before["fingerprint"], then["fingerprint"])
            for before, then in pairwise(seen)
            if (what := _differing(before["entries"], then["entries"])) is not None
        ]
        return tuple(sorted([*study.changes, *found], key=lambda change: change.noticed_on))

    def remember(self, study: ClassStudy, on: date | None = None) -> ClassStudy:
        """Return the study with all changes of its plan, and keep its plan for the next time.

        A study without an id is given back as it is, with a note that its plan cannot be compared.
        """
        if not study.study_id:
            told = Text(
                "没有研究编号，计划无法与以前的比较",
                "There is no study id, so the plan cannot be compared with an earlier one",
            )
            return replace(study, note=(*study.note, told))
        on = on or date.today()
        changed = replace(study, changes=self.changes(study, on))
        seen = self._seen.setdefault(study.study_id, [])
        if not seen or seen[-1]["fingerprint"] != study.plan.fingerprint:
            seen.append(_state(study.plan, on))
            content = {"format": _FORMAT, "studies": self._seen}
            text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
            write_file(self.path, f"{text}\n".encode())
        return changed


def _state(plan: Plan, on: date) -> dict:
    held = {name: value for name, value in asdict(plan).items() if name not in _HEADING}
    entries = {
        name: hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()[:16] for name, value in held.items()
    }
    return {"seen_on": on.isoformat(), "fingerprint": plan.fingerprint, "entries": entries}


def _differing(before: dict, then: dict) -> Text | None:
    """Name the entries that differ, of those that both know."""
    names = [name for name in then if name in before and before[name] != then[name]]
    if not names:
        return None
    labels = listing([ENTRIES[name].label if name in ENTRIES else _STARTS for name in names])
    return Text("改了：{labels}", "Changed: {labels}").format(labels=labels)


def _load(path: Path) -> dict[str, list[dict]]:
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        studies = content["studies"]
        for seen in studies.values():
            for state in seen:
                date.fromisoformat(state["seen_on"])
                if not (isinstance(state["fingerprint"], str) and isinstance(state["entries"], dict)):
                    raise TypeError
        if content["format"] != _FORMAT:
            raise ValueError
    except OSError as error:
        rule = Text(f"打不开（{error.strerror}）", f"cannot be opened ({error.strerror})")
        raise IntakeError(Fault(path.name, rule, Text("请检查权限", "Check your rights to it"))) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        rule = Text(
            "不是完好的计划记录，看不出计划有没有改过", "is no sound history of plans, so changes cannot be told"
        )
        fix = Text(
            "请从备份恢复；没有备份就把它移走，以后从头记起", "Restore it, or move it away: then it begins anew"
        )
        raise IntakeError(Fault(path.name, rule, fix)) from None
    return studies
