"""A table of HTML as cells with their places, in which nothing overlaps and no place is empty."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from htresearch.publish.pdf.markup import Block, Element, Inline, Markup

_RIGHT = frozenset(("right", "gt_right"))
_CENTRE = frozenset(("center", "gt_center"))
_STRONG = frozenset(("gt_group_heading",))


def table(element: Element, markup: Markup) -> Block:
    """Return a table: its title, the rows of its head and body, and what stands below it.

    Cells are ``{x, y, across, down, align, strong, c}``, `y` counted from the head's first row on; places that no
    cell takes are filled with empty ones.
    """
    frame = "dataframe" in element.classes
    title: list[list[Inline]] = [markup.inlines(caption.children) for caption in element.all("caption")]
    notes: list[list[Inline]] = []
    head: list[Element] = []
    body: list[Element] = []
    for section in (element, *element.all("thead", "tbody", "tfoot")):
        for row in [child for child in section.children if getattr(child, "tag", "") == "tr"]:
            if "gt_heading" in row.classes or (row.all("td") and "gt_heading" in row.all("td")[0].classes):
                title += [words for words in (_words(cell, markup) for cell in row.all("th", "td")) if words]
            elif section.tag == "tfoot":
                notes += [words for words in (_words(cell, markup) for cell in row.all("th", "td")) if words]
            else:
                (head if section.tag == "thead" else body).append(row)
    if not head and body and not body[0].all("td"):
        head.append(body.pop(0))
    columns = max((sum(_span(c, "colspan") for c in row.all("th", "td")) for row in (*head, *body)), default=0)
    cells = _placed(head, 0, columns, markup, frame, True) + _placed(body, len(head), columns, markup, frame, False)
    rows = {"head": len(head), "columns": columns, "cells": cells}
    return {"t": "table", "title": title, "notes": notes, **rows}


def _placed(
    rows: list[Element], top: int, columns: int, markup: Markup, frame: bool, heading: bool
) -> list[dict[str, object]]:
    taken: set[tuple[int, int]] = set()
    placed = []
    for y, row in enumerate(rows):
        x = 0
        for cell in row.all("th", "td"):
            while (x, y) in taken:
                x += 1
            if x >= columns:  # more than the table has columns for: its words go into the last place of the row
                placed[-1]["c"] = [*placed[-1]["c"], " ", *_words(cell, markup)]
                continue
            across = 1
            while across < min(_span(cell, "colspan"), columns - x) and (x + across, y) not in taken:
                across += 1
            down = min(_span(cell, "rowspan"), len(rows) - y)
            taken |= {(x + i, y + j) for i in range(across) for j in range(down)}
            placed.append(
                {
                    "x": x,
                    "y": top + y,
                    "across": across,
                    "down": down,
                    "align": _align(cell, frame),
                    "strong": heading or bool(_STRONG & cell.classes),
                    "c": _words(cell, markup),
                }
            )
            x += across
        for x in range(columns):
            if (x, y) not in taken:
                taken.add((x, y))
                empty = {"align": "start", "strong": False, "c": []}
                placed.append({"x": x, "y": top + y, "across": 1, "down": 1, **empty})
    return placed


def _words(cell: Element, markup: Markup) -> list[Inline]:
    """Return what a cell says; blocks in it stand one below the other."""
    lines: list[Inline] = []
    for block in markup.blocks(cell):
        said = _flat(block)
        if said:
            lines += [{"t": "break"}, *said] if lines else said
    return lines


def _flat(block: Block) -> list[Inline]:
    if block["t"] == "list":
        parts = [part for item in block["items"] for part in item]
    elif block["t"] in ("quote", "box"):
        parts = block["c"]
    elif block["t"] == "pre":
        return ["\n".join(block["lines"])]
    elif block["t"] == "picture":
        return [block["alt"]]
    elif block["t"] == "table":
        parts = [*block["title"], *(cell["c"] for cell in block["cells"]), *block["notes"]]
        return [word for part in parts for word in (*part, " ")]
    else:
        return list(block.get("c", []))
    said: list[Inline] = []
    for part in parts:
        said += [{"t": "break"}, *_flat(part)] if said else _flat(part)
    return said


def _span(cell: Element, name: str) -> int:
    written = cell.attributes.get(name, "1")
    return max(int(written), 1) if written.isdigit() and len(written) < 4 else 1


def _align(cell: Element, frame: bool) -> str:
    style = re.search(r"text-align:\s*(left|right|center)", cell.attributes.get("style", ""))
    if style:
        return {"left": "start", "right": "end", "center": "center"}[style[1]]
    if _RIGHT & cell.classes or (frame and (cell.tag == "td" or cell.attributes.get("scope") == "col")):
        return "end"
    return "center" if _CENTRE & cell.classes or "gt_column_spanner_outer" in cell.classes else "start"
