"""How each program is asked: what counts as loading, what as the fit. Runs in a process of its own.

    python -m htresearch.bench.peers PEER REPEATS < task.json

prints a line of JSON for every timed step.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from htresearch.bench.tasks import Task

Steps = Iterator[tuple[str, float, float | None]]


@dataclass(frozen=True)
class Peer:
    """A program.

    Attributes
    ----------
    module : str
        What must be installed.
    load : callable
        From a task to what `fit` takes.
    fit : callable
        Yields the steps: name, seconds, the criterion where it is known.
    most : int
        Rows beyond which it is not asked: it would take hours or all memory.
    crossed : bool
        Whether it takes crossed groups.
    """

    module: str
    load: Callable[[Task], object]
    fit: Callable[[object, Task], Steps]
    most: int
    crossed: bool = True

    def takes(self, task: Task) -> bool:
        """Whether the program is installed and can be asked this."""
        crossed = "crossed" in task.name or task.name == "InstEval"
        return bool(find_spec(self.module)) and task.rows <= self.most and (self.crossed or not crossed)


def _parquet(task: Task) -> object:
    import duckdb

    return duckdb.connect().read_parquet(task.files)


def _ours(table: object, task: Task) -> Steps:
    start = time.perf_counter()
    from htresearch.multilevel import fit_multilevel

    fit = fit_multilevel(task.formula, table, method=task.method)
    fit.tidy()
    yield "fit", time.perf_counter() - start, fit.criterion
    for step in task.steps:
        start = time.perf_counter()
        fit.tidy(step)
        yield step, time.perf_counter() - start, None


def _glmm(frame: object, task: Task) -> Steps:
    start = time.perf_counter()
    import glmm

    glmm.fit(frame, task.formula, reml=task.method == "reml")
    yield "fit", time.perf_counter() - start, None


def _mixedlm(frame: object, task: Task) -> Steps:
    start = time.perf_counter()
    import mixedlm

    mixedlm.lmer(task.formula, frame, REML=task.method == "reml")
    yield "fit", time.perf_counter() - start, None


def _statsmodels(frame: object, task: Task) -> Steps:
    start = time.perf_counter()
    from statsmodels.regression.mixed_linear_model import MixedLM

    fixed = task.formula.split(" + (")[0]
    model = MixedLM.from_formula(
        fixed, frame, groups="school", re_formula="1", vc_formula={"class": "0 + C(Q('class'))"}
    )
    found = model.fit(reml=task.method == "reml")
    yield "fit", time.perf_counter() - start, -2 * float(found.llf)


#: By the name that tables show.
PEERS = {
    "htresearch": Peer("htresearch", _parquet, _ours, 10**9),
    "htresearch, frame": Peer("htresearch", Task.frame, _ours, 20_000_000),
    "glmm": Peer("glmm", Task.frame, _glmm, 20_000_000),
    "mixedlm": Peer("mixedlm", Task.frame, _mixedlm, 2_000_000),
    "statsmodels": Peer("statsmodels", Task.frame, _statsmodels, 100_000, crossed=False),
}


def main() -> None:
    """Run one peer on one task and print the times."""
    name, repeats = sys.argv[1], int(sys.argv[2])
    task, peer = Task.from_json(sys.stdin.read()), PEERS[name]
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    data = peer.load(task)
    _say("load", 0, time.perf_counter() - start, None)
    for repeat in range(repeats):
        for step, seconds, criterion in peer.fit(data, task):
            _say(step, repeat, seconds, criterion)


def _say(step: str, repeat: int, seconds: float, criterion: float | None) -> None:
    line = {"step": step, "repeat": repeat, "seconds": seconds, "criterion": criterion, "megabytes": _peak()}
    print(json.dumps(line), flush=True)


def _peak() -> float | None:
    """Return the most memory that the process has held; Windows does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main()
