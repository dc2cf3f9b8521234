"""Exports of answers, taken in one by one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from htresearch import checks
from htresearch.cli.intake import receipts
from htresearch.cli.progress import working
from htresearch.errors import Fault, HTResearchError
from htresearch.language import Text

if TYPE_CHECKING:
    from htresearch.intake import Key
    from htresearch.intake.receipt import Receipt


@dataclass(frozen=True)
class Kept:
    """What is kept apart from the study: its files, and the folder of receipts."""

    key: Path | None
    new_key: bool
    linkage: Path | None
    roster: Path | None
    receipts: Path


def take_in_answers(
    paths: list[Path], study: Path, instrument: Path, wave: str | None, kept: Kept, how: Mapping[str, object]
) -> None:
    """Take exports in, each with a receipt."""
    from htresearch.instruments import load_instrument
    from htresearch.intake import Linkage, take_in
    from htresearch.intake.school import Roster

    asked = load_instrument(instrument)
    needed = {"wave": wave, "key": kept.key} | ({} if asked.anonymous else {"linkage": kept.linkage})
    checks.require(*[_lacking(name) for name, value in needed.items() if value is None])
    names = None if kept.roster is None else Roster.read(kept.roster)
    with _opened(kept, study) as key:
        known = Linkage(key)
        if kept.linkage is not None:
            known.check(kept.linkage, study)
        given = {name: value for name, value in how.items() if value}
        take = partial(
            take_in, instrument=asked, study=study, wave=wave, key=key, linkage=known, roster=names, **given
        )
        for path in _tables_in(paths):
            receipt = _taken_in(path, take)
            if kept.linkage is not None:
                known.save(kept.linkage, study)  # file by file: a fault in the next loses nothing of this one
            receipts.say(receipt, kept.receipts)
    if kept.linkage is not None:
        typer.echo(str(Text("对照表：{p}", "Linkage table: {p}").format(p=kept.linkage)))


@contextmanager
def _opened(kept: Kept, study: Path) -> Iterator["Key"]:
    """Open the key or make it; a new one with which nothing was made goes again, since the next run is to make it."""
    from htresearch.intake import Key
    from htresearch.intake.files import fingerprint

    before = fingerprint(study)
    key = (Key.create if kept.new_key else Key.open)(kept.key, study)
    try:
        yield key
    except BaseException:
        if kept.new_key and fingerprint(study) == before:
            kept.key.unlink(missing_ok=True)
        raise


def _tables_in(paths: list[Path]) -> list[Path]:
    """Return the files to read; those that lie beside them are named."""
    from htresearch.intake import folders

    files, beside = folders.tables_in(paths, folders.TABLES | folders.LABELLED)
    checks.require(None if files else _no_files(paths))
    if (passed := folders.not_read(beside)) is not None:
        typer.echo(str(passed))
    return files


def _taken_in(path: Path, take: partial) -> "Receipt":
    try:
        with working(Text("正在读入 {path} ……", "Reading {path} …").format(path=path.name)):
            return take(path)
    except HTResearchError as error:
        if any(name in str(error) for name in ("columns=", "without=")):
            raise type(error)(*error.faults, _AS_OPTIONS) from None
        raise


def pairs(given: list[str] | None) -> dict[str, str | None]:
    """Return columns and their items from what was written as ``I1=trained``."""
    checks.require(*(_no_pair(text) for text in given or () if "=" not in text))
    parted = (text.rpartition("=") for text in given or ())
    return {column: item or None for column, _, item in parted}


_AS_OPTIONS = Fault(
    Text("在命令行中", "On the command line"),
    Text("这些参数写成选项", "these arguments are options"),
    Text(
        'columns={"I1": "trained"} 写作 --columns I1=trained，None 写作 --columns I1=，'
        "without=['trained'] 写作 --without trained",
        'Write --columns I1=trained for columns={"I1": "trained"}, --columns I1= for None, and --without trained for '
        "without=['trained']",
    ),
)
NO_ACCEPTING = Fault(
    "--accept",
    Text("不用于问卷答案：已有的答案不改", "is not for answers: those that the study has stay"),
    Text("请去掉 --accept", "Leave --accept out"),
)


def _lacking(name: str) -> Fault:
    return Fault(
        f"--{name}",
        Text("读问卷导出时必须给出", "is needed to take answers in"),
        Text("用法见 htresearch intake --help", "See htresearch intake --help"),
    )


def _no_pair(text: str) -> Fault:
    return Fault(
        "--columns",
        Text("缺少等号", "lacks an equals sign"),
        Text("请写如 I1=trained，不收的列写 I1=", "Write it like I1=trained, or I1= for a column that is left out"),
        text,
    )


def _no_files(paths: list[Path]) -> Fault:
    return Fault(
        ", ".join(path.name for path in paths),
        Text("里面没有可读的文件", "holds no file to read"),
        Text("请给出导出的文件（.xlsx、.csv、.sav、.dta）", "Give exports (.xlsx, .csv, .sav, .dta)"),
    )
