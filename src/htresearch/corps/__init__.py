"""The corps in view: one file for each teacher (一师一档)."""

from htresearch.corps.archive import Archive, archive, archives
from htresearch.corps.changes import Changes, changes

__all__ = ["Archive", "Changes", "archive", "archives", "changes"]
