"""The release: everything that has been let out is remembered, and nothing leaves that gives away more with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path

from htresearch import checks
from htresearch.atomic import write_file
from htresearch.disclosure.apart import Trace, are_apart_by_few, is_apart_by_few, traces_of
from htresearch.disclosure.atoms import Record
from htresearch.disclosure.check import check
from htresearch.disclosure.dangers import revealed
from htresearch.disclosure.memory import Memory, digest_of
from htresearch.disclosure.protected import ProtectedTable, suppress_table
from htresearch.disclosure.records import record_of
from htresearch.disclosure.rules import load_rules
from htresearch.disclosure.sources import sources_of, told_of
from htresearch.disclosure.tabulate import Tabulation
from htresearch.disclosure.verdicts import Finding, Verdicts, decide
from htresearch.disclosure.widening import lines_to_hide
from htresearch.errors import Fault, HTResearchError
from htresearch.language import Text, listing

_REASONS = {
    "differencing": Text(
        "与已公布的{names}合在一起相减，可得出人数过少的一组。",
        "Together with {names} it lets a small group be computed by subtraction.",
    ),
    "teachers": Text(
        "与已公布的{names}合在一起相减，可得出只属于个别教师的一组。",
        "Together with {names} it lets a group of very few teachers be computed by subtraction.",
    ),
    "schools": Text(
        "与已公布的{names}合在一起相减，可得出只属于一两所学校的数。",
        "Together with {names} it lets a number of one or two schools be computed by subtraction.",
    ),
    "dominance": Text(
        "与已公布的{names}合在一起相减，可得出几乎全属一两个单位的数。",
        "Together with {names} it lets a number be computed of which one or two units have nearly all.",
    ),
    "few": Text(
        "它与{names}所用的人或行只差少数几名（所），两者相比就能看出这几名（所）。",
        "Persons or rows that it rests on differ by a few from those of {names}: the two together tell of those few.",
    ),
    "bounds": Text(
        "与已公布的{names}合在一起，可把某个小组或隐去的数限定在过窄的范围内。",
        "Together with {names} it bounds a small group or a suppressed number too tightly.",
    ),
    "time": Text(
        "与已公布的{names}合在一起是否安全，未能在限定时间内证明。",
        "Together with {names} it could not be shown to be safe in the time allowed.",
    ),
}


class RefusedError(HTResearchError):
    """Something may not be released.

    Attributes
    ----------
    verdicts : Verdicts
        Why.
    """

    def __init__(self, *faults: Fault, verdicts: Verdicts):
        super().__init__(*faults)
        self.verdicts = verdicts


class Release:
    """Everything that one study lets out, checked one by one and together; use it in a ``with`` block.

    Parameters
    ----------
    folder
        Where the release is remembered; made if it is not there. It is internal: it holds keyed hashes of persons and
        the cells that were suppressed, is readable by its owner alone, and must never be published.
    rules
        As in `check`.
    wait
        Seconds to wait while another session has the folder open.
    seconds
        Time for each search among tables that hang together. What cannot be shown to be safe by then is refused.

    Raises
    ------
    LedgerError
        On entering, if the folder is damaged, or is still in use after `wait` seconds.

    References
    ----------
    Hundepool, A., et al. (2012). Statistical Disclosure Control. Wiley. doi:10.1002/9781118348239

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from htresearch.disclosure import tabulate
    >>> from htresearch.disclosure.ledger import Release
    >>> pupils = pd.DataFrame({"student_id": range(90), "teacher_id": [f"t{i % 5}" for i in range(90)]})
    >>> pupils = pupils.assign(school_id="s1", sex=["f", "m"] * 45)
    >>> with Release(tempfile.mkdtemp(), "internal") as release:
    ...     first = release.add(tabulate(pupils, "sex"), name="by sex")
    ...     second = release.add(tabulate(pupils[2:], "sex"), name="without two")
    >>> first.passed, second.passed
    (True, False)
    """

    def __init__(self, folder: str | Path, rules: object = None, wait: float = 10.0, seconds: float = 20.0):
        self.folder, self.rules = Path(folder), load_rules(rules)
        checks.require(checks.between("wait", wait, 0, 3600), checks.between("seconds", seconds, 0.1, 3600))
        self.wait, self.seconds = wait, seconds
        self._memory: Memory | None = None

    def __enter__(self) -> Release:
        self._memory = Memory.open(self.folder, self.wait)
        return self

    def __exit__(self, *fault) -> None:
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what has been released, in order."""
        return tuple(self._open().entries)

    def add(self, thing: object, name: str, **what: object) -> Verdicts:
        """Check something by itself and together with all that was released; remember it if it may leave.

        Parameters
        ----------
        thing
            A `Tabulation`, a `ProtectedTable`, or another result that `check` knows. Tables must come from
            `tabulate`: without the persons behind a plain frame nothing can be said about differencing. Of models it
            is remembered which rows they were fitted to, and another one on all but a few of these is refused.
        name
            Its name in the release. The same table under the same name may come again; another table may not.
        what
            What the check of this type can be told: ``frame=`` for a model that has no rows at hand, ``units=``,
            ``data=`` for what a figure draws. A finished figure says itself what it was made of.

        Returns
        -------
        Verdicts
            ``.passed`` says whether it may leave. If not, nothing is remembered, and where other results are the
            reason they are named.

        Raises
        ------
        ArgumentError
            If the name is empty or stands for something else already, or `what` holds a name that the check does not
            take.
        """
        return self._add(thing, name, what)

    def _add(self, thing: object, name: str, what: Mapping[str, object], shown_safe: bool = False) -> Verdicts:
        memory = self._open()
        what = told_of(thing, what)
        checks.require(self._name_fault(name))
        verdicts = check(thing, self.rules, **what)
        if not verdicts.passed:
            return self._noted(name, verdicts)
        sources = sources_of(thing, what)
        traces = (
            None if sources is None else traces_of(sources.bases, name, memory.key, self.rules, what.get("units"))
        )
        if traces is None:
            return self._noted(name, self._refused(verdicts, _unguarded()))
        digest = digest_of(thing, sources.bases)
        checks.require(self._digest_fault(name, digest))
        if name in memory.entries:
            return verdicts
        records = [record_of(table, name, memory.key) for table in sources.tables]
        finding = self._together(records, traces, shown_safe)
        if finding is not None:
            return self._noted(name, self._refused(verdicts, finding))
        memory.remember(name, records, traces, digest, json.loads(verdicts.to_json(name))["results"][name])
        return self._noted(name, verdicts)

    def _together(self, records: list[Record], traces: list[Trace], shown_safe: bool) -> Finding | None:
        """Return what the tables and models of a result give away with those that are out, and with one another."""
        memory = self._open()
        before, models = memory.records(), memory.traces()
        for trace in traces:
            names = [old.name for old in models if are_apart_by_few(trace, old, self.rules)]
            names += [old.name for old in before if is_apart_by_few(trace, old, self.rules)]
            if names:
                return _given_away("few", names, trace.name)
            models.append(trace)
        for record in records:
            names = [old.name for old in models if is_apart_by_few(old, record, self.rules)]
            if names:
                return _given_away("few", names, record.name)
            same = [old for old in before if old.person == record.person]
            found = None if shown_safe else revealed(same, record, self.rules, self.seconds)
            if found is not None:
                return _given_away(*found, record.name)
            before.append(record)
        return None

    def suppress(self, table: Tabulation, name: str, seconds: float = 20.0) -> ProtectedTable:
        """Suppress what is unsafe in a table, by itself and beside what is out already; release the rest, return it.

        Parameters
        ----------
        table
            A table made by `tabulate`.
        name
            Its name in the release.
        seconds
            Time for finding a good pattern.

        Raises
        ------
        RefusedError
            If the table may not leave even so; it has the ``verdicts``.
        """
        memory = self._open()
        shown, safe = suppress_table(table, self.rules, seconds), False
        record, records = record_of(shown, name, memory.key), memory.records()
        again = next((r for r in records if r.name == name and len(r.cells) == len(record.cells)), None)
        if again is not None:  # as it was shown the first time
            shown = shown.showing(again.cells.groupby("line")["published"].all().to_numpy())
        else:
            before = [r for r in records if r.person == record.person]
            more, safe = lines_to_hide(before, record, self.rules, self.seconds)
            shown = shown.without(more) if len(more) else shown
        if shown.suppressed.all():
            verdicts = self._noted(name, self._refused(check(shown, self.rules), _NOTHING_LEFT))
        else:
            verdicts = self._add(shown, name, {}, safe)
        if not verdicts.passed:
            first = verdicts.failures.iloc[0]
            raise RefusedError(Fault(name, first["reason"], first["needed"]), verdicts=verdicts)
        return shown

    def to_json(self) -> str:
        """Return the decision record of the whole release in ACRO's shape: no count and no value of any output."""
        results = {name: entry["decision"] for name, entry in self._open().entries.items()}
        content = {
            "version": f"htresearch {version('htresearch')}",
            "results": results,
            "attempts": self._open().attempts,
        }
        return json.dumps(content, ensure_ascii=False, indent=2)

    def to_html(self) -> str:
        """Return the decision record as a page of HTML, in the language now spoken."""
        title = Text("公布记录", "Record of the release")
        head = [Text("时间", "When"), Text("名称", "Name"), Text("结论", "Decision"), Text("原因", "Reason")]
        words = {True: Text("可以公开", "May be published"), False: Text("不能公开", "May not be published")}
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td>{escape(str(c))}</td>"
                for c in (a["when"], a["name"], words[a["passed"]], Text(a["reason_zh"], a["reason_en"]))
            )
            + "</tr>\n"
            for a in self._open().attempts
        )
        return (
            f'<!doctype html>\n<html lang="{Text("zh-CN", "en")}">\n<head><meta charset="utf-8">'
            f"<title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<table>\n<thead><tr>"
            + "".join(f'<th scope="col">{h}</th>' for h in head)
            + f"</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</body>\n</html>\n"
        )

    def _open(self) -> Memory:
        checks.require(
            None
            if self._memory is not None
            else Fault(
                "Release",
                Text("尚未打开", "is not open"),
                Text("请写 with Release(文件夹) as release:", "Write `with Release(folder) as release:`"),
            )
        )
        return self._memory

    def _name_fault(self, name: object) -> Fault | None:
        if isinstance(name, str) and name.strip():
            return None
        return Fault(
            checks.argument("name"),
            Text("须有名称", "must be a name"),
            Text("请给一段不空的文字", "Give some text"),
            name,
        )

    def _digest_fault(self, name: str, digest: str) -> Fault | None:
        entry = self._open().entries.get(name)
        if entry is None or entry["digest"] == digest:
            return None
        return Fault(
            checks.argument("name"),
            Text("已用于另一项结果", "stands for another result already"),
            Text("请另取名称", "Choose another name"),
            name,
        )

    def _refused(self, verdicts: Verdicts, finding: Finding) -> Verdicts:
        return decide(
            list(verdicts.frame["term"]),
            [finding],
            self.rules,
            kind=verdicts.kind,
            method=verdicts.method,
            note=verdicts.note,
        )

    def _noted(self, name: str, verdicts: Verdicts) -> Verdicts:
        reason = Text("", "") if verdicts.passed else verdicts.failures.iloc[0]["reason"]
        self._open().note(
            {
                "when": datetime.now(UTC).isoformat(timespec="seconds"),
                "name": name,
                "passed": verdicts.passed,
                "reason_zh": reason.zh,
                "reason_en": reason.en,
            }
        )
        write_file(self.folder / "record.json", self.to_json().encode(), 0o600)
        write_file(self.folder / "record.html", self.to_html().encode(), 0o600)
        return verdicts


