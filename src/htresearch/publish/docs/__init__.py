"""Documentation in the same build as the site: how-tos, pages on method, and the reference from the docstrings."""

from htresearch.publish.docs.build import write_docs
from htresearch.publish.docs.rooms import Name, Room, rooms

__all__ = ["Name", "Room", "rooms", "write_docs"]
