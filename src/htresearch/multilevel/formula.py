"""Model formulas: what is fixed, what is random, and by which groups.

The notation of the random terms is that of lme4 (Bates et al. 2015, doi:10.18637/jss.v067.i01); the fixed part is
handed on, unread, to formulaic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from htresearch.checks import argument, require
from htresearch.errors import ArgumentError, Fault, FormulaError
from htresearch.language import Text

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<quoted>`[^`]+`)"
    r"|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<name>[^\W\d]\w*(?:\.\w+)*)"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<bar>\|\|?)"
    r"|(?P<mark>.)",
    re.DOTALL,
)
_CLOSES = {")": "(", "]": "[", "}": "{"}
_FULL_WIDTH = dict(zip("（）［］｛｝｜～＋－＊：／，｀", "()[]{}|~+-*:/,`", strict=True))
_CONSTANTS = {"True", "False", "None"}
_EXAMPLE = "score ~ tier + (1 | school_id/class_id)"


@dataclass(frozen=True)
class RandomTerm:
    """Columns whose coefficients vary from group to group.

    Attributes
    ----------
    columns : tuple of str
        As written in the formula, ``"1"`` for the intercept.
    groups : tuple of str
        The columns that name a group together; two for ``a:b``.
    correlated : bool
        Whether the coefficients of a group may be correlated; ``False`` for ``||``.
    """

    columns: tuple[str, ...]
    groups: tuple[str, ...]
    correlated: bool = True

    def __str__(self) -> str:
        columns = self.columns if "1" in self.columns else ("0", *self.columns)
        return f"({' + '.join(columns)} {'|' if self.correlated else '||'} {':'.join(map(quoted, self.groups))})"


@dataclass(frozen=True)
class ModelFormula:
    """A model formula taken apart.

    Attributes
    ----------
    response : str
        The outcome, as written.
    fixed : str
        The fixed part, as formulaic reads it; ``"1"`` where only the intercept is fixed.
    random : tuple of RandomTerm
        In the order written; ``a/b`` stands as ``a`` and ``a:b``.
    """

    response: str
    fixed: str
    random: tuple[RandomTerm, ...]

    def __str__(self) -> str:
        return f"{self.response} ~ {self.fixed} + {' + '.join(map(str, self.random))}"

    @property
    def fixed_columns(self) -> tuple[str, ...]:
        """The columns of the frame that the fixed part names."""
        return _columns(_tokens(self.fixed))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the frame that the formula names, each once, the outcome first."""
        groups = [name for term in self.random for name in term.groups]
        return tuple(dict.fromkeys([*self.response_columns, *self.fixed_columns, *self.slope_columns, *groups]))

    @property
    def response_columns(self) -> tuple[str, ...]:
        """The columns of the frame that the outcome names."""
        return _columns(_tokens(self.response))

    @property
    def slope_columns(self) -> tuple[str, ...]:
        """The columns of the frame that have random effects."""
        written = [column for term in self.random for column in term.columns]
        return tuple(dict.fromkeys(name for column in written for name in _columns(_tokens(column))))


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    depth: int

    def is_mark(self, *marks: str) -> bool:
        return self.kind in ("mark", "bar") and self.text in marks


def parse_formula(text: str) -> ModelFormula:
    """Take a formula apart.

    Parameters
    ----------
    text
        ``outcome ~ fixed part + random terms``. A random term is ``(1 | g)``, ``(1 + x | g)``, ``(x || g)``
        (uncorrelated), ``(1 | a:b)`` (groups named by two columns) or ``(1 | a/b)`` (b within a, short for
        ``(1 | a) + (1 | a:b)``). Names with spaces or signs stand between backticks.

    Returns
    -------
    ModelFormula

    Raises
    ------
    FormulaError
        With every fault: parentheses that do not match, no ``~``, no random term, ``|`` outside a random term, an
        empty group, the same term twice, full-width signs.

    Examples
    --------
    >>> from htresearch.multilevel import parse_formula
    >>> formula = parse_formula("score ~ tier + (1 | school_id/class_id)")
    >>> formula.fixed, [str(term) for term in formula.random]
    ('tier', ['(1 | school_id)', '(1 | school_id:class_id)'])
    """
    if not isinstance(text, str):
        fix = Text(f"请写成文字，例如 {_EXAMPLE!r}", f"Write it as text, for example {_EXAMPLE!r}")
        raise ArgumentError(Fault(argument("formula"), Text("须为文字", "must be text"), fix, type(text).__name__))
    tokens = _tokens(text)
    require(*_faults_of_signs(text, tokens), error=FormulaError)

    left, right = _split(tokens, "~")
    faults: list[Fault] = []
    if not _said(left):
        faults.append(
            Fault(
                _whole(text),
                Text("“~”左边没有因变量", "no outcome stands left of ~"),
                Text("请在“~”左边写上因变量的列名", "Write the outcome's column left of ~"),
            )
        )
    fixed, random = [], []
    for sign, piece in _pieces(right):
        if not _said(piece):
            faults.append(_empty(text, sign))
        elif _is_random(piece):
            random += _random_terms(sign, piece, faults)
        elif any(token.kind == "bar" for token in piece):
            faults.append(_stray_bar(piece))
        else:
            fixed.append((sign, _said(piece)))
    if not any(token.kind == "bar" for token in right):
        faults.append(_no_random(text))
    faults += _repeated(random)
    require(*faults, error=FormulaError)
    return ModelFormula(_said(left), _joined(fixed), tuple(random))


