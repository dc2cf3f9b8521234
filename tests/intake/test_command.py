"""Answers taken in from the command line."""

import pytest

from htresearch import cli

from .corpus import CORPUS, FORM


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    printed = capsys.readouterr()
    return left.value.code or 0, printed.out, printed.err


def test_answers_are_taken_in_with_a_receipt(capsys, tmp_path):
    (tmp_path / "little.yaml").write_text(FORM, encoding="utf-8")
    options = ["--study", str(tmp_path / "study"), "--instrument", str(tmp_path / "little.yaml"), "--wave", "2025"]
    options += ["--key", str(tmp_path / "key"), "--linkage", str(tmp_path / "linkage.csv")]
    file = str(CORPUS["sound"](tmp_path))
    status, told, _ = run(capsys, "intake", file, *options, "--new-key")
    assert status == 0 and "收到 20 行，保留 20 行" in told
    assert len(list((tmp_path / "study-receipts").iterdir())) == 2 and (tmp_path / "linkage.csv").is_file()
    assert run(capsys, "intake", file, *options, "--new-key")[0] == 1  # a key is never written over
