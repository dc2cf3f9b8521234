"""What a release refuses together, what it lets pass, and what it remembers."""

import json

import numpy as np
import pandas as pd
import pytest

from htresearch.disclosure import LedgerError, RefusedError, Release, load_rules, tabulate
from htresearch.errors import ArgumentError

from .attacker import Attacker, district

PUPILS = district(1, n=1800)


@pytest.fixture
def release(tmp_path):
    with Release(tmp_path / "release") as opened:
        yield opened


def reason(verdicts) -> str:
    return verdicts.failures["reason"].iloc[0].en


def test_two_tables_that_differ_by_a_few_pupils(release):
    assert release.add(tabulate(PUPILS, "school_id"), name="all pupils").passed
    later = release.add(tabulate(PUPILS.iloc[3:], "school_id"), name="without newcomers")
    assert not later.passed
    assert "all pupils" in reason(later)
    assert release.names == ("all pupils",)


def test_a_pupil_added_between_two_releases(release):
    assert release.add(tabulate(PUPILS.iloc[1:], "zone_id", "sex"), name="autumn").passed
    assert not release.add(tabulate(PUPILS, "zone_id", "sex"), name="spring").passed


def test_three_tables_of_which_no_two_tell(release):
    # all - girls - the boys who stayed = the few who left
    young = (PUPILS["grade"] == "9") & (PUPILS["sex"] == "m") & (PUPILS["school_id"] == "s0")
    few = PUPILS[young].index[:4]
    rest = PUPILS.drop(few)
    assert release.add(tabulate(PUPILS, "zone_id", margins=False), name="all").passed
    assert release.add(tabulate(PUPILS[PUPILS["sex"] == "f"], "zone_id", margins=False), name="girls").passed
    seventh = PUPILS[(PUPILS["sex"] == "f") & (PUPILS["grade"] == "7")]
    assert release.add(tabulate(seventh, "zone_id", margins=False), name="grade 7").passed
    found = release.add(tabulate(rest[rest["sex"] == "m"], "zone_id", margins=False), name="boys who stayed")
    assert not found.passed
    assert "all" in reason(found)
    assert "girls" in reason(found)
    assert "grade 7" not in reason(found)


def test_means_are_differenced_as_counts_are(release):
    draw = np.random.default_rng(0)
    pupils = PUPILS.assign(score=draw.uniform(40, 100, len(PUPILS)))
    mean = {"value": "score", "statistic": "mean"}
    assert release.add(tabulate(pupils, "school_id", **mean), name="mean").passed
    assert not release.add(tabulate(pupils.iloc[1:], "school_id", **mean), name="mean without one").passed
    assert not release.add(tabulate(pupils.iloc[2:], "zone_id"), name="count without two").passed


def test_one_teacher_behind_a_difference(release):
    one = PUPILS["teacher_id"] == "t0-0"
    assert one.sum() >= 10
    assert release.add(tabulate(PUPILS, "school_id"), name="all").passed
    found = release.add(tabulate(PUPILS[~one], "school_id"), name="without a class")
    assert not found.passed
    assert "teacher" in reason(found)


def test_a_suppressed_cell_stays_hidden(release):
    table = tabulate(PUPILS, ["zone_id", "school_id"], "tier")
    shown = release.suppress(table, name="tiers")
    assert shown.suppressed.any()
    assert shown.tidy().loc[shown.suppressed, "estimate"].isna().all()
    others = PUPILS[PUPILS["tier"] != "c"]
    small = table.cells.query("tier == 'c' and n_persons > 0 and n_persons < 10 and school_id != '(all)'")
    assert len(small)
    refused = release.add(tabulate(others, "school_id"), name="without chiefs")
    assert not refused.passed
    assert "tiers" in reason(refused)


