"""Commands on notebooks: publish, check, lab; and the demonstration, which ends with publishing them."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from htresearch import language
from htresearch.cli.commands import command
from htresearch.cli.options import Ids, Language, Linkage, Roster
from htresearch.cli.options import secrets as read_secrets
from htresearch.cli.progress import counting, working
from htresearch.errors import Fault, HTResearchError
from htresearch.language import Text

#: What the demonstration fits: one row per class and term, terms within classes, classes within schools.
DEMO_MEASURE = "maths"
DEMO_FORMULA = "score ~ training_hours + tier + (1 | school_id/class_id)"

_NOTEBOOKS = Text("笔记本所在的文件夹。", "The folder of the notebooks.")


class Behind(StrEnum):
    """What may be asked for of the data behind figures."""

    checked = "checked"
    unchecked = "unchecked"
    none = "none"


Data = Annotated[Path, typer.Option(help=Text("研究数据。", "The study."))]
DemoNotebooks = Annotated[Path, typer.Option(help=_NOTEBOOKS)]
Notebooks = Annotated[Path, typer.Argument(help=_NOTEBOOKS)]
Site = Annotated[Path, typer.Option(help=Text("网站写入的文件夹。", "The folder that the site is written to."))]
Only = Annotated[Language | None, typer.Option(help=Text("只生成一种语言。", "Make one language only."))]
Workers = Annotated[int, typer.Option(min=1, help=Text("同时运行的笔记本数。", "How many notebooks run at once."))]
Refresh = Annotated[
    bool,
    typer.Option(
        "--refresh",
        help=Text(
            "不生成网站，而用中文运行并把输出写回笔记本。",
            "Make no site; run in Chinese and write the outputs back into the notebooks.",
        ),
    ),
]
Fresh = Annotated[
    bool,
    typer.Option(
        "--fresh",
        help=Text("全部重新运行，不用上次留下的。", "Run everything, whatever was kept of earlier runs."),
    ),
]
Docs = Annotated[
    Path | None,
    typer.Option(
        help=Text(
            "使用说明（Markdown）所在的文件夹；不给出则用笔记本旁的 docs。",
            "The folder of documentation in Markdown; unless given, docs beside the notebooks.",
        )
    ),
]
FigureData = Annotated[
    Behind,
    typer.Option(
        help=Text(
            "图中的数据另存 CSV 供下载：通过披露检查的、不检查（只用于可以公开的数据）、都不给。",
            "Offer the numbers behind figures as CSV: those that pass the check for disclosure, all without a check "
            "(only for data that may be shown), or none.",
        ),
    ),
]
Applied = Annotated[
    str,
    typer.Option(
        "--rules",
        help=Text(
            "按哪种披露规则检查：public、public-minors、internal（每页注明内部使用）或规则文件。",
            "The rules of that check: public, public-minors, internal (which marks every page) or a file of rules.",
        ),
    ),
]
Checked = Annotated[
    list[Path] | None, typer.Argument(help=Text("笔记本，或所在的文件夹。", "Notebooks, or their folder."))
]
Rerun = Annotated[bool, typer.Option("--run/--no-run", help=Text("重跑。", "Run them anew."))]
Lax = Annotated[bool, typer.Option("--lax", help=Text("只比较作了标记的单元格。", "Compare marked cells only."))]
Timeout = Annotated[float, typer.Option(min=1, help=Text("每个单元格至多几秒。", "Seconds that a cell may take."))]
Pdf = Annotated[bool, typer.Option("--pdf", help=Text("每页另存为 PDF。", "Make a PDF of each page too."))]


@command(
    Text(
        "走完全程：校验演示数据，建立面板，拟合模型，运行笔记本，生成网站。",
        "The whole way: validate the demo data, build panels, fit a model, run the notebooks, make the site.",
    )
)
def demo(
    data: Data = Path("data/demo"), notebooks: DemoNotebooks = Path("notebooks"), site: Site = Path("site")
) -> None:
    """Go the whole way from the data to the site."""
    _demo(data, notebooks, site)


@command(Text("运行笔记本并生成双语网站。", "Run the notebooks and make the site in both languages."))
def publish(
    notebooks: Notebooks = Path("notebooks"),
    site: Site = Path("site"),
    only: Only = None,
    workers: Workers = 2,
    roster: Roster = None,
    linkage: Linkage = None,
    study: Ids = None,
    refresh: Refresh = False,
    fresh: Fresh = False,
    pdf: Pdf = False,
    docs: Docs = None,
    figure_data: FigureData = Behind.checked,
    rules: Applied = "public",
) -> None:
    """Run the notebooks, for the site or for themselves."""
    if refresh:
        _refresh(notebooks, workers)
    else:
        languages = (only.value,) if only else language.LANGUAGES
        secrets = read_secrets(roster, linkage, study)
        how = {"workers": workers, "fresh": fresh, "pdf": pdf, "secrets": secrets, "rules": rules}
        how["figure_data"] = figure_data.value
        _publish(notebooks, site, languages, docs, **how)


@command(
    Text(
        "发布前检查笔记本：重跑比较，查泄露、替代文字、字形和时钟。",
        "Check notebooks before they are shown: run anew and compared; leaks, alt texts, glyphs, clocks.",
    )
)
def check(
    notebooks: Checked = None,
    roster: Roster = None,
    linkage: Linkage = None,
    study: Ids = None,
    run: Rerun = True,
    lax: Lax = False,
    timeout: Timeout = 600,
) -> None:
    """Check notebooks, whoever wrote them."""
    from htresearch.publish import check_notebooks

    with counting(Text("检查笔记本", "Checking notebooks")) as progress:
        secrets = read_secrets(roster, linkage, study)
        checked = check_notebooks(notebooks or [Path("notebooks")], secrets, run, lax, timeout, progress)
    typer.echo(str(checked))
    raise typer.Exit(0 if checked.passed else 1)


@command(Text("在 JupyterLab 中打开笔记本。", "Open the notebooks in JupyterLab."))
def lab(notebooks: Notebooks = Path("notebooks")) -> None:
    """Open the notebooks."""
    raise typer.Exit(_lab(notebooks))


def _demo(data: Path, notebooks: Path, site: Path) -> None:
    import htresearch as ht

    with working(Text("正在校验演示数据……", "Checking the demo data …")):
        study = ht.open_study(data)
    typer.echo(str(Text("1. 数据校验通过：{data}", "1. The data are sound: {data}").format(data=data)))

    with working(Text("正在建立面板……", "Building the panels …")):
        students = study.student_terms(measure=DEMO_MEASURE)
        classes = study.class_terms(measure=DEMO_MEASURE)
    counts = Text(
        "2. 面板：学生×学期 {students:,} 行，班级×学期 {classes:,} 行",
        "2. Panels: {students:,} rows of students by terms, {classes:,} of classes by terms",
    )
    typer.echo(str(counts.format(students=len(students), classes=len(classes))))

    with working(Text("正在拟合多层模型……", "Fitting a multilevel model …")):
        fit = ht.fit_multilevel(DEMO_FORMULA, classes)
    typer.echo(str(Text("3. 多层模型：{formula}", "3. Multilevel model: {formula}").format(formula=DEMO_FORMULA)))
    typer.echo(ht.table(fit.tidy()).plain)

    typer.echo(str(Text("4. 运行笔记本，生成网站", "4. Running the notebooks, making the site")))
    _publish(notebooks, site, language.LANGUAGES, workers=2, pdf=True)


def _publish(notebooks: Path, site: Path, languages: Sequence[str], docs: Path | None = None, **how: object) -> None:
    from htresearch.publish import build_site

    if docs is None and (beside := notebooks.absolute().parent / "docs").is_dir():
        docs = beside
    said: list[Text] = []
    with counting(Text("运行笔记本", "Running notebooks")) as progress:
        index = build_site(notebooks, site, languages, progress=progress, docs=docs, report=said.append, **how)
    for sentence in said:
        typer.echo(str(sentence))
    typer.echo(str(Text("网站：{index}", "Site: {index}").format(index=index)))


def _refresh(notebooks: Path, workers: int) -> None:
    from htresearch.publish import refresh

    with counting(Text("运行笔记本", "Running notebooks")) as progress:
        changed = refresh(notebooks, workers=workers, progress=progress)
    for path in changed:
        typer.echo(str(path))
    typer.echo(str(Text("{n} 个笔记本的输出有变化。", "{n} notebooks changed.").format(n=len(changed))))


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
