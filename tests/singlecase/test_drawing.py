"""A drawing follows from its seed, says what was drawn, and cannot be changed unnoticed."""

import hashlib
import json
from collections import Counter
from datetime import date

import pytest

import htresearch as ht
from htresearch.errors import ArgumentError
from htresearch.language import speaking
from htresearch.singlecase import Drawing
from htresearch.singlecase.lottery import PhaseLottery

DAY = date(2026, 9, 1)
sc = ht.singlecase

DRAWINGS = [
    sc.draw_start(30, 5, 5, seed=7, on=DAY),
    sc.draw_start(20, 5, 5, seed=7, on=DAY),
    sc.draw_phases(24, 4, seed=3, on=DAY),
    sc.draw_phases(24, (6, 4, 3), phases="ABA", seed=3, on=DAY),
    sc.draw_multiple_baseline(["一班", "二班", "三班"], 20, starts=[5, 9, 13], seed=2, on=DAY),
    sc.draw_multiple_baseline(["1", "2", "3"], 20, windows=[(5, 7), (8, 10), (11, 13)], seed=2, on=DAY),
    sc.draw_multiple_baseline(["1", "2"], 20, windows=[(5, 9), (5, 9)], method="marascuilo-busk", seed=2, on=DAY),
    sc.draw_alternating(10, seed=5, on=DAY),
    sc.draw_alternating(12, "random", most_in_row=2, seed=5, on=DAY),
]


def test_the_number_drawn_is_the_hash_of_design_and_seed_by_hand():
    told = 'htresearch|{"design": "AB", "n": 30, "shortest": [5, 5]}|7'
    number = int(hashlib.sha256(told.encode()).hexdigest(), 16) % 21
    assert DRAWINGS[0].start == 5 + number


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda d: d.lottery.design)
def test_a_drawing_comes_back_from_its_file(drawing, tmp_path):
    path = drawing.save(tmp_path / "drawing.json")
    again = sc.load_drawing(path)
    assert again == drawing and again.fingerprint == drawing.fingerprint
    assert json.loads(path.read_text(encoding="utf-8"))["on"] == "2026-09-01"


def test_every_start_is_drawn_about_as_often():
    starts = Counter(sc.draw_start(24, 5, 5, seed=seed, on=DAY).start for seed in range(3000))
    assert set(starts) == set(range(5, 20))
    assert sum((count - 200) ** 2 / 200 for count in starts.values()) < 14 + 5 * (2 * 14) ** 0.5


def test_without_a_seed_draws_differ_and_tell_theirs():
    drawn = [sc.draw_start(500, 5, 5) for _ in range(6)]
    assert len({d.start for d in drawn}) > 1
    assert all(sc.draw_start(500, 5, 5, seed=d.seed).start == d.start for d in drawn)
    assert drawn[0].on == date.today()


@pytest.mark.parametrize("change", [("outcome", [11]), ("seed", 8), ("on", "2026-09-02"), ("lottery", None)])
def test_a_changed_file_is_refused(change, tmp_path):
    path = DRAWINGS[0].save(tmp_path / "drawing.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    name, value = change
    content[name] = {"n": 31, "shortest": [5, 5]} if value is None else value
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ArgumentError):
        sc.load_drawing(path)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe\x00", b'{"fingerprint": 1, "lottery": {}}'])
def test_what_is_no_drawing_is_refused(content, tmp_path):
    (tmp_path / "other.json").write_bytes(content)
    with pytest.raises(ArgumentError):
        sc.load_drawing(tmp_path / "other.json")
    with pytest.raises(ArgumentError):
        sc.load_drawing(tmp_path / "none.json")


def test_an_outcome_that_was_not_drawn_is_no_drawing():
    lottery = PhaseLottery(30, (5, 5))
    with pytest.raises(ArgumentError):
        Drawing(lottery, (DRAWINGS[0].start % 21 + 5 + 1,), DAY, seed=7)
    with pytest.raises(ArgumentError):
        Drawing(lottery, (3,), DAY)
    assert Drawing(lottery, (12,), DAY).seed is None  # slips of paper


def test_the_plan_names_the_phase_of_every_record():
    plan = DRAWINGS[1].frame()
    assert list(plan) == ["record", "phase"] and len(plan) == 20
    assert (plan["phase"] == "A").sum() == DRAWINGS[1].start
    several = DRAWINGS[4].frame()
    assert several.groupby("case", sort=False)["phase"].agg(lambda p: (p == "A").sum()).to_dict() == dict(
        zip(["一班", "二班", "三班"], DRAWINGS[4].outcome, strict=True)
    )
    assert "".join(DRAWINGS[7].frame()["phase"]).count("A") == 5


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda d: d.lottery.design)
def test_it_is_said_in_both_languages(drawing):
    said = drawing.sentence()
    with speaking("en"):
        assert str(drawing.size) in str(drawing) and drawing.fingerprint[:12] in str(drawing)
    assert "抽签结果" in said.zh and "Drawn" in said.en and "{" not in said.zh + said.en


def test_too_few_outcomes_are_said_with_what_would_be_needed():
    said = DRAWINGS[1].sentence()
    assert "11" in said.en and "At least 29 records" in said.en and "29" in said.zh
    assert "At least" not in DRAWINGS[0].sentence().en


@pytest.mark.parametrize(
    "call",
    [
        lambda: sc.draw_start(9, 5, 5),
        lambda: sc.draw_start("30", None, 0),
        lambda: sc.draw_start(30, 5, 5, seed=-1),
        lambda: sc.draw_start(30, 5, 5, seed="x", on="today"),
        lambda: sc.draw_start(10**9, 5, 5),
        lambda: sc.draw_phases(24, 4, phases="AAB"),
        lambda: sc.draw_phases(24, (4, 4)),
        lambda: sc.draw_phases(24, None),
        lambda: sc.draw_phases(24, 4, phases=7),
        lambda: sc.draw_multiple_baseline("abc", 20, starts=[5, 6, 7]),
        lambda: sc.draw_multiple_baseline(["a", "b"], 20),
        lambda: sc.draw_multiple_baseline(["a", "b"], 20, starts=[5, 5]),
        lambda: sc.draw_multiple_baseline(["a", "b"], 20, starts=["5", None]),
        lambda: sc.draw_multiple_baseline(["a", "b"], 20, windows=[5, 6]),
        lambda: sc.draw_multiple_baseline(["a", "b"], 20, windows=[(5, 6), (7,)]),
        lambda: sc.draw_multiple_baseline(["a", "b"], 20, windows=[(5, 6), (7, 8)], method="other"),
        lambda: sc.draw_alternating(9),
        lambda: sc.draw_alternating(10, "other"),
        lambda: sc.draw_alternating(10, "random", most_in_row=0),
        lambda: sc.draw_alternating(10, "random", n_treatment=10),
    ],
)
def test_a_wrong_call_says_what_is_wrong_in_both_languages(call, in_both_languages):
    with pytest.raises(ArgumentError) as caught:
        call()
    zh, en = in_both_languages(caught.value)
    assert zh and en and zh != en