def _given_away(kind: str, names: Sequence[str], own: str) -> Finding:
    """Say with what a result gives something away; `own` is its name, for what its own parts do."""
    others = list(dict.fromkeys(name for name in names if name != own))
    said = Text("其余的数", "its other numbers")
    if others:
        said = Text("“{n}”", "{n!r}" if len(others) == 1 else "{n}").format(n=listing(others))
    return Finding(None, "differencing", _REASONS[kind].format(names=said), _NEEDED)


_NEEDED = Text(
    "请合并类别、与已公布的结果用同一批人，或不公布此项。",
    "Merge categories, keep to the persons of the released results, or do not publish it.",
)
_NOTHING_LEFT = Finding(
    None,
    "differencing",
    Text("每一格都须隐去，没有可公布的数。", "Every cell has to be hidden: nothing is left to publish."),
    Text("请合并类别，或用已公布的表。", "Merge categories, or use the tables that are out."),
)


def _unguarded() -> Finding:
    return Finding(
        None,
        "differencing",
        Text(
            "不知道表中各格是哪些人，无法防止与其他表相减。",
            "Who stands behind its cells is not known, so differencing cannot be ruled out.",
        ),
        Text("请用 ht.disclosure.tabulate 从原始数据生成。", "Make it from the microdata by ht.disclosure.tabulate."),
    )
