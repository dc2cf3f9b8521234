"""Models and figures in a release: none leaves that is a few persons apart from what is out, in whatever session."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from matplotlib.figure import Figure

import htresearch as ht
from htresearch.disclosure import LedgerError, Release, check, memory, tabulate
from htresearch.errors import ArgumentError
from htresearch.language import Text
from htresearch.multilevel import fit_multilevel, load_fit, three_lines

from .attacker import district


@cache
def pupils() -> pd.DataFrame:
    frame = district(3, n=1500, schools=9)
    draw = np.random.default_rng(3)
    of_school = dict(zip(sorted(frame["school_id"].unique()), draw.normal(0, 3, 9), strict=True))
    score = 70 + frame["school_id"].map(of_school) + draw.normal(0, 8, len(frame))
    return frame.assign(
        score=score.round(1),
        mood=draw.normal(0, 1, len(frame)).round(2),
        hours=draw.gamma(3, 4, len(frame)).round(),
        weight=draw.uniform(0.5, 2, len(frame)).round(2),
        passed=(draw.random(len(frame)) < 0.4).astype(int),
    )


def model(frame: pd.DataFrame, formula: str = "score ~ sex + hours + (1 | school_id)", **options):
    return fit_multilevel(formula, frame, **options)


def least_squares(frame: pd.DataFrame, formula: str = "score ~ C(sex)"):
    return smf.ols(formula, frame).fit()


def is_let_out(folder, thing, name: str, rules=None, **what) -> bool:
    """Release something in a session of its own."""
    with Release(folder, rules) as release:
        return release.add(thing, name, **what).passed


def without_class(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["teacher_id"] != frame["teacher_id"].iloc[0]]


def without_two_schools(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[~frame["school_id"].isin(["s0", "s1"])]


def with_one_corrected(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(score=frame["score"].where(frame.index != 7, 41.5))


def with_one_exchanged(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(student_id=frame["student_id"].where(frame.index != 7, 90_000))


def shuffled_anew(frame: pd.DataFrame) -> pd.DataFrame:
    """Another order, another index, ids as text: the same pupils, but for one."""
    mixed = frame.iloc[1:].sample(frac=1.0, random_state=1).reset_index(drop=True)
    return mixed.assign(student_id=mixed["student_id"].astype(float).astype(object))


def in_other_units(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[2:].assign(score=frame["score"] * 1.5 - 20)


def standardised(frame: pd.DataFrame) -> pd.DataFrame:
    rest = frame.iloc[1:]
    return rest.assign(score=(rest["score"] - rest["score"].mean()) / rest["score"].std())


@pytest.mark.parametrize(
    "changed",
    [
        lambda frame: frame.iloc[1:],
        without_class,
        without_two_schools,
        with_one_corrected,
        with_one_exchanged,
        shuffled_anew,
        in_other_units,
        standardised,
    ],
)
def test_two_models_a_few_apart_in_two_sessions(tmp_path, changed):
    assert is_let_out(tmp_path, model(pupils()), "all pupils")
    with Release(tmp_path) as release:
        found = release.add(model(changed(pupils()), "score ~ sex + (1 | school_id)"), name="later")
        assert not found.passed
        assert "all pupils" in found.failures["reason"].iloc[0].en
        assert release.names == ("all pupils",)


def test_another_name_of_the_outcome_hides_nothing(tmp_path):
    assert is_let_out(tmp_path, model(pupils()), "score")
    renamed = pupils().iloc[1:].rename(columns={"score": "result"})
    assert not is_let_out(tmp_path, model(renamed, "result ~ sex + (1 | school_id)"), "result")


def without_some_of_everywhere(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(frame.groupby("school_id").head(3).index)


@pytest.mark.parametrize(
    ("changed", "formula"),
    [
        (lambda frame: frame, "score ~ sex + grade + (1 | school_id)"),
        (lambda frame: frame.iloc[1:], "mood ~ sex + (1 | school_id)"),
        (without_some_of_everywhere, "score ~ sex + hours + (1 | school_id)"),
        (lambda frame: frame[frame["grade"] != "9"], "score ~ sex + hours + (1 | school_id)"),
        (lambda frame: frame.iloc[1:].assign(score=frame["mood"]), "score ~ sex + (1 | school_id)"),
    ],
)
def test_what_is_not_a_few_apart_may_follow(tmp_path, changed, formula):
    """The same pupils, another outcome, enough others, a part of them, or other values under the same name."""
    assert is_let_out(tmp_path, model(pupils()), "all pupils")
    assert is_let_out(tmp_path, model(changed(pupils()), formula), "later")


def test_two_terms_of_one_outcome_may_follow_one_another(tmp_path):
    """Nearly the same pupils, half a year on: two have left, and nothing tells of them."""
    first = pupils().assign(term_id="2025-1")
    draw = np.random.default_rng(5)
    later = first.iloc[2:].assign(term_id="2025-2", score=lambda f: f["score"] + draw.normal(0, 4, len(f)).round(1))
    assert is_let_out(tmp_path, model(first), "autumn")
    assert is_let_out(tmp_path, model(later), "spring")
    both = pd.concat([first, later], ignore_index=True)
    assert is_let_out(tmp_path, model(both), "the year")
    assert not is_let_out(tmp_path, model(both.iloc[1:]), "the year but for a row")


def test_weights_that_take_somebody_out_are_seen(tmp_path):
    even = pupils().assign(weight=1.0)
    assert is_let_out(tmp_path, model(even, weights="weight"), "all")
    out = even.assign(weight=np.where(even.index == 3, 1e-6, 1.0))
    assert not is_let_out(tmp_path, model(out, weights="weight"), "all but one, in effect")
    assert is_let_out(tmp_path, model(pupils(), weights="weight"), "other weights throughout")


def test_other_results_of_the_package_and_of_others(tmp_path):
    lines = {"outcome": "score", "exposures": ["hours"]}
    assert is_let_out(tmp_path, three_lines(pupils(), **lines), "lines")
    assert not is_let_out(tmp_path, three_lines(pupils().iloc[1:], **lines), "lines without one")
    assert not is_let_out(tmp_path, model(pupils().iloc[1:]), "model without one")
    frame = pupils().iloc[1:]
    assert not is_let_out(tmp_path, least_squares(frame), "least squares without one", frame=frame)
    assert is_let_out(tmp_path, least_squares(pupils()), "least squares", frame=pupils())


def test_a_model_read_from_a_file_needs_its_data(tmp_path):
    model(pupils().iloc[1:]).save(tmp_path / "fit.npz")
    read = load_fit(tmp_path / "fit.npz")
    folder = tmp_path / "release"
    assert is_let_out(folder, model(pupils()), "all")
    assert not is_let_out(folder, read, "without one")
    assert not is_let_out(folder, read, "without one", frame=pupils().iloc[1:])
    model(pupils()).save(tmp_path / "whole.npz")
    assert is_let_out(folder, load_fit(tmp_path / "whole.npz"), "whole", frame=pupils())
    ids = pupils()["teacher_id"].iloc[0].encode()
    assert ids not in (tmp_path / "fit.npz").read_bytes()


def test_units_that_are_told_count(tmp_path):
    plain = pupils().drop(columns=["student_id", "teacher_id"])
    told = {kind: pupils()[f"{kind}_id"] for kind in ("student", "teacher")}
    assert is_let_out(tmp_path, model(pupils()), "all")
    assert not is_let_out(tmp_path, model(plain.iloc[1:]), "unknown", units=told)
    assert is_let_out(tmp_path, model(plain, "score ~ hours + (1 | school_id)"), "the same", units=told)


def test_a_model_beside_tables(tmp_path):
    means = {"value": "score", "statistic": "mean"}
    assert is_let_out(tmp_path, tabulate(pupils(), "school_id", **means), "means")
    assert not is_let_out(tmp_path, least_squares(pupils().iloc[1:]), "without one", frame=pupils())
    assert is_let_out(tmp_path, least_squares(pupils()), "all", frame=pupils())
    assert is_let_out(tmp_path, least_squares(pupils().iloc[1:], "mood ~ C(sex)"), "mood", frame=pupils())
    assert not is_let_out(tmp_path, tabulate(pupils().iloc[:-1], "zone_id", **means), "means without the last")


def test_a_table_after_a_model(tmp_path):
    assert is_let_out(tmp_path, least_squares(pupils(), "score ~ 1"), "all", frame=pupils())
    wanting = pupils().iloc[3:]
    assert not is_let_out(tmp_path, tabulate(wanting, "zone_id", None, "score", "mean"), "table")
    assert not is_let_out(tmp_path, tabulate(wanting, "zone_id", None, "score", "sum", margins=False), "sums")
    assert is_let_out(tmp_path, tabulate(pupils(), "zone_id", None, "score", "mean"), "whole table")


def test_a_model_tells_no_number_of_persons(tmp_path):
    """Of a few nobody knows the score: that a table counts them all says nothing of theirs."""
    assert is_let_out(tmp_path, least_squares(pupils(), "score ~ 1"), "all", frame=pupils())
    assert is_let_out(tmp_path, tabulate(pupils().iloc[3:], "zone_id"), "counts")


def test_a_share_beside_a_model_of_it(tmp_path):
    assert is_let_out(tmp_path, least_squares(pupils(), "passed ~ C(sex)"), "all", frame=pupils())
    share = {"value": "passed", "statistic": "percentage"}
    assert not is_let_out(tmp_path, tabulate(pupils().iloc[1:], "zone_id", **share), "share without one")
    assert is_let_out(tmp_path, tabulate(pupils(), "zone_id", **share), "share")


def drawn(table):
    ax = Figure().subplots()
    shown = table.tidy()
    ax.bar(shown["zone_id"].astype(str), shown["estimate"])
    return ht.figure(ax, Text("各学区的平均分", "Mean score by zone"), of=table)


def test_a_figure_is_what_it_draws(tmp_path):
    means = {"value": "score", "statistic": "mean", "margins": False}
    assert is_let_out(tmp_path, drawn(tabulate(pupils(), "zone_id", **means)), "figure")
    assert not is_let_out(tmp_path, drawn(tabulate(pupils().iloc[1:], "zone_id", **means)), "figure without one")
    assert not is_let_out(tmp_path, tabulate(pupils().iloc[1:], "zone_id", **means), "table without one")
    assert is_let_out(tmp_path, tabulate(pupils(), "zone_id", **means), "table")


def test_a_figure_of_which_only_counts_are_said(tmp_path):
    ax = Figure().subplots()
    ax.bar(["east", "west"], [70.0, 75.0])
    counts = pd.DataFrame({"n_students": [40, 50], "n_teachers": [4, 5], "n_schools": [4, 5]})
    told = {"counts": counts, "statistic": "mean"}
    assert check(ax, **told).passed
    assert not is_let_out(tmp_path, ax, "figure", **told)


def test_another_model_of_the_same_name_is_refused(tmp_path):
    assert is_let_out(tmp_path, model(pupils()), "model")
    assert is_let_out(tmp_path, model(pupils()), "model")
    with pytest.raises(ArgumentError):
        is_let_out(tmp_path, model(pupils(), "score ~ sex + (1 | school_id)"), "model")


def test_it_holds_no_id_and_is_its_owners_alone(tmp_path):
    frame = pupils().assign(student_id=[f"T{i:06d}" for i in pupils()["student_id"]])
    assert is_let_out(tmp_path, model(frame), "model")
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    held = b"".join(path.read_bytes() for path in kept if path.suffix != ".lock")
    assert not [i for i in (*frame["student_id"], *frame["teacher_id"].unique()) if i.encode() in held]
    assert not any(path.stat().st_mode & 0o077 for path in kept if path.name != "lock")
    again = pd.concat(pd.read_parquet(path) for path in (tmp_path / "tables").iterdir())
    assert set(again.columns) == {"person", "teacher", "school", "row", "value"}


CHILD = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from disclosure.test_apart import model, pupils
from htresearch.disclosure import Release, memory

whole = memory.write_file
def dying(path, *rest):
    if sys.argv[3] == "before" and path.name == "ledger.json" and any((path.parent / "tables").iterdir()):
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(path, *rest)
memory.write_file = dying
with Release(sys.argv[1], wait=60) as release:
    print(release.add(model(pupils()), name="all").passed, flush=True)
    if sys.argv[3] == "after":
        os.kill(os.getpid(), signal.SIGKILL)
"""


