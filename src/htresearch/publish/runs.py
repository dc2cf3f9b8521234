"""Running notebooks, each in a kernel of its own."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from htresearch import atomic, checks
from htresearch.errors import Fault, NotebookError
from htresearch.language import Text
from htresearch.publish import cells
from htresearch.publish.kept import Kept
from htresearch.publish.kernel import ThisInterpreter, environment

#: Called after each run with how many are done, how many there are, and the name of the notebook.
Progress = Callable[[int, int, str], None]

TIMEOUT = 600


@dataclass(frozen=True)
class Run:
    """A notebook after its run; `fault` says why it stopped, if it did."""

    path: Path
    language: str
    notebook: NotebookNode
    fault: Fault | None = None

    @property
    def failed_name(self) -> str:
        """The name under which a run that stopped is kept."""
        return f"{self.path.stem}.failed.ipynb"


def execute(
    path: str | Path,
    language: str = "zh",
    parameters: Mapping[str, object] | None = None,
    timeout: float = TIMEOUT,
    failed: str | Path = ".",
) -> NotebookNode:
    """Run a notebook in a fresh kernel, in the notebook's own folder, and return it with its outputs.

    Parameters
    ----------
    path
        The notebook; the file is not changed.
    language
        What the run speaks, ``"zh"`` or ``"en"``.
    parameters
        Values set after the cell tagged ``parameters``, or at the top where there is none. They are written into
        the notebook by their ``repr``; paths become strings.
    timeout
        Seconds that one cell may take.
    failed
        The folder that keeps the notebook if a cell fails, as ``NN_topic.failed.ipynb``.

    Returns
    -------
    nbformat.NotebookNode
        The notebook with its outputs.

    Raises
    ------
    NotebookError
        If a cell fails; it names the cell and the error.

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.publish.execute("notebooks/00_tour.ipynb", language="en")  # doctest: +SKIP
    """
    (done,) = run_all([(Path(path), language)], parameters, workers=1, timeout=timeout)
    keep_failed([done], Path(failed))
    checks.require(done.fault, error=NotebookError)
    return done.notebook


def run(
    path: Path,
    language: str,
    parameters: Mapping[str, object] | None = None,
    timeout: float = TIMEOUT,
    figure_data: str | None = None,
) -> Run:
    """Run a notebook and return how it went, well or not; from a thread in which no event loop runs.

    With `figure_data`, its figures carry the data behind them: see `htresearch.publish.figure_data`.
    """
    notebook = with_parameters(cells.read(path), parameters or {})
    reached: list[NotebookNode] = []
    client = NotebookClient(
        notebook,
        kernel_manager_class=ThisInterpreter,
        kernel_name="python3",
        timeout=timeout,
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": str(path.resolve().parent)}},
        on_cell_start=lambda cell, cell_index: reached.append(cell),
    )
    fault = None
    with environment(language, figure_data) as variables:
        try:
            # A loop of its own, closed at the end; a selector loop because ZeroMQ wants one on Windows too. What is
            # sent to DEVNULL is the kernel's own log, not the cells' error stream.
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(client.async_execute(env=variables, stderr=subprocess.DEVNULL))
        except CellExecutionError as error:
            fault = _stopped(path, notebook, reached, cells.said(error))
        except CellTimeoutError:
            late = Text(f"超过 {timeout:g} 秒", f"more than {timeout:g} seconds")
            fault = _stopped(path, notebook, reached, late)
        except DeadKernelError:
            fault = _stopped(
                path, notebook, reached, Text("内核中断，多为内存不足", "the kernel died, likely for want of memory")
            )
    if fault is not None:
        _mark(notebook, reached[-1] if reached else None)
    return Run(path, language, normalised(notebook), fault)


def _stopped(path: Path, notebook: NotebookNode, reached: list[NotebookNode], why: Text | str) -> Fault:
    where: Text | str = path.name
    for number, cell in cells.numbered(notebook):
        if reached and cell is reached[-1]:
            where = cells.place(path.name, number, cell)
    return Fault(
        where,
        Text("运行停止：{why}", "the run stopped: {why}").format(why=why),
        Text(
            "运行到出错处的笔记本存为 {kept}，请打开查看，改正后再运行",
            "The notebook as far as it ran is kept as {kept}; open it, mend the cause and run again",
        ).format(kept=f"{path.stem}.failed.ipynb"),
    )


def _mark(notebook: NotebookNode, at: NotebookNode | None) -> None:
    """Say in the notebook itself where its run stopped."""
    banner = nbformat.v4.new_markdown_cell("**运行在下面的单元格停止。** The run stopped at the cell below.")
    position = next((i for i, cell in enumerate(notebook.cells) if cell is at), 0)
    notebook.cells.insert(position, banner)


def keep_failed(runs: list[Run], folder: Path) -> None:
    """Write the runs that stopped into `folder`, one per notebook, and clear those that earlier runs left."""
    for name in {done.failed_name for done in runs}:
        (folder / name).unlink(missing_ok=True)
    for done in reversed(runs):  # the first language's run is written last and stays
        if done.fault is not None:
            folder.mkdir(parents=True, exist_ok=True)
            atomic.write_file(folder / done.failed_name, written(done.notebook))


def run_all(
    tasks: list[tuple[Path, str]],
    parameters: Mapping[str, object] | None = None,
    workers: int = 2,
    progress: Progress | None = None,
    timeout: float = TIMEOUT,
    kept: Kept | None = None,
    fresh: bool = False,
) -> list[Run]:
    """Run several notebooks, `workers` at a time, and return the runs in the order of the tasks.

    With `kept`, for a site: runs that are kept there are taken from there (unless `fresh`), and each that ends well
    is kept as soon as it has ended.
    """

    def one(path: Path, language: str) -> Run:
        if kept is None:
            return run(path, language, parameters, timeout)
        name = f"{path.stem}-{language}"
        return run_kept(path, language, kept, name, parameters, timeout, fresh)

    runs = []
    with ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(one, path, language) for path, language in tasks]
        for (path, _), future in zip(tasks, waiting, strict=True):
            runs.append(future.result())
            if progress:
                progress(len(runs), len(tasks), path.stem)
    return runs


def run_kept(
    path: Path,
    language: str,
    kept: Kept,
    name: str,
    parameters: Mapping[str, object] | None = None,
    timeout: float = TIMEOUT,
    fresh: bool = False,
) -> Run:
    """Take a run from what was kept under a name (unless `fresh`), or run and keep it if it ends well."""
    key = kept.key(path, language)
    earlier = None if fresh else kept.get(name, key)
    if earlier is not None:
        return Run(path, language, earlier)
    done = run(path, language, parameters, timeout, kept.figure_data)
    if done.fault is None and kept.key(path, language) == key:  # nothing changed while it ran
        kept.put(name, key, written(done.notebook))
    return done


def with_parameters(notebook: NotebookNode, parameters: Mapping[str, object]) -> NotebookNode:
    """Return a copy of a notebook with values set after its cell tagged ``parameters``, or at the top."""
    notebook = deepcopy(notebook)
    if parameters:
        plain = {name: str(value) if isinstance(value, Path) else value for name, value in parameters.items()}
        source = "\n".join(f"{name} = {value!r}" for name, value in plain.items())
        cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["injected-parameters"]})
        position = next((i for i, c in enumerate(notebook.cells, 1) if "parameters" in cells.tags(c)), 0)
        notebook.cells.insert(position, cell)
    return notebook


def normalised(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of a notebook without what changes from run to run and from machine to machine."""
    notebook = deepcopy(notebook)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({"tags": cells.tags(cell)} if cells.tags(cell) else {})
    for number, cell in cells.numbered(notebook):
        cell.execution_count = number  # as after a run from the top, whatever was run before
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number
    return notebook


