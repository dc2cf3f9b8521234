"""The corps in view: what the notice asks for, counted exactly, and one file for each teacher (一师一档).

`indicators` computes measures for schools, school zones or the district; `definitions` says what each counts;
`dashboard` shows a district what may be published of them;
`unit_views` sets each unit beside its peers. `archive` puts together all that a study holds on a teacher; `changes`
compares two versions of a study.
"""

from htresearch.corps.archive import Archive, archive, archives
from htresearch.corps.catalogue import Definition, definitions
from htresearch.corps.changes import Changes, changes
from htresearch.corps.dashboard import Board, Dashboard, dashboard
from htresearch.corps.indicators import Indicators, indicators
from htresearch.corps.peers import unit_views
from htresearch.corps.unit_view import UnitView

__all__ = [
    "Archive",
    "Board",
    "Changes",
    "Dashboard",
    "Definition",
    "Indicators",
    "UnitView",
    "archive",
    "archives",
    "changes",
    "dashboard",
    "definitions",
    "indicators",
    "unit_views",
]
