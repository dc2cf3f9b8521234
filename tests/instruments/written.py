"""A small instrument to be spoilt: every test changes one thing of it."""

from copy import deepcopy
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
SURVEYS = ROOT / "surveys"

CONTENT = {
    "id": "small",
    "version": "1.0",
    "status": "draft",
    "title": {"zh": "小问卷", "en": "Small survey"},
    "purpose": {"zh": "试一试", "en": "To try things out"},
    "source": {"zh": "自编", "en": "Written for this test"},
    "licence": "Apache-2.0",
    "respondent": "teacher",
    "clauses": ["M2", "W7"],
    "minutes": 3,
    "missing": [{"value": -3, "zh": "跳过", "en": "Skipped"}],
    "choices": {
        "agreement": [
            {"value": 1, "zh": "不同意", "en": "Disagree"},
            {"value": 2, "zh": "说不清", "en": "Neither"},
            {"value": 3, "zh": "同意", "en": "Agree"},
            {"value": -4, "zh": "不适用", "en": "Not applicable", "missing": True},
        ]
    },
    "items": [
        {"id": "name", "type": "text", "zh": "姓名：", "en": "Name:", "identifies": "name"},
        {
            "id": "trained",
            "type": "single",
            "zh": "参加过培训吗？",
            "en": "Any training?",
            "choices": [{"value": 1, "zh": "是", "en": "Yes"}, {"value": 2, "zh": "否", "en": "No"}],
        },
        {
            "id": "formats",
            "type": "multiple",
            "zh": "哪些形式？",
            "en": "Which kinds?",
            "when": {"trained": [1]},
            "choices": [{"value": 1, "zh": "讲座", "en": "Lecture"}, {"value": 2, "zh": "参观", "en": "Visit"}],
        },
        {
            "id": "ways",
            "type": "ranking",
            "zh": "请排序：",
            "en": "Put in order:",
            "choices": [
                {"value": 1, "zh": "面谈", "en": "Talk"},
                {"value": 2, "zh": "电话", "en": "Call"},
                {"value": 3, "zh": "家访", "en": "Visit"},
            ],
        },
        {
            "id": "views",
            "type": "matrix",
            "zh": "您同意吗？",
            "en": "Do you agree?",
            "choices": "agreement",
            "rows": {
                "view_1": {"zh": "我喜欢这份工作。", "en": "I like the work."},
                "view_2": {"zh": "我想换工作。", "en": "I want another job."},
            },
        },
        {"id": "years", "type": "number", "zh": "年数：", "en": "Years:", "min": 0, "max": 45},
        {"id": "began_on", "type": "date", "zh": "开始日期：", "en": "Since:", "optional": True},
        {"id": "comment", "type": "text", "zh": "其他：", "en": "Anything else:", "optional": True},
    ],
    "scales": {
        "liking": {"zh": "喜爱", "en": "Liking", "items": {"view_1": 1, "view_2": -1}},
        "length": {"zh": "年资", "en": "Length", "items": {"years": -1, "view_1": 1}, "scoring": "sum"},
    },
}


def content() -> dict:
    """A copy of the content, to be changed."""
    return deepcopy(CONTENT)


def item(content: dict, name: str) -> dict:
    """One of the questions."""
    return next(question for question in content["items"] if question["id"] == name)


def save(folder: Path, content: object, name: str = "small.yaml") -> Path:
    """Write an instrument to a file."""
    path = folder / name
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), "utf-8")
    return path
