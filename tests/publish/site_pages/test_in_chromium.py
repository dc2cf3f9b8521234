"""Every page of the site that `make demo` has built, in both languages, as a browser without a network shows it.

A small site made of what is hardest to set is looked at too. Where the other is not there, or was built before the
style changed, the small one comes with the documentation. Pictures of all pages are left in ``build/screenshots``:
as on a screen and, but for the documentation, on a phone and in print.
"""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from chromium import BASH, CHROMIUM, PAPER, PHONE, SCREEN, Looking, Visit, visit_all
from fontTools.ttLib import TTFont
from matplotlib import get_data_path
from small_notebooks import code, told, write

from htresearch.publish import build_site
from htresearch.publish.pdf.glyphs import missing_glyphs

ROOT = Path(__file__).parents[3]
SCREENSHOTS = ROOT / "build" / "screenshots"
SMALL = ("index.html", "zh/00_tour.html", "en/00_tour.html", "zh/20_dose.html", "en/20_dose.html")
DOCUMENTATION = len(list((ROOT / "docs").rglob("*.md")))

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None or BASH is None, reason="Chromium, or the bash that hands it its pipes, is not installed"
)

TABLES = """
import pandas as pd, htresearch as ht
wide = pd.DataFrame({f"column_{i}": [0.1 * i, 1.5] for i in range(14)})
ht.table(wide, title=ht.language.Text("一张宽表", "A wide table"))
"""
PLAIN = """
wide.T.head(3)
"""
FIGURE = """
import matplotlib.pyplot as plt
ht.theme()
ax = plt.subplots()[1]
ax.plot([1, 2], [2, 1])
ax.set_title(str(ht.language.Text("班主任培训时数 ≥ 10，χ²", "Training ≥ 10, χ²")))
ht.figure(ax, ht.language.Text("一条下降的线", "A falling line"))
"""
ZH = """## 结果

说**“关联”**不说因果。见[下一篇](20_dose.ipynb#s2)。

| 甲 | 乙 |
|---|---:|
| 1.5 | 2 |

```
x = "a line of code that is too long for the screen of a phone"
```

> 引文

1. 其一
2. 其二
"""
EN = """## Result

Say *association*. See the [next](20_dose.ipynb#s2).

| A | B |
|---|---:|
| 1.5 | 2 |

> Quoted

- one
"""


def built() -> Path | None:
    """Return the site of the checkout, if the style of today is the one that it was built with."""
    index = ROOT / "site" / "index.html"
    style = (ROOT / "src" / "htresearch" / "publish" / "html" / "style.css").read_text(encoding="utf-8")
    return index.parent if index.is_file() and style in index.read_text(encoding="utf-8") else None


@pytest.fixture(scope="module")
def sites(tmp_path_factory) -> dict[str, Path]:
    """The sites by name: the small one, and that of `make demo`."""
    folder = tmp_path_factory.mktemp("small")
    both = told("zh", ZH), told("en", EN)
    write(
        folder / "notebooks" / "00_tour.ipynb",
        code(TABLES),
        code(PLAIN),
        *both,
        code(FIGURE),
        code("print('x' * 300)"),
    )
    write(folder / "notebooks" / "20_dose.ipynb", told("zh", "## 二\n\n`x`"), told("en", "## Two"), code("1 + 1"))
    whole = built()
    docs = ROOT / "docs" if whole is None else None
    small = build_site(folder / "notebooks", folder / "site", docs=docs, rules="internal").parent
    return {"small": small, **({"site": whole} if whole else {})}


@pytest.fixture(scope="module")
def pages(sites) -> dict[str, Path]:
    found = {
        f"{name}/{path.relative_to(site).as_posix()}": path
        for name, site in sites.items()
        for path in sorted(site.rglob("*.html"))
    }
    assert {f"small/{name}" for name in SMALL} <= set(found)
    assert sum("/docs/" in name for name in found) > DOCUMENTATION
    return found


def faults_of(page: Path, visit: Visit) -> list[object]:
    """Return what is wrong with a page."""
    found: list[object] = [url for url in visit.requests if not url.startswith(("data:", page.as_uri()))]
    found += [] if page.as_uri() in visit.requests else ["never loaded"]
    found += visit.complaints
    for width, look in visit.looks.items():
        found += [f"{width}: reaches over the edge: {html}" for html in look.beyond]
        found += [f"{width}: {violation}" for violation in look.violations]
        found += [] if look.passes > 10 or width != SCREEN else [f"{width}: axe-core did not look"]
    return found


