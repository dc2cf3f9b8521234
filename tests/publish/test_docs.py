"""The documentation: every public function is documented, pages lead to each other, numbers are the benchmarks'."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from pypdf import PdfReader

from htresearch.errors import NotebookError
from htresearch.publish.docs import rooms, write_docs
from htresearch.publish.docs.docstring import parse
from htresearch.publish.docs.prose import inline
from htresearch.publish.docs.reference import call

ROOT = Path(__file__).parents[2]
NAMES = [name for room in rooms() for name in room.names]
FUNCTIONS = [name for name in NAMES if name.kind == "function"]

AT_LEAST_ROOMS = {"instruments", "intake", "multilevel", "publish", "scales", "singlecase", "study"}


def test_every_room_is_there():
    assert {room.name for room in rooms()} >= AT_LEAST_ROOMS
    assert len(FUNCTIONS) > 90


@pytest.mark.parametrize("name", FUNCTIONS, ids=lambda name: name.path)
class TestFunction:
    def test_it_has_a_summary_of_one_paragraph(self, name):
        assert name.docstring.summary and "\n\n" not in name.docstring.summary

    def test_its_parameters_are_those_of_the_signature_in_order(self, name):
        assert name.docstring.names("Parameters") == name.parameters()

    def test_each_parameter_is_explained(self, name):
        assert all(entry.text for entry in name.docstring.lists.get("Parameters", ()))

    def test_it_says_what_it_returns(self, name):
        said = name.docstring.lists.get("Returns", []) + name.docstring.lists.get("Yields", [])
        assert said or name.signature.return_annotation in (None, "None")

    def test_errors_are_errors_with_a_reason(self, name):
        for entry in name.docstring.lists.get("Raises", ()):
            assert entry.text
            assert all(re.fullmatch(r"\w*(Error|Exit)", kind.strip()) for kind in entry.kind.split(","))

    def test_it_has_an_example(self, name):
        assert ">>>" in name.docstring.sections.get("Examples", "")


@pytest.mark.parametrize("name", [n for n in NAMES if n.kind == "class"], ids=lambda name: name.path)
def test_classes_and_what_they_can_do_have_a_summary(name):
    assert name.docstring.summary
    assert [member.path for member in name.members if not member.docstring.summary] == []


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    write_docs(ROOT / "docs", folder, notebooks=["00_tour"])
    return folder


class Page(HTMLParser):
    """The links, identifiers and headings of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.links, self.ids, self.headings, self.loads = [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "a":
            self.links.append(values["href"])
        elif values.get("src") or tag in ("script", "link", "iframe"):
            self.loads.append(values.get("src", tag)[:30])
        if "id" in values:
            self.ids.append(values["id"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))


def test_every_page_is_there_in_both_languages_and_in_the_contents(site):
    pages = {spoken: sorted(p.name for p in (site / spoken).iterdir()) for spoken in ("zh", "en")}
    assert pages["zh"] == pages["en"]
    linked = set(Page(site / "index.html").links)
    assert {f"{spoken}/{name}" for spoken in pages for name in pages[spoken]} <= linked


def test_links_lead_somewhere_and_nothing_is_loaded(site):
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html")}
    for path, page in pages.items():
        assert not page.loads
        assert len(page.ids) == len(set(page.ids)), path
        assert page.headings[0] == 1
        assert all(below - above <= 1 for above, below in zip(page.headings, page.headings[1:], strict=False)), path
        for link in page.links:
            if link.startswith(("http", "mailto:")) or "00_tour" in link or link == "../index.html" == link[:13]:
                continue
            target, _, part = link.partition("#")
            there = (path.parent / target).resolve() if target else path
            assert there in pages, (path.name, link)
            assert not part or part in pages[there].ids, (path.name, link)


def test_a_page_without_its_twin_is_refused(tmp_path):
    (tmp_path / "a.md").write_text("# A", encoding="utf-8")
    (tmp_path / "b.zh-CN.md").write_text("# B", encoding="utf-8")
    with pytest.raises(NotebookError) as caught:
        write_docs(tmp_path, tmp_path / "site")
    assert [fault.where for fault in caught.value.faults] == ["a.zh-CN.md", "b.md"]


def test_a_page_without_a_heading_is_refused(tmp_path):
    for name in ("a.md", "a.zh-CN.md"):
        (tmp_path / name).write_text("words", encoding="utf-8")
    with pytest.raises(NotebookError, match="没有标题"):
        write_docs(tmp_path, tmp_path / "site")


def test_parts_of_a_docstring():
    read = parse(
        """Summary
        of two lines.

        More.

        Parameters
        ----------
        a, b
            Two.
        *rest : int
            Others.

        A paragraph below the list.

        Returns
        -------
        list of Name
            Them.
        """
    )
    assert read.summary == "Summary\nof two lines." and read.text == "More."
    assert read.names("Parameters") == ["a", "b", "rest"]
    assert read.lists["Parameters"][1].text.endswith("A paragraph below the list.")
    assert read.lists["Returns"][0].kind == "list of Name"


def test_long_signatures_are_broken_at_their_parameters():
    score = next(name for name in FUNCTIONS if name.short == "fit_multilevel")
    lines = call(score).splitlines()
    assert len(lines) > 3 and all(line.startswith("    ") for line in lines[1:-1])


def test_a_doi_keeps_its_brackets():
    assert 'href="https://doi.org/10.1002/(SICI)1"' in inline("https://doi.org/10.1002/(SICI)1.")
    assert inline("(doi:10.1/a)") == '(<a href="https://doi.org/10.1/a">doi:10.1/a</a>)'


METHODS = sorted((ROOT / "docs" / "methods").glob("*.md"))


def rows(page: Path) -> list[list[str]]:
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def both(stem: str) -> list[Path]:
    return [ROOT / "docs" / "methods" / f"{stem}{ending}" for ending in (".md", ".zh-CN.md")]


def test_eleven_methods_each_with_a_doi_and_a_table():
    assert len(METHODS) == 22
    for page in METHODS:
        assert "doi.org/10." in page.read_text(encoding="utf-8") and len(rows(page)) > 3, page.name


@pytest.mark.parametrize("page", both("inference"), ids=lambda page: page.name)
def test_the_coverage_is_that_of_the_benchmark(page):
    found = pd.read_csv(ROOT / "benchmarks" / "coverage.csv")
    shown = [row[1:] for row in rows(page)[2:]]
    for line, inference in zip(shown, ("satterthwaite", "kenward-roger", "cr2", "normal"), strict=True):
        for cell, errors in zip(line, ("normal", "skewed", "unequal_schools", "unequal_arms"), strict=True):
            of = found[(found["inference"] == inference) & (found["errors"] == errors)]["coverage"]
            low, high = (float(end) for end in cell.split("–"))
            assert (low, high) == pytest.approx((100 * of.min(), 100 * of.max()), abs=0.051), (inference, errors)


@pytest.mark.parametrize(
    ("stem", "methods"),
    [
        ("single-case-effects", ["nap_interval", "tau_u", "tau_bc", "smd", "lrr", "lrm"]),
        (
            "randomisation",
            ["randomisation_mean", "randomisation_nap", "randomisation_level", "randomisation_slope", "start_chosen"],
        ),
        ("piecewise", ["piecewise_level", "piecewise_ar1", "piecewise_newey_west"]),
    ],
)
def test_false_alarms_are_those_of_the_benchmark(stem, methods):
    found = pd.read_csv(ROOT / "benchmarks" / "single_cases.csv").set_index(["method", "autocorrelation"])["rate"]
    for page in both(stem):
        for line, method in zip(rows(page)[-len(methods) :], methods, strict=True):
            wanted = [100 * found[method, correlation] for correlation in (0, 0.3, 0.5)]
            assert [float(cell) for cell in line[1:]] == pytest.approx(wanted, abs=0.051), (page.name, method)


@pytest.mark.parametrize("page", both("power"), ids=lambda page: page.name)
def test_planned_power_is_that_of_the_benchmark(page):
    found = pd.read_csv(ROOT / "benchmarks" / "minimum_detectable_effect.csv")
    shown = [[float(cell) for cell in row[1:]] for row in rows(page)[2:]]
    assert shown == [
        pytest.approx([100 * row.rejected, 100 * row.rejected_null], abs=0.051) for row in found.itertuples()
    ]


@pytest.mark.parametrize("page", both("careless"), ids=lambda page: page.name)
def test_careless_answers_are_those_of_the_benchmark(page):
    found = pd.read_csv(ROOT / "benchmarks" / "careless.csv").set_index("kind")["any"]
    kinds = ("longstring", "alternating", "random", "speeding", "copied", "none")
    assert [float(row[1]) for row in rows(page)[2:]] == pytest.approx(
        [100 * found[kind] for kind in kinds], abs=0.051
    )


@pytest.mark.parametrize("page", [*both("scales"), *both("agreement")], ids=lambda page: page.name)
def test_scales_are_those_of_the_benchmark(page):
    found = pd.read_csv(ROOT / "benchmarks" / "scales.csv")
    kept = {
        "scales": [
            ("omega", "normal", "robust"),
            ("omega", "five answers", "robust"),
            ("alpha", None, "adf"),
            ("alpha", None, "feldt"),
            ("loading", "normal", "normal"),
            ("loading", "five answers", "normal"),
        ],
        "agreement": [("group_mean_reliability", None, None), ("icc1", None, None)],
    }[page.name.split(".")[0]]
    for line, (quantity, data, interval) in zip(rows(page)[2:], kept, strict=True):
        of = found[found["quantity"].str.lower().str.startswith(quantity) & found["coverage"].notna()]
        of = of if data is None else of[of["data"] == data]
        of = of if interval is None else of[of["interval"] == interval]
        assert len(of), quantity
        low, high = (100 * of["coverage"].min(), 100 * of["coverage"].max())
        assert [float(end) for end in line[2].split("–")] == pytest.approx([low, high], abs=0.051), quantity


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """A guide in both languages and one room of the reference, with their PDFs."""
    docs, folder = (tmp_path_factory.mktemp(name) for name in ("docs", "site"))
    block = "\n```text\n名称  值\nname  1\n```\n\n| 列 | b |\n|---|---|\n| 甲 | 3 |\n"
    (docs / "a.md").write_text(f"# The `guide`\n\n1. First\n{block}", encoding="utf-8")
    (docs / "a.zh-CN.md").write_text(f"# 指南\n\n1. 首先\n{block}", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("htresearch.publish.docs.build.rooms", lambda: [r for r in rooms() if r.name == "result"])
        write_docs(docs, folder, pdf=True)
    return folder


@pytest.mark.parametrize(
    "page, says",
    [
        ("zh/a", ["指南", "首先", "名称", "甲"]),
        ("en/a", ["The guide", "First", "名称", "甲"]),
        ("zh/reference-result", ["参数", "tidy", "Estimates("]),
        ("en/reference-result", ["Parameters", "tidy", "Estimates("]),
        ("index", ["使用说明", "Documentation", "指南", "The guide"]),
    ],
)
def test_every_page_has_its_pdf_and_leads_to_it(printed, page, says):
    html = (printed / f"{page}.html").read_text(encoding="utf-8")
    assert f'href="{Path(page).name}.pdf"' in html
    reader = PdfReader(printed / f"{page}.pdf")
    text = "".join(one.extract_text() for one in reader.pages)
    assert [word for word in says if word not in text] == []
    assert "〓" not in text
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_without_pdfs_no_page_leads_to_one(site):
    assert not list(site.rglob("*.pdf"))
    assert not [path.name for path in site.rglob("*.html") if '.pdf" download' in path.read_text(encoding="utf-8")]
