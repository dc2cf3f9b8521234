"""The site from end to end, on small notebooks in fresh kernels."""

import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from pypdf import PdfReader
from small_notebooks import OPENING, code, told, write

from htresearch.errors import ArgumentError, NotebookError
from htresearch.publish import build_site
from htresearch.publish.html.about import citation

TABLE = """
import pandas as pd, htresearch as ht
ht.table(pd.DataFrame({"term": ["training_hours"], "estimate": [0.0812]}), title=ht.language.Text("表一", "Table 1"))
"""
FIGURE = """
import matplotlib.pyplot as plt
ht.theme()
ax = plt.subplots()[1]
ax.bar(["=1+1", "B"], [3, 4.5], label="@sum")
ax.legend()
ax.set_title(str(ht.language.Text("班主任培训时数", "Training of head teachers")))
behind = {"n_students": [300, 300], "n_teachers": [9, 9], "n_schools": [4, 4]}
ht.figure(ax, ht.language.Text("空白的坐标系，标题<班主任>", "Empty axes"), counts=behind, statistic="mean")
"""
DOTS = """
import matplotlib.pyplot as plt, htresearch as ht
ht.figure(plt.subplots()[1].scatter([5 / 4, 2], [3, 4]).axes, "Two pupils")
"""


class Reading(HTMLParser):
    """What a page holds, as a browser would find it."""

    def __init__(self, page: str):
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    noise = "import sys; print('on stdout'); print('on stderr', file=sys.stderr)"
    where = "import os; print(os.path.basename(os.getcwd()), os.environ['OMP_NUM_THREADS'], greeting)"
    write(
        folder / "notebooks" / "00_tour.ipynb",
        code(noise),
        code("greeting = 'unset'", tags=["parameters"]),
        code(where),
        code(TABLE),
        told("zh", "## 结果\n\n<script>alert(1)</script>\n\n| 甲 | 乙 |\n|---|---:|\n| 1 | 2 |"),
        told("en", "## Result\n\n[next](20_dose.ipynb)"),
        code(TABLE),
        code(FIGURE),
    )
    write(folder / "notebooks" / "20_dose.ipynb", code("1 + 1"), code(DOTS))
    (folder / "notebooks" / "scratch.ipynb").write_text("not published", encoding="utf-8")
    seen, said = [], []
    index = build_site(
        folder / "notebooks",
        folder / "site",
        parameters={"greeting": "set"},
        progress=lambda done, total, name: seen.append((done, total, name)),
        report=said.append,
    )
    assert [text.zh for text in said] == ["图 2 幅：按规则“public”检查图中的数据，1 幅可下载，1 幅未通过、不提供。"]
    assert seen == [(1, 4, "00_tour"), (2, 4, "00_tour"), (3, 4, "20_dose"), (4, 4, "20_dose")]
    return index.parent


