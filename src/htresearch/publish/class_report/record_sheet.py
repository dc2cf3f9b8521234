"""The sheet on which a class study is recorded by pen: one page of A4."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from htresearch import checks
from htresearch.atomic import write_file
from htresearch.errors import Fault
from htresearch.intake.class_study import ClassStudy, Plan, Topic
from htresearch.intake.class_study.topics import topic as find_topic
from htresearch.language import LANGUAGES, Text
from htresearch.publish.class_report.teachers_words import clean
from htresearch.publish.pdf import compile_pdf, printable

#: How many records the sheet has room for; columns of the grid for drawing.
ROOM = 40


def record_sheet(
    path: str | Path, topic_or_plan: Topic | Plan | ClassStudy | str | None = None, language: str = "zh"
) -> Path:
    """Write the sheet on which a class study is recorded by pen, as a PDF of one A4 page.

    At its top stands the plan, as far as it is known; below are rows for forty records and a grid to draw them in.

    Parameters
    ----------
    path
        The file, replaced if it is there, or a folder that is there.
    topic_or_plan
        A topic of `htresearch.intake.class_study.topics`, by its key or name too; a plan, or a study that has one.
        None leaves lines to write the plan on.
    language
        ``"zh"`` or ``"en"``.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ArgumentError
        If there is no such topic, or an argument is wrong.

    Examples
    --------
    >>> import tempfile
    >>> record_sheet(tempfile.mkdtemp(), "homework").name
    '记录表.pdf'
    """
    from htresearch.language import speaking

    path = Path(path)
    checks.require(checks.one_of("language", language, LANGUAGES), _no_folder(path))
    with speaking(language):
        if path.is_dir():
            path = path / f"{Text('记录表', 'record-sheet')}.pdf"
        return write_file(path, compile_pdf(_template(), _content(topic_or_plan, language)))


def _content(said: Topic | Plan | ClassStudy | str | None, language: str) -> dict[str, object]:
    plan = said.plan if isinstance(said, ClassStudy) else said
    if plan is not None and not isinstance(plan, Plan):
        plan = find_topic(plan)
    known = {name: _words(plan, name) for name in ("question", "watched", "counting", "before", "after", "success")}
    entries = [
        (Text("研究的问题", "Question"), known["question"], 2),
        (Text("看什么", "What is watched"), known["watched"], 1),
        (Text("怎样数", "How it is counted"), known["counting"], 2),
        (Text("改变前", "Before"), known["before"], 1),
        (Text("改变后", "After"), known["after"], 2),
        (Text("怎样算成功", "What counts as success"), known["success"], 1),
        (Text("从哪次开始改变", "The change begins with"), _begins(plan), 1),
    ]
    unit = _words(plan, "unit")
    value = Text(f"数（{unit}）", f"Value ({unit})") if unit else Text("数", "Value")
    heads = (
        Text("次", "No."),
        Text("日期", "Date"),
        value,
        Text("照做", "Done"),
        Text("第二人", "Second"),
        Text("备注", "Remark"),
    )
    return {
        "language": language,
        "title": str(Text("班级研究记录表", "Record sheet of a class study")),
        "place": _place(plan),
        "plan": [(str(name), text, lines) for name, text, lines in entries],
        "heads": [str(head) for head in heads],
        "room": ROOM,
        "mind": _mind(plan),
        "graph": str(
            Text(
                "画一画：每格一次，点连成线；从改变那一次起画一条竖线",
                "Draw it: a column for each record, points joined; an upright line where the change begins",
            )
        ),
    }


def _words(plan: Topic | Plan | None, name: str) -> str:
    return "" if plan is None else printable(clean(getattr(plan, name)))


def _begins(plan: Topic | Plan | None) -> str:
    """Say with which record the change begins, or leave a gap for the number that is drawn."""
    design = getattr(plan, "design", "AB")
    if design == "alternating":
        return str(Text("每两次抽一次签，先后由签定", "Lots for every two records decide which comes first"))
    earliest, latest = getattr(plan, "earliest", None), getattr(plan, "latest", None)
    if earliest is None or latest is None:
        return ""
    said = Text(
        f"第 ＿＿＿ 次记录（从第 {earliest} 到第 {latest} 次中抽签）",
        f"record ______ (drawn by lot from {earliest} to {latest})",
    )
    return str(said)


def _place(plan: Topic | Plan | None) -> str:
    gap = "＿" * 7
    school, name = ("", "") if not isinstance(plan, Plan) else (clean(plan.school), clean(plan.class_name))
    said = Text(
        f"学校 {printable(school) or gap}　班级 {printable(name) or gap}",
        f"School {printable(school) or gap}   Class {printable(name) or gap}",
    )
    return str(said)


def _mind(plan: Topic | Plan | None) -> list[str]:
    """What to mind while recording: of the topic, and always."""
    own = [_words(plan, name) for name in ("sheet", "ethics")] if isinstance(plan, Topic) else []
    always = Text(
        "只写数，不写学生姓名。没记成的那天把数空着，写明原因，不要补写 0。填满后请一次录入工作簿。",
        "Numbers only, no pupils' names. Where nothing could be recorded leave the value empty and say why; do "
        "not write "
        "0. Enter the sheet into the workbook once it is full.",
    )
    return [*(text for text in own if text), str(always)]


def _no_folder(path: Path) -> Fault | None:
    if path.is_dir() or path.parent.is_dir():
        return None
    return Fault(
        checks.argument("path"),
        Text("所在的文件夹不存在", "lies in a folder that does not exist"),
        Text("请先建好文件夹，或换一个位置", "Make the folder first, or choose another place"),
        path.name,
    )


@cache
def _template() -> str:
    return files("htresearch.publish").joinpath("class_report/record_sheet.typ").read_text(encoding="utf-8")
