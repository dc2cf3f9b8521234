"""Sentences that say themselves how few persons they speak of: only one teacher, 只有 2 名教师."""

import re

from htresearch.identifiers.plain import plain

_WHO_ZH = "学生|教师|老师|班主任|孩子|家长|女生|男生|被试|受访者"
_WHO_EN = (
    r"(?:pupils?|students?|teachers?|persons?|people|child|children|respondents?|parents?|boys?|girls?|members?)"
)
_FEW_ZH = r"(?:[1-9](?![0-9.,])|[一二两三四五六七八九](?![十百千]))"
_FEW_EN = r"(?:[1-9]|one|two|three|four|five|six|seven|eight|nine)"
_ONLY = re.compile(
    rf"(?:只|仅)(?:有|剩下?|涉及|包括)?\s?{_FEW_ZH}\s?[名位个]?\s?(?:{_WHO_ZH}|人(?!次|均))"
    rf"|(?:{_WHO_ZH}|骨干|首席)(?:教师|班主任)?(?:只|仅)有?\s?{_FEW_ZH}\s?[名位人个]"
    rf"|\b(?:(?:only|just|merely|but)\s+{_FEW_EN}|(?:a|one|the)\s+(?:single|sole)|(?:the|its)\s+only)"
    rf"(?:\s+[a-z\-]+)?\s+{_WHO_EN}\b(?!\s+(?:per|each|or more|at least|data|level|effect|file|report))",
    re.IGNORECASE,
)
#: A rule or a thought, no count: 如果只有 2 名教师, a cell with only one teacher.
_SUPPOSED = re.compile(
    r"如果|若|当|假如|哪怕|即使|即便|凡|一旦|每|各|不足|规则|的格|单元格|一格|拒绝"
    r"|\b(?:if|when|whenever|where|wherever|whose|each|every|any|no|not|unless|cells?|would|could|may|classes with)\b"
    r"|\b(?:suppos|refus)|\ba class\b",
    re.IGNORECASE,
)
_END = re.compile(r"[。！？；;!?\n]|\.\s")


def says_few(text: str) -> bool:
    """Tell whether a text says of so few that it says so itself; what it supposes is no count.

    Examples
    --------
    >>> says_few("全校只有 2 名教师"), says_few("Only one teacher left"), says_few("如果只有 2 名教师，就不显示")
    (True, True, False)
    """
    read = plain(text)[0]
    for match in _ONLY.finditer(read):
        ends = [end.end() for end in _END.finditer(read, 0, match.start())]
        after = _END.search(read, match.end())
        if not _SUPPOSED.search(read[ends[-1] if ends else 0 : after.start() if after else len(read)]):
            return True
    return False
