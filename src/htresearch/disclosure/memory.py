"""The folder of a release: a key, a manifest and files of whom results rest on, each written whole or not at all."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htresearch.atomic import write_file
from htresearch.disclosure.atoms import Record
from htresearch.errors import Fault, HTResearchError
from htresearch.language import Text

if TYPE_CHECKING:
    from htresearch.disclosure.apart import Trace
    from htresearch.multilevel.basis import Basis

#: From 3 on it is remembered of models, too, whom they rest on.
_VERSION = 3


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
        return [_record(name, part, self._members(part)) for name, part in self._parts("record")]

    def traces(self) -> list[Trace]:
        """Return what is remembered of each model."""
        from htresearch.disclosure.apart import Trace

        return [
            Trace(name, part["person"], part["outcome"], part["tells_mean"], self._members(part))
            for name, part in self._parts("trace")
        ]

    def remember(
        self, name: str, records: Sequence[Record], traces: Sequence[Trace], digest: str, decision: dict
    ) -> None:
        """Write down whom a result rests on: first the files, then the manifest that names them."""
        parts = []
        for thing in (*records, *traces):
            content = BytesIO()
            thing.members.to_parquet(content, index=False)
            whole = content.getvalue()
            part = {"file": f"{len(self.entries) + 1:04d}-{len(parts) + 1}.parquet"}
            part |= {"sha256": hashlib.sha256(whole).hexdigest(), "person": thing.person}
            part |= _words_of_record(thing) if isinstance(thing, Record) else _words_of_trace(thing)
            write_file(self.folder / "tables" / part["file"], whole, 0o600)
            parts.append(part)
        self.entries[name] = json.loads(json.dumps({"digest": digest, "decision": decision, "parts": parts}))
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
        for part in entry["parts"]:
            path = self.folder / "tables" / part["file"]
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != part["sha256"]:
                raise _damaged(
                    self.folder,
                    Text("“{name}”的文件不见了或被改动", "the file of {name!r} is gone or changed").format(name=name),
                )

    def _parts(self, kind: str) -> list[tuple[str, dict]]:
        return [(name, part) for name, e in self.entries.items() for part in e["parts"] if part["kind"] == kind]

    def _members(self, part: dict) -> pd.DataFrame:
        return pd.read_parquet(self.folder / "tables" / part["file"])


def _words_of_record(record: Record) -> dict:
    return {
        "kind": "record",
        "keys": record.keys,
        "value": record.value,
        "signed": record.signed,
        "leaves": record.leaves,
        "cells": [
            [list(k), bool(p), bool(q), int(line)]
            for k, p, q, line in record.cells[["key", "published", "primary", "line"]].itertuples(index=False)
        ],
    }


def _words_of_trace(trace: Trace) -> dict:
    return {"kind": "trace", "outcome": trace.outcome, "tells_mean": trace.tells_mean}


def _record(name: str, part: dict, members: pd.DataFrame) -> Record:
    columns = zip(*part["cells"], strict=True) if part["cells"] else ([],) * 4
    cells = pd.DataFrame(dict(zip(("key", "published", "primary", "line"), map(list, columns), strict=True)))
    cells["key"] = [tuple(key) for key in cells["key"]]
    leaves = tuple(tuple(leaf) for leaf in part["leaves"])
    return Record(name, tuple(part["keys"]), part["value"], part["person"], part["signed"], members, leaves, cells)


def hashes(values: pd.Series, key: bytes) -> np.ndarray:
    """Return keyed hashes of ids; a missing id is ""."""
    known: dict[object, str] = {}
    for value in values.unique():
        missing = value is None or value != value
        known[value] = "" if missing else hmac.new(key, _written(value), hashlib.sha256).hexdigest()[:24]
    return np.array([known.get(v, "") for v in values], dtype=object)


def _written(value: object) -> bytes:
    """Write an id so that 7, 7.0 and "7" are one: a column turns to another type where ids are missing."""
    whole = isinstance(value, Number) and value == value and float(value).is_integer()
    return str(int(value) if whole else value).encode()


def digest_of(thing: object, bases: Iterable[Basis] = ()) -> str:
    """Return a digest by which the same thing is known again; `bases` are what the estimates of models rest on."""
    table = getattr(thing, "table", thing)
    parts = [type(thing).__name__, str(getattr(table, "asked", "")), str(getattr(table, "value", ""))]
    frames = [getattr(table, a, None) for a in ("cells", "members", "frame")] + [thing]
    for frame in frames:
        if isinstance(frame, pd.DataFrame | pd.Series):
            parts.append(frame.to_csv())
    parts.append(str(np.asarray(getattr(thing, "suppressed", ())).astype(int).tolist()))
    parts += [repr((basis.terms, basis.estimates.tolist())) for basis in bases]
    parts.append(hashlib.sha256(getattr(thing, "png", b"")).hexdigest())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _seal(content: dict, key: bytes) -> str:
    plain = {k: content[k] for k in ("version", "entries", "attempts")}
    return hmac.new(key, json.dumps(plain, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def _manifest(folder: Path) -> dict:
    try:
        content = json.loads((folder / "ledger.json").read_bytes())
    except (ValueError, OSError) as fault:
        raise _damaged(folder, Text("ledger.json 读不出来", "ledger.json cannot be read")) from fault
    if isinstance(content, dict) and content.get("version") in range(1, _VERSION):
        raise LedgerError(_outdated(folder))
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


def _outdated(folder: Path) -> Fault:
    return Fault(
        str(folder),
        Text(
            "是旧版本写的，没有记下已公布的模型由哪些人得出",
            "was written by an earlier version, which did not remember whom released models rest on",
        ),
        Text(
            "请新建文件夹，先把已公布的全部结果按原来的顺序重新加入，再公布新的",
            "Make a new folder and add all that is out to it again, in the same order, before anything new",
        ),
    )


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
