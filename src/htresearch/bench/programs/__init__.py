"""What each program does when it is timed: a file per program, in Python or R, run by `timed.py` or `timed.R`."""
