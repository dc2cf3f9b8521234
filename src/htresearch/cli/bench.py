"""The command that times this project beside others: bench."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from htresearch import checks
from htresearch.cli.commands import command
from htresearch.cli.progress import counting
from htresearch.errors import Fault
from htresearch.language import Text


class Group(StrEnum):
    """The groups of tasks that can be timed."""

    engine = "engine"
    intake = "intake"
    scales = "scales"
    singlecase = "singlecase"
    corps = "corps"


Out = Annotated[Path, typer.Argument(help=Text("结果写入的文件夹。", "The folder for the results."))]
Only = Annotated[
    list[Group] | None,
    typer.Option(help=Text("只测这一组，可多次给出。", "This group only; may be given several times.")),
]
Rows = Annotated[
    list[int] | None,
    typer.Option(min=2000, help=Text("行数，可多次给出。", "How many rows; may be given several times.")),
]
Repeats = Annotated[int, typer.Option(min=1, help=Text("每项做几遍。", "How often each task is done."))]
Limit = Annotated[int, typer.Option(min=1, help=Text("一个程序最多几秒。", "Seconds that a program may take."))]
Slow = Annotated[bool, typer.Option("--slow", help=Text("也做要几分钟的对照。", "Also what takes others minutes."))]
Data = Annotated[
    Path | None,
    typer.Option(help=Text("留存数据的文件夹，下次不必重做。", "Keep the data here for the next run.")),
]
Pythons = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=PATH",
        help=Text(
            "某个程序另用的 Python，如 factor_analyzer=…/bin/python，可多次给出。",
            "Another Python for a program, such as factor_analyzer=…/bin/python; may be given several times.",
        ),
    ),
]


@command(
    Text(
        "测速：本项目与已安装的其他程序在同一台机器上做同样的事：拟合模型、读入答卷、计算量表和指标。",
        "Timings: this project and what else is installed do the same on one machine: models, scales, indicators.",
    )
)
def bench(
    out: Out = Path("benchmarks"),
    only: Only = None,
    rows: Rows = None,
    repeats: Repeats = 3,
    limit: Limit = 900,
    slow: Slow = False,
    data: Data = None,
    python: Pythons = None,
) -> None:
    """Time this project and what else is installed."""
    groups = [group.value for group in only or Group]
    _time(out, rows, repeats, limit, slow, data, groups, _pythons(python or []))


def _time(
    out: Path,
    rows: list[int] | None,
    repeats: int,
    limit: int,
    slow: bool,
    data: Path | None,
    groups: list[str],
    pythons: dict[str, str],
) -> None:
    from htresearch import bench as timing
    from htresearch.appearance import figure
    from htresearch.atomic import write_file

    out.mkdir(parents=True, exist_ok=True)
    with counting(Text("测速", "Timing")) as progress:
        times = timing.run(rows, repeats, limit, slow, data, progress, groups, pythons)
    typer.echo(timing.table(times).plain)
    alt = Text("各程序做同样的事所用的秒数。", "Seconds that each program takes for the same.")
    for group, own in times.groupby("group", sort=False):
        own = own.drop(columns="group").round(4)
        write_file(out / f"{group}_speed.csv", own.to_csv(index=False, lineterminator="\n").encode("utf-8-sig"))
        write_file(out / f"{group}_speed.png", figure(timing.figure(own), alt).png)
    typer.echo(str(Text("已写入 {out}", "Written to {out}").format(out=out)))


def _pythons(given: list[str]) -> dict[str, str]:
    """Return programs and their Pythons from what was written as ``NAME=PATH``."""
    checks.require(*(None if "=" in one else _no_python(one) for one in given))
    return dict(one.split("=", 1) for one in given)


def _no_python(given: str) -> Fault:
    return Fault(
        "--python",
        Text("须写成“程序=路径”", "must be a program and a path"),
        Text("例如 --python factor_analyzer=PATH", "Write it like --python factor_analyzer=PATH"),
        given,
    )
