"""pandas: a workbook as a frame, by the reader that is named; indicators by hand."""


def load(task):
    """Return where the workbook or the study is: to open it is what is timed."""
    return task["files"][0]


def open_workbook(path, task):
    """Open the workbook."""
    import pandas as pd

    yield len(pd.read_excel(path, engine=task["given"]["reader"]))


def some_indicators(path, task):
    """Compute home visits per pupil, classes with a parents' meeting and pupils per class, by school and term."""
    import pandas as pd

    def read(name, columns):
        return pd.read_parquet(f"{path}/{name}.parquet", columns=columns)

    terms = read("terms", None).sort_values("starts_on", ignore_index=True)
    days = {name: pd.to_datetime(terms[name]) for name in ("starts_on", "ends_on")}
    until = days["ends_on"] + pd.Timedelta(days=62)
    until = until.where(~(days["starts_on"].shift(-1) <= until), days["starts_on"].shift(-1) - pd.Timedelta(days=1))
    schools = read("classes", ["class_id", "school_id", "stage", "entry_year", "entry_grade"]).set_index("class_id")
    spells = {
        name: read(name, [*key, "class_id", "starts_on", "ends_on"]).assign(
            starts_on=lambda f: pd.to_datetime(f["starts_on"]),
            ends_on=lambda f: pd.to_datetime(f["ends_on"]).fillna(pd.Timestamp(2200, 1, 1)),
        )
        for name, key in (("appointments", ["role"]), ("enrolments", ["student_id"]))
    }
    leading = spells["appointments"][spells["appointments"]["role"].isin(["head", "acting"])]
    done = read("activities", ["class_id", "held_on", "kind"])
    done["held_on"] = pd.to_datetime(done["held_on"])
    last_grade = schools["stage"].map({"primary": 6, "junior": 9, "senior": 12}).astype(int)
    found = []
    for number, term in terms.iterrows():
        first, last = days["starts_on"][number], days["ends_on"][number]
        grade = schools["entry_grade"] + int(term["school_year"][:4]) - schools["entry_year"]
        alive = pd.concat([leading, spells["enrolments"]])
        alive = alive.loc[(alive["starts_on"] <= last) & (alive["ends_on"] >= first), "class_id"].unique()
        fits = (grade >= schools["entry_grade"]) & (grade <= last_grade) & schools.index.isin(alive)
        classes = schools[fits]
        there = spells["enrolments"]
        there = there[(there["starts_on"] <= first) & (there["ends_on"] >= first)]
        pupils = there.drop_duplicates(["student_id", "class_id"]).groupby("class_id").size()
        pupils = pupils.reindex(classes.index, fill_value=0)
        now = done[(done["held_on"] >= first) & (done["held_on"] <= until[number])]
        counts = pd.crosstab(now["class_id"], now["kind"]).reindex(classes.index, fill_value=0)
        frame = pd.DataFrame(
            {
                "school_id": classes["school_id"],
                "visits": counts["home_visit"].where(pupils > 0, 0),
                "pupils": pupils,
                "held": counts["parents_meeting"] > 0,
                "classes": 1,
                "with_pupils": pupils > 0,
            }
        )
        found.append(frame.groupby("school_id").sum().assign(term=term["term_id"]))
    every = pd.concat(found)
    every = every.assign(
        home_visits=every["visits"] / every["pupils"],
        parents_meeting_held=every["held"] / every["classes"],
        pupils_per_class=every["pupils"] / every["with_pupils"],
    )
    yield every[["pupils", "classes", "with_pupils"]].to_numpy().sum()
