"""Dirt as real exports have it, planted in simulated forms and listed.

Each kind of `KINDS` says what should become of it: a row that is no answer of its own, an answer that is none, an
answer that is written otherwise than usual but means the same, or something that says who somebody is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from htresearch.intake.invented import Invented

if TYPE_CHECKING:
    import pandas as pd

    from htresearch.instruments import Instrument, Item

#: What is planted, and what it is.
KINDS = {
    "duplicate": "the same answers sent again within minutes",
    "resubmission": "the same person, other answers, a day later",
    "test": "somebody trying the form out",
    "before": "sent before the round opened",
    "after": "sent after the round closed",
    "not_an_option": "an answer that is none of the choices",
    "not_a_number": "words where a number is asked",
    "out_of_range": "a number beyond the bounds",
    "blank": "nothing where an answer is asked",
    "other_text": "words behind the choice 其他",
    "duration_written_otherwise": "2分3秒, 2:03, 123",
    "time_written_otherwise": "2025年5月12日 20:15:33",
    "class_written_otherwise": "full-width characters and blanks",
    "unknown_class": "a class that does not exist",
    "name_written_otherwise": "blanks in the name",
    "name_with_phone": "a phone behind the name",
    "unknown_name": "a name that is on no roster",
    "school_written_otherwise": "blanks around the school's name",
    "identifier": "a name or a number in free text",
    "ipv6": "an IP address of version 6",
    "formula": "free text that a spreadsheet would take for a formula",
}

_SENTENCES = (
    ("phone", "有事请打{}"),
    ("id_card", "身份证号{}"),
    ("student_number", "孩子的学籍号是{}，请核对"),
    ("certificate", "教师资格证号：{}"),
    ("email", "材料可发到 {}"),
    ("name", "感谢{}老师的帮助"),
    ("ip", "从 {} 登录不了"),
)
_FORMULAS = ('=HYPERLINK("http://example.com","点这里")', "+86 希望少开会", "-没有意见", "@大家")


@dataclass(frozen=True)
class Plant:
    """Something planted: its kind, the row (from 1), the item or column, and the value where there is one."""

    kind: str
    row: int
    item: str | None = None
    value: str | None = None


@dataclass
class Form:
    """The answers of a round before they are laid out.

    Attributes
    ----------
    frame : pandas.DataFrame
        key, respondent_id, class_id, submitted_at, duration_s, ip and the items, those that identify among them.
    told : mapping of str to str
        What items identify, to their ids.
    opened, closed : datetime.date
    invented : Invented
    written : dict
        What stands in a cell instead of the usual writing of the answer, by key of the row and item: text, or text
        and numbers by mode.
    dirty : bool
        Whether the export tells who sent the form by 微信昵称, too.
    """

    frame: pd.DataFrame
    told: Mapping[str, str]
    opened: date
    closed: date
    invented: Invented
    written: dict[tuple[int, str], object] = field(default_factory=dict)
    in_text: dict[str, list[str]] = field(default_factory=dict)
    dirty: bool = False

    def sort(self) -> None:
        """Bring the rows into the order of submission, as exports have them."""
        self.frame = self.frame.sort_values(["submitted_at", "key"], ignore_index=True)

    @property
    def row_of(self) -> dict[int, int]:
        """The row, from 1, of each key."""
        return {key: row for row, key in enumerate(self.frame["key"], 1)}

    def cells(self, item: str, mode: str) -> dict[int, object]:
        """Return what stands in cells of an item otherwise than usual, by index of the row."""
        found = {}
        for index, key in enumerate(self.frame["key"]):
            written = self.written.get((key, item))
            if isinstance(written, Mapping):
                written = written.get(mode)
            if written is not None:
                found[index] = written
        return found

    def wechat(self) -> list[str]:
        """Return the 微信昵称 of each row."""
        return [self.invented.wechat(str(who)) for who in self.frame["respondent_id"]]

    def identifiers(self) -> dict[str, tuple[str, ...]]:
        """Return, by kind, everything that says who somebody is."""
        found = {kind: set(values) for kind, values in self.in_text.items()}
        found.setdefault("ip", set()).update(self.frame["ip"])
        real = self.frame[self.frame["respondent_id"].notna()]  # who tries a form out gives no name
        for kind, item in self.told.items():
            if kind != "class":
                found.setdefault(kind, set()).update(real[item].dropna())
        if self.dirty:
            found["wechat"] = set(self.wechat())
        return {kind: tuple(sorted(values)) for kind, values in found.items()}


def soil(form: Form, instrument: Instrument, each: int, seed: int) -> list[Plant]:
    """Plant dirt in a form; rows of the plants are keys until the form is sorted.

    Parameters
    ----------
    form
        Changed in place.
    instrument
        The form's instrument: what it does not ask cannot be dirty.
    each
        How many of each kind, as far as there are rows enough.
    seed
        Seed of the dirt.
    """
    return _Soil(form, instrument, each, seed).plants


class _Soil:
    """The planting of one form."""

    def __init__(self, form: Form, instrument: Instrument, each: int, seed: int):
        self.form, self.instrument, self.each = form, instrument, each
        self.rng = np.random.default_rng([seed, 4])
        self.pool = self.rng.permutation(form.frame["key"]).tolist()
        self.plants: list[Plant] = []
        form.dirty = True
        items = [item for item in instrument.items.values() if not item.identifies]
        self.closed = [item for item in items if item.type == "single" and len(item.values) >= 3]
        self.numbers = [item for item in items if item.type == "number"]
        self.texts = [item for item in items if item.type == "text"]
        self.others = [item for item in items if item.type == "multiple" and _other(item) is not None]
        # What matters most comes first: in a small round there are not rows enough for all.
        self._rows()
        self._times()
        self._people()
        self._answers()

    def _take(self, fits: Callable[[pd.Series], bool] = lambda row: True) -> list[tuple[int, int]]:
        """Return key and index of rows that nothing was planted in yet."""
        frame, taken = self.form.frame, []
        index_of = dict(zip(frame["key"], frame.index, strict=True))
        for key in list(self.pool):
            if len(taken) == self.each:
                break
            if fits(frame.loc[index_of[key]]):
                self.pool.remove(key)
                taken.append((key, index_of[key]))
        return taken

    def _plant(self, kind: str, key: int, item: str | None = None, value: object = None) -> None:
        self.plants.append(Plant(kind, key, item, None if value is None else str(value)))

    def _write(self, kind: str, key: int, item: str, written: object, value: object = None) -> None:
        self.form.written[key, item] = written
        self._plant(kind, key, item, written if value is None else value)

    # --- answers ----------------------------------------------------------------------------------------------------

    def _answers(self) -> None:
        for n, (key, _) in enumerate(self._take() if self.closed else ()):
            item = self.closed[n % len(self.closed)]
            wrong = {"text": "随便", "number": len(item.choices) + 4, "score": 99, "plain": 99}
            self._write("not_an_option", key, item.id, wrong, "随便")
        for n, (key, _) in enumerate(self._take() if self.closed else ()):
            item = self.closed[-1 - n % len(self.closed)]
            self._write("blank", key, item.id, {"text": "(空)", "number": -2, "score": -2, "plain": ""}, "(空)")
        if self.numbers:
            # A question that was skipped has no number to be wrong.
            item = next((i for i in self.numbers if i.maximum is not None), self.numbers[0])
            for key, _ in self._take():
                self._write(
                    "not_a_number",
                    key,
                    item.id,
                    {"text": "十几", "number": "十几", "score": "十几", "plain": "十几"},
                    "十几",
                )
            for key, _ in self._take():
                beyond = int((item.maximum or 1000) + 100)
                self._write("out_of_range", key, item.id, beyond)
        for item in self.others:
            chosen = str(_other(item))
            labels = {str(c.value): c.label.zh for c in item.choices}
            for key, index in self._take(lambda row, i=item, c=chosen: c in str(row[i.id]).split(";")):
                values = self.form.frame.loc[index, item.id].split(";")
                said = "┋".join(f"{labels[v]}〖读书会〗" if v == chosen else labels[v] for v in values)
                self._write("other_text", key, item.id, {"text": said}, "读书会")

    # --- who and where ----------------------------------------------------------------------------------------------

    def _people(self) -> None:
        frame, told, invented = self.form.frame, self.form.told, self.form.invented
        if "class" in told:
            item = told["class"]
            for n, (key, index) in enumerate(self._take()):
                right = str(frame.loc[index, item])
                wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in right)
                self._write("class_written_otherwise", key, item, (wide, f" {right} ", f"{right}\u3000")[n % 3])
            for n, (key, _) in enumerate(self._take()):
                self._write("unknown_class", key, item, ("C999999", "三（2）班", "不知道")[n % 3])
        if "school" in told:
            for key, index in self._take():
                self._write(
                    "school_written_otherwise", key, told["school"], f" {frame.loc[index, told['school']]}\u3000"
                )
        if "name" in told:
            item = told["name"]
            for n, (key, index) in enumerate(self._take()):
                right = str(frame.loc[index, item])
                spaced = (f"{right[0]} {right[1:]}", f"{right[0]}\u3000{right[1:]}", f"{right} ")[n % 3]
                self._write("name_written_otherwise", key, item, spaced)
            for key, index in self._take():
                phone = invented.phone(f"behind {key}")
                self._note("phone", phone)
                self._write("name_with_phone", key, item, f"{frame.loc[index, item]}{phone}")
            for key, _ in self._take():
                name = invented.name(f"nobody {key}")
                self._note("name", name)
                self._write("unknown_name", key, item, name)
        for n, (key, _) in enumerate(self._take() if self.texts else ()):
            self._write("formula", key, self.texts[0].id, _FORMULAS[n % len(_FORMULAS)])
        for kind, sentence in _SENTENCES if self.texts else ():
            for key, _ in self._take():
                number = getattr(invented, kind)(f"text {key}")
                self._note(kind, number)
                self._write("identifier", key, self.texts[0].id, sentence.format(number))
        for key, index in self._take():
            frame.loc[index, "ip"] = invented.ipv6(str(key))
            self._plant("ipv6", key, "ip", frame.loc[index, "ip"])

    def _note(self, kind: str, value: str) -> None:
        self.form.in_text.setdefault(kind, []).append(value)

    # --- times ------------------------------------------------------------------------------------------------------

    def _times(self) -> None:
        frame = self.form.frame
        for n, (key, index) in enumerate(self._take()):
            seconds = int(frame.loc[index, "duration_s"])
            minutes, rest = divmod(seconds, 60)
            self._write(
                "duration_written_otherwise",
                key,
                "duration_s",
                (f"{minutes}分{rest}秒", f"{minutes}:{rest:02d}", seconds)[n % 3],
            )
        for key, index in self._take():
            at = frame.loc[index, "submitted_at"]
            self._write(
                "time_written_otherwise", key, "submitted_at", f"{at.year}年{at.month}月{at.day}日 {at:%H:%M:%S}"
            )
        for kind, day, step in (("before", self.form.opened, -1), ("after", self.form.closed, 1)):
            for n, (key, index) in enumerate(self._take()):
                at = datetime.combine(day + timedelta(days=step * (n + 1)), frame.loc[index, "submitted_at"].time())
                frame.loc[index, "submitted_at"] = at
                self._plant(kind, key, "submitted_at", at)

    # --- whole rows -------------------------------------------------------------------------------------------------

    def _rows(self) -> None:
        import pandas as pd

        form, rng = self.form, self.rng
        new, next_key = [], int(form.frame["key"].max()) + 1
        for _, index in self._take():
            again = form.frame.loc[index].copy()
            again["key"], next_key = next_key, next_key + 1
            again["submitted_at"] += pd.Timedelta(seconds=int(rng.integers(20, 240)))
            new.append(again)
            self._plant("duplicate", again["key"], None, again["respondent_id"])
        for _, index in self._take() if "name" in form.told else ():
            again = form.frame.loc[index].copy()
            again["key"], next_key = next_key, next_key + 1
            again["submitted_at"] += pd.Timedelta(days=1)
            for item in self.closed[:5]:
                others = [c.value for c in item.choices if not c.missing and c.value != again[item.id]]
                again[item.id] = int(rng.choice(others))
            new.append(again)
            self._plant("resubmission", again["key"], None, again["respondent_id"])
        for n in range(self.each):
            new.append(self._test(next_key, n))
            next_key += 1
        if new:
            rows = pd.DataFrame(new).astype(form.frame.dtypes.to_dict())
            form.frame = pd.concat([form.frame, rows], ignore_index=True)

    def _test(self, key: int, n: int) -> pd.Series:
        """Return a row of somebody who tried the form out: the first choice everywhere, in seconds."""
        form, word = self.form, ("测试", "test", "测试一下")[n % 3]
        row = form.frame.iloc[0].copy()
        row["key"], row["respondent_id"], row["class_id"], row["ip"] = key, None, None, form.invented.ip(f"test {n}")
        row["submitted_at"] = datetime.combine(form.opened, datetime.min.time()) + timedelta(hours=8, minutes=n)
        row["duration_s"] = 5 + n
        for item in self.instrument.items.values():
            choices = [choice.value for choice in item.choices if not choice.missing]
            if item.type == "text":
                row[item.id] = word
            elif item.type in ("single", "number"):
                row[item.id] = choices[0] if choices else int(item.minimum or 0)
            elif item.type != "date":
                row[item.id] = str(choices[0]) if item.type == "multiple" else ";".join(map(str, choices))
        self._plant("test", key, None, word)
        return row


def _other(item: Item) -> int | None:
    """Return the choice behind which there are words."""
    return next((c.value for c in item.choices if re.fullmatch("其他(（.*）)?", c.label.zh)), None)
