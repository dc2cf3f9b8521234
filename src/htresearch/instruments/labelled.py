"""Answers as a labelled file for SPSS or Stata: questions and choices as labels, missing codes as user-missing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING

from htresearch import atomic, checks
from htresearch.errors import ColumnError, Fault
from htresearch.instruments import answers
from htresearch.instruments.instrument import Instrument, Item, Question
from htresearch.language import Text

if TYPE_CHECKING:
    import pandas as pd

#: The longest name of a column, in bytes.
_FORMATS = {".sav": 64, ".dta": 32}
#: How much the formats hold: SPSS counts bytes, Stata characters.
_SPSS_TITLE, _SPSS_LABEL, _SPSS_VALUE_LABEL, _STATA_LABEL = 64, 256, 120, 80


@dataclass(frozen=True)
class _Column:
    """A column as it is written; `item` only of one with numbers, whose missing codes are to be declared."""

    name: str
    data: pd.Series
    label: str | None = None
    choices: Mapping[int, str] = field(default_factory=dict)
    measure: str = "unknown"
    item: Item | None = None


def write(frame: pd.DataFrame, instrument: Instrument, path: str | Path) -> Path:
    """Write answers as a labelled file, with labels in the language now spoken.

    A question with several answers becomes a column for each choice, named by its number: of ``formats``, chosen or
    not is in ``formats_1``, ``formats_2``, …; of a ranking, the rank (1 is first). Missing codes that stand in the
    data become user-missing values, in Stata ``.a``, ``.b``, …; empty cells are system-missing. Labels that a format
    cannot hold are shortened, with an ellipsis; the codebook has them in full.

    Parameters
    ----------
    frame
        A row for each respondent, as `htresearch.read_responses` returns them; columns that are no items are written
        without labels.
    instrument
        The instrument that was answered.
    path
        Where to write; ``.sav`` for SPSS, ``.dta`` for Stata 14 and later.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ArgumentError
        If the name ends otherwise, or the folder does not exist.
    ColumnError
        If a column says who somebody is, or an answer is none of the possible ones: a file without its label would
        be no labelled file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> import htresearch as ht
    >>> instrument = ht.load_instrument("surveys/class_climate.yaml")
    >>> frame = pd.DataFrame({"respondent_id": ["p_1", "p_2"], "relation_1": [4, None]})
    >>> ht.instruments.labelled.write(frame, instrument, Path(tempfile.mkdtemp()) / "climate.sav").name
    'climate.sav'
    """
    path = Path(path)
    kind = path.suffix.lower()
    checks.require(_ending(path), _folder(path))
    checks.require(*answers.faults(frame, instrument), *_faults(frame, instrument, kind), error=ColumnError)
    columns = list(_columns(frame.reset_index(drop=True), instrument))
    with tempfile.TemporaryDirectory() as folder:
        draft = str(Path(folder) / f"answers{kind}")
        (_write_sav if kind == ".sav" else _write_dta)(columns, str(instrument.title), draft)
        return atomic.write_file(path, Path(draft).read_bytes())


# --- what cannot be written -----------------------------------------------------------------------------------------


def _ending(path: Path) -> Fault | None:
    if path.suffix.lower() in _FORMATS:
        return None
    return Fault(
        checks.argument("path"),
        Text("须以 .sav 或 .dta 结尾", "must end in .sav or .dta"),
        Text("SPSS 用 .sav，Stata 用 .dta", "SPSS takes .sav, Stata takes .dta"),
        path.name,
    )


def _folder(path: Path) -> Fault | None:
    if path.parent.is_dir():
        return None
    fix = Text("请先建文件夹，或换一个路径", "Make the folder first, or choose another path")
    return Fault(checks.argument("path"), Text("没有这个文件夹", "there is no such folder"), fix, str(path.parent))


def _faults(frame: pd.DataFrame, instrument: Instrument, kind: str) -> Iterator[Fault]:
    """Yield what the format cannot hold."""
    items = [instrument.items[name] for name in dict.fromkeys(frame.columns) if name in instrument.items]
    spread = [name for item in items for name in _spread_names(item)]
    for name in (name for name in spread if name in frame.columns):
        rule = Text(
            "一道多选题或排序题的选项要用这个列名", "a choice of a question with several answers needs this name"
        )
        yield Fault(name, rule, Text("请改名或删去这一列", "Rename the column or remove it"))
    for name in (name for name in [*frame.columns, *spread] if len(str(name).encode()) > _FORMATS[kind]):
        most = Text("{kind} 中至多 {most} 个字节", "At most {most} bytes in {kind}")
        rule = Text("列名太长", "the column's name is too long")
        yield Fault(str(name), rule, most.format(kind=kind, most=_FORMATS[kind]))
    coded = [item for item in items if item.type not in ("text", "date")]
    for item in coded:
        if kind == ".sav" and _ranges(item) is None:
            yield Fault(
                item.id,
                Text(
                    "SPSS 每题至多三个缺失码，或一段加一个",
                    "SPSS has at most three missing codes, or a range and one",
                ),
                Text("请减少缺失码，或写成 .dta", "Use fewer codes, or write .dta"),
                ", ".join(map(str, item.missing)),
            )
    codes = {code for item in coded for code in item.missing}
    if kind == ".dta" and len(codes) > len(ascii_lowercase):
        yield Fault(
            checks.argument("instrument"),
            Text("Stata 至多 26 个缺失码", "Stata has at most 26 missing codes"),
            Text("请减少缺失码，或写成 .sav", "Use fewer codes, or write .sav"),
            len(codes),
        )


def _ranges(item: Item) -> list[int | dict[str, int]] | None:
    """Return the codes as SPSS declares them, three single ones or a range and one; ``None`` if that won't do."""
    codes = sorted(item.missing)
    if len(codes) <= 3:
        return codes
    low, high = answers.limits(item)
    for alone in (None, *codes):
        rest = [code for code in codes if code != alone]
        if rest[-1] < low or rest[0] > high:
            return [{"lo": rest[0], "hi": rest[-1]}, *([] if alone is None else [alone])]
    return None


