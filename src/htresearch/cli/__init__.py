"""The command line: reads the arguments, calls one function each, says what is wrong.

Exit status: 0 done, 1 the input is at fault (every fault is listed), 2 wrong usage.
"""

from htresearch.cli.running import main

__all__ = ["main"]
