"""A plain table of answers, csv or xlsx: headers are the items' names or their wording, numbers are their values."""

from htresearch.intake import tencent, wenjuanxing
from htresearch.intake.export import Layout

LAYOUT = Layout(
    source="xlsx",
    facts={
        **tencent.LAYOUT.facts,
        **wenjuanxing.LAYOUT.facts,
        "respondent_id": "respondent",
        "respondent": "respondent",
        "id": "respondent",
        "编码": "respondent",
        "submitted_at": "submitted_at",
        "填写时间": "submitted_at",
        "答题时间": "submitted_at",
        "duration_s": "duration_s",
        "duration": "duration_s",
        "用时": "duration_s",
        "填写时长": "duration_s",
    },
    signs=(),
    modes=("text", "score"),
    numbered=False,
)
