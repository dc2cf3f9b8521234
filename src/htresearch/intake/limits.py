"""What is read at most, and how a file that cannot be read is refused."""

from __future__ import annotations

from pathlib import Path

from htresearch.errors import Fault, IntakeError
from htresearch.language import Text

#: Cells of a sheet, empty ones inside its rectangle included: half a gigabyte while it is read.
MOST_CELLS = 20_000_000
#: Bytes that a file may unpack to, and bytes of text that its cells may hold.
MOST_BYTES = 2_000_000_000

SAVE_AS = Text("请在 Excel 或 WPS 中另存为 .xlsx 再试", "Save it as .xlsx from Excel or WPS and try again")
FILLED_PART = Text(
    "请删去表格右边和下边的空行空列（或把内容复制到新工作簿）再试",
    "Copy the filled part into a new workbook and try again",
)


def refused(path: Path, rule: Text, fix: Text, value: object = None) -> IntakeError:
    """Return the refusal of a file."""
    return IntakeError(Fault(path.name, rule, fix, value))


def damaged(path: Path) -> IntakeError:
    """Return the refusal of a workbook that cannot be read."""
    rule = Text("不是可读的工作簿，可能已损坏", "is no readable workbook and may be damaged")
    return refused(path, rule, SAVE_AS)


def unreadable(path: Path, error: OSError) -> IntakeError:
    """Return the refusal of a file that the system does not let be read."""
    why = error.strerror or str(error)
    return refused(
        path,
        Text(f"打不开（{why}）", f"cannot be opened ({why})"),
        Text(
            "请检查权限；若正在 Excel 或 WPS 中打开，请先关闭",
            "Check your rights to it; if Excel or WPS has it open, close it there",
        ),
    )


def too_many(path: Path, height: int, width: int, name: str) -> IntakeError:
    """Return the refusal of a sheet that spans too much."""
    return refused(
        path,
        Text(
            f"工作表“{name}”的范围有 {height:,} 行 {width:,} 列，超过一次能读的 {MOST_CELLS:,} 格",
            f"sheet {name!r} spans {height:,} rows by {width:,} columns, more than the {MOST_CELLS:,} cells that can "
            "be read at once",
        ),
        FILLED_PART,
    )