def _tokens(text: str) -> list[_Token]:
    """Cut a text into tokens, each with the number of brackets open around it."""
    tokens, depth = [], 0
    for match in _TOKEN.finditer(text):
        kind, said = match.lastgroup, match.group()
        if kind == "mark" and said in _CLOSES:
            depth -= 1
        tokens.append(_Token(kind, said, depth))
        if kind == "mark" and said in _CLOSES.values():
            depth += 1
    return tokens


def _faults_of_signs(text: str, tokens: list[_Token]) -> list[Fault]:
    """Find what makes the rest unreadable: foreign signs, open backticks and quotes, brackets, the number of ~."""
    faults = []
    wide = list(dict.fromkeys(token.text for token in tokens if token.kind == "mark" and token.text in _FULL_WIDTH))
    if wide:
        half = "".join(_FULL_WIDTH[sign] for sign in wide)
        faults.append(
            Fault(
                _whole(text),
                Text(f"含有全角符号 {''.join(wide)}", f"full-width signs {''.join(wide)} stand in it"),
                Text(
                    f"请改用半角符号 {half}；列名中的符号请连同列名放在反引号之间",
                    f"Use {half}; a sign that belongs to a column's name stands between backticks with the name",
                ),
            )
        )
    faults += [
        Fault(
            _whole(text),
            Text(f"{sign} 没有成对出现", f"a {sign} is opened and not closed, or holds nothing"),
            Text(f"请用 {sign} 把整个名称括起来", f"Put a {sign} on both sides of the whole name"),
        )
        for sign in "`'\""
        if any(token.is_mark(sign) for token in tokens)
    ]
    opened: list[str] = []
    matched = True
    for token in tokens:
        if token.kind == "mark" and token.text in _CLOSES.values():
            opened.append(token.text)
        elif token.kind == "mark" and token.text in _CLOSES:
            matched = matched and bool(opened) and opened.pop() == _CLOSES[token.text]
    if opened or not matched:
        faults.append(
            Fault(
                _whole(text),
                Text("括号不成对", "the parentheses do not match"),
                Text(
                    "请为每个左括号配上右括号，例如 (1 | school_id)",
                    "Close every parenthesis that is opened, as in (1 | school_id)",
                ),
            )
        )
    tildes = sum(token.is_mark("~") for token in tokens)
    if tildes != 1 and "～" not in wide:
        rule = (
            Text("没有“~”", "there is no ~")
            if not tildes
            else Text(f"有 {tildes} 个“~”", f"there are {tildes} signs ~")
        )
        faults.append(
            Fault(
                _whole(text),
                rule,
                Text(
                    f"左边写因变量，右边写其余各项，中间用一个“~”，例如 {_EXAMPLE}",
                    f"Write the outcome, one ~ and the other terms, for example {_EXAMPLE}",
                ),
            )
        )
    return faults


def _split(tokens: list[_Token], sign: str) -> tuple[list[_Token], list[_Token]]:
    at = next(i for i, token in enumerate(tokens) if token.is_mark(sign))
    return tokens[:at], tokens[at + 1 :]


