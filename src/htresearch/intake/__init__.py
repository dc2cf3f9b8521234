"""From a file of the field to a study: reading, checking, taking identities out, merging."""

from htresearch.intake.identity import Key, Linkage, match_roster

__all__ = ["Key", "Linkage", "match_roster"]