def test_what_cannot_be_mended_is_refused(release):
    assert release.add(tabulate(PUPILS, "school_id"), name="first").passed
    few = PUPILS.drop(PUPILS.groupby("school_id").head(1).index)
    with pytest.raises(RefusedError) as fault:
        release.suppress(tabulate(few, "school_id"), name="second")
    assert not fault.value.verdicts.passed
    assert release.names == ("first",)


def test_more_is_hidden_beside_what_is_out(release):
    """Two pupils fewer: no cell is unsafe by itself, those that hold the two are hidden, the rest may leave."""
    assert release.add(tabulate(PUPILS, "school_id"), name="first").passed
    gone = PUPILS[PUPILS["school_id"] == "s0"].index[:2]
    shown = release.suppress(tabulate(PUPILS.drop(gone), "school_id"), name="second").tidy()
    assert shown.set_index("school_id")["suppressed"].loc[["s0", "(all)"]].all()
    assert shown["suppressed"].sum() == 2


def test_one_school_behind_a_difference(release):
    pupils = PUPILS.assign(kind=np.where(PUPILS["zone_id"] == "z0", "primary", "junior"))
    assert release.add(tabulate(pupils, "kind"), name="all").passed
    found = release.add(tabulate(pupils[pupils["school_id"] != "s0"], "kind"), name="without a school")
    assert not found.passed
    assert "schools" in reason(found)


def test_a_difference_that_is_one_persons_amount(release):
    """Fifteen persons of many classes are few enough to be one person's amount, and many enough to count."""
    draw = np.random.default_rng(3)
    pupils = PUPILS.assign(grant=draw.uniform(0, 2000, len(PUPILS)).round())
    more = pupils.groupby("zone_id").head(15)
    pupils.loc[more.index, "grant"] = draw.uniform(1, 5, len(more)).round()
    even = pupils.rename(columns={"grant": "even"})
    pupils.loc[more.index[0], "grant"] = 1999.0
    total = {"value": "grant", "statistic": "sum"}
    assert release.add(tabulate(pupils, "zone_id", **total), name="all").passed
    found = release.add(tabulate(pupils.drop(more.index), "zone_id", **total), name="fewer")
    assert not found.passed
    assert "one or two" in reason(found)
    total["value"] = "even"
    assert release.add(tabulate(even, "zone_id", **total), name="all, even").passed
    assert release.add(tabulate(even.drop(more.index), "zone_id", **total), name="fewer, even").passed


def test_a_percentage_is_a_count_of_those_who_have_it(release):
    """Of 13 and of 12 in two tables one is left, whatever the statistic; and a share beside a count of the same."""
    pupils = PUPILS.assign(left=(np.arange(len(PUPILS)) % 4 == 0).astype(int))
    share = {"value": "left", "statistic": "percentage"}
    assert release.add(tabulate(pupils, "school_id", **share), name="share").passed
    fewer = pupils.drop(pupils[(pupils["left"] == 1) & (pupils["school_id"] == "s1")].index[:1])
    assert not release.add(tabulate(fewer, "school_id", "left"), name="count").passed
    assert release.add(tabulate(pupils, "school_id", "left"), name="the same as counts").passed


SAFE = [
    (["zone_id", "school_id"], "sex"),
    ("zone_id", "grade"),
    ("zone_id", "sex"),
    ("school_id", None),
    ("sex", "grade"),
    ("grade", None),
]


def test_safe_sequences_pass(release):
    draw = np.random.default_rng(2)
    pupils = PUPILS.assign(score=draw.uniform(40, 100, len(PUPILS)))
    asked = [*SAFE, *SAFE[:2]]
    for number, (rows, columns) in enumerate(asked):
        assert release.add(tabulate(pupils, rows, columns), name=f"count {number}").passed, (rows, columns)
    mean = {"value": "score", "statistic": "mean"}
    assert release.add(tabulate(pupils, "school_id", "sex", **mean), name="means").passed
    assert release.add(tabulate(pupils[pupils["sex"] == "f"], "school_id"), name="girls").passed