def _pieces(tokens: list[_Token]) -> list[tuple[str, list[_Token]]]:
    """Cut at every + and - outside brackets; a sign in front of the first piece is its own."""
    base = min((token.depth for token in tokens), default=0)
    pieces: list[tuple[str, list[_Token]]] = [("+", [])]
    for token in tokens:
        if token.is_mark("+", "-") and token.depth == base:
            pieces.append((token.text, []))
        else:
            pieces[-1][1].append(token)
    return pieces if len(pieces) == 1 or _said(pieces[0][1]) else pieces[1:]


def _is_random(piece: list[_Token]) -> bool:
    """Tell whether a piece is one parenthesis with a bar directly inside."""
    piece = [token for token in piece if token.kind != "space"]
    base = piece[0].depth
    enclosed = piece[0].is_mark("(") and piece[-1].is_mark(")") and all(t.depth > base for t in piece[1:-1])
    return enclosed and any(token.kind == "bar" and token.depth == base + 1 for token in piece)


def _random_terms(sign: str, piece: list[_Token], faults: list[Fault]) -> list[RandomTerm]:
    """Read one parenthesis; what is wrong with it is added to `faults`."""
    where = Text(f"随机项 {_said(piece)}", f"Random term {_said(piece)}")
    trimmed = [token for token in piece if token.kind != "space" or token.depth > piece[0].depth]
    inside = trimmed[1:-1]
    bars = [i for i, token in enumerate(inside) if token.kind == "bar"]
    before = len(faults)
    if sign == "-":
        faults.append(
            Fault(
                where,
                Text("随机项前不能用减号", "a random term cannot be subtracted"),
                Text("不要这一项就把它删去，否则用“+”相连", "Leave it out, or join it with +"),
            )
        )
    if len(bars) > 1:
        faults.append(
            Fault(
                where,
                Text("竖线多于一条", "more than one bar"),
                Text(
                    "每个括号里只写一条竖线，几项之间用“+”相连", "Write one bar in a parenthesis, join terms with +"
                ),
            )
        )
        return []
    columns = _random_columns(where, inside[: bars[0]], faults)
    groups = _groups(where, inside[bars[0] + 1 :], faults)
    if len(faults) > before:
        return []
    return [RandomTerm(columns, group, inside[bars[0]].text == "|") for group in groups]


def _random_columns(where: Text, tokens: list[_Token], faults: list[Fault]) -> tuple[str, ...]:
    columns, intercept = [], True
    for sign, piece in _pieces(tokens):
        said = _said(piece)
        if not said or (sign == "-" and said != "1"):
            faults.append(
                Fault(
                    where,
                    Text("竖线左边没有写完整", "what stands left of the bar is incomplete"),
                    Text(
                        "随机截距写 1，随机斜率写 1 + x，例如 (1 + x | school_id)",
                        "Write 1 for a random intercept, 1 + x for a random slope, as in (1 + x | school_id)",
                    ),
                )
            )
            return ()
        if said in ("0", "1"):
            intercept = said == "1" and sign == "+"
        else:
            columns.append(said)
    columns = tuple(dict.fromkeys((["1"] if intercept else []) + columns))
    if not columns:
        faults.append(
            Fault(
                where,
                Text("竖线左边只有 0，没有随机效应", "only 0 stands left of the bar, so nothing is random"),
                Text("随机截距请写 1", "Write 1 for a random intercept"),
            )
        )
    return columns


def _groups(where: Text, tokens: list[_Token], faults: list[Fault]) -> list[tuple[str, ...]]:
    """Read ``a``, ``a:b`` and ``a/b``; the result has one tuple of columns per term."""
    tokens = [token for token in tokens if token.kind != "space"]
    if not tokens:
        faults.append(
            Fault(
                where,
                Text("竖线右边没有分组", "no group stands right of the bar"),
                Text(
                    "请在竖线右边写上分组的列名，例如 (1 | school_id)",
                    "Name the group's column, as in (1 | school_id)",
                ),
            )
        )
        return []
    names, signs = tokens[::2], tokens[1::2]
    readable = (
        len(tokens) % 2 == 1
        and all(token.kind in ("name", "quoted") for token in names)
        and all(token.is_mark(":", "/") for token in signs)
    )
    if not readable:
        faults.append(
            Fault(
                where,
                Text("竖线右边只能是列名", "only column names can stand right of the bar"),
                Text(
                    "嵌套写 a/b，两列共同分组写 a:b；带空格或符号的列名放在反引号之间；几种分组分写成几项",
                    "Write a/b for b within a, a:b for groups named by both; put names with spaces or signs between "
                    "backticks; give each grouping a term of its own, joined by +",
                ),
                "".join(token.text for token in tokens),
            )
        )
        return []
    groups = [[_name(names[0])]]
    for sign, name in zip(signs, names[1:], strict=True):
        if sign.text == "/":
            groups.append([*groups[-1], _name(name)])
        else:
            groups[-1].append(_name(name))
    return [tuple(dict.fromkeys(group)) for group in groups]


