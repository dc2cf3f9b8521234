"""From notebooks to a site: each run in a fresh kernel, laid out in both languages, never half-written."""

from htresearch.publish.execute import execute, refresh
from htresearch.publish.html.page import Page, render
from htresearch.publish.site import build_site

__all__ = ["Page", "build_site", "execute", "refresh", "render"]