def test_the_same_again_is_fine_and_another_of_its_name_is_not(release):
    table = tabulate(PUPILS, "school_id")
    assert release.add(table, name="schools").passed
    assert release.add(table, name="schools").passed
    assert release.add(tabulate(PUPILS, "school_id"), name="schools again").passed
    assert release.names == ("schools", "schools again")
    for name in ("schools", "", None):
        with pytest.raises(ArgumentError):
            release.add(tabulate(PUPILS, "zone_id"), name=name)


def test_a_plain_frame_cannot_be_guarded(release):
    plain = pd.DataFrame({"zone_id": ["a", "b"], "estimate": [40, 50], "n_students": [40, 50]})
    assert not release.add(plain, name="plain").passed
    assert not release.add(lambda x: x, name="a function").passed


def test_it_remembers_across_sessions_and_tells_no_ids(tmp_path):
    with Release(tmp_path) as release:
        assert release.add(tabulate(PUPILS, "school_id"), name="all").passed
    with Release(tmp_path) as release:
        assert not release.add(tabulate(PUPILS.iloc[2:], "school_id"), name="less").passed
        record = json.loads(release.to_json())
    assert list(record["results"]) == ["all"]
    assert [a["passed"] for a in record["attempts"]] == [True, False]
    assert "t0-0" not in "".join(p.read_text("latin-1") for p in tmp_path.rglob("*") if p.is_file())
    assert (tmp_path / "ledger.json").stat().st_mode & 0o077 == 0


def test_two_sessions_do_not_write_at_once(tmp_path):
    with Release(tmp_path), pytest.raises(LedgerError), Release(tmp_path, wait=0):
        pass
    with Release(tmp_path, wait=0):
        pass


@pytest.mark.parametrize("damage", ["cut", "edit", "key", "table", "gone"])
def test_a_damaged_folder_says_so(tmp_path, damage):
    with Release(tmp_path) as release:
        release.add(tabulate(PUPILS, "zone_id"), name="zones")
    manifest, table = tmp_path / "ledger.json", next((tmp_path / "tables").iterdir())
    if damage == "cut":
        manifest.write_bytes(manifest.read_bytes()[:100])
    elif damage == "edit":
        manifest.write_text(manifest.read_text().replace("zones", "zonez"))
    elif damage == "key":
        (tmp_path / "key").unlink()
    elif damage == "table":
        table.write_bytes(b"")
    else:
        manifest.unlink()
    with pytest.raises(LedgerError), Release(tmp_path):
        pass


def test_outside_a_with_block(tmp_path):
    with pytest.raises(ArgumentError):
        Release(tmp_path).add(tabulate(PUPILS, "zone_id"), name="x")


@pytest.mark.parametrize("seed", range(2))
def test_an_attacker_of_its_own_bounds_no_protected_cell(tmp_path, seed):
    """Random tables in random order: what passed, attacked by an attacker that shares no code with the package."""
    rules = load_rules("public")
    pupils = district(seed + 10)
    draw = np.random.default_rng(seed)
    ways = [(["zone_id", "school_id"], "tier"), (["zone_id", "school_id"], "grade"), ("zone_id", "tier")]
    shown, hidden = [], []
    with Release(tmp_path) as release:
        for k in draw.permutation(len(ways)):
            try:
                table = release.suppress(tabulate(pupils, *ways[k]), name=str(k), seconds=2)
            except RefusedError:
                continue
            shown.append((table.tidy(), "count", None))
            cells = table.table.cells
            hidden += [(dict(c[table.table.keys]), c["estimate"]) for _, c in cells[table.primary].iterrows()]
    assert shown
    attacker = Attacker(pupils, shown)
    for target, value in hidden:
        low, high = attacker.bounds(target)
        owed = rules.protection(value)
        assert low <= max(0, value - owed) + 1e-6
        assert high >= value + owed - 1e-6
