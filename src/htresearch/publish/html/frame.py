"""What every page of the site has in common: its templates, its style, its words in both languages."""

from functools import cache
from importlib.metadata import version
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from htresearch.language import Text

SITE = Text("班主任队伍专业化研究", "Research on the head-teacher profession")
_NAMES = {"zh": "中文", "en": "English"}


def fill(name: str, spoken: str, *styles: str, marks: Text | None = None, **given: object) -> str:
    """Return a template of this package, filled in.

    Parameters
    ----------
    name
        The template, such as ``"html/page.html"``.
    spoken
        The language of the page, or the first of a page in several.
    styles
        Style sheets besides that of the site.
    marks
        What must stand at the head of the page, in the page's languages.
    given
        What the template asks for.
    """
    languages = given.get("languages", [spoken])
    return (
        _environment()
        .get_template(name)
        .render(
            spoken=spoken,
            site=SITE,
            style=Markup("".join(map(_style, ("html/style.css", *styles)))),
            tag={"zh": "zh-CN", "en": "en"},
            names=_NAMES,
            version=version("htresearch"),
            say=lambda zh, en: zh if spoken == "zh" else en,
            marks=[(language, getattr(marks, language)) for language in languages] if marks else [],
            **given,
        )
    )


@cache
def _style(name: str) -> str:
    return files("htresearch.publish").joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("htresearch", "publish"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
