"""Receipts: where they are written, and what is said of them."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from htresearch import checks
from htresearch.errors import Fault
from htresearch.language import Text

if TYPE_CHECKING:
    from htresearch.intake.receipt import Receipt


def folder(given: Path | None, study: Path) -> Path:
    """Return the folder that receipts are written to: beside the study unless `given`."""
    chosen = given or study.with_name(f"{study.name}-receipts")
    checks.require(None if chosen.is_dir() or not chosen.exists() else _no_folder(chosen))
    return chosen


def say(receipt: "Receipt", folder: Path) -> None:
    """Say a receipt and write it into a folder."""
    typer.echo(str(receipt))
    _, page = receipt.write(folder)
    typer.echo(str(Text("回执：{page}", "Receipt: {page}").format(page=page)))


def _no_folder(path: Path) -> Fault:
    return Fault(
        "--receipts", Text("不是文件夹", "is no folder"), Text("请换一个文件夹名", "Choose another folder"), str(path)
    )
