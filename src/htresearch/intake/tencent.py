"""腾讯问卷: when an answer began and ended, where it came from, then questions as ``1.题干`` or ``1.题干:选项``."""

from htresearch.intake.export import Layout

LAYOUT = Layout(
    source="tencent",
    facts={
        "编号": "respondent",
        "答卷编号": "respondent",
        "序号": "respondent",
        "开始答题时间": "started_at",
        "结束答题时间": "submitted_at",
        "答题时长": "duration_s",
        "用户标识": "user",
        "用户类型": "channel",
        "来源": "channel",
        "ip": "ip",
    },
    signs=("开始答题时间", "结束答题时间", "答题时长", "用户标识"),
    modes=("text", "number", "score"),
)