def written(notebook: NotebookNode) -> bytes:
    """Return a notebook as the bytes of its file."""
    return (nbformat.writes(notebook).rstrip("\n") + "\n").encode("utf-8")


def refresh(
    notebooks: str | Path = "notebooks", language: str = "zh", workers: int = 2, progress: Progress | None = None
) -> list[Path]:
    """Run the notebooks of a folder and write their outputs back into them.

    The committed outputs are the Chinese ones. Cell identifiers stay, clocks and counters are left out, so that a
    difference in version control is a difference in what is said. Nothing is written unless every notebook ran.

    Parameters
    ----------
    notebooks
        The folder of the notebooks.
    language
        What the runs speak.
    workers
        How many notebooks run at once.
    progress
        Called after each run with how many are done, how many there are, and the notebook's name.

    Returns
    -------
    list of Path
        The notebooks whose content changed.

    Raises
    ------
    NotebookError
        If a notebook is misshapen, fails, warns, or shows an image without alternative text.

    Examples
    --------
    >>> import htresearch as ht
    >>> ht.publish.refresh("notebooks")  # doctest: +SKIP
    """
    paths = cells.find(notebooks)
    checks.require(*cells.all_shape_faults(paths), error=NotebookError)
    runs = run_all([(path, language) for path in paths], workers=workers, progress=progress)
    keep_failed(runs, Path(notebooks).absolute().parent)
    faults = [done.fault for done in runs if done.fault]
    for done in runs:
        if done.fault is None:
            faults += cells.output_faults(done.notebook, done.path.name) + _warnings(done)
    checks.require(*faults, error=NotebookError)
    changed = [done for done in runs if done.path.read_bytes() != written(done.notebook)]
    for done in changed:
        atomic.write_file(done.path, written(done.notebook))
    return [done.path for done in changed]


def _warnings(done: Run) -> list[Fault]:
    """Refuse what a cell wrote to the error stream: readers would take a warning on show for a fault of theirs."""
    return [
        Fault(
            cells.place(done.path.name, number, cell),
            Text("写入了错误流：{line}", "wrote to the error stream: {line}").format(
                line=output.text.strip().splitlines()[0][:160] if output.text.strip() else ""
            ),
            Text("请除去警告的原因", "Remove the cause of the warning"),
        )
        for number, cell in cells.numbered(done.notebook)
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stderr"
    ]