# --- columns --------------------------------------------------------------------------------------------------------


def _columns(frame: pd.DataFrame, instrument: Instrument) -> Iterator[_Column]:
    """Yield the answers as the formats have them, every column with its labels."""
    asked = {item.id: question for question in instrument.questions for item in question.items}
    in_scales = {name for scale in instrument.scales.values() for name in scale.items}
    for name in frame.columns:
        item = instrument.items.get(name)
        if item is None:
            yield _Column(str(name), _plain(frame[name]))
        elif item.type == "text":
            yield _Column(name, _words(frame[name]), str(item.text))
        elif item.type == "date":
            yield _Column(name, _days(frame[name]), str(item.text))
        elif item.type in answers.SEVERAL:
            yield from _spread(frame[name], item)
        else:
            measure = "scale" if item.type == "number" else "ordinal" if name in in_scales else "nominal"
            numbers = frame[name].astype("Float64").astype("float64")
            choices = {choice.value: str(choice.label) for choice in item.choices if not choice.missing}
            yield _Column(name, numbers, _label(item, asked[name]), choices, measure, item)


def _label(item: Item, question: Question) -> str | None:
    """Return the wording: of a matrix the row first, which a label that is cut must not lose."""
    above = str(question.text) if question.type == "matrix" else ""
    return " · ".join(words for words in (str(item.text), above) if words) or None


def _plain(column: pd.Series) -> pd.Series:
    """Return a column that is no item as numbers, times or words."""
    import pandas as pd

    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_localize(None)
    if pd.api.types.is_datetime64_dtype(column):
        return column
    if pd.api.types.is_numeric_dtype(column):
        return column.astype("Float64").astype("float64")
    return _words(column)


