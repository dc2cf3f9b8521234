"""A class study as a head teacher fills it in: cells put into the workbook that was written."""

import re
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from htresearch.intake.class_study import write_workbook
from htresearch.intake.workbook import open_table
from intake.filled import _parts, _save, change, put

PLAN, RECORDS = "xl/worksheets/sheet2.xml", "xl/worksheets/sheet3.xml"
FIRST = 5
VALUES = (5, 4, 6, 5, 5, 4, 6, 5, 7, 5, 3, 2, 3, 1, 2, 2, 1, 0, 2, 1)
STARTED = 11
#: What the plan says of a study of lateness, by label.
ENTRIES = {
    "学校": "示范小学",
    "班级": "五(2)班",
    "开始日怎样定的": "抽签定的",
    "抽签范围：最早从第几条记录起": 6,
    "抽签范围：最晚从第几条记录起": 15,
    "抽到从第几条记录起改": STARTED,
    "谁同意了，怎样征求的": "学校同意；告知家长和学生，可以不参加；只记人次",
    "计划定于哪天": date(2025, 8, 30),
}


def days(n: int = len(VALUES), first: date = date(2025, 9, 1)) -> list[date]:
    """School days one after another, weekends left out."""
    found, day = [], first
    while len(found) < n:
        if day.weekday() < 5:
            found.append(day)
        day += timedelta(days=1)
    return found


def places(form: Path) -> dict[str, str]:
    """The cell of each entry of the plan by its label."""
    rows = open_table(form).sheets[1].rows
    return {str(r[0]).removesuffix(" *"): f"B{i}" for i, r in enumerate(rows, 1) if r and r[0]}


def plan(form: Path, **entries: object) -> Path:
    """Fill in entries of the plan by label (``怎样算好=…``); None empties one."""
    at = places(form)
    return put(form, {at[label]: value for label, value in entries.items()}, PLAN)


def records(form: Path, cells: dict[str, object]) -> Path:
    """Put values into cells of the records, by name."""
    return put(form, cells, RECORDS)


def filled(form: Path, topic: str = "lateness", **entries: object) -> Path:
    """Write a workbook about lateness and fill in a plan and twenty records."""
    form.write_bytes(_filled(topic))
    return plan(form, **entries) if entries else form


@cache
def _filled(topic: str) -> bytes:
    with TemporaryDirectory() as folder:
        form = write_workbook(Path(folder) / "form.xlsx", "zh", topic)
        plan(form, **(ENTRIES | {"改变从哪天开始": days()[STARTED - 1]}))
        cells: dict[str, object] = {}
        for row, (day, value) in enumerate(zip(days(), VALUES, strict=True), FIRST):
            cells |= {f"B{row}": day, f"C{row}": value, f"D{row}": "是"}
        cells |= {"E7": 6, "E16": 2, "F8": "下雨"}
        return records(form, cells).read_bytes()


def merge(form: Path, area: str, part: str = RECORDS) -> Path:
    """Merge cells, beside those that are merged already."""
    return change(form, part, "</mergeCells>", f'<mergeCell ref="{area}"/></mergeCells>')


def failed(form: Path, cell: str, part: str = RECORDS) -> Path:
    """Let the formula of a cell fail."""
    put(form, {cell: 1}, part)
    parts = _parts(form)
    sheet = re.sub(
        rf'<c r="{cell}" s="(\d+)"><v>1</v></c>',
        rf'<c r="{cell}" s="\1" t="e"><f>A1</f><v>#N/A</v></c>',
        parts[part].decode(),
    )
    return _save(form, parts | {part: sheet.encode()})


def as_date(form: Path, cell: str) -> Path:
    """Turn a cell of the records into a date, as Excel does with 3/12."""
    day = re.search(r'<c r="B\d+" s="(\d+)"><v>', _parts(form)[RECORDS].decode())[1]
    put(form, {cell: date(2025, 3, 12)}, RECORDS)
    return change(
        form,
        RECORDS,
        re.search(rf'<c r="{cell}" s="\d+"', _parts(form)[RECORDS].decode())[0],
        f'<c r="{cell}" s="{day}"',
    )


def rename(form: Path, old: str, new: str) -> Path:
    """Rename a sheet."""
    return change(form, "xl/workbook.xml", f'name="{old}"', f'name="{new}"')


_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_OFFICE = "http://schemas.openxmlformats.org"
_BLANK = (
    f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{_OFFICE}/spreadsheetml/2006/main">'
    '<sheetData><row r="1"><c r="A1"><v>7</v></c></row></sheetData></worksheet>'
)
#: What a package says of one more sheet, by part and the tag that it stands before.
_MORE = {
    ("xl/workbook.xml", "</sheets>"): '<sheet name="{name}" sheetId="9" r:id="rId99"/>',
    ("xl/_rels/workbook.xml.rels", "</Relationships>"): (
        f'<Relationship Id="rId99" Type="{_OFFICE}/officeDocument/2006/relationships/worksheet" '
        'Target="worksheets/sheet9.xml"/>'
    ),
    ("[Content_Types].xml", "</Types>"): (
        f'<Override PartName="/xl/worksheets/sheet9.xml" ContentType="{_SPREADSHEET}"/>'
    ),
}


def another(form: Path, name: str, like: str = "") -> Path:
    """Add a sheet, empty or with the cells of another part."""
    parts = _parts(form)
    content = parts[like].decode() if like else _BLANK
    parts["xl/worksheets/sheet9.xml"] = re.sub(r"<drawing [^>]*/>", "", content).encode()
    for (part, end), tag in _MORE.items():
        parts[part] = parts[part].decode().replace(end, tag.format(name=name) + end).encode()
    return _save(form, parts)
