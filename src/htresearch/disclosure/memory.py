"""The folder of a release: a key, a manifest and a file per table, each written whole or not at all."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from htresearch.atomic import write_file
from htresearch.disclosure.atoms import Record
from htresearch.errors import Fault, HTResearchError
from htresearch.language import Text

_VERSION = 2


class LedgerError(HTResearchError):
    """The folder of a release is damaged or in use."""


@dataclass(eq=False)
class Memory:
    """An open folder.

    Attributes
    ----------
    folder : Path
        Where it is.
    key : bytes
        The key of the hashes; it stays in the folder.
    entries : dict
        What has been released, by name.
    attempts : list of dict
        All that was decided.
    """

    folder: Path
    key: bytes
    entries: dict
    attempts: list
    lock: object = field(repr=False)

    @classmethod
    def open(cls, folder: Path, wait: float) -> Memory:
        """Open a folder, or make it; only one session at a time."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _locked(folder, wait)
        try:
            manifest = folder / "ledger.json"
            (folder / "tables").mkdir(exist_ok=True, mode=0o700)
            if not manifest.exists():
                if any((folder / "tables").iterdir()) or (folder / "record.json").exists():
                    raise _damaged(folder, Text("ledger.json 不见了", "ledger.json is gone"))
                write_file(folder / "key", os.urandom(32), 0o600)
                made = cls(folder, (folder / "key").read_bytes(), {}, [], lock)
                made._write()
                return made
            content = _manifest(folder)
            made = cls(folder, _key(folder, content), content["entries"], content["attempts"], lock)
            for name, entry in made.entries.items():
                made._verify(name, entry)
            return made
        except BaseException:
            lock.close()
            raise

    def close(self) -> None:
        """Let others in."""
        self.lock.close()

    def records(self) -> list[Record]:
        """Return what is remembered of each table."""
        return [self._read(name, e) for name, e in self.entries.items() if e["file"]]

    def remember(self, name: str, record: Record | None, digest: str, decision: dict) -> None:
        """Write a table down: first its file, then the manifest that names it."""
        entry = {"digest": digest, "decision": decision, "file": "", "sha256": ""}
        if record is not None:
            content = BytesIO()
            record.members.to_parquet(content, index=False)
            entry["file"] = f"{len(self.entries) + 1:04d}.parquet"
            entry["sha256"] = hashlib.sha256(content.getvalue()).hexdigest()
            entry |= {
                "keys": record.keys,
                "value": record.value,
                "person": record.person,
                "signed": record.signed,
                "leaves": record.leaves,
                "cells": [
                    [list(k), bool(p), bool(q), int(line)]
                    for k, p, q, line in record.cells[["key", "published", "primary", "line"]].itertuples(index=False)
                ],
            }
            write_file(self.folder / "tables" / entry["file"], content.getvalue(), 0o600)
        self.entries[name] = json.loads(json.dumps(entry))
        self._write()

    def note(self, attempt: dict) -> None:
        """Write a decision down."""
        self.attempts.append(attempt)
        self._write()

    def _write(self) -> None:
        content = {"version": _VERSION, "entries": self.entries, "attempts": self.attempts}
        content["seal"] = _seal(content, self.key)
        write_file(self.folder / "ledger.json", json.dumps(content, ensure_ascii=False).encode(), 0o600)

    def _verify(self, name: str, entry: dict) -> None:
        if not entry["file"]:
            return
        path = self.folder / "tables" / entry["file"]
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            raise _damaged(
                self.folder,
                Text("表“{name}”的文件不见了或被改动", "the file of table {name!r} is gone or changed").format(
                    name=name
                ),
            )

    def _read(self, name: str, entry: dict) -> Record:
        members = pd.read_parquet(self.folder / "tables" / entry["file"])
        cells = pd.DataFrame(
            {
                "key": [tuple(c[0]) for c in entry["cells"]],
                "published": [c[1] for c in entry["cells"]],
                "primary": [c[2] for c in entry["cells"]],
                "line": [c[3] for c in entry["cells"]],
            }
        )
        leaves = tuple(tuple(leaf) for leaf in entry["leaves"])
        return Record(
            name, tuple(entry["keys"]), entry["value"], entry["person"], entry["signed"], members, leaves, cells
        )


def hashes(values: pd.Series, key: bytes) -> np.ndarray:
    """Return keyed hashes of ids; a missing id is ""."""
    known: dict[object, str] = {}
    for value in values.unique():
        missing = value is None or value != value
        known[value] = "" if missing else hmac.new(key, str(value).encode(), hashlib.sha256).hexdigest()[:24]
    return np.array([known.get(v, "") for v in values], dtype=object)


def digest_of(thing: object) -> str:
    """Return a digest by which the same thing is known again."""
    table = getattr(thing, "table", thing)
    parts = [type(thing).__name__, str(getattr(table, "asked", "")), str(getattr(table, "value", ""))]
    frames = [getattr(table, a, None) for a in ("cells", "members", "frame")] + [thing]
    for frame in frames:
        if isinstance(frame, pd.DataFrame | pd.Series):
            parts.append(frame.to_csv())
    parts.append(str(np.asarray(getattr(thing, "suppressed", ())).astype(int).tolist()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _seal(content: dict, key: bytes) -> str:
    plain = {k: content[k] for k in ("version", "entries", "attempts")}
    return hmac.new(key, json.dumps(plain, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def _manifest(folder: Path) -> dict:
    try:
        content = json.loads((folder / "ledger.json").read_bytes())
    except (ValueError, OSError) as fault:
        raise _damaged(folder, Text("ledger.json 读不出来", "ledger.json cannot be read")) from fault
    if not isinstance(content, dict) or content.get("version") != _VERSION or "seal" not in content:
        raise _damaged(folder, Text("ledger.json 的格式不对", "ledger.json is of another form"))
    return content


def _key(folder: Path, content: dict) -> bytes:
    try:
        key = (folder / "key").read_bytes()
    except OSError as fault:
        raise _damaged(folder, Text("key 文件不见了", "the file key is gone")) from fault
    try:
        good = hmac.compare_digest(_seal(content, key), str(content["seal"]))
    except KeyError:
        good = False
    if not good:
        raise _damaged(folder, Text("ledger.json 被改动过", "ledger.json has been changed"))
    return key


def _damaged(folder: Path, what: Text) -> LedgerError:
    return LedgerError(
        Fault(
            str(folder),
            what,
            Text(
                "请从备份恢复整个文件夹；没有它就不知道已公布过什么，不能再公布",
                "Restore the whole folder from a backup: without it nobody knows what is out, and nothing more may "
                "be released",
            ),
        )
    )


def _locked(folder: Path, wait: float):
    """Take the folder's lock; the system frees it when the session ends, however it ends."""
    file = (folder / "lock").open("a+b")
    end = time.monotonic() + wait
    while True:
        try:
            _lock(file)
            return file
        except OSError:
            if time.monotonic() >= end:
                file.close()
                raise LedgerError(
                    Fault(
                        str(folder),
                        Text("另一个会话正在使用", "is in use by another session"),
                        Text("请等它结束", "Wait for that to end"),
                    )
                ) from None
            time.sleep(0.05)


def _lock(file) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
