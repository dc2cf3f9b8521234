"""What a teacher's file says, in plain words of the language now spoken."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from htresearch.appearance import Figure, figure, theme
from htresearch.corps.archive import Archive
from htresearch.language import Text, current, label, listing
from htresearch.publish.class_report.contents import Report, Section, Table

_ALT = Text(
    "时间轴：自上而下为带过的班、梯队、工作室、培训、表彰和考核；下面逐条列出。",
    "A time line: from the top classes led, tier, studio, training, commendations and appraisals, all listed below.",
)
_CAPTION = Text(
    "横条表示一段时间；梯队一行的叉号是未通过或失去认定；培训的圆点越大，学时越多；考核中实心为优秀，空心为合格。",
    "Bars are spells; a cross in the tier's row is a failed or lost accreditation; larger dots are longer training; "
    "an appraisal is filled where excellent, open where qualified.",
)
_OUTCOMES = Text(
    "其下是班级平均及区间，灰色为同年级其他班的中间一半；数值见表。",
    "Below, class means with intervals over the middle half of other classes of the grade, in grey; the table has "
    "the values.",
)


def compose(file: Archive) -> Report:
    """Return the file as a report."""
    theme()
    line = file.glance().iloc[0]
    listed = [table for table in _tables(file) if table.rows]
    return Report(
        language=current(),
        kind=str(Text("一师一档", "One teacher, one file")),
        stamp=str(Text("内部资料 · 只给本人和所在学校", "Internal · for the teacher and the school")),
        place=str(listing(file.school_ids)) if file.school_ids else "",
        title=str(
            Text(f"班主任 {file.teacher_id} 的专业档案", f"Professional file of head teacher {file.teacher_id}")
        ),
        question="",
        plan_title="",
        plan=tuple(_person(file)),
        picture=_picture(file),
        caption=str(_caption(file)),
        sentences_title=str(Text("概要", "In short")),
        sentences=tuple(str(one) for one in _sentences(file, line)),
        numbers_title=str(Text("各部分", "Part by part")),
        tables=tuple(listed),
        remarks="",
        sections=tuple(one for one in _sections(file) if one.points),
        records=_training(file),
        records_note="",
        foot=str(
            Text(
                f"内部资料，请勿外传 · 记录截至 {file.until:%Y-%m-%d}",
                f"Internal, not to be passed on · records up to {file.until:%Y-%m-%d}",
            )
        ),
    )


def _picture(file: Archive) -> Figure:
    """Draw the time line, and below it how the classes did."""
    import matplotlib.pyplot as plt

    rows = file["outcomes"]
    if not len(rows):
        return figure(file.plot(), _ALT, data=pd.DataFrame())
    whole = plt.figure(figsize=(6.8, 6.0), layout="constrained")
    above, below = whole.subfigures(2, 1, height_ratios=[3.4, 2.6])
    file.plot(above.subplots())
    file.plot_outcomes(below)
    return figure(whole, Text(_ALT.zh + _OUTCOMES.zh, f"{_ALT.en} {_OUTCOMES.en}"), data=pd.DataFrame())


def _caption(file: Archive) -> Text:
    if not len(file["outcomes"]):
        return _CAPTION
    return Text(
        _CAPTION.zh + "下图：班级平均及 95% 区间；灰条是同年级其他班的中间一半，灰线是其中位数。",
        _CAPTION.en
        + " Below: class means with 95 % intervals; grey bars are the middle half of other classes of the "
        "grade, grey lines their median.",
    )


# --- words ----------------------------------------------------------------------------------------------------------


def _person(file: Archive) -> list[tuple[str, str]]:
    person = file["person"].iloc[0]
    shown = ("subject", "title", "degree", "employment", "entered_on")
    return [(str(label(c)), _said(person[c], c)) for c in shown if c in person and not pd.isna(person[c])]


def _said(value: object, column: str) -> str:
    if isinstance(value, Text):
        return str(value)
    if pd.isna(value):
        return "–"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, str):
        return str(label(value, within=column))
    return f"{value:,.1f}".removesuffix(".0")


def _sentences(file: Archive, line: pd.Series) -> list[Text]:
    said = []
    if len(file["spells"]):
        years, n = f"{line['head_teacher_years']:.1f}", int(line["n_classes"])
        tier = label(line["tier"], within="tier") if isinstance(line["tier"], str) else None
        now = Text(f"，目前为{tier.zh}", f", and holds the tier {tier.en.lower()}") if tier else Text("", "")
        said.append(
            Text(
                f"累计带班 {years} 年，带过 {n} 个班{now.zh}。",
                f"Has led {n} class{'' if n == 1 else 'es'} over {years} years{now.en}.",
            )
        )
    if file.parts["training"] is not None:
        total, year = (_said(line[c], c) for c in ("training_hours", "training_hours_last_year"))
        said.append(
            Text(
                f"累计参加培训 {total} 小时，其中最近一年 {year} 小时。",
                f"Has attended {total} hours of training, {year} of them in the last year.",
            )
        )
    lacking = file.completeness[file.completeness["state"].isin(["partial", "missing"])]
    if not len(lacking):
        said.append(Text("应有的各部分都齐全。", "Every part that is due is complete."))
    else:
        names = [label(part, within="part") for part in lacking["part"]]
        said.append(
            Text(
                f"档案应有 {line['parts_due']} 个部分，{line['parts_complete']} 个齐全；待补："
                + "、".join(n.zh for n in names)
                + "。",
                f"{line['parts_complete']} of {line['parts_due']} parts are complete; to be completed: "
                + ", ".join(n.en.lower() for n in names)
                + ".",
            )
        )
    return said


def _sections(file: Archive) -> list[Section]:
    rows = file.completeness
    lacking = [
        Text("{part}：{rule}；缺 {missing}", "{part}: {rule}; missing {missing}").format(
            part=label(row["part"], within="part"), rule=row["rule"], missing=_missing(row)
        )
        for row in rows[rows["state"].isin(["partial", "missing"])].to_dict("records")
    ]
    absent = [label(part, within="part") for part in rows.loc[rows["state"] == "not_kept", "part"]]
    if absent:
        names = Text("、".join(n.zh for n in absent), ", ".join(n.en.lower() for n in absent))
        lacking.append(Text("本研究不记录：{names}", "The study does not keep: {names}").format(names=names))
    reading = [
        Text(
            "班级结果与同年级的其他班并列，不是对教师的评分：班级由谁组成，比谁来带影响更大。",
            "Class outcomes stand beside other classes of the grade. They are no mark of the teacher: who is in a "
            "class matters more than who leads it.",
        ),
        Text(
            "区间是班级平均的 95% 区间；区间含 0 时，看不出与平均有差别。",
            "Intervals are 95 % intervals of the class mean; one that holds 0 shows no difference from the average.",
        ),
        *file.note,
    ]
    return [
        Section(str(Text("待补的内容", "To be completed")), tuple(map(str, lacking))),
        Section(str(Text("怎样看这份档案", "How to read this file")), tuple(map(str, reading))),
    ]


def _missing(row: dict) -> str:
    named = [" ".join(str(label(word)) for word in one.split(" ")) for one in str(row["missing"]).split(", ")]
    return str(listing(named))


# --- tables ---------------------------------------------------------------------------------------------------------


def _tables(file: Archive) -> list[Table]:
    return [
        _outcomes(file["outcomes"]),
        _plain("spells", file["spells"], ("class_id", "role", "starts_on", "ends_on", "reason_ended")),
        _plain("tiers", file["tiers"], ("effective_on", "tier", "decision", "awarded_by", "basis_score", "ends_on")),
        _plain("studios", _led(file["studios"]), ("studio_id", "studio_role", "joined_on", "left_on")),
        _hours(file.training_hours),
        _incentives(file["incentives"]),
        _plain("appraisals", file["appraisals"], ("decided_on", "kind", "total_score", "result", "incident")),
        _activities(file["activities"]),
    ]


def _plain(part: str, rows: pd.DataFrame, columns: Sequence[str]) -> Table:
    """Return chosen columns of a part as words; an open end is said so."""
    shown = [c for c in columns if c in rows and rows[c].notna().any()]
    within = {"kind": {"appraisals": "appraisal", "incentives": "incentive"}.get(part, "kind")}
    cells = [[_cell(value, within.get(c, c)) for value in rows[c]] for c in shown]
    numeric = tuple(
        i for i, c in enumerate(shown) if pd.api.types.is_numeric_dtype(rows[c]) and rows[c].dtype != bool
    )
    head = tuple(str(label(c)) for c in shown)
    return Table(str(label(part, within="part")), head, tuple(zip(*cells, strict=True)) if cells else (), numeric)


def _cell(value: object, column: str) -> str:
    if isinstance(value, bool):
        return str(Text("有", "yes") if value else Text("无", "none"))
    return _said(value, column)


def _led(studios: pd.DataFrame) -> pd.DataFrame:
    words = {"lead": Text("主持人", "leader"), "member": Text("成员", "member")}
    said = [words[part] for part in studios["part"]] if len(studios) else []
    return studios.drop(columns="part", errors="ignore").assign(studio_role=said)


def _outcomes(rows: pd.DataFrame) -> Table:
    head = (
        Text("测评项目", "Measure"),
        Text("学期", "Term"),
        Text("班级", "Class"),
        Text("班级平均", "Class mean"),
        Text("95% 区间", "95 % interval"),
        Text("人数", "Pupils"),
        Text("其他班中位数", "Others' median"),
        Text("其他班中间一半", "Others' middle half"),
    )
    cells = []
    for row in rows.to_dict("records"):
        mark = "*" if row["own_rating"] else ""
        span, others = (
            "–"
            if pd.isna(row[low])
            else str(Text("{a} 至 {b}", "{a} to {b}").format(a=_two(row[low]), b=_two(row[high])))
            for low, high in (("conf_low", "conf_high"), ("others_low", "others_high"))
        )
        n = "–" if pd.isna(row["n_students"]) else str(row["n_students"])
        cells.append(
            (
                str(label(row["measure"])) + mark,
                row["term_id"],
                row["class_id"],
                _two(row["estimate"]),
                span,
                n,
                _two(row["others_median"]),
                others,
            )
        )
    return Table(str(label("outcomes", within="part")), tuple(map(str, head)), tuple(cells), (3, 4, 5, 6, 7))


def _two(value: float) -> str:
    """Write a number with two decimals, without a negative zero."""
    return "–" if pd.isna(value) else f"{round(value, 2) + 0.0:.2f}"


def _hours(hours: pd.DataFrame) -> Table:
    """Return hours by level, format, theme and mode, one line each."""
    rows = hours[(hours["by"] != "term_id") & (hours["hours"] > 0)]
    lines = []
    for by, of in rows.groupby("by", sort=False):
        said = [
            f"{label(value, within=str(by))} {_said(h, 'hours')}"
            for value, h in zip(of["value"], of["hours"], strict=True)
        ]
        lines.append((str(label(str(by))), str(listing(said))))
    head = (str(Text("培训", "Training")), str(Text("小时", "Hours")))
    return Table(str(Text("培训时长", "Training hours")), head, tuple(lines))


def _incentives(rows: pd.DataFrame) -> Table:
    if not len(rows):
        return Table("", (), ())
    sums = rows.groupby("kind", observed=True).agg(
        n=("granted_on", "size"), yuan=("amount_yuan", lambda x: x.sum(min_count=1)), last=("granted_on", "max")
    )
    cells = [
        (str(label(str(kind), within="incentive")), str(n), _said(yuan, "yuan"), _said(last, "day"))
        for kind, n, yuan, last in sums.itertuples()
    ]
    head = (
        Text("种类", "Kind"),
        Text("次数", "Times"),
        Text("金额合计（元）", "Yuan in all"),
        Text("最近一次", "Last"),
    )
    return Table(str(label("incentives", within="part")), tuple(map(str, head)), tuple(cells), (1, 2))


def _activities(rows: pd.DataFrame) -> Table:
    """Return how often each kind was held, a line a term."""
    if not len(rows):
        return Table("", (), ())
    counts = rows.pivot_table(index="term_id", columns="kind", values="n", aggfunc="sum", observed=True).fillna(0)
    cells = [(str(term), *(f"{n:.0f}" for n in line)) for term, *line in counts.itertuples()]
    head = (str(Text("学期", "Term")), *(str(label(str(kind), within="activity")) for kind in counts.columns))
    title = str(Text("班级活动（次）", "Class activities (times)"))
    return Table(title, head, tuple(cells), tuple(range(1, len(head))))


def _training(file: Archive) -> Table:
    """Return every event attended."""
    rows = file["training"]
    columns = ("held_on", "theme", "hours_attended")
    cells = [tuple(_said(row[c], c) for c in columns) for row in rows.to_dict("records")]
    head = (Text("日期", "Date"), Text("主题", "Theme"), Text("小时", "Hours"))
    return Table(str(Text("全部培训", "All training")), tuple(map(str, head)), tuple(cells), (2,))
