"""The command line: reads the arguments, calls one function each, says what is wrong.

Exit status: 0 done, 1 the input is at fault (every fault is listed), 2 wrong usage.
"""

import errno
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from htresearch import checks, language
from htresearch.errors import Fault, HTResearchError
from htresearch.language import Text

#: What the demonstration fits: one row per class and term, terms within classes, classes within schools.
DEMO_MEASURE = "maths"
DEMO_FORMULA = "score ~ training_hours + tier + (1 | school_id/class_id)"


class Language(StrEnum):
    """The languages that can be asked for."""

    zh = "zh"
    en = "en"


class Accept(StrEnum):
    """What may change rows that a study has already."""

    nothing = "nothing"
    empty = "empty"
    new = "new"


class ReportFormat(StrEnum):
    """What a report can be written as."""

    html = "html"
    pdf = "pdf"
    docx = "docx"
    png = "png"


class Group(StrEnum):
    """The groups of tasks that can be timed."""

    engine = "engine"
    intake = "intake"
    scales = "scales"
    singlecase = "singlecase"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit status."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a Windows console may lack a character; a mark in its place will do
            stream.reconfigure(errors="replace")
    _speak_early(arguments)
    try:
        _application()(args=arguments, prog_name="htresearch")
    except HTResearchError as error:
        _refuse(error)
    except OSError as error:
        _refuse(_file_error(error))
    except ModuleNotFoundError as error:
        _refuse(_missing_extra(error))


def _speak_early(arguments: list[str]) -> None:
    """Choose the language before the help is written, which is in that language too."""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if not word.startswith("-"):
            return
        value = following if word == "--language" else word.removeprefix("--language=")
        if word.startswith("--language") and value in language.LANGUAGES:
            language.use(value)
            return


def _refuse(error: HTResearchError) -> None:
    typer.echo(str(error), err=True)
    raise SystemExit(1)


def _file_error(error: OSError) -> HTResearchError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return HTResearchError(
        Fault(
            str(error.filename or Text("文件", "File")),
            Text("无法读取或写入：{why}", "cannot be read or written: {why}").format(why=error.strerror or error),
            Text("请腾出磁盘空间，再运行一次", "Make room on the disk and run it again")
            if full
            else Text("请检查路径与权限", "Check the path and your rights to it"),
        )
    )


def _missing_extra(error: ModuleNotFoundError) -> HTResearchError:
    if (error.name or "").split(".")[0] == "htresearch":
        raise error
    return HTResearchError(
        Fault(
            str(error.name),
            Text("这一功能所需的包没有安装", "a package that this needs is not installed"),
            Text('请运行 pip install -e ".[all]"', 'Run pip install -e ".[all]"'),
        )
    )


@contextmanager
def _working(what: Text) -> Iterator[None]:
    """Show on the error stream that something is going on."""
    from rich.console import Console

    with Console(stderr=True).status(str(what)):
        yield


