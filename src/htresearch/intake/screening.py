"""Answers that may not count: repeated, outside the round, tests, against the form's own rules.

Every rule only says which rows it holds for. Which of them are left out is said where a file is read, and stands in
the receipt.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from unicodedata import normalize

import numpy as np
import pandas as pd

from htresearch.instruments import Instrument
from htresearch.instruments.instrument import PLACES
from htresearch.intake.identity import normalised
from htresearch.language import Text

#: Equal answers count as sent twice within so many seconds, and from so many answers on.
QUICK_SECONDS, FEWEST_ANSWERS = 600, 10

RULES = {
    "repeated_record": Text(
        "同一份答卷在文件中重复（序号、时间和答案全同），留第一份",
        "The same record stands there again (number, time and answers); the first is kept",
    ),
    "test": Text(
        "测试答卷（来源、IP 或账号是测试的，或姓名、学校、班级写着“测试”）",
        "A test: by its source, address or account, or its name, school or class says so",
    ),
    "outside_window": Text("提交时间不在调查起止日期之内", "Submitted before the round opened or after it closed"),
    "same_person": Text(
        "同一人交了不止一份，留最后一份", "The same person answered more than once; the last is kept"
    ),
    "test_words": Text("文字题只写了“测试”之类", "A text answer says nothing but “test” or the like"),
    "same_answers": Text(
        "十分钟内有一份答案完全相同的答卷", "All answers equal those of another record sent within ten minutes"
    ),
    "same_account": Text("同一账号交了不止一份", "The same account sent more than one record"),
    "no_answers": Text("一道题也没有答", "Not one item was answered"),
}
#: Left out unless it is said otherwise; the others are only reported.
EXCLUDED = ("repeated_record", "test", "outside_window", "same_person")

_TEST_SOURCE = re.compile(r"测试|预览|试填|\btest|preview", re.IGNORECASE)
_LOOPBACK = re.compile(r"127\.\d+\.\d+\.\d+|::1|localhost")
_TEST_WORDS = re.compile(
    r"(?:这是|此为|仅供?|我在)?(?:测试|试填|试答|演示|test(?:ing)?)(?:数据|问卷|答卷|用|一下|填写)?[\d.。!！~]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class Screen:
    """What the rules look at, a row each.

    Attributes
    ----------
    instrument : Instrument
    frame : pandas.DataFrame
        Answers, with respondent_id and submitted_at.
    identifying : pandas.DataFrame
    facts : mapping of str to array
        What the export tells of each answer, as text; empty where it tells nothing.
    opened_on, closed_on : pandas.Timestamp or None
    tests : collection of str
        Sources, addresses and accounts that are known to be tests.
    items : list of str
        The columns of `frame` that are answers.
    person : pandas.Series or None
        Who each row is of, where that is known already; NA where it cannot be.
    """

    instrument: Instrument
    frame: pd.DataFrame
    identifying: pd.DataFrame
    facts: Mapping[str, np.ndarray]
    opened_on: pd.Timestamp | None = None
    closed_on: pd.Timestamp | None = None
    tests: Collection[str] = ()
    items: list[str] = field(default_factory=list)
    person: pd.Series | None = None

    @cached_property
    def hashes(self) -> np.ndarray:
        """A number for each row that is the same where all answers are, those that identify included."""
        hashed = pd.util.hash_pandas_object(self.frame[self.items], index=False).to_numpy()
        if self.identifying.shape[1]:
            hashed = hashed ^ (pd.util.hash_pandas_object(self.identifying, index=False).to_numpy() << np.uint64(1))
        return hashed

    def only(self, rows: np.ndarray) -> Screen:
        """Return some of the rows."""
        if len(rows) == len(self.frame):
            return self
        return replace(
            self,
            frame=self.frame.iloc[rows].reset_index(drop=True),
            identifying=self.identifying.iloc[rows].reset_index(drop=True),
            facts={name: told[rows] for name, told in self.facts.items()},
            person=None if self.person is None else self.person.iloc[rows].reset_index(drop=True),
        )


def holds(rule: str, given: Screen, live: np.ndarray) -> np.ndarray:
    """Return the rows that a rule holds for.

    Parameters
    ----------
    rule
        One of `RULES`.
    given
        What to look at.
    live
        The rows that count still: what was left out by another rule repeats nothing.

    Returns
    -------
    array of bool
    """
    found = np.zeros(len(given.frame), bool)
    at = np.flatnonzero(live)
    found[at] = _HOLDS[rule](given.only(at))
    return found


def against_skips(given: Screen) -> dict[str, np.ndarray]:
    """Return for every item that was answered although the form did not ask it, the rows where it was."""
    found = {}
    for question in given.instrument.questions:
        conditions = {name: values for name, values in question.when.items() if name in given.frame}
        if not conditions:
            continue
        known = np.logical_and.reduce([given.frame[name].notna().to_numpy() for name in conditions])
        met = np.logical_and.reduce(
            [given.frame[n].isin(v).to_numpy(bool, na_value=False) for n, v in conditions.items()]
        )
        for item in question.items:
            if item.id in given.frame:
                wrong = np.flatnonzero(known & ~met & given.frame[item.id].notna().to_numpy())
                if len(wrong):
                    found[item.id] = wrong
    return found


def _repeated(given: Screen) -> np.ndarray:
    serial = given.facts.get("respondent")
    if serial is None:
        return np.zeros(len(given.frame), bool)
    rows = pd.DataFrame({"serial": serial, "at": given.frame["submitted_at"].to_numpy(), "hash": given.hashes})
    return (rows.duplicated() & (rows["serial"] != "")).to_numpy()


def _same_answers(given: Screen) -> np.ndarray:
    answered = given.frame[given.items].notna().sum(axis=1).to_numpy()
    rows = pd.DataFrame({"hash": given.hashes, "at": given.frame["submitted_at"].to_numpy()})
    rows = rows[(answered >= FEWEST_ANSWERS) & rows["at"].notna()].sort_values(["hash", "at"])
    before = (rows["hash"] == rows["hash"].shift()) & (rows["at"].diff().dt.total_seconds() <= QUICK_SECONDS)
    found = np.zeros(len(given.frame), bool)
    found[rows.index[before]] = True
    return found


def _same_person(given: Screen) -> np.ndarray:
    """Return the records of a person before the last: the order is that of submission, then that of the file."""
    keys = _persons(given) if given.person is None else given.person.to_frame()
    if keys is None:
        return np.zeros(len(given.frame), bool)
    known = keys.notna().all(axis=1).to_numpy()
    order = given.frame["submitted_at"].fillna(pd.Timestamp(1900, 1, 1)).argsort(kind="stable").to_numpy()
    again = keys.iloc[order].duplicated(keep="last").to_numpy()
    found = np.zeros(len(given.frame), bool)
    found[order[again]] = True
    return found & known


def _persons(given: Screen) -> pd.DataFrame | None:
    """Return what tells persons apart: a number that only one has, or else everything that is asked together."""
    told = {name: given.instrument.items[name].identifies for name in given.identifying}
    numbers = [name for name, what in told.items() if what in ("id_card", "student_number")]
    own = [name for name, what in told.items() if what not in PLACES]
    if not own:
        return None
    keys = given.identifying[numbers or list(told)]
    return pd.DataFrame({name: _spelled(keys[name]) for name in keys})


def _spelled(values: pd.Series) -> pd.Series:
    spelled = {value: normalised(value) for value in values.dropna().unique()}
    return values.map(spelled)


def _outside(given: Screen) -> np.ndarray:
    at = given.frame["submitted_at"]
    found = np.zeros(len(at), bool)
    if given.opened_on is not None:
        found |= (at < given.opened_on).to_numpy()
    if given.closed_on is not None:
        found |= (at >= given.closed_on + pd.Timedelta(days=1)).to_numpy()
    return found


def _test(given: Screen) -> np.ndarray:
    found = np.zeros(len(given.frame), bool) | _say_test(given.identifying[i] for i in given.identifying)
    marks = {normalize("NFKC", mark).strip() for mark in given.tests}
    for name in ("channel", "channel_detail", "ip", "user"):
        told = given.facts.get(name)
        if told is None:
            continue
        pattern = _LOOPBACK.match if name == "ip" else _TEST_SOURCE.search if name != "user" else lambda _: None
        # An address bears its place behind it: 10.1.2.3(北京-北京).
        tests = {v for v in pd.unique(told) if v and (marks & {v, v.partition("(")[0]} or pattern(v))}
        found |= pd.Series(told, dtype=object).isin(tests).to_numpy() if tests else False
    return found


def _test_words(given: Screen) -> np.ndarray | bool:
    return _say_test(given.frame[i] for i in given.items if given.instrument.items[i].type == "text")


def _say_test(texts: Iterable[pd.Series]) -> np.ndarray | bool:
    found = False
    for values in texts:
        distinct = [v for v in values.dropna().unique() if isinstance(v, str)]
        tests = [v for v in distinct if _TEST_WORDS.fullmatch("".join(normalize("NFKC", v).split()))]
        found |= values.isin(tests).to_numpy(bool, na_value=False)
    return found


def _same_account(given: Screen) -> np.ndarray | bool:
    told = given.facts.get("user")
    if told is None:
        return False
    values = pd.Series(told, dtype=object)
    return (values.duplicated() & ~values.isin(["", "0", "匿名"])).to_numpy()


def _no_answers(given: Screen) -> np.ndarray:
    return ~(given.frame[given.items].notna().any(axis=1) | given.identifying.notna().any(axis=1)).to_numpy()


_HOLDS = {
    "repeated_record": _repeated,
    "test": _test,
    "outside_window": _outside,
    "same_person": _same_person,
    "test_words": _test_words,
    "same_answers": _same_answers,
    "same_account": _same_account,
    "no_answers": _no_answers,
}
