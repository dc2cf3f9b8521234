"""How a run ends that cannot go on: what is wrong on the error stream, and status 1."""

import errno
from typing import NoReturn

import typer

from htresearch.errors import Fault, HTResearchError
from htresearch.language import Text


def refuse(error: HTResearchError) -> NoReturn:
    """Say every fault and leave."""
    typer.echo(str(error), err=True)
    raise SystemExit(1)


def of_file(error: OSError) -> HTResearchError:
    """Return what is wrong with a file that cannot be read or written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return HTResearchError(
        Fault(
            str(error.filename or Text("文件", "File")),
            Text("无法读取或写入：{why}", "cannot be read or written: {why}").format(why=error.strerror or error),
            Text("请腾出磁盘空间，再运行一次", "Make room on the disk and run it again")
            if full
            else Text("请检查路径与权限", "Check the path and your rights to it"),
        )
    )


def of_package(error: ModuleNotFoundError) -> HTResearchError:
    """Return which package is to be installed; a module of our own that is missing is a mistake of ours."""
    if (error.name or "").split(".")[0] == "htresearch":
        raise error
    return HTResearchError(
        Fault(
            str(error.name),
            Text("这一功能所需的包没有安装", "a package that this needs is not installed"),
            Text('请运行 pip install -e ".[all]"', 'Run pip install -e ".[all]"'),
        )
    )
