"""Who somebody is, and who may know: keyed pseudonyms, the table that links them, and matching with a roster."""

from htresearch.intake.identity.key import PREFIXES, Key
from htresearch.intake.identity.linkage import Linkage
from htresearch.intake.identity.roster import match_roster
from htresearch.intake.identity.spelling import normalised

__all__ = ["PREFIXES", "Key", "Linkage", "match_roster", "normalised"]
