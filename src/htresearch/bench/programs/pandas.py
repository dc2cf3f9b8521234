"""pandas: a workbook as a frame, by the reader that is named."""


def load(task):
    """Return where the workbook is: to open it is what is timed."""
    return task["files"][0]


def open_workbook(path, task):
    """Open the workbook."""
    import pandas as pd

    yield len(pd.read_excel(path, engine=task["given"]["reader"]))
