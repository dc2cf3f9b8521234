"""The kernel that runs notebooks: this very interpreter, one thread, one language, nobody's habits."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

#: One thread everywhere: sums then come out in one order, and two notebooks can share two cores.
ONE_THREAD = dict.fromkeys(
    (
        "HTRESEARCH_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
    ),
    "1",
)
_EXTENSION = "htresearch.publish.figure_data"


class ThisInterpreter(AsyncKernelManager):
    """A kernel in the running interpreter; a named kernel may be missing or belong to another environment."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """How to start it, whatever kernel the notebook names."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        # Kernels that run at once would wait for one another's history file.
        command += ["--HistoryManager.enabled=False"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


@contextmanager
def environment(language: str, figure_data: str | None = None) -> Iterator[dict[str, str]]:
    """Give the environment variables of a run in `language`, with an IPython profile that is otherwise empty.

    With `figure_data` (rules as JSON, or nothing for no check) figures carry the data behind them, which a page
    offers and a notebook does not store.
    """
    with tempfile.TemporaryDirectory(prefix="htresearch-", ignore_cleanup_errors=True) as profile:
        if figure_data is not None:
            config = Path(profile) / "profile_default" / "ipython_kernel_config.py"
            config.parent.mkdir()
            config.write_text(f"c.InteractiveShellApp.extensions = [{_EXTENSION!r}]\n", encoding="utf-8")
        yield {
            **os.environ,
            **ONE_THREAD,
            "HTRESEARCH_LANGUAGE": language,
            "IPYTHONDIR": profile,
            "HTRESEARCH_FIGURE_DATA": figure_data or "",
            "PYTHONHASHSEED": "0",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
