"""A fitted model as a file: words as JSON and arrays as .npy in one zip, without rows and without code."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import replace
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch import checks, language
from htresearch.atomic import write_file
from htresearch.errors import ArgumentError, Fault
from htresearch.language import Text
from htresearch.multilevel import (
    crossproducts,
    design,
    formula,
    groups,
    packing,
    random_part,
    reference,
    reml,
    specs,
    within_between,
)

if TYPE_CHECKING:
    from htresearch.multilevel.fit import MultilevelFit

FORMAT = "htresearch multilevel fit"
#: Raised whenever an older program could not read what a newer one writes.
VERSION = 1

# What a file may name: no class outside these modules is ever built.
_CLASSES = packing.classes_of(
    [language, formula, groups, random_part, reference, design, specs, within_between, crossproducts]
)
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, ValueError, IndexError, AttributeError),
    *(NotImplementedError, RuntimeError, OverflowError, MemoryError),
)


def save(fit: MultilevelFit, path: str | Path, groups: bool = True) -> Path:
    """Write the model to a file that `load_fit` reads, on this machine or another.

    The file holds what the model needs to answer again: the formula, names, variances, sums by innermost group, how
    columns are built, and the notes. It holds no rows. Two things in it are about groups all the same: their labels
    (numbers of schools, classes or pupils, whatever the formula groups by), which predicted effects need; and their
    sums, which are a row's own values where a group has a single row. So a model whose groups are pupils belongs
    under the same lock as the pupils' data.

    Parameters
    ----------
    path
        The file. One that exists is replaced only if it is a saved model.
    groups
        Whether to keep the groups' labels. Without them the file names no school and no class, and predicted
        effects of groups (`random_effects`, ``predict(random=True)``) are not to be had from it; the sums stay,
        unnamed.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ArgumentError
        If the file exists and is something else, its folder does not exist, or labels are of a type that cannot be
        written.
    UnsupportedError
        If the formula calls functions other than formulaic's and NumPy's: reading a file must not run anything else.

    Examples
    --------
    >>> import tempfile, pandas as pd, htresearch as ht
    >>> frame = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0, 6.0, 5.0], "g": list("aabbcc")})
    >>> fit = ht.fit_multilevel("y ~ 1 + (1 | g)", frame)
    >>> again = ht.load_fit(fit.save(f"{tempfile.mkdtemp()}/model.htfit"))
    >>> again.tidy().equals(fit.tidy())
    True
    """
    path = Path(path)
    checks.require(_no_folder(path), _something_else(path))
    arrays: dict[str, np.ndarray] = {}
    parts = {
        "formula": fit.formula,
        "design": _without_rows(fit, groups),
        "solution": _solution_of(fit),
        "method": fit.method,
        "engine": fit.engine,
        "splits": fit.splits if groups else tuple(replace(split, means=None) for split in fit.splits),
    }
    words = {
        "format": FORMAT,
        "version": VERSION,
        "written_by": f"htresearch {version('htresearch')}",
        "model": str(fit.formula),
        "criterion": fit.criterion,
        "note": [{"zh": note.zh, "en": note.en} for note in fit.note],
        **{name: packing.pack(value, arrays, _CLASSES, name) for name, value in parts.items()},
    }
    return write_file(path, _zipped(words, arrays))


@reml.one_thread
def load_fit(path: str | Path) -> MultilevelFit:
    """Read a model that `MultilevelFit.save` wrote.

    It answers as the model did that was saved, to the last digit on the same machine; only what needs rows
    (residuals, influence of inner or crossed groups, clusters of one's own) it refuses, as a model of a lazy table
    does. Nothing is searched anew, but whether the end is an optimum is judged anew. Nothing in the file is ever run:
    it holds words and numbers, and the formula is read only if it calls formulaic's and NumPy's functions alone.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    MultilevelFit
        The model as it was saved.

    Raises
    ------
    ArgumentError
        If there is no such file, it is no saved model, a newer version wrote it, or it is damaged.
    UnsupportedError
        If its formula calls other functions.

    Examples
    --------
    >>> import tempfile, pandas as pd, htresearch as ht
    >>> frame = pd.DataFrame({"y": [1.0, 2, 4, 3, 5, 9, 4, 6], "school": list("aabbccdd")})
    >>> fit = ht.fit_multilevel("y ~ 1 + (1 | school)", frame)
    >>> path = Path(tempfile.mkdtemp()) / "model.zip"
    >>> _ = fit.save(path)
    >>> bool(ht.load_fit(path).tidy().equals(fit.tidy()))
    True
    """
    path = Path(path)
    checks.require(_missing(path))
    try:
        words, arrays = _unzipped(path)
    except _DAMAGED as failure:
        raise ArgumentError(_foreign(path)) from failure
    checks.require(_foreign(path) if words.get("format") != FORMAT else _unknown(path, words.get("version")))
    try:
        fit = _fit_of(words, arrays)
        agrees = np.isclose(fit.criterion, words["criterion"], rtol=1e-9)
    except _DAMAGED as failure:
        raise ArgumentError(_damaged(path)) from failure
    checks.require(None if agrees else _damaged(path))
    return fit


def _without_rows(fit: MultilevelFit, groups: bool) -> design.Design:
    """Return the design without rows, with what their answers were."""
    whole = fit.design
    known = dict(whole.known)
    if whole.y is not None:
        known = {} if whole.crossed else {"containment": fit.containment}
    levels = tuple(
        replace(level, codes=None, labels=level.labels if groups else pd.DataFrame(index=pd.RangeIndex(level.size)))
        for level in whole.levels
    )
    columns = tuple(
        (specs.kept(part[0]), list(map(int, part[1]))) if isinstance(part, tuple) else specs.kept(part)
        for part in whole.random.specs
    )
    return replace(
        whole,
        X=None,
        y=None,
        levels=levels,
        random=replace(whole.random, U=None, specs=columns),
        weights=None,
        index=None,
        spec=specs.kept(whole.spec),
        rows=whole.n,
        units={},
        who=None,
        known=known,
    )


def _solution_of(fit: MultilevelFit) -> dict:
    """Return what the solution follows from."""
    optimum = fit.solution.optimum
    return {
        "products": fit.solution.products,
        "covariances": list(optimum.covariances),
        "evaluations": optimum.evaluations,
    }


def _fit_of(words: dict, arrays: dict[str, np.ndarray]) -> MultilevelFit:
    from htresearch.multilevel.fit import MultilevelFit

    names = ("formula", "design", "solution", "method", "engine", "splits")
    written, whole, solution, method, engine, splits = (
        packing.unpack(words[name], arrays, _CLASSES) for name in names
    )
    columns = tuple(
        (part[0].built(), part[1]) if isinstance(part, tuple) else part.built() for part in whole.random.specs
    )
    whole = replace(whole, spec=whole.spec.built(), random=replace(whole.random, specs=columns))
    found = reml.solution_at(terms=whole.random.terms, reml=method == "reml", **solution)
    return MultilevelFit(written, whole, found, method, engine, splits)


def _zipped(words: dict, arrays: dict[str, np.ndarray]) -> bytes:
    """Write words and arrays into a zip, the same bytes for the same model."""
    members = {"fit.json": json.dumps(words, ensure_ascii=False).encode()}
    for name, array in arrays.items():
        buffer = BytesIO()
        np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
        members[f"{name}.npy"] = buffer.getvalue()
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def _unzipped(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    with zipfile.ZipFile(path) as file:
        words = json.loads(file.read("fit.json"))
        arrays = {
            name.removesuffix(".npy"): np.load(BytesIO(file.read(name)), allow_pickle=False)
            for name in file.namelist()
            if name.endswith(".npy")
        }
    return dict(words), arrays


def _is_saved_fit(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as file:
            return json.loads(file.read("fit.json")).get("format") == FORMAT
    except (*_DAMAGED, OSError):
        return False


def _something_else(path: Path) -> Fault | None:
    if not path.exists() or (path.is_file() and _is_saved_fit(path)):
        return None
    return Fault(
        str(path),
        Text("已有别的内容，不会覆盖", "holds something else and is not overwritten"),
        Text("请换一个文件名", "Choose another name"),
    )


def _no_folder(path: Path) -> Fault | None:
    if path.absolute().parent.is_dir():
        return None
    return Fault(
        checks.argument("path"),
        Text("没有这个文件夹", "there is no such folder"),
        Text("请先建立文件夹，或换一个路径", "Make the folder first, or choose another path"),
        str(path.absolute().parent),
    )


def _missing(path: Path) -> Fault | None:
    if path.is_file():
        return None
    return Fault(
        checks.argument("path"),
        Text("没有这个文件", "there is no such file"),
        Text("请检查路径", "Look at the path"),
        str(path),
    )


def _foreign(path: Path) -> Fault:
    return Fault(
        str(path),
        Text("不是由 fit.save 保存的模型", "it is no model saved by fit.save"),
        Text("请给出 fit.save 写出的文件", "Give a file that fit.save wrote"),
    )


def _unknown(path: Path, found: object) -> Fault | None:
    if found == VERSION:
        return None
    return Fault(
        str(path),
        Text(f"文件版本须为 {VERSION}", f"the version of the file must be {VERSION}"),
        Text("请升级 htresearch 后再读，或重新保存", "Update htresearch and read it again, or save the model anew"),
        found,
    )


def _damaged(path: Path) -> Fault:
    return Fault(
        str(path),
        Text("文件已损坏或被改动，各部分对不上", "the file is damaged or was changed: its parts do not agree"),
        Text("请重新拟合并保存，或取备份", "Fit and save the model again, or take a backup"),
    )
