"""Tables of counts that were printed by hand: a cell of one to nine persons is nearly a person.

What is counted is told by a heading (人数, n, count …), at the top or at the side, or by the shape: a cross-table as
pandas writes it, all of whole numbers. Years, grades, numbers of items, degrees of freedom and p-values are under no
such heading. A table that ``htresearch.disclosure`` has let pass says so in its output's metadata and is not read.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from itertools import pairwise

from htresearch.identifiers.plain import plain
from htresearch.publish.leaks.prose import says_few

#: Fewer persons than this are not shown; the threshold of the public rules.
THRESHOLD = 10

_PERSONS_ZH = r"学生|教师|老师|班主任|家长|被试|受访者?|答卷者?|参加者?|成员|男生|女生|男|女|样本|骨干|人"
_PERSONS_EN = (
    r"pupils|students|teachers|head teachers|parents|persons|people|respondents|participants|members|cases|boys|girls"
)
_COUNT = re.compile(
    rf"^(?:n|counts?|freq(?:uency|uencies)?|频数|频次|计数|例数|个案数|样本量|人次|名数"
    rf"|(?:{_PERSONS_ZH}|[^\s每均]{{0,8}}人)数"
    rf"|n[_ .](?:{_PERSONS_EN}|obs)|n_unique_(?:{_PERSONS_EN})"
    r"|(?:student|pupil|teacher|person|respondent)_id"  # of which somebody counted the different ones, or listed them
    rf"|(?:number|count|no\.?|n) of (?:{_PERSONS_EN})|(?:{_PERSONS_EN}))"
    r"(?:\s*[（(](?:人|名|n|persons|people)[）)])?$",
    re.IGNORECASE,
)
#: A number of persons that is planned, or an average, says nothing about anybody.
_NO_COUNT = re.compile(r"每|平均|均值|所需|需要|需|至少|到\s*[0-9]|per |mean|average|needed|required", re.IGNORECASE)
_WHOLE = re.compile(r"^[+]?([0-9][0-9,]*)(?:\.0+)?\s*[人名位]?\s*(?:[（(][^）)]*[）)])?$")
_SAID = re.compile(
    rf"(?:(?:{_PERSONS_ZH}|(?<![每均]))人数|学生数|教师数|n_(?:{_PERSONS_EN})|(?<![\w.])[nN])['\"]?"
    r"\s*(?:[:：]|[=＝])\s*([1-9])(?![0-9.,]*[0-9]|\s*%|\s*[)\]]?\s*[-–—/])"
)
_WHO_ZH = r"学生|教师|老师|班主任|孩子|家长|女生|男生|被试|受访者"
#: A few persons in a sentence, unless it speaks of what is planned, asked for, or true on average.
_FEW = re.compile(
    r"(?<![\d.,每均各满足及以多少–—~～\-])(?<![每均各满足及以多少] )"
    r"(?<!至少|不足|少于|多于|超过|低于|高于|最多|至多|增加|减少|任取|每组|每班|平均)"
    rf"[1-9]\s?(?:[名位个]\s?(?:{_WHO_ZH})"
    r"|人(?![次均际格类们员民生大工数物口的]|[一-龥]?[/／])|[名位](?=[\s，。；、,;)）]|$))"
    r"|(?:(?:只有|仅有|仅|共有|共)\s?[一二两三四五六七八九][人名位]|[：:]\s?[一二两三四五六七八九]人)"
    r"|(?<![\w.,\-–])(?<!least )(?<!than )(?<!per )(?<!most )(?<!every )(?<!each )[1-9] "
    r"(?:pupils?|students?|(?:head )?teachers?|persons?|children|respondents?)\b"
    r"(?! (?:per|each|or|at least|more|fewer))",
    re.MULTILINE,
)
#: How programs write labels with a count each.
_COUNTER = re.compile(r"Counter\(\{.*?:\s*[1-9](?=[,}])", re.DOTALL)
_PAIRS = re.compile(r"\{'[^'\n]*': \d+(?:,\s+'[^'\n]*': \d+)+\}|\[\('[^'\n]*', \d+\)(?:,\s+\('[^'\n]*', \d+\))+\]")

Row = Sequence[str]


def in_html(html: str) -> bool:
    """Tell whether a table of a page shows a small count.

    Examples
    --------
    >>> in_html("<table><tr><th>school</th><th>n</th></tr><tr><td>A</td><td>3</td></tr></table>")
    True
    >>> in_html("<table><tr><th>grade</th><th>df</th></tr><tr><td>3</td><td>7</td></tr></table>")
    False
    """
    parser = _Tables()
    parser.feed(html)
    parser.close()
    return any(_in_rows(table) or _is_cross_table(table, heads) for table, heads in parser.tables)


def in_csv(text: str) -> bool:
    """Tell whether a CSV file shows a small count."""
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    try:
        return _in_rows(list(csv.reader(io.StringIO(text, newline=""), delimiter=mark)))
    except csv.Error:
        return False


def in_markdown(text: str) -> bool:
    """Tell whether a table that was typed into a narrative shows a small count."""
    block: list[Row] = []
    for line in [*text.splitlines(), ""]:
        if "|" in line:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
                block.append(cells)
            continue
        if len(block) > 1 and _in_rows(block):
            return True
        block = []
    return False


def in_text(text: str) -> bool:
    """Tell whether a text that was printed shows a small count: a frame, a series, a sentence (人数：3).

    Examples
    --------
    >>> in_text("school   n\\n     A   3\\n     B  12")
    True
    >>> in_text("year  grade\\n2021      3")
    False
    """
    lines = [line.rstrip() for line in text.splitlines()]
    return (
        in_sentences(text)
        or bool(_COUNTER.search(text))
        or (bool(_PAIRS.fullmatch(text.strip())) and bool(re.search(r"[:,] [1-9](?=[,})])", text)))
        or _in_series(lines)
        or in_markdown(text)
        or _in_columns(lines)
        or _in_cross_table(lines)
    )


def in_sentences(text: str) -> bool:
    """Tell whether words say a small count: 人数：3, n = 3, 只有 3 名学生.

    Examples
    --------
    >>> in_sentences("其中有 3 名学生"), in_sentences("其中有 30 名学生")
    (True, False)
    """
    read = plain(text)[0]
    return bool(_SAID.search(read) or _FEW.search(read)) or says_few(read)


def in_latex(text: str) -> bool:
    """Tell whether a table of LaTeX shows a small count."""
    rows = [
        [cell.strip() for cell in line.split("&")]
        for line in re.split(r"\\\\", re.sub(r"\\[a-z]+(?:\{[^}]*\})*", "", text))
    ]
    return _in_rows([row for row in rows if len(row) > 1])


# --- persons in a list ----------------------------------------------------------------------------------------------

_NUMBERED = re.compile(r"^(?:学号|座号|考号|座位号|准考证号|学生编号)$")
_NAMED = re.compile(r"^(?:(?:学生|教师|班主任|家长)?姓名|名字)$")
_NUMBER = re.compile(r"^(?=\D{0,6}\d)[A-Za-z0-9\-]{1,20}$")
_NAME = re.compile(r"^[\u3400-\u9fff]{2,4}(?:·[\u3400-\u9fff]{1,8})?$")


def persons(text: str, table: str) -> list[str]:
    """Return which kinds of identifiers a table lists below a heading that says so: 学号, 姓名.

    Examples
    --------
    >>> persons("学号  得分\\n07     81", "text")
    ['seat_number']
    """
    found = []
    for kind, heading, value in (("seat_number", _NUMBERED, _NUMBER), ("name", _NAMED, _NAME)):

        def is_heading(cell: str, heading: re.Pattern = heading) -> bool:
            return bool(heading.match(plain(cell)[0].strip()))

        def is_value(cell: str, value: re.Pattern = value) -> bool:
            return bool(value.match(plain(cell)[0].strip()))

        if table == "html":
            parser = _Tables()
            parser.feed(text)
            parser.close()
            listed = any(_below(rows, is_heading, is_value) for rows, _ in parser.tables)
        else:
            rows = [re.split(r"[,;\t|]|\s{2,}", line.strip(" |")) for line in text.splitlines()]
            rows = [[cell.strip() for cell in row] for row in rows if not re.fullmatch(r"[\s|:\-]*", "|".join(row))]
            listed = _below(rows, is_heading, is_value) or _in_columns(
                text.splitlines(), is_heading, is_value, at_side=False
            )
        if listed:
            found.append(kind)
    return found


def _below(rows: Sequence[Row], is_heading: Callable[[str], bool], is_value: Callable[[str], bool]) -> bool:
    """Tell whether a value stands in the row right below a heading, in its column."""
    for above, below in pairwise(rows):
        if len(above) == len(below) and len(above) > 1:
            columns = [i for i, cell in enumerate(above) if is_heading(cell)]
            if any(is_value(below[i]) and not is_heading(below[i]) for i in columns):
                return True
    return False


# --- rows of cells --------------------------------------------------------------------------------------------------


def _is_count(heading: str) -> bool:
    heading = " ".join(plain(heading)[0].split())
    return bool(_COUNT.match(heading)) and not _NO_COUNT.search(heading)


def _number(cell: str) -> int | None:
    match = _WHOLE.match(plain(cell)[0].strip())
    return int(match[1].replace(",", "")) if match else None


def _is_small(cell: str) -> bool:
    number = _number(cell)
    return number is not None and 0 < number < THRESHOLD


def _in_rows(rows: Sequence[Row]) -> bool:
    counted: set[int] = set()
    for row in rows:
        heads = {i for i, cell in enumerate(row) if _is_count(cell)}
        if any(_is_small(row[i]) for i in counted if i < len(row)):
            return True
        side = {i for i in heads if i < 2}  # a label at the side counts what follows in its row
        beside = row[max(side) + 1 :] if side else []
        if all(_number(cell) is not None or not cell.strip() for cell in beside) and any(map(_is_small, beside)):
            return True
        counted |= heads
    return False


def _is_cross_table(rows: Sequence[Row], heads: Sequence[int]) -> bool:
    """Tell a cross-table of pandas with a small count: names over both sides, and nothing but whole numbers."""
    named = [row for row, number in zip(rows, heads, strict=True) if number == len(row)]
    body = [row[number:] for row, number in zip(rows, heads, strict=True) if number < len(row)]
    if len(named) < 2 or not body or not named[-1][0].strip() or any(cell.strip() for cell in named[-1][-1:]):
        return False
    cells = [cell for row in body for cell in row]
    years = [number for cell in cells if (number := _number(cell)) is not None and 1950 <= number < 2100]
    whole = all(re.fullmatch(r"[0-9,]+", cell.strip()) for cell in cells)
    return whole and len(years) < len(cells) / 2 and any(map(_is_small, cells))


class _Tables(HTMLParser):
    """Reads tables: of each row its cells, and how many headings it begins with."""

    def __init__(self):
        super().__init__()
        self.tables: list[tuple[list[Row], list[int]]] = []
        self._cell: list[str] | None = None
        self._rows: list[tuple[list[list[str]], list[bool]]] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._finish()
        elif tag == "tr":
            self._rows.append(([], []))
        elif tag in ("td", "th"):
            if not self._rows:
                self._rows.append(([], []))
            span = dict(attrs).get("colspan") or "1"
            self._cell = []
            for _ in range(min(int(span), 200) if span.isdigit() else 1):
                self._rows[-1][0].append(self._cell)
                self._rows[-1][1].append(tag == "th")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = None
        elif tag == "table":
            self._finish()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def close(self) -> None:
        super().close()
        self._finish()

    def _finish(self) -> None:
        rows = [["".join(cell).strip() for cell in cells] for cells, _ in self._rows]
        heads = [next((i for i, head in enumerate(marks) if not head), len(marks)) for _, marks in self._rows]
        if rows:
            self.tables.append((rows, heads))
        self._rows, self._cell = [], None


# --- text in columns ------------------------------------------------------------------------------------------------


def _in_series(lines: Sequence[str]) -> bool:
    """Tell whether a printed series shows a small count: named as one, or what `size` of a group gives."""
    start = 0
    for i, line in enumerate(lines):
        name = re.fullmatch(r"(?:Name: (.+?), )?(?:Length: [0-9]+, )?dtype: (u?int[0-9]+|Int[0-9]+)", line.strip())
        if not name:
            continue
        body = [one.split() for one in lines[start:i] if one.strip()]
        values = [row[-1] for row in body if len(row) > 1]
        grouped = len(body) > 1 and bool(body[0]) and not (len(body[0]) > 1 and body[0][-1].lstrip("-").isdigit())
        if (_is_count(name[1]) if name[1] else grouped) and any(map(_is_small, values)):
            return True
        start = i + 1
    return False


def _in_cross_table(lines: Sequence[str]) -> bool:
    """Tell whether a cross-table as pandas prints it shows a small count: its two names stand above each other."""
    for number, (above, below) in enumerate(pairwise(lines)):
        heads = above.split()
        if len(heads) < 2 or len(below.split()) != 1 or below[:1].isspace() or above[:1].isspace():
            continue
        body = []
        for line in lines[number + 2 :]:
            words = line.split()
            if len(words) != len(heads) or not all(re.fullmatch("[0-9]+", word) for word in words[1:]):
                break
            body += words[1:]
        if body and any(map(_is_small, body)):
            return True
    return False


def _in_columns(
    lines: Sequence[str],
    is_heading: Callable[[str], bool] = _is_count,
    is_value: Callable[[str], bool] = _is_small,
    at_side: bool = True,
) -> bool:
    """Tell whether columns set under one another show a small count: below a heading, at its right edge."""
    counted: list[
        tuple[int, int, int, int]
    ] = []  # edges by characters and by width, words of the heading, from the right
    for line in lines:
        words = list(re.finditer(r"\S+", line))
        if not words:
            counted = []
            continue
        for end, wide, many, right in counted:
            for place, word in enumerate(words):
                same = word.end() == end or _width(line[: word.end()]) == wide
                level = len(words) in (many, many + 1) and len(words) - place == right
                if (same or level) and is_value(word[0]):
                    return True
        heads = [(place, word) for place, word in enumerate(words) if is_heading(word[0])]
        if (
            at_side
            and heads
            and heads[0][0] == 0
            and len(words) > 1
            and all(_number(word[0]) is not None for word in words[1:])
        ):
            if any(_is_small(word[0]) for word in words[1:]):
                return True
            continue
        counted += [(word.end(), _width(line[: word.end()]), len(words), len(words) - place) for place, word in heads]
    return False


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
