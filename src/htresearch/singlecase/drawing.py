"""Draw when a treatment starts, or in which order, and keep the evidence: a randomisation test needs a real draw."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from htresearch import checks
from htresearch.atomic import write_file
from htresearch.errors import ArgumentError, Fault
from htresearch.language import Text
from htresearch.singlecase.drawing_words import (
    chance_words,
    drawn_words,
    no_list,
    no_pairs,
    no_turns,
    not_drawn,
    odd_draw,
    other_number,
    starts_or_windows,
)
from htresearch.singlecase.lottery import MOST_RECORDS, BaselineLottery, Lottery, PhaseLottery, too_short
from htresearch.singlecase.sequences import MOST_ALTERNATIONS, PairLottery, SequenceLottery

_FORMAT = "htresearch drawing 1"
_LOTTERIES = {"phases": PhaseLottery, "baselines": BaselineLottery, "pairs": PairLottery, "sequence": SequenceLottery}
BASELINES = ("wampold-worsham", "koehler-levin", "marascuilo-busk")


@dataclass(frozen=True)
class Drawing:
    """What was drawn, out of what, when and how; complete when built.

    Attributes
    ----------
    lottery : Lottery
        All that could have been drawn: a `PhaseLottery`, `BaselineLottery`, `PairLottery` or `SequenceLottery`;
        ``lottery.size`` says how many outcomes there are.
    outcome : tuple of int
        What was drawn: the start; the changes; the start of each case; or a 0 or 1 for each record.
    on : datetime.date
        The day of the draw.
    seed : int or None
        The number from which the draw follows, so that anybody can do it again; None if slips of paper or dice were
        used, of which there is no evidence but the word of those who were there.

    Raises
    ------
    ArgumentError
        If the outcome is none of the lottery's, or not the one that follows from the seed.

    Notes
    -----
    The outcome has the number ``SHA-256("htresearch|" + design + "|" + seed) mod lottery.size``, which does not
    depend on any library's random numbers. The evidence is as good as the seed: let somebody else name it, or take
    the one that is drawn, and put the drawing on file before the first record.
    """

    lottery: Lottery
    outcome: tuple[int, ...]
    on: date
    seed: int | None = None

    def __post_init__(self):
        object.__setattr__(self, "outcome", tuple(int(value) for value in self.outcome))
        number = None if self.seed is None else _number(self.lottery, self.seed)
        checks.require(not_drawn(self.lottery, self.outcome, number))

    @property
    def size(self) -> int:
        """How many outcomes were possible."""
        return self.lottery.size

    @property
    def smallest_p(self) -> float:
        """The smallest p that a one-sided randomisation test can give."""
        return self.lottery.smallest_p

    @property
    def start(self) -> int | None:
        """The position, from 0, of the first treatment record in an AB design; None in others."""
        return self.outcome[0] if self.lottery.design == "AB" else None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all of the drawing: the same drawing, the same fingerprint."""
        return hashlib.sha256(json.dumps(self._content(), sort_keys=True).encode()).hexdigest()

    def frame(self) -> pd.DataFrame:
        """Return the drawn plan: a row per case and record (counted from 1), with its phase, A or B."""
        parts = [
            pd.DataFrame(
                {"case": case, "record": range(1, len(treated) + 1), "phase": ["AB"[t] for t in treated * 1]}
            )
            for case, treated in self.lottery.treated(self.outcome).items()
        ]
        plan = pd.concat(parts, ignore_index=True)
        return plan if len(parts) > 1 else plan.drop(columns="case")

    def sentence(self) -> Text:
        """Return in plain words what was drawn, for the plan of a head teacher."""
        return Text("{what}{chance}", "{what} {chance}").format(
            what=drawn_words(self.lottery, self.outcome), chance=chance_words(self.lottery)
        )

    def save(self, path: str | Path) -> Path:
        """Write the drawing as JSON, with its fingerprint.

        Parameters
        ----------
        path
            The file; one that exists is replaced.
        """
        content = {"format": _FORMAT, **self._content(), "fingerprint": self.fingerprint}
        return write_file(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())

    def _content(self) -> dict:
        kind = next(name for name, lottery in _LOTTERIES.items() if type(self.lottery) is lottery)
        rules = {name: value for name, value in self.lottery.to_dict().items() if name != "design"}
        return {
            "kind": kind,
            "lottery": json.loads(json.dumps(rules)),
            "outcome": list(self.outcome),
            "on": self.on.isoformat(),
            "seed": self.seed,
        }

    def __str__(self) -> str:
        by = Text("当场抽签", "by lot") if self.seed is None else Text(f"种子 {self.seed}", f"seed {self.seed}")
        told = Text("{day}：{said}（{by}，指纹 {mark}）", "{day}: {said} ({by}, fingerprint {mark})")
        return str(told.format(day=self.on.isoformat(), said=self.sentence(), by=by, mark=self.fingerprint[:12]))


