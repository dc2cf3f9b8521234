"""The leak scan: what is to be published is searched for everything that says who somebody is.

Notebooks (narrative, code, outputs, attachments, metadata), pages, CSV, PDF, images' metadata, Word and Excel files
and the names of all files are searched for the names of a roster, pseudonyms and ids of a study, phones, ID cards,
学籍号, e-mail and IP addresses, WeChat names, paths of somebody's machine, and small counts printed by hand. A find
says where it stands and of which kind it is, and never repeats what it found.

What it cannot see: text in the pixels of an image, and a person who can be told from what is said about them.
"""

from htresearch.publish.leaks.scanning import Leak, refuse, scan, scan_content, scan_notebook
from htresearch.publish.leaks.secrets import Secrets

__all__ = ["Leak", "Secrets", "refuse", "scan", "scan_content", "scan_notebook"]