def read(site, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")


PAGES = ("index.html", "zh/00_tour.html", "en/00_tour.html", "zh/20_dose.html", "en/20_dose.html")


def test_it_is_complete_and_nothing_is_left_beside_it(site):
    assert sorted(p.relative_to(site).as_posix() for p in site.rglob("*.html")) == sorted(PAGES)
    assert sorted(p.name for p in site.parent.iterdir()) == [".site-runs", "notebooks", "site"]


def test_each_page_speaks_its_language_only(site):
    zh, en = read(site, "zh/00_tour.html"), read(site, "en/00_tour.html")
    assert '<html lang="zh-CN">' in zh and '<html lang="en">' in en
    assert "培训多的班级是否更好？" in zh and "Do classes" not in zh
    assert "Do classes" in en and "培训多的" not in en
    assert ">表一</td>" in zh and ">表一</td>" not in en and ">Table 1</td>" in en


def test_the_contents_show_both_languages(site):
    index = read(site, "index.html")
    assert all(
        word in index for word in ("导览", "Tour", "模型", "Models", "培训时数", "Training hours", "是否更好？")
    )


def test_links_lead_somewhere(site):
    for name in PAGES:
        page = site / name
        for link in Reading(read(site, name)).all("a"):
            target = link["href"].partition("#")[0]
            assert "\\" not in target
            assert not target or (page.parent / target).resolve().is_file(), (name, target)


def test_figures_offer_the_data_behind_them_and_no_formula(site):
    page = read(site, "zh/00_tour.html")
    assert (
        '<figcaption><a href="data/00_tour-1.csv" download>图中的数据（CSV，已通过披露检查）</a></figcaption>' in page
    )
    assert "Data behind the figure (CSV, checked for disclosure)" in read(site, "en/00_tour.html")
    content = (site / "zh" / "data" / "00_tour-1.csv").read_bytes().decode("utf-8-sig")
    assert content == "系列,形式,横轴,纵轴\n'@sum,柱,'=1+1,3\n'@sum,柱,B,4.5\n"
    assert "Series,Mark,Horizontal,Vertical" in read(site, "en/data/00_tour-1.csv")


def test_data_that_did_not_pass_are_nowhere_and_the_page_says_so(site):
    assert "<figcaption>图中的数据没有通过披露检查，不提供下载。</figcaption>" in read(site, "zh/20_dose.html")
    assert "did not pass the check for disclosure" in read(site, "en/20_dose.html")
    assert sorted(path.name for path in site.rglob("*.csv")) == ["00_tour-1.csv", "00_tour-1.csv"]
    kept = [path.read_text(encoding="utf-8") for path in (site.parent / ".site-runs").iterdir()]
    assert not any("1.25" in run for run in kept) and any('"refused"' in run for run in kept)
    assert "those behind 1 did not pass and are not." in read(site, "index.html")


def test_pages_for_inside_are_marked_on_every_page(tmp_path):
    write(tmp_path / "n" / "10_a.ipynb", code("1"))
    site = build_site(tmp_path / "n", tmp_path / "site", rules="internal", pdf=True).parent
    for name in ("index.html", "zh/10_a.html"):
        assert '<p class="mark" lang="zh-CN">内部使用，不得外传。</p>' in read(site, name)
    assert "For internal use" in read(site, "en/10_a.html") and "For internal use" in read(site, "index.html")
    assert "For internal use" in PdfReader(site / "en" / "10_a.pdf").pages[0].extract_text()


@pytest.mark.parametrize("given", [{"figure_data": "all"}, {"rules": "none"}])
def test_an_unknown_choice_is_a_fault(tmp_path, given):
    with pytest.raises(ArgumentError):
        build_site(tmp_path, tmp_path / "site", **given)


def test_a_page_says_how_to_cite_it_and_what_made_it(site):
    page = read(site, "en/20_dose.html")
    assert "The htresearch developers. “Training hours”. In: htresearch, version" in page
    assert "Python 3" in page and "pandas 3" in page


def test_the_project_s_own_citation_is_taken(tmp_path):
    written = "title: Class research\nversion: 2.1\ndate-released: 2026-09-01\nauthors:\n"
    written += "  - {given-names: Min, family-names: Zhao}\n  - {name: A centre}\n"
    (tmp_path / "CITATION.cff").write_text(written, encoding="utf-8")
    assert citation(tmp_path).of("T").en == "Min Zhao, A centre. “T”. In: Class research, version 2.1, 2026."
    for broken in ("title: [", "authors: 3\ntitle: x", "- x"):
        (tmp_path / "CITATION.cff").write_text(broken, encoding="utf-8")
        assert citation(tmp_path).title == "htresearch"


def test_the_package_is_cited_as_its_file_says():
    root, own = Path(__file__).parents[2], citation("nowhere")
    assert (citation(root).authors, citation(root).version) == (own.authors, own.version)


def test_pages_turn(site):
    assert 'rel="next" class="next" href="20_dose.html"' in read(site, "zh/00_tour.html")
    assert 'rel="prev" href="00_tour.html"' in read(site, "en/20_dose.html")
    assert 'href="../en/20_dose.html" lang="en"' in read(site, "zh/20_dose.html")


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_loaded_from_outside(site, name):
    page = read(site, name)
    reading = Reading(page)
    for _, attributes in reading.elements:
        for key in ("src", "srcset", "poster", "data"):
            assert attributes.get(key, "data:").startswith("data:")
        assert not re.search(r"url\(|@import", attributes.get("style") or "")
        assert not [key for key in attributes if key.startswith("on")]
    assert not re.search(r"url\(|@import", page.partition("<body")[0])
    assert not [tag for tag, _ in reading.elements if tag in ("script", "link", "iframe", "object")]


@pytest.mark.parametrize("name", PAGES)
def test_identifiers_are_unique_and_point_to_something(site, name):
    elements = Reading(read(site, name)).elements
    names = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(names) == len(set(names))
    for _, attributes in elements:
        for key in ("headers", "aria-labelledby"):
            assert set((attributes.get(key) or "").split()) <= set(names)


def test_tables_shed_their_style_and_say_what_a_heading_heads(site):
    page = read(site, "zh/00_tour.html")
    assert page.count("<style") == 1
    assert all(cell.get("scope") in ("col", "row") for cell in Reading(page).all("th"))


def test_images_have_words_that_stand_for_them(site):
    (image,) = Reading(read(site, "zh/00_tour.html")).all("img")
    assert image["alt"] == "空白的坐标系，标题<班主任>"
    assert image["src"].startswith("data:image/png;base64,")
    assert Reading(read(site, "en/00_tour.html")).all("img")[0]["alt"] == "Empty axes"


def test_the_error_stream_is_not_shown_and_raw_html_stays_text(site):
    page = read(site, "zh/00_tour.html")
    assert "on stdout</pre>" in page and "on stderr</pre>" not in page
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_runs_are_in_the_notebooks_folder_on_one_thread_with_the_parameters(site):
    assert "notebooks 1 set" in read(site, "zh/00_tour.html")


def test_a_failing_cell_leaves_the_old_site_and_is_kept(tmp_path):
    write(tmp_path / "n" / "10_good.ipynb", code("1"))
    write(
        tmp_path / "n" / "20_bad.ipynb", code("x = 1"), code("# a remark\nfrom math import pi\n{}['培训']"), code("x")
    )
    old = tmp_path / "site"
    old.mkdir()
    (old / "index.html").write_text('<meta name="generator" content="htresearch 0">old', encoding="utf-8")
    with pytest.raises(NotebookError) as caught:
        build_site(tmp_path / "n", old)
    (fault,) = caught.value.faults  # once, though it failed in both languages
    assert str(fault.where) == "20_bad.ipynb 代码单元格 [2] `from math import pi`"
    assert fault.rule.zh == "运行停止：KeyError: '培训'" and fault.rule.en == "the run stopped: KeyError: '培训'"
    assert "old" in (old / "index.html").read_text(encoding="utf-8")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".site-runs", "20_bad.failed.ipynb", "n", "site"]
    failed = nbformat.read(tmp_path / "20_bad.failed.ipynb", as_version=4)
    sources = [cell.source for cell in failed.cells]
    assert "The run stopped" in sources[sources.index("x = 1") + 1]
    assert [output.output_type for output in failed.cells[4].outputs] == ["error"]