def _repeated(terms: list[RandomTerm]) -> list[Fault]:
    seen: set[tuple[frozenset[str], str]] = set()
    faults = []
    for term in terms:
        keys = {(frozenset(term.groups), column) for column in term.columns}
        if keys & seen:
            faults.append(
                Fault(
                    Text(f"随机项 {term}", f"Random term {term}"),
                    Text("同一分组的同一项出现了两次", "the same effect of the same groups stands there twice"),
                    Text("请只留一个；注意 a/b 已经包含 a", "Keep one of them; note that a/b already contains a"),
                )
            )
        seen |= keys
    return faults


def _whole(text: str) -> Text:
    return Text(f"公式“{text.strip()}”", f"Formula {text.strip()!r}")


def _empty(text: str, sign: str) -> Fault:
    return Fault(
        _whole(text),
        Text(f"有一处“{sign}”后面没有内容", f"nothing follows one of the signs {sign}"),
        Text("请补上漏写的项，或删去多余的符号", "Add the term that is missing or take the sign away"),
    )


def _stray_bar(piece: list[_Token]) -> Fault:
    said = _said(piece)
    return Fault(
        Text(f"“{said}”", f"The piece {said!r}"),
        Text("竖线不在随机项的括号里", "a bar stands outside a random term's own parentheses"),
        Text(
            "随机项单独放在括号里，用“+”与其余各项相连，例如 + (1 | school_id)",
            "Put the random term in parentheses of its own and join it with +, as in + (1 | school_id)",
        ),
    )


def _no_random(text: str) -> Fault:
    return Fault(
        _whole(text),
        Text("没有随机项", "there is no random term"),
        Text(
            "请加上分组，例如 + (1 | school_id)；数据不分组时请用普通回归",
            "Add the groups, as in + (1 | school_id); use ordinary regression where data have no groups",
        ),
    )


def _joined(fixed: list[tuple[str, str]]) -> str:
    """Write the fixed pieces as one formula; subtracting alone starts from the intercept."""
    if not fixed:
        return "1"
    if fixed[0][0] == "-":
        fixed = [("+", "1"), *fixed]
    return fixed[0][1] + "".join(f" {sign} {said}" for sign, said in fixed[1:])


def _said(piece: list[_Token]) -> str:
    """Write tokens as formulaic reads them: a dotted name is a column only between backticks."""
    words = []
    for i, token in enumerate(piece):
        dotted = token.kind == "name" and "." in token.text and not (_called(piece, i) or _is_constant(token))
        words.append(f"`{token.text}`" if dotted else " " if token.kind == "space" else token.text)
    return "".join(words).strip()


def _columns(tokens: list[_Token]) -> tuple[str, ...]:
    """Name the columns among tokens: not the functions called, their keywords or constants."""
    return tuple(
        dict.fromkeys(
            _name(token)
            for i, token in enumerate(tokens)
            if token.kind == "quoted" or (token.kind == "name" and not _is_constant(token) and not _called(tokens, i))
        )
    )


def _is_constant(token: _Token) -> bool:
    """Tell whether a name is Python's or formulaic's own: ``True``, ``contr.poly``."""
    return token.text in _CONSTANTS or token.text.startswith("contr.")


def _called(tokens: list[_Token], i: int) -> bool:
    """Tell whether a name is a function's or a keyword argument's."""
    following = next((token for token in tokens[i + 1 :] if token.kind != "space"), None)
    return following is not None and (following.is_mark("(") or (following.is_mark("=") and following.depth > 0))


def _name(token: _Token) -> str:
    return token.text[1:-1] if token.kind == "quoted" else token.text


def quoted(name: str) -> str:
    """Write a column's name so that it can be read back."""
    return name if re.fullmatch(r"[^\W\d]\w*(?:\.\w+)*", name) else f"`{name}`"