def load_drawing(path: str | Path) -> Drawing:
    """Read a drawing that `Drawing.save` wrote.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Drawing
        The drawing, recomputed from its seed.

    Raises
    ------
    ArgumentError
        If it is no drawing, was changed since, or its outcome does not follow from its seed.

    Examples
    --------
    >>> import tempfile, htresearch as ht
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "draw.json"
    >>> drawn = ht.singlecase.draw_start(20, min_baseline=5, min_treatment=5, seed=1)
    >>> _ = drawn.save(path)
    >>> ht.singlecase.load_drawing(path) == drawn
    True
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        fingerprint = content["fingerprint"]
        rules = {k: _tuples(v) for k, v in content["lottery"].items()}
        lottery = _LOTTERIES[content["kind"]](**rules)
        drawing = Drawing(lottery, tuple(content["outcome"]), date.fromisoformat(content["on"]), content["seed"])
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        fault = Fault(
            checks.argument("path"),
            Text("读不出抽签记录", "no drawing can be read from it"),
            Text("请给 Drawing.save 写出的文件", "Give a file that Drawing.save wrote"),
            str(path),
        )
        raise ArgumentError(fault) from error
    if drawing.fingerprint != fingerprint:
        fault = Fault(
            checks.argument("path"),
            Text("抽签记录在保存之后被改动过", "the drawing was changed after it was saved"),
            Text("请用原来的文件", "Use the original file"),
            str(path),
        )
        checks.require(fault)
    return drawing


def draw_start(
    n: int, min_baseline: int, min_treatment: int, seed: int | None = None, on: date | None = None
) -> Drawing:
    """Draw with which record the treatment starts: an AB design with a random start.

    Parameters
    ----------
    n
        Records that are planned.
    min_baseline, min_treatment
        The fewest records of each phase.
    seed
        The number from which the draw follows; one is drawn if not given.
    on
        The day; today if not given.

    Returns
    -------
    Drawing
        Its ``start`` is the position, from 0, of the first treatment record.

    Raises
    ------
    ArgumentError
        If the phases do not fit into the records.

    References
    ----------
    Edgington, E. S. (1975). Randomization tests for one-subject operant experiments. Journal of Psychology, 90,
    57-68.

    Examples
    --------
    >>> from datetime import date
    >>> import htresearch as ht
    >>> drawn = ht.singlecase.draw_start(30, min_baseline=5, min_treatment=5, seed=7, on=date(2026, 9, 1))
    >>> drawn.start, drawn.size, round(drawn.smallest_p, 3)
    (21, 21, 0.048)
    """
    checks.require(
        checks.integer("n", n, 2, MOST_RECORDS),
        checks.integer("min_baseline", min_baseline),
        checks.integer("min_treatment", min_treatment),
        *odd_draw(seed, on),
    )
    checks.require(too_short(n, (min_baseline, min_treatment)))
    return _draw(PhaseLottery(n, (min_baseline, min_treatment)), seed, on)


def draw_phases(
    n: int, shortest: int | Sequence[int] = 3, phases: str = "ABAB", seed: int | None = None, on: date | None = None
) -> Drawing:
    """Draw with which records phases change: a reversal design with random changes.

    Parameters
    ----------
    n
        Records that are planned.
    shortest
        The fewest records of each phase: one number for all, or one for each.
    phases
        ``"ABAB"``, or another run of A and B by turns that begins with A.
    seed, on
        As in `draw_start`.

    Returns
    -------
    Drawing
        Its ``outcome`` are the positions, from 0, of the first record of each phase after the first.

    Raises
    ------
    ArgumentError
        If the phases do not fit into the records.

    References
    ----------
    Onghena, P. (1992). Randomization tests for extensions and variations of ABAB single-case experimental designs.
    Behavioral Assessment, 14, 153-171.

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.draw_phases(24, shortest=4, seed=1).size  # Onghena's example
    165
    """
    checks.require(checks.integer("n", n, 2, MOST_RECORDS), *odd_draw(seed, on), no_turns(phases))
    lengths = (shortest,) * len(phases) if not isinstance(shortest, Sequence) else tuple(shortest)
    checks.require(other_number("shortest", lengths, len(phases)))
    checks.require(*(checks.integer("shortest", length) for length in lengths))
    checks.require(too_short(n, lengths))
    return _draw(PhaseLottery(n, lengths), seed, on)


def draw_multiple_baseline(
    cases: Sequence[str],
    n: int,
    starts: Sequence[int] | None = None,
    windows: Sequence[tuple[int, int]] | None = None,
    method: str | None = None,
    seed: int | None = None,
    on: date | None = None,
) -> Drawing:
    """Draw which case starts when: a design with a staggered start in several classes.

    Parameters
    ----------
    cases
        Names of the cases.
    n
        Records of each case that are planned.
    starts
        Fixed positions, from 0, of the first treatment record, as many as cases: drawn is which case gets which.
    windows
        First and last possible position of each start, instead of `starts`.
    method
        ``"wampold-worsham"``: fixed starts, the order of the cases is drawn; ``"koehler-levin"``: the order of the
        cases over windows that do not overlap, and the start within each; ``"marascuilo-busk"``: each case draws a
        start in the window of its own place. Taken from what is given if None: the first for `starts`, the second
        for `windows`.
    seed, on
        As in `draw_start`.

    Returns
    -------
    Drawing
        Its ``outcome`` is the start of each case, in the order of `cases`.

    Raises
    ------
    ArgumentError
        If starts or windows do not fit the cases, the records or the method.

    References
    ----------
    Wampold, B. E., & Worsham, N. L. (1986). Randomization tests for multiple-baseline designs. Behavioral Assessment,
    8, 135-143.
    Koehler, M. J., & Levin, J. R. (1998). Regulated randomization: A potentially sharper analytical tool for the
    multiple-baseline design. Psychological Methods, 3, 206-217. https://doi.org/10.1037/1082-989X.3.2.206
    Marascuilo, L. A., & Busk, P. L. (1988). Combining statistics for multiple-baseline AB and replicated ABAB designs
    across subjects. Behavioral Assessment, 10, 1-28.

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.draw_multiple_baseline(["1", "2", "3", "4"], 20, starts=[5, 8, 11, 14], seed=1).size
    24
    >>> ht.singlecase.draw_multiple_baseline(["1", "2", "3"], 20, windows=[(5, 7), (8, 10), (11, 13)], seed=1).size
    162
    """
    chosen = method or ("wampold-worsham" if starts is not None else "koehler-levin")
    checks.require(
        checks.integer("n", n, 2, MOST_RECORDS),
        checks.one_of("method", chosen, BASELINES),
        *odd_draw(seed, on),
        no_list("cases", cases),
        starts_or_windows(starts, windows, chosen),
    )
    given = [(start, start) for start in starts] if starts is not None else list(windows)
    checks.require(no_pairs(given))
    return _draw(BaselineLottery(n, tuple(map(str, cases)), tuple(given), chosen != "marascuilo-busk"), seed, on)


def draw_alternating(
    n: int,
    method: str = "pairs",
    most_in_row: int | None = 2,
    n_treatment: int | None = None,
    seed: int | None = None,
    on: date | None = None,
) -> Drawing:
    """Draw the order of two conditions that take turns from record to record.

    Parameters
    ----------
    n
        Records that are planned.
    method
        ``"pairs"``: in each pair of records it is drawn which comes first; ``"random"``: any order in which the same
        comes no more often in a row than `most_in_row`.
    most_in_row
        For ``"random"``: how often the same may come in a row; None: no limit.
    n_treatment
        For ``"random"``: how many records are under treatment; half of them if not given.
    seed, on
        As in `draw_start`.

    Returns
    -------
    Drawing
        Its ``outcome`` has a 0 (baseline) or 1 (treatment) for each record.

    Raises
    ------
    ArgumentError
        If the number of records is odd, or no order keeps the rule.

    References
    ----------
    Onghena, P., & Edgington, E. S. (1994). Randomization tests for restricted alternating treatments designs.
    Behaviour Research and Therapy, 32, 783-786. https://doi.org/10.1016/0005-7967(94)90036-1

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.singlecase.draw_alternating(10, seed=3).size
    32
    >>> ht.singlecase.draw_alternating(8, "random", most_in_row=2, seed=3).size
    34
    """
    checks.require(
        checks.integer("n", n, 2, MOST_ALTERNATIONS),
        checks.one_of("method", method, ("pairs", "random")),
        *odd_draw(seed, on),
    )
    if method == "pairs":
        return _draw(PairLottery(n), seed, on)
    return _draw(SequenceLottery(n, n // 2 if n_treatment is None else n_treatment, most_in_row), seed, on)


# --- the draw itself ------------------------------------------------------------------------------------------------


def _draw(lottery: Lottery, seed: int | None, on: date | None) -> Drawing:
    # Short enough to be written down by hand.
    seed = secrets.randbelow(10**9) if seed is None else int(seed)
    return Drawing(lottery, lottery.outcome(_number(lottery, seed)), on or date.today(), seed)


def _number(lottery: Lottery, seed: int) -> int:
    text = f"htresearch|{json.dumps(lottery.to_dict(), sort_keys=True)}|{seed}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big") % lottery.size


def _tuples(value: object) -> object:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