def test_an_image_without_words_is_refused_with_every_other_fault(tmp_path):
    drawn = "from IPython.display import HTML, Image\nImage(data=b'\\x89PNG\\r\\n\\x1a\\n' + b'0' * 30, format='png')"
    write(tmp_path / "n" / "10_a.ipynb", code(drawn), code("HTML('<script src=x></script>')"))
    with pytest.raises(NotebookError) as caught:
        build_site(tmp_path / "n", tmp_path / "site", languages=["en"])
    assert caught.value.faults[0].rule.en == "an image has no alternative text"
    assert "<script>" in str(caught.value)
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("opening", [(), OPENING[:1], OPENING[1:], (*OPENING, OPENING[0])])
def test_unpaired_narrative_is_refused_before_anything_runs(tmp_path, opening):
    write(tmp_path / "10_a.ipynb", code("raise SystemError"), opening=opening)
    with pytest.raises(NotebookError, match="须成对"):
        build_site(tmp_path, tmp_path / "site")


def test_a_missing_heading_is_refused(tmp_path):
    write(tmp_path / "10_a.ipynb", opening=(told("zh", "没有标题"), told("en", "# Title")))
    with pytest.raises(NotebookError, match="标为 zh 的单元格中没有标题"):
        build_site(tmp_path, tmp_path / "site")


def test_a_folder_with_something_else_is_not_overwritten(tmp_path):
    write(tmp_path / "n" / "10_a.ipynb")
    kept = tmp_path / "mine" / "thesis.docx"
    kept.parent.mkdir()
    kept.write_text("years of work", encoding="utf-8")
    with pytest.raises(ArgumentError, match="不会覆盖"):
        build_site(tmp_path / "n", kept.parent)
    assert kept.read_text(encoding="utf-8") == "years of work"


@pytest.mark.parametrize("make", [lambda folder: None, lambda folder: folder.mkdir()])
def test_no_notebooks_is_a_fault(tmp_path, make):
    make(tmp_path / "n")
    with pytest.raises(NotebookError, match=r"文件夹|笔记本"):
        build_site(tmp_path / "n", tmp_path / "site")


def test_an_unknown_language_is_a_fault(tmp_path):
    with pytest.raises(ArgumentError):
        build_site(tmp_path, tmp_path / "site", languages=["fr"])