@contextmanager
def _counting(what: Text) -> Iterator[Callable[[int, int, str], None]]:
    """Show on the error stream how many of something are done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(str(what), total=None)
        yield lambda done, total, name: bar.update(task, completed=done, total=total, description=f"{what} {name}")


def _help(zh: str, en: str) -> str:
    return str(Text(zh, en))


def _application() -> typer.Typer:
    """Build the commands, with their help in the language now spoken."""
    said = {
        "notebooks": _help("笔记本所在的文件夹。", "The folder of the notebooks."),
        "site": _help("网站写入的文件夹。", "The folder that the site is written to."),
        "study": _help("研究的文件夹。", "The study's folder."),
    }
    app = typer.Typer(
        name="htresearch",
        help=_help("班主任队伍专业化研究工具。", "Research on the professionalisation of head teachers."),
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def speak(
        spoken: Annotated[
            Language | None, typer.Option("--language", help=_help("所用语言。", "The language to speak."))
        ] = None,
    ) -> None:
        if spoken:
            language.use(spoken.value)

    @app.command(
        help=_help(
            "走完全程：校验演示数据，建立面板，拟合模型，运行笔记本，生成网站。",
            "The whole way: validate the demo data, build panels, fit a model, run the notebooks, make the site.",
        )
    )
    def demo(
        data: Annotated[Path, typer.Option(help=_help("研究数据。", "The study."))] = Path("data/demo"),
        notebooks: Annotated[Path, typer.Option(help=said["notebooks"])] = Path("notebooks"),
        site: Annotated[Path, typer.Option(help=said["site"])] = Path("site"),
    ) -> None:
        _demo(data, notebooks, site)

    @app.command(help=_help("生成一个模拟的区的数据。", "Make the data of a simulated district."))
    def simulate(
        out: Annotated[Path, typer.Argument(help=_help("写入的文件夹。", "The folder to write."))],
        schools: Annotated[int, typer.Option(help=_help("学校数。", "How many schools."))] = 26,
        classes_per_school: Annotated[int, typer.Option(help=_help("每校班级数。", "Classes in a school."))] = 20,
        terms: Annotated[int, typer.Option(help=_help("学期数。", "How many terms."))] = 4,
        seed: Annotated[int, typer.Option(help=_help("随机数种子。", "The random seed."))] = 1,
        surveys: Annotated[
            Path | None,
            typer.Option(help=_help("问卷文件夹；给出则也模拟各轮调查。", "Instruments to simulate rounds of, too.")),
        ] = None,
        arrivals: Annotated[
            Path | None,
            typer.Option(
                help=_help(
                    "另写一套练习材料的文件夹：问卷星导出、各校工作簿、名册和待并入的研究。",
                    "Also a folder to practise on: exports, schools' workbooks, a roster, a study to take them into.",
                )
            ),
        ] = None,
    ) -> None:
        from htresearch.study import simulate as simulation

        size = {"schools": schools, "classes_per_school": classes_per_school, "terms": terms}
        with _working(Text("正在模拟……", "Simulating …")):
            simulation.simulate(out, **size, seed=seed, surveys=surveys)
        if arrivals is not None:
            from htresearch.intake import demonstration

            with _working(Text("正在写练习材料……", "Writing what to practise on …")):
                demonstration.arrivals(out, arrivals, surveys, seed)
        typer.echo(str(Text("已写入 {out}", "Written to {out}").format(out=out)))

    @app.command(
        help=_help(
            "按规则校验一项研究的数据，或一份、一个文件夹的问卷（YAML），列出全部问题。",
            "Check a study, an instrument (YAML) or a folder of them; list every fault.",
        )
    )
    def validate(
        path: Annotated[
            Path,
            typer.Argument(help=_help("研究或问卷的文件夹或文件。", "The folder or file of a study or instrument.")),
        ],
        csv: Annotated[
            Path | None,
            typer.Option(help=_help("把全部问题另存为 CSV。", "Also write every fault to a CSV file.")),
        ] = None,
    ) -> None:
        raise typer.Exit(_validate(path, csv))

    @app.command(
        help=_help(
            "生成一张供学校填写的表（xlsx），带选项、说明和示例。",
            "Write a form (xlsx) for schools to fill in, with lists, instructions and an example.",
        )
    )
    def template(
        study: Annotated[Path, typer.Argument(help=said["study"])],
        table: Annotated[
            str, typer.Option(help=_help("哪张表，如 training、任职。", "Which table, such as training."))
        ],
        out: Annotated[Path | None, typer.Option(help=_help("写入的文件。", "The file to write."))] = None,
    ) -> None:
        from htresearch.intake.template import template as write

        made = write(study, table, out or Path(f"{table}.xlsx"))
        typer.echo(str(Text("已写入 {out}", "Written to {out}").format(out=made)))

    @app.command(
        help=_help(
            "把外来文件并入研究：有 --instrument 时读问卷导出，有 --roster 时读学校的工作簿，都没有时读填好的表。",
            "Take files into a study: exports of answers with --instrument, schools' own workbooks with --roster, "
            "filled forms otherwise.",
        )
    )
    def intake(
        files: Annotated[list[Path], typer.Argument(help=_help("文件或文件夹。", "Files, or folders of them."))],
        study: Annotated[Path, typer.Option(help=said["study"])],
        instrument: Annotated[Path | None, typer.Option(help=_help("问卷（YAML）。", "The instrument."))] = None,
        wave: Annotated[str | None, typer.Option(help=_help("批次，如 2024-2。", "The round, as 2024-2."))] = None,
        source: Annotated[
            str | None,
            typer.Option(help=_help("来源：wenjuanxing、tencent、sav、dta、csv、xlsx。", "The source.")),
        ] = None,
        mode: Annotated[
            str | None, typer.Option(help=_help("导出方式：text、number、score。", "text, number or score."))
        ] = None,
        roster: Annotated[
            Path | None, typer.Option(help=_help("名册（xlsx），放在研究之外。", "The roster, kept apart."))
        ] = None,
        key: Annotated[
            Path | None, typer.Option(help=_help("密钥文件，放在研究之外。", "The key file, kept apart."))
        ] = None,
        new_key: Annotated[
            bool, typer.Option("--new-key", help=_help("新建该密钥文件。", "Make the key file."))
        ] = False,
        linkage: Annotated[
            Path | None,
            typer.Option(help=_help("对照表写入的文件，放在研究之外。", "Where to keep the linkage table, apart.")),
        ] = None,
        receipts: Annotated[
            Path | None, typer.Option(help=_help("回执写入的文件夹。", "The folder for receipts."))
        ] = None,
        sheet: Annotated[str | None, typer.Option(help=_help("工作表的名称。", "The name of the sheet."))] = None,
        columns: Annotated[
            list[str] | None,
            typer.Option(
                help=_help(
                    "某列是哪道题，如 I1=trained；I1= 表示不收。可多次给出。",
                    "Which item a column is, as I1=trained; I1= leaves it out. May be given several times.",
                )
            ),
        ] = None,
        without: Annotated[
            list[str] | None,
            typer.Option(
                help=_help("当时没有问的题，可多次给出。", "An item not asked; may be given several times.")
            ),
        ] = None,
        opened_on: Annotated[
            str | None, typer.Option(help=_help("调查第一天，如 2024-09-01。", "The round's first day."))
        ] = None,
        closed_on: Annotated[str | None, typer.Option(help=_help("调查最后一天。", "The round's last day."))] = None,
        accept: Annotated[
            Accept,
            typer.Option(
                help=_help(
                    "表和工作簿与研究已有的记录不同时：nothing 只列出，empty 补上研究中空着的，new 以新写的为准。",
                    "Where forms or workbooks differ from the study: nothing lists it, empty fills in what the study "
                    "leaves empty, new takes what they say.",
                )
            ),
        ] = Accept.nothing,
    ) -> None:
        receipts = receipts or study.with_name(f"{study.name}-receipts")
        checks.require(_no_folder("--receipts", receipts))
        if instrument is not None:
            checks.require(None if accept is Accept.nothing else _NOT_ANSWERS)
            days = {"opened_on": opened_on, "closed_on": closed_on}
            given = {"source": source, "mode": mode, "sheet": sheet, **days}
            given |= {"columns": _pairs(columns), "without": without}
            _intake_answers(files, study, instrument, wave, key, new_key, linkage, roster, receipts, given)
        elif roster is not None:
            _intake_workbooks(files, study, roster, receipts, accept.value)
        else:
            raise typer.Exit(_intake_forms(files, study, accept.value))

    new = typer.Typer(no_args_is_help=True, help=_help("生成要填写的东西。", "Make what is to be filled in."))
    app.add_typer(new, name="new")

    @new.command(
        "class-study",
        help=_help(
            "生成一项班级研究的工作簿（xlsx）和一张手写的记录表（PDF），不用编程。",
            "Make the workbook of a class study (xlsx) and a sheet to record on by pen (PDF): no code needed.",
        ),
    )
    def class_study(
        folder: Annotated[Path, typer.Argument(help=_help("写入的文件夹。", "The folder to write into."))],
        topic: Annotated[
            str | None,
            typer.Option(help=_help("选题，如 lateness 或 迟到。", "What is studied, such as lateness.")),
        ] = None,
        spoken: Annotated[
            Language | None, typer.Option("--language", help=_help("所用语言。", "The language to speak."))
        ] = None,
        draw: Annotated[
            str | None,
            typer.Option(
                help=_help(
                    "抽签定从第几条记录起改变：范围如 11-30，或 auto（按选题）。",
                    "Draw the record with which the change begins: a range such as 11-30, or auto for the topic's.",
                )
            ),
        ] = None,
    ) -> None:
        if spoken:
            language.use(spoken.value)
        for made in _new_class_study(folder, topic, _lot(draw)):
            typer.echo(str(Text("已写入 {out}", "Written to {out}").format(out=made)))

    @app.command(help=_help("运行笔记本并生成双语网站。", "Run the notebooks and make the site in both languages."))
    def publish(
        notebooks: Annotated[Path, typer.Argument(help=said["notebooks"])] = Path("notebooks"),
        site: Annotated[Path, typer.Option(help=said["site"])] = Path("site"),
        only: Annotated[
            Language | None, typer.Option(help=_help("只生成一种语言。", "Make one language only."))
        ] = None,
        workers: Annotated[
            int, typer.Option(min=1, help=_help("同时运行的笔记本数。", "How many notebooks run at once."))
        ] = 2,
        refresh: Annotated[
            bool,
            typer.Option(
                "--refresh",
                help=_help(
                    "不生成网站，而用中文运行并把输出写回笔记本。",
                    "Make no site; run in Chinese and write the outputs back into the notebooks.",
                ),
            ),
        ] = False,
        fresh: Annotated[
            bool,
            typer.Option(
                "--fresh",
                help=_help("全部重新运行，不用上次留下的。", "Run everything, whatever was kept of earlier runs."),
            ),
        ] = False,
        pdf: Annotated[
            bool, typer.Option("--pdf", help=_help("每页另存为 PDF。", "Make a PDF of each page too."))
        ] = False,
        docs: Annotated[
            Path | None,
            typer.Option(
                help=_help(
                    "使用说明（Markdown）所在的文件夹；不给出则用笔记本旁的 docs。",
                    "The folder of documentation in Markdown; unless given, docs beside the notebooks.",
                )
            ),
        ] = None,
    ) -> None:
        if refresh:
            _refresh(notebooks, workers)
        else:
            _publish(notebooks, site, (only.value,) if only else language.LANGUAGES, workers, fresh, pdf, docs)

    @app.command(help=_help("在 JupyterLab 中打开笔记本。", "Open the notebooks in JupyterLab."))
    def lab(
        notebooks: Annotated[Path, typer.Argument(help=said["notebooks"])] = Path("notebooks"),
    ) -> None:
        raise typer.Exit(_lab(notebooks))

    @app.command(
        help=_help(
            "测速：本项目与已安装的其他程序在同一台机器上做同样的事：拟合模型、读入答卷、计算量表。",
            "Timings: this project and what else is installed do the same on one machine: models, intake, scales.",
        )
    )
    def bench(
        out: Annotated[Path, typer.Argument(help=_help("结果写入的文件夹。", "The folder for the results."))] = Path(
            "benchmarks"
        ),
        only: Annotated[
            list[Group] | None,
            typer.Option(help=_help("只测这一组，可多次给出。", "This group only; may be given several times.")),
        ] = None,
        rows: Annotated[
            list[int] | None,
            typer.Option(min=2000, help=_help("行数，可多次给出。", "How many rows; may be given several times.")),
        ] = None,
        repeats: Annotated[int, typer.Option(min=1, help=_help("每项做几遍。", "How often each task is done."))] = 3,
        limit: Annotated[
            int, typer.Option(min=1, help=_help("一个程序最多几秒。", "Seconds that a program may take."))
        ] = 900,
        slow: Annotated[
            bool, typer.Option("--slow", help=_help("也做要几分钟的对照。", "Also what takes others minutes."))
        ] = False,
        data: Annotated[
            Path | None,
            typer.Option(help=_help("留存数据的文件夹，下次不必重做。", "Keep the data here for the next run.")),
        ] = None,
        python: Annotated[
            list[str] | None,
            typer.Option(
                metavar="NAME=PATH",
                help=_help(
                    "某个程序另用的 Python，如 factor_analyzer=…/bin/python，可多次给出。",
                    "Another Python for a program, such as factor_analyzer=…/bin/python; may be given several times.",
                ),
            ),
        ] = None,
    ) -> None:
        _bench(out, [group.value for group in only or Group], rows, repeats, limit, slow, data, python or [])

    app.add_typer(_reports(), name="report", help=_help("写报告。", "Write reports."))
    return app


def _reports() -> typer.Typer:
    """Build the commands that write reports."""
    reports = typer.Typer(no_args_is_help=True)

    @reports.callback()
    def several() -> None:
        """Keep the names of the commands, however many there are."""

    @reports.command(
        "class",
        help=_help(
            "把填好的“我的班级研究”写成两页的报告：网页、PDF、Word 和图。一个文件有问题，不影响别的。",
            "Write two-page reports on filled class studies: page, PDF, Word and graph. A faulty file stops no "
            "other.",
        ),
    )
    def one_class(
        files: Annotated[
            list[Path], typer.Argument(help=_help("工作簿，或放着它们的文件夹。", "Workbooks, or folders of them."))
        ],
        out: Annotated[
            Path, typer.Option(help=_help("报告写入的文件夹。", "The folder that the reports are written to."))
        ] = Path("class-reports"),
        spoken: Annotated[
            Language | None, typer.Option("--language", help=_help("报告的语言。", "The language of the reports."))
        ] = None,
        formats: Annotated[
            list[ReportFormat] | None,
            typer.Option(
                "--format", help=_help("只要这一种，可多次给出。", "This one only; may be given several times.")
            ),
        ] = None,
        plan: Annotated[
            Path | None,
            typer.Option(
                help=_help(
                    "表格（CSV）没有计划时，从这个工作簿取。", "The workbook with the plan for tables without."
                )
            ),
        ] = None,
        workers: Annotated[
            int, typer.Option(min=1, help=_help("同时写几份。", "How many reports are written at once."))
        ] = 2,
    ) -> None:
        chosen = spoken.value if spoken else language.current()
        kinds = [kind.value for kind in formats or ReportFormat]
        raise typer.Exit(_report_class(files, out, kinds, chosen, plan, workers))

    return reports


def _report_class(
    files: list[Path], out: Path, formats: list[str], spoken: str, plan: Path | None, workers: int
) -> int:
    with _counting(Text("写报告", "Writing reports")) as progress:
        from htresearch.publish import report_class

        reports = report_class(files, out, formats, spoken, plan, workers, progress)
    with language.speaking(spoken):
        typer.echo(str(reports))
    return 1 if reports.failed else 0


def _bench(
    out: Path,
    groups: list[str],
    rows: list[int] | None,
    repeats: int,
    limit: int,
    slow: bool,
    data: Path | None,
    python: list[str],
) -> None:
    from htresearch import bench
    from htresearch.appearance import figure
    from htresearch.atomic import write_file

    checks.require(*(None if "=" in one else _no_python(one) for one in python))
    pythons = dict(one.split("=", 1) for one in python)
    out.mkdir(parents=True, exist_ok=True)
    with _counting(Text("测速", "Timing")) as progress:
        times = bench.run(rows, repeats, limit, slow, data, progress, groups, pythons)
    typer.echo(bench.table(times).plain)
    alt = Text("各程序做同样的事所用的秒数。", "Seconds that each program takes for the same.")
    for group, own in times.groupby("group", sort=False):
        own = own.drop(columns="group").round(4)
        write_file(out / f"{group}_speed.csv", own.to_csv(index=False, lineterminator="\n").encode("utf-8-sig"))
        write_file(out / f"{group}_speed.png", figure(bench.figure(own), alt).png)
    typer.echo(str(Text("已写入 {out}", "Written to {out}").format(out=out)))


def _no_python(given: str) -> Fault:
    return Fault(
        "--python",
        Text("须写成“程序=路径”", "must be a program and a path"),
        Text("例如 --python factor_analyzer=PATH", "Write it like --python factor_analyzer=PATH"),
        given,
    )


def _validate(path: Path, csv: Path | None) -> int:
    from htresearch import study

    if _holds_instruments(path):
        return _lint(path)
    with _working(Text("正在校验……", "Checking …")):
        faults = study.validate(path)
    if csv is not None:
        from htresearch.atomic import write_file

        # The mark at the start tells Excel that the Chinese is UTF-8.
        write_file(csv, faults.to_csv(index=False).encode("utf-8-sig"))
    if faults.empty:
        typer.echo(str(Text("{path}：校验通过，没有问题。", "{path}: sound, no faults.").format(path=path)))
        return 0
    typer.echo(study.report(faults))
    return 1


def _holds_instruments(path: Path) -> bool:
    """Tell instruments from a study: YAML files are no table of one."""
    kinds = {p.suffix for p in path.iterdir()} if path.is_dir() else {path.suffix}
    return bool(kinds & {".yaml", ".yml"}) and not kinds & {".parquet", ".csv"}


def _lint(path: Path) -> int:
    from htresearch import instruments

    faults = instruments.lint(path)
    if not faults:
        typer.echo(str(Text("{path}：校验通过，没有问题。", "{path}: sound, no faults.").format(path=path)))
        return 0
    typer.echo(str(HTResearchError(*faults)))
    return 1


def _intake_answers(
    paths: list[Path],
    study: Path,
    instrument: Path,
    wave: str | None,
    key: Path | None,
    new_key: bool,
    linkage: Path | None,
    roster: Path | None,
    receipts: Path,
    given: dict[str, object],
) -> None:
    from htresearch.instruments import load_instrument
    from htresearch.intake import Key, Linkage
    from htresearch.intake.files import fingerprint
    from htresearch.intake.school import Roster

    asked = load_instrument(instrument)
    needed = {"wave": wave, "key": key, **({} if asked.anonymous else {"linkage": linkage})}
    checks.require(*[_lacking(name) for name, value in needed.items() if value is None])
    names = None if roster is None else Roster.read(roster)
    before = fingerprint(study)
    opened = (Key.create if new_key else Key.open)(key, study)
    try:
        known = Linkage(opened)
        if linkage is not None:
            known.check(linkage, study)
        how = {name: value for name, value in given.items() if value}
        _take_in_each(paths, (asked, study, wave, opened, known, names), how, linkage, receipts)
    except BaseException:
        if new_key and fingerprint(study) == before:
            key.unlink(missing_ok=True)  # nothing was made with it, and the next run is to make it
        raise
    if linkage is not None:
        typer.echo(str(Text("对照表：{p}", "Linkage table: {p}").format(p=linkage)))


def _take_in_each(paths: list[Path], what: tuple, how: dict, linkage: Path | None, receipts: Path) -> None:
    from htresearch.intake import folders, take_in

    files, beside = folders.tables_in(paths, folders.TABLES | folders.LABELLED)
    checks.require(None if files else _no_files(paths))
    if (passed := folders.not_read(beside)) is not None:
        typer.echo(str(passed))
    for path in files:
        try:
            with _working(Text("正在读入 {path} ……", "Reading {path} …").format(path=path.name)):
                receipt = take_in(path, *what, **how)
        except HTResearchError as error:
            if any(name in str(error) for name in ("columns=", "without=")):
                raise type(error)(*error.faults, _AS_OPTIONS) from None
            raise
        _, study, _, _, known, _ = what
        if linkage is not None:
            known.save(linkage, study)  # file by file: a fault in the next loses nothing of this one
        _say_receipt(receipt, receipts)


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


def _pairs(given: list[str] | None) -> dict[str, str | None]:
    """Return columns and their items from what was written as ``I1=trained``."""
    checks.require(*(_no_pair(text) for text in given or () if "=" not in text))
    parted = (text.rpartition("=") for text in given or ())
    return {column: item or None for column, _, item in parted}


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


def _no_folder(option: str, path: Path) -> Fault | None:
    if path.is_dir() or not path.exists():
        return None
    return Fault(
        option,
        Text("不是文件夹", "is no folder"),
        Text("请换一个文件夹名", "Choose another folder"),
        str(path),
    )


def _intake_workbooks(paths: list[Path], study: Path, roster: Path, receipts: Path, accept: str) -> None:
    from htresearch.intake.school import Roster, take_in

    with _working(Text("正在读入学校的工作簿……", "Reading schools' workbooks …")):
        taken = take_in(paths, study, Roster.read(roster), accept=accept)
    _say_receipt(taken.receipt, receipts)


def _intake_forms(paths: list[Path], study: Path, accept: str) -> int:
    from htresearch.intake import forms, merge

    with _working(Text("正在读入填好的表……", "Reading filled forms …")):
        read = forms.read(paths, study, accept=accept)
    if read.faults:
        typer.echo(str(HTResearchError(*read.faults)))
        return 1
    merged = merge(study, read.tables, ", ".join(path.name for path in paths[:3]), accept=accept)
    for note in read.notes:
        typer.echo(str(note))
    for table, added in merged.added.items():
        counts = Text(
            "{table}：新增 {added} 行，已有 {same} 行，有矛盾未并入 {held} 行",
            "{table}: {added} rows added, {same} known already, {held} contradicting and left out",
        )
        said = counts.format(
            table=language.label(table), added=added, same=merged.same[table], held=merged.held[table]
        )
        changed = merged.changed[table]
        more = Text(f"，改动 {changed} 行", f", {changed} changed") if changed else ""
        typer.echo(f"{said}{more}")
    for title, cells in ((_CHANGED, merged.changes), (_LEFT, merged.conflicts)):
        if len(cells):
            typer.echo(str(title))
            typer.echo(cells.to_string(index=False))
    return 0


_NOT_ANSWERS = Fault(
    "--accept",
    Text("不用于问卷答案：已有的答案不改", "is not for answers: those that the study has stay"),
    Text("请去掉 --accept", "Leave --accept out"),
)
_CHANGED = Text("研究中已有的记录，按要求改动：", "Changed in the study, as asked:")
_LEFT = Text(
    "与研究已有的记录不同，未并入（核对后，可用 --accept empty 补上空着的，或用 --accept new 以新写的为准）：",
    "Different from the study and left out (once checked, --accept empty fills in what is empty there, --accept new "
    "takes what is new):",
)


def _new_class_study(folder: Path, topic: str | None, draw: bool | tuple[int, int]) -> list[Path]:
    from htresearch.intake.class_study.form import FILE_NAME, write_workbook
    from htresearch.intake.class_study.topics import topic as find_topic
    from htresearch.publish.class_report import record_sheet

    chosen = None if topic is None else find_topic(topic)
    book, sheet = folder / str(FILE_NAME), folder / str(Text("记录表.pdf", "record-sheet.pdf"))
    checks.require(*(_taken(path) for path in (book, sheet)))
    folder.mkdir(parents=True, exist_ok=True)
    write_workbook(book, topic=chosen, draw=draw)
    try:
        record_sheet(sheet, chosen, language.current())
    except BaseException:
        book.unlink()  # both or nothing: what is there would be in the way of the next try
        raise
    return [book, sheet]


def _taken(path: Path) -> Fault | None:
    if not path.exists():
        return None
    rule = Text("已经存在，可能有人填过", "is there already and may have been filled in")
    return Fault(str(path), rule, Text("请换一个文件夹", "Choose another folder"))


def _lot(draw: str | None) -> bool | tuple[int, int]:
    """Return what ``--draw`` asks for."""
    if draw is None or draw == "auto":
        return draw is not None
    ends = re.fullmatch(r"(\d{1,4})\s*[-–至到~]\s*(\d{1,4})", draw.strip())
    if ends is None:
        rule = Text("不是抽签的范围", "is no range of a lot")
        fix = Text("请写成 11-30，或 auto", "Write it as 11-30, or auto")
        raise HTResearchError(Fault(checks.argument("--draw"), rule, fix, draw))
    return int(ends[1]), int(ends[2])


def _say_receipt(receipt, folder: Path) -> None:
    typer.echo(str(receipt))
    _, page = receipt.write(folder)
    typer.echo(str(Text("回执：{page}", "Receipt: {page}").format(page=page)))


def _lacking(name: str) -> Fault:
    return Fault(
        f"--{name}",
        Text("读问卷导出时必须给出", "is needed to take answers in"),
        Text("用法见 htresearch intake --help", "See htresearch intake --help"),
    )


def _publish(
    notebooks: Path,
    site: Path,
    languages: Sequence[str],
    workers: int,
    fresh: bool = False,
    pdf: bool = False,
    docs: Path | None = None,
) -> None:
    from htresearch.publish import build_site

    if docs is None and (beside := notebooks.absolute().parent / "docs").is_dir():
        docs = beside
    with _counting(Text("运行笔记本", "Running notebooks")) as progress:
        index = build_site(
            notebooks,
            site,
            languages=languages,
            workers=workers,
            progress=progress,
            fresh=fresh,
            pdf=pdf,
            docs=docs,
        )
    typer.echo(str(Text("网站：{index}", "Site: {index}").format(index=index)))


def _refresh(notebooks: Path, workers: int) -> None:
    from htresearch.publish import refresh

    with _counting(Text("运行笔记本", "Running notebooks")) as progress:
        changed = refresh(notebooks, workers=workers, progress=progress)
    for path in changed:
        typer.echo(str(path))
    typer.echo(str(Text("{n} 个笔记本的输出有变化。", "{n} notebooks changed.").format(n=len(changed))))


def _demo(data: Path, notebooks: Path, site: Path) -> None:
    import htresearch as ht

    with _working(Text("正在校验演示数据……", "Checking the demo data …")):
        study = ht.open_study(data)
    typer.echo(str(Text("1. 数据校验通过：{data}", "1. The data are sound: {data}").format(data=data)))

    with _working(Text("正在建立面板……", "Building the panels …")):
        students = study.student_terms(measure=DEMO_MEASURE)
        classes = study.class_terms(measure=DEMO_MEASURE)
    counts = Text(
        "2. 面板：学生×学期 {students:,} 行，班级×学期 {classes:,} 行",
        "2. Panels: {students:,} rows of students by terms, {classes:,} of classes by terms",
    )
    typer.echo(str(counts.format(students=len(students), classes=len(classes))))

    with _working(Text("正在拟合多层模型……", "Fitting a multilevel model …")):
        fit = ht.fit_multilevel(DEMO_FORMULA, classes)
    typer.echo(str(Text("3. 多层模型：{formula}", "3. Multilevel model: {formula}").format(formula=DEMO_FORMULA)))
    typer.echo(ht.table(fit.tidy()).plain)

    typer.echo(str(Text("4. 运行笔记本，生成网站", "4. Running the notebooks, making the site")))
    _publish(notebooks, site, language.LANGUAGES, workers=2)


def _lab(notebooks: Path) -> int:
    import os
    import subprocess
    from importlib.util import find_spec

    if not find_spec("jupyterlab"):
        raise ModuleNotFoundError(name="jupyterlab")
    if not notebooks.is_dir():
        raise HTResearchError(
            Fault(
                str(notebooks),
                Text("没有这个文件夹", "there is no such folder"),
                Text("请在项目文件夹中运行", "Run in the project's folder"),
            )
        )
    # The root is the folder above, so that the data beside the notebooks can be opened too; no news, no look-ups.
    folder = notebooks.resolve()
    options = (
        f"--ServerApp.root_dir={folder.parent}",
        f"--LabApp.default_url=/lab/tree/{folder.name}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=",
        "--LabApp.extension_manager=readonly",
    )
    speaking = {**os.environ, "HTRESEARCH_LANGUAGE": language.current()}
    return subprocess.run([sys.executable, "-m", "jupyterlab", *options], env=speaking, check=False).returncode


if __name__ == "__main__":
    main()
