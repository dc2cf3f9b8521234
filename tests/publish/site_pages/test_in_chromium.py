"""Every page of a small site, in both languages, as a browser without a network shows it."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from chromium import BASH, CHROMIUM, Browser
from small_notebooks import code, told, write

from htresearch.publish import build_site
from htresearch.publish.pdf.glyphs import missing_glyphs

SCREENSHOTS = Path(__file__).parents[3] / "build" / "screenshots"
PAGES = ("index.html", "zh/00_tour.html", "en/00_tour.html", "zh/20_dose.html", "en/20_dose.html")
WIDE, NARROW = 1200, 390

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


@pytest.fixture(scope="module")
def site(tmp_path_factory):
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
    return build_site(folder / "notebooks", folder / "site").parent


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    running = Browser(tmp_path_factory.mktemp("profile"))
    yield running
    running.close()


@needs_chromium
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_page(site, browser, name, width):
    visit = browser.visit(site / name, width)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    (SCREENSHOTS / f"{name.removesuffix('.html').replace('/', '_')}-{width}.png").write_bytes(visit.picture)
    asked = [url for url in visit.requests if not url.startswith("data:")]
    assert asked == [(site / name).as_uri()]
    assert visit.complaints == []
    assert visit.violations == [] and visit.passes > 10
    assert visit.width <= width, "the page scrolls sideways"


@needs_chromium
def test_the_browser_would_tell(browser, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        "<html><body><img src='http://example.invalid/a.png'><script>console.error('no'); f()</script>"
        "<p style='color: #ddd; background: #fff; width: 2000px'>faint</p></body></html>",
        encoding="utf-8",
    )
    visit = browser.visit(page)
    assert "http://example.invalid/a.png" in visit.requests
    assert any("no" in said for said in visit.complaints) and len(visit.complaints) >= 2
    assert {"image-alt", "color-contrast", "html-has-lang"} <= {violation[0] for violation in visit.violations}
    assert visit.width > WIDE


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


def test_links_and_anchors_lead_somewhere_within_the_site(site):
    pages = {path.resolve(): Reading(path) for path in site.rglob("*.html")}
    assert len(pages) == len(PAGES)
    followed = 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme in ("http", "https", "mailto"):
                continue
            assert not parts.scheme and not parts.netloc and not parts.path.startswith("/"), (path.name, link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file() and target.is_relative_to(site.resolve()), (path.name, link)
            if parts.fragment:
                assert unquote(parts.fragment) in pages[target].anchors, (path.name, link)
            followed += 1
    assert followed >= 15


def test_pages_load_nothing(site):
    for path in site.rglob("*.html"):
        assert [url for url in Reading(path).loads if not url.startswith("data:")] == []


def test_every_character_has_a_glyph(site):
    for path in site.rglob("*.html"):
        assert not missing_glyphs(Reading(path).text), path.name
