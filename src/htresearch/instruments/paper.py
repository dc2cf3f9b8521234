"""An instrument as a form to be printed on A4 and filled in by hand."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from htresearch import checks, language
from htresearch.errors import Fault
from htresearch.instruments.instrument import Choice, Instrument, Item, Question
from htresearch.language import Text

#: Choices no longer than this, in Chinese characters, stand beside one another.
_SHORT = 9
#: A longer label above a matrix is folded.
_FOLDED = 5


def html(instrument: Instrument) -> str:
    """Return the paper form as a page that stands alone, in the language now spoken.

    The number in each circle or box is the value to be typed in; scales and keys are not to be seen.

    Parameters
    ----------
    instrument
        As `htresearch.load_instrument` returns it.

    Returns
    -------
    str
        HTML with its style, without scripts or anything to be fetched, set for A4. For PDF, print it from a browser.

    Raises
    ------
    ArgumentError
        If the wording of the instrument is licensed and so not in its file.

    Examples
    --------
    >>> import htresearch as ht
    >>> instrument = ht.load_instrument("surveys/class_climate.yaml")
    >>> form = ht.instruments.paper.html(instrument)
    >>> "班级氛围学生问卷" in form
    True
    """
    checks.require(_wordless(instrument))
    spoken = "zh-CN" if language.current() == "zh" else "en"
    style = files("htresearch.instruments").joinpath("paper.css").read_text(encoding="utf-8")
    title, introduction = escape(str(instrument.title)), escape(str(instrument.introduction))
    how = Text(
        "请在所选答案的圆圈上打 ✓；选错了请涂黑，再选另一个。",
        "Tick the circle of your answer; if you change your mind, fill it in and tick another.",
    )
    if any(question.type == "multiple" for question in instrument.questions):
        several = Text("选项前是方框的题可以多选。", "Where choices have squares, you may tick several.")
        how = Text(f"{how.zh}{several.zh}", f"{how.en} {several.en}")
    thanks = Text("问卷到此结束，谢谢您！", "That is the end. Thank you!")
    if instrument.respondent == "pupil":
        thanks = Text("问卷到此结束，谢谢你！", "That is the end. Thank you!")
    if instrument.respondent == "observer":
        thanks = Text("记录到此结束。", "End of the form.")
    body = "\n".join(_question(question, instrument) for question in instrument.questions)
    mark = escape(f"{instrument.id} · {instrument.version}")
    return (
        f'<!DOCTYPE html>\n<html lang="{spoken}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f'<style>\n{style}</style>\n</head>\n<body class="{instrument.respondent}">\n'
        f"<main>\n<header>\n<h1>{title}</h1>\n"
        f'{f"<p>{introduction}</p>" if introduction else ""}\n<p class="how">{how}</p>\n</header>\n{body}\n'
        f"<footer><span>{thanks}</span><span>{mark}</span></footer>\n</main>\n</body>\n</html>\n"
    )


def _wordless(instrument: Instrument) -> Fault | None:
    if instrument.worded:
        return None
    return Fault(
        instrument.id,
        Text(
            "题干受版权保护，这里没有，无法印成问卷",
            "its wording is licensed and not here, so no form can be printed",
        ),
        Text("请向权利人取得问卷；见 licence 一项", "Obtain the form from its owner; see its licence"),
    )


def _question(question: Question, instrument: Instrument) -> str:
    number = f'<span class="number">{question.number}.</span>'
    when = f'<p class="when">{_when(question, instrument)}</p>' if question.when else ""
    if question.type == "matrix":
        return f'<section class="matrix">{when}{_matrix(question, number)}</section>'
    words = f'<p class="words">{number}{escape(str(question.text))}</p>'
    return f"<section>{when}{words}{_ANSWERS[question.type](question.items[0])}</section>"


def _when(question: Question, instrument: Instrument) -> Text:
    """Say to whom a question is put, by the number of the earlier one."""
    conditions = []
    for name, values in question.when.items():
        earlier = next(q for q in instrument.questions if any(item.id == name for item in q.items))
        row = next(n for n, item in enumerate(earlier.items, 1) if item.id == name)
        place = f"{earlier.number}" if len(earlier.items) == 1 else f"{earlier.number}({row})"
        labels = {choice.value: choice.label for choice in instrument.items[name].choices}
        zh = "或".join(f"“{escape(labels[value].zh)}”" for value in values)
        en = " or ".join(f"“{escape(labels[value].en)}”" for value in values)
        conditions.append(Text(f"第 {place} 题选{zh}", f"you chose {en} in question {place}"))
    return Text(
        f"{'、且'.join(c.zh for c in conditions)}的，请答本题；其他人跳过。",
        f"Only if {' and '.join(c.en for c in conditions)}; otherwise skip this question.",
    )


def _matrix(question: Question, number: str) -> str:
    choices = question.items[0].choices
    words = escape(str(question.text))
    heads = "".join(f'<th scope="col"{_apart(choice)}>{escape(str(choice.label))}</th>' for choice in choices)
    rows = []
    for row, item in enumerate(question.items, 1):
        marks = "".join(f"<td{_apart(choice)}>{_mark(choice, 'circle')}</td>" for choice in choices)
        rows.append(f'<tr><th scope="row"><span>({row})</span>{escape(str(item.text))}</th>{marks}</tr>')
    wide = max(
        _width(piece[:_FOLDED]) if piece > "⺀" else _width(piece) for c in choices for piece in str(c.label).split()
    )
    columns = f'<col><col span="{len(choices)}" style="width: {0.86 * wide + 0.8:.2f}em">'
    head = f'<tr><th scope="col" class="words">{number}{words}</th>{heads}</tr>'
    body = "\n".join(rows)
    return f"<table><colgroup>{columns}</colgroup><thead>{head}</thead>\n<tbody>\n{body}\n</tbody></table>"


def _apart(choice: Choice) -> str:
    return ' class="apart"' if choice.missing else ""


def _mark(choice: Choice, shape: str) -> str:
    """Return the circle or box to tick, with the value to be typed in; what is no answer has none."""
    return f'<i class="{shape}">{"" if choice.missing else choice.value}</i>'


def _choices(item: Item, shape: str) -> str:
    short = all(_width(str(choice.label)) <= _SHORT for choice in item.choices)
    listed = "".join(
        f"<li>{_mark(choice, shape)}<span>{escape(str(choice.label))}</span></li>" for choice in item.choices
    )
    return f'<ul class="{"beside" if short else "below"}">{listed}</ul>'


def _width(label: str) -> float:
    """Return how wide a label is, in Chinese characters."""
    return sum(1 if ord(character) > 0x2E7F else 0.5 for character in label)


def _single(item: Item) -> str:
    return _choices(item, "circle")


def _multiple(item: Item) -> str:
    return _choices(item, "box")


def _ranking(item: Item) -> str:
    how = Text("请在方格中写名次，1 为第一。", "Write the rank in the boxes, 1 for the first.")
    listed = "".join(
        f'<li><i class="rank"></i><span>{escape(str(choice.label))}</span></li>' for choice in item.choices
    )
    return f'<p class="how">{how}</p><ul class="beside">{listed}</ul>'


def _number(item: Item) -> str:
    ends = [end for end in (item.minimum, item.maximum) if end is not None]
    bounds = f"<small>{'–'.join(f'{end:g}' for end in ends)}</small>" if len(ends) == 2 else ""
    digits = max((len(f"{end:g}") for end in ends), default=4)
    return f'<p class="line"><i class="cells">{"<b></b>" * digits}</i>{bounds}</p>'


def _text(item: Item) -> str:
    """Return one line for a name, a few for an opinion."""
    return "<p class='line'></p>" * (1 if item.identifies else 3)


def _date(_: Item) -> str:
    parts = ((4, Text("年", "year")), (2, Text("月", "month")), (2, Text("日", "day")))
    return "".join(f'<i class="cells">{"<b></b>" * digits}</i><small>{name}</small>' for digits, name in parts).join(
        ('<p class="line">', "</p>")
    )


_ANSWERS = {
    "single": _single,
    "multiple": _multiple,
    "ranking": _ranking,
    "number": _number,
    "text": _text,
    "date": _date,
}
