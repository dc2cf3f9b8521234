"""Commands on a study's data: simulate, validate, template."""

from pathlib import Path
from typing import Annotated

import typer

from htresearch.cli.commands import command
from htresearch.cli.options import STUDY
from htresearch.cli.progress import working
from htresearch.errors import HTResearchError
from htresearch.language import Text

Out = Annotated[Path, typer.Argument(help=Text("写入的文件夹。", "The folder to write."))]
Schools = Annotated[int, typer.Option(help=Text("学校数。", "How many schools."))]
Classes = Annotated[int, typer.Option(help=Text("每校班级数。", "Classes in a school."))]
Terms = Annotated[int, typer.Option(help=Text("学期数。", "How many terms."))]
Seed = Annotated[int, typer.Option(help=Text("随机数种子。", "The random seed."))]
Surveys = Annotated[
    Path | None,
    typer.Option(help=Text("问卷文件夹；给出则也模拟各轮调查。", "Instruments to simulate rounds of, too.")),
]
Arrivals = Annotated[
    Path | None,
    typer.Option(
        help=Text(
            "另写一套练习材料的文件夹：问卷星导出、各校工作簿、名册和待并入的研究。",
            "Also a folder to practise on: exports, schools' workbooks, a roster, a study to take them into.",
        )
    ),
]
Checked = Annotated[
    Path,
    typer.Argument(help=Text("研究或问卷的文件夹或文件。", "The folder or file of a study or instrument.")),
]
Csv = Annotated[
    Path | None,
    typer.Option(help=Text("把全部问题另存为 CSV。", "Also write every fault to a CSV file.")),
]
Study = Annotated[Path, typer.Argument(help=STUDY)]
Table = Annotated[str, typer.Option(help=Text("哪张表，如 training、任职。", "Which table, such as training."))]
Form = Annotated[Path | None, typer.Option(help=Text("写入的文件。", "The file to write."))]


@command(Text("生成一个模拟的区的数据。", "Make the data of a simulated district."))
def simulate(
    out: Out,
    schools: Schools = 26,
    classes_per_school: Classes = 20,
    terms: Terms = 4,
    seed: Seed = 1,
    surveys: Surveys = None,
    arrivals: Arrivals = None,
) -> None:
    """Simulate a district."""
    size = {"schools": schools, "classes_per_school": classes_per_school, "terms": terms}
    _simulate(out, size, seed, surveys, arrivals)


@command(
    Text(
        "按规则校验一项研究的数据，或一份、一个文件夹的问卷（YAML），列出全部问题。",
        "Check a study, an instrument (YAML) or a folder of them; list every fault.",
    )
)
def validate(path: Checked, csv: Csv = None) -> None:
    """Check a study or instruments."""
    raise typer.Exit(_lint(path) if _holds_instruments(path) else _validate(path, csv))


@command(
    Text(
        "生成一张供学校填写的表（xlsx），带选项、说明和示例。",
        "Write a form (xlsx) for schools to fill in, with lists, instructions and an example.",
    )
)
def template(study: Study, table: Table, out: Form = None) -> None:
    """Write a form to fill in."""
    _template(study, table, out or Path(f"{table}.xlsx"))


def _simulate(out: Path, size: dict[str, int], seed: int, surveys: Path | None, arrivals: Path | None) -> None:
    from htresearch.study import simulate as simulation

    with working(Text("正在模拟……", "Simulating …")):
        simulation.simulate(out, **size, seed=seed, surveys=surveys)
    if arrivals is not None:
        from htresearch.intake import demonstration

        with working(Text("正在写练习材料……", "Writing what to practise on …")):
            demonstration.arrivals(out, arrivals, surveys, seed)
    typer.echo(str(Text("已写入 {out}", "Written to {out}").format(out=out)))


def _holds_instruments(path: Path) -> bool:
    """Tell instruments from a study: YAML files are no table of one."""
    kinds = {p.suffix for p in path.iterdir()} if path.is_dir() else {path.suffix}
    return bool(kinds & {".yaml", ".yml"}) and not kinds & {".parquet", ".csv"}


def _lint(path: Path) -> int:
    from htresearch import instruments

    faults = instruments.lint(path)
    if not faults:
        return _sound(path)
    typer.echo(str(HTResearchError(*faults)))
    return 1


def _validate(path: Path, csv: Path | None) -> int:
    from htresearch import study

    with working(Text("正在校验……", "Checking …")):
        faults = study.validate(path)
    if csv is not None:
        from htresearch.atomic import write_file

        # The mark at the start tells Excel that the Chinese is UTF-8.
        write_file(csv, faults.to_csv(index=False).encode("utf-8-sig"))
    if faults.empty:
        return _sound(path)
    typer.echo(study.report(faults))
    return 1


def _sound(path: Path) -> int:
    typer.echo(str(Text("{path}：校验通过，没有问题。", "{path}: sound, no faults.").format(path=path)))
    return 0


def _template(study: Path, table: str, out: Path) -> None:
    from htresearch.intake.template import template as write

    made = write(study, table, out)
    typer.echo(str(Text("已写入 {out}", "Written to {out}").format(out=made)))