def child(folder, when: str) -> subprocess.Popen:
    command = [sys.executable, "-c", CHILD, str(folder), str(Path(__file__).parents[1]), when]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("when", "kept"), [("before", False), ("after", True)])
def test_a_session_that_is_killed(tmp_path, when, kept):
    """What was let out is remembered from that moment on; what was not, leaves nothing that is in the way."""
    process = child(tmp_path, when)
    said, _ = process.communicate(timeout=240)
    assert process.returncode == -9
    assert said == ("True\n" if kept else "")
    with Release(tmp_path, wait=0) as release:
        assert release.names == (("all",) if kept else ())
        assert release.add(model(pupils().iloc[1:]), name="without one").passed is not kept


def test_a_process_waits_for_another_and_knows_what_it_let_out(tmp_path):
    with Release(tmp_path) as release:
        process = child(tmp_path, "never")
        assert release.add(model(pupils().iloc[1:]), name="without one").passed
    said, fault = process.communicate(timeout=240)
    assert (process.returncode, said) == (0, "False\n"), fault


def test_a_folder_of_an_earlier_version_says_so(tmp_path):
    assert is_let_out(tmp_path, tabulate(pupils(), "zone_id"), "zones")
    manifest = tmp_path / "ledger.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content["version"] = 2
    content["seal"] = memory._seal(content, (tmp_path / "key").read_bytes())
    manifest.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(LedgerError) as fault, Release(tmp_path):
        pass
    assert "earlier version" in fault.value.faults[0].rule.en
