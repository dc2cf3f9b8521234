"""Whatever arrives, every promise is kept; see `fuzz` for the promises, and for a longer run by hand."""

import os

from htresearch.intake.workbook import open_table

from . import fuzz


def test_no_file_breaks_a_promise(tmp_path):
    seed = int(os.environ.get("HTRESEARCH_FUZZ_SEED", "1"))
    tried, broken = fuzz.run(fuzz.seconds_by_default(), seed, keep=tmp_path / "kept")
    assert tried
    assert not broken, "\n\n".join(map(str, broken))


def test_a_broken_promise_is_found_and_its_file_kept(tmp_path, monkeypatch):
    def opened(path):
        open_table(path)
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("htresearch.intake.sources.open_table", opened)
    world = fuzz.World(tmp_path)
    seed = next(seed for seed in range(100) if fuzz.make(world, seed)[0] == "answers" and _opens(world, seed))
    _, (broken,) = fuzz.run(60, only=seed, keep=tmp_path / "kept")
    assert broken.seed == seed and broken.file.is_file() and "broken on purpose" in str(broken)


def _opens(world, seed):
    try:
        return bool(open_table(fuzz.make(world, seed)[1]).sheets)
    except fuzz.HTResearchError:
        return False
