"""问卷星: leading columns that tell of the answer, then questions from the first header with a number on.

The same answers come in three ways of writing, 按选项文本, 按选项序号 and 按选项分数, in xlsx, xls or csv. What
stands before the questions varies with the account and the years (总分 and 来源详情 come and go), so nothing is
counted from the left.
"""

from htresearch.intake.export import Layout

LAYOUT = Layout(
    source="wenjuanxing",
    facts={
        "序号": "respondent",
        "提交答卷时间": "submitted_at",
        "提交时间": "submitted_at",
        "开始答卷时间": "started_at",
        "所用时间": "duration_s",
        "来源": "channel",
        "来源详情": "channel_detail",
        "来自ip": "ip",
        "ip": "ip",
        "ip地址": "ip",
        "微信openid": "user",
        "用户id": "user",
    },
    signs=("提交答卷时间", "所用时间", "来自ip", "来源详情"),
    modes=("text", "number", "score"),
)