def looked_at(page: Path) -> Looking:
    """Return how a page is looked at.

    The pages of the documentation are made alike: a picture of each is enough. Those of the reference are by far the
    longest, and the same in both languages but for their words: they are looked at on a screen, and the contrasts of
    their colours, most of axe-core's work there, computed once.
    """
    if "docs" not in page.parts:
        return Looking()
    if page.name.startswith("reference-"):
        return Looking((SCREEN,), (SCREEN,), contrast=page.parent.name == "zh")
    return Looking(pictures=(SCREEN,))


@needs_chromium
def test_every_page(pages, tmp_path):
    visits = visit_all(pages.values(), tmp_path, how=looked_at)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    wrong = {}
    for name, page in pages.items():
        visit = visits[page]
        assert tuple(visit.looks) == looked_at(page).on
        for width, look in visit.looks.items():
            if look.picture is not None:
                picture = f"{name.removesuffix('.html').replace('/', '_')}-{_WIDTHS[width]}.png"
                (SCREENSHOTS / picture).write_bytes(look.picture)
        if found := faults_of(page, visit):
            wrong[name] = found
    assert wrong == {}


_WIDTHS = {SCREEN: "screen", PHONE: "phone", PAPER: "print"}


@needs_chromium
def test_the_browser_would_tell(tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        "<html><body><img src='http://example.invalid/a.png'><script>console.error('no'); f()</script>"
        "<div style='height: 50px; overflow: auto'><p style='height: 900px'>scrolls</p></div>"
        "<p style='color: #ddd; background: #fff; width: 2000px'>faint</p></body></html>",
        encoding="utf-8",
    )
    visit = visit_all([page], tmp_path / "profile")[page]
    assert "http://example.invalid/a.png" in faults_of(page, visit)
    assert any("no" in said for said in visit.complaints) and len(visit.complaints) >= 2
    on_screen = {violation[0] for violation in visit.looks[SCREEN].violations}
    assert {"image-alt", "color-contrast", "html-has-lang"} <= on_screen
    assert {violation[0] for violation in visit.looks[PHONE].violations} >= {"scrollable-region-focusable"}
    assert all("faint" in look.beyond[-1] for look in visit.looks.values())


class Reading(HTMLParser):
    """The links, the anchors and the characters of a page."""

    def __init__(self, page: Path):
        super().__init__()
        self.links, self.anchors, self.loads, self.text, self._style = [], set(), [], "", False
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.anchors |= {attributes[key] for key in ("id", "name") if key in attributes}
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        self.loads += [attributes[key] for key in ("src", "srcset", "poster", "data") if attributes.get(key)]
        self.loads += [attributes["href"] for _ in [tag] if tag == "link"]
        self.text += attributes.get("alt") or ""
        self._style = tag == "style"

    def handle_endtag(self, tag):
        self._style = False

    def handle_data(self, data):
        self.text += "" if self._style else data


@pytest.fixture(scope="module")
def read(pages) -> dict[Path, Reading]:
    return {path.resolve(): Reading(path) for path in pages.values()}


def test_links_lead_somewhere_within_the_site_and_pages_load_nothing(sites, read):
    roots = [site.resolve() for site in sites.values()]
    followed = 0
    for path, page in read.items():
        root = next(root for root in roots if path.is_relative_to(root))
        assert [url for url in page.loads if not url.startswith("data:")] == [], path.name
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme in ("http", "https", "mailto"):
                continue
            assert not parts.scheme and not parts.netloc and not parts.path.startswith("/"), (path.name, link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file() and target.is_relative_to(root), (path.name, link)
            if parts.fragment:
                assert unquote(parts.fragment) in read[target].anchors, (path.name, link)
            followed += 1
    assert followed > 15 + DOCUMENTATION


def test_every_character_has_a_glyph(read):
    # Formulas of the documentation have signs of mathematics for which browsers turn to a second font.
    with TTFont(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", lazy=True) as font:
        known = font.getBestCmap()
    lacking = {
        path.name: beyond
        for path, page in read.items()
        if (found := missing_glyphs("".join(sorted(set(page.text)))))
        and (beyond := [mark for mark in found if "docs" not in path.parts or ord(mark) not in known])
    }
    assert lacking == {}