def _words(column: pd.Series) -> pd.Series:
    return column.astype("string").fillna("").astype(object)


def _days(column: pd.Series) -> pd.Series:
    import pandas as pd

    times = pd.to_datetime(column)
    return times.dt.date.astype(object).where(times.notna(), None)


def _spread_names(item: Item) -> list[str]:
    """Return the columns that a question with several answers becomes."""
    return [f"{item.id}_{choice.value}" for choice in item.choices] if item.type in answers.SEVERAL else []


def _spread(column: pd.Series, item: Item) -> Iterator[_Column]:
    """Give every choice of a question with several answers a column: chosen or not, or the rank."""
    import numpy as np

    ranked = item.type == "ranking"
    listed = {text: answers.chosen(text, item) for text in column.dropna().unique()}

    def said(text: object, value: int) -> float:
        values = listed.get(text)
        if values is None:
            return np.nan
        if values[0] in item.missing:
            return values[0]
        if ranked:
            return values.index(value) + 1 if value in values else np.nan
        return value in values

    yes_no = {0: str(Text("未选", "Not chosen")), 1: str(Text("选中", "Chosen"))}
    for name, choice in zip(_spread_names(item), item.choices, strict=True):
        numbers = column.map(lambda text, value=choice.value: said(text, value)).astype("float64")
        label = f"{choice.label} · {item.text}"
        yield _Column(name, numbers, label, {} if ranked else yes_no, "ordinal" if ranked else "nominal", item)


# --- the files ------------------------------------------------------------------------------------------------------


def _write_sav(columns: list[_Column], title: str, path: str) -> None:
    import pandas as pd
    import pyreadstat

    def short(label: str, most: int) -> str:
        """Keep as many whole characters as SPSS has bytes for."""
        encoded = label.encode()
        return label if len(encoded) <= most else f"{encoded[: most - 3].decode(errors='ignore')}…"

    coded = [column for column in columns if column.item]
    pyreadstat.write_sav(
        pd.DataFrame({column.name: column.data for column in columns}),
        path,
        file_label=short(title, _SPSS_TITLE),
        column_labels={column.name: short(column.label, _SPSS_LABEL) for column in columns if column.label},
        variable_value_labels={
            column.name: {
                code: short(str(label), _SPSS_VALUE_LABEL)
                for code, label in {**column.choices, **column.item.missing}.items()
            }
            for column in coded
        },
        missing_ranges={column.name: _ranges(column.item) for column in coded if column.item.missing},
        variable_measure={column.name: column.measure for column in columns},
        variable_format={column.name: "F8.0" for column in coded if (column.data.dropna() % 1 == 0).all()},
    )


def _write_dta(columns: list[_Column], title: str, path: str) -> None:
    import pandas as pd
    import pyreadstat

    def short(label: str) -> str:
        return label if len(label) <= _STATA_LABEL else f"{label[: _STATA_LABEL - 1]}…"

    coded = [column for column in columns if column.item]
    codes = sorted({code for column in coded for code in column.item.missing}, reverse=True)
    letters = dict(zip(codes, ascii_lowercase, strict=False))
    missing = {column.name: {code: letters[code] for code in column.item.missing} for column in coded}
    data = {column.name: column.data for column in columns}
    for name, own in missing.items():
        # Letters among the numbers, and these as floats: of an empty cell among integers pyreadstat makes 0.
        data[name] = data[name].astype(object).map(lambda answer, own=own: own.get(answer, answer))
    labels = {
        column.name: {**column.choices, **{letters[code]: str(label) for code, label in column.item.missing.items()}}
        for column in coded
    }
    pyreadstat.write_dta(
        pd.DataFrame(data),
        path,
        file_label=short(title),
        column_labels={column.name: short(column.label) for column in columns if column.label},
        variable_value_labels={name: of for name, of in labels.items() if of},
        missing_user_values={name: list(own.values()) for name, own in missing.items() if own},
        variable_format={column.name: "%9.0g" for column in coded},
    )
