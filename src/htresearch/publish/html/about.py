"""What stands at the foot of a page: how to cite it, and with what it was made."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

from htresearch.language import Text

#: The packages whose versions a reader needs in order to get the same numbers.
_PACKAGES = ("numpy", "pandas", "scipy", "statsmodels", "scikit-learn", "duckdb", "matplotlib", "seaborn")


@dataclass(frozen=True)
class Citation:
    """Whom and what to cite.

    Attributes
    ----------
    authors, title, version
        Of the project that the pages belong to.
    released
        The day of its release, if it is written down; pages never show the day on which they were made.
    doi
        Its DOI, if it has one.
    """

    authors: tuple[str, ...]
    title: str
    version: str
    released: str = ""
    doi: str = ""

    def of(self, title: str) -> Text:
        """Return how to cite the page of that title.

        Examples
        --------
        >>> Citation(("Zhao Min",), "Head teachers", "1.0").of("Training").en
        'Zhao Min. “Training”. In: Head teachers, version 1.0.'
        """
        year = self.released[:4]
        zh = f"{'、'.join(self.authors)}：《{title}》，载 {self.title}，{self.version} 版"
        en = f"{', '.join(self.authors)}. “{title}”. In: {self.title}, version {self.version}"
        if year:
            zh, en = f"{zh}，{year} 年", f"{en}, {year}"
        link = f" https://doi.org/{self.doi}" if self.doi else ""
        return Text(f"{zh}。{link}", f"{en}.{link}")


def citation(folder: str | Path) -> Citation:
    """Return what ``CITATION.cff`` in a folder says, or else how this package is cited."""
    path = Path(folder) / "CITATION.cff"
    known = metadata("htresearch")
    own = Citation((known["Author"] or "The htresearch developers",), "htresearch", known["Version"])
    if not path.is_file():
        return own
    import yaml

    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        authors = tuple(
            str(a.get("name") or f"{a.get('given-names', '')} {a.get('family-names', '')}".strip())
            for a in written["authors"]
        )
        return Citation(
            authors,
            str(written["title"]),
            str(written.get("version", own.version)),
            str(written.get("date-released", "")),
            str(written.get("doi", "")),
        )
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        return own


@cache
def versions() -> str:
    """Return the versions of Python and of the main packages."""
    found = [f"Python {platform.python_version()}"]
    for name in ("htresearch", *_PACKAGES):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return " · ".join(found)
