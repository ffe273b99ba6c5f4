"""Results of earlier runs by content key, in one SQLite file.

A cache may lose anything and must never be wrong: an entry that cannot be read is a miss, a file
that is no database is begun anew, and a folder that cannot be written leaves everything to be
checked again. Runs at the same time share it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import sys
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exportcheck.records import result_from_json, result_to_json
from exportcheck.results import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from exportcheck.results import Case, Result
    from exportcheck.runner import Observer

FOLDER_VARIABLE = "EXPORTCHECK_CACHE"
FILE_NAME = "results.sqlite"
PROOFS = "exhaustive/*.jsonl"
"""What `exhaustive.journal` keeps beside it."""

LIMIT_BYTES = 200_000_000
"""More than thirty full runs; the entries unused for longest go first."""

USED_STEP_S = 3600.0
"""How stale the time of last use may be: to write it in every run would take longer than to read
the results."""

LASTING = (Status.PASS, Status.MISMATCH, Status.ERROR)
"""A crash or a timeout may be the machine's, and what is unavailable may be installed."""

_BUSY_S = 10.0
_STORED = 0
"""zlib's level that compresses nothing: its checksum finds damage, and little time is spent."""

_ENTRY = "select used, value from results where key = ?"
_TABLE = """
create table if not exists results (key text primary key, used real not null, value blob not null)
"""


def folder() -> Path:
    """Where the cache is: EXPORTCHECK_CACHE, or the place that the system has for caches."""
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "exportcheck"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "exportcheck"


class Cache:
    """The results of earlier runs.

    Attributes:
        path: of the file.
        trouble: why nothing is kept; empty where all is well.

    Args:
        path: the file; it is made where it is missing.
        limit_bytes: how large the file may become.
    """

    def __init__(self, path: Path | None = None, limit_bytes: int = LIMIT_BYTES) -> None:
        self.path = path or folder() / FILE_NAME
        self.trouble = ""
        self._limit_bytes = limit_bytes
        self._connection = _opened(":memory:")
        with self._careful():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = _opened_or_anew(self.path)

    def recall(self, keys: Mapping[Case, str]) -> dict[Case, Result]:
        """The results of those cases that have been checked before."""
        found: dict[Case, Result] = {}
        with self._careful():
            now = time.time()
            renewed = []
            for case, key in keys.items():
                used, value = self._connection.execute(_ENTRY, (key,)).fetchone() or (now, None)
                result = _decoded(value)
                if result is not None and result.case == case:
                    found[case] = result
                    if now - used > USED_STEP_S:
                        renewed.append((now, key))
            if renewed:
                self._connection.executemany("update results set used = ? where key = ?", renewed)
                self._connection.commit()
        return found

    def keep(self, key: str, result: Result) -> None:
        """Keeps `result`, if it is one that will come out the same again."""
        if result.status not in LASTING:
            return
        value = zlib.compress(json.dumps(result_to_json(result)).encode(), _STORED)
        with self._careful():
            row = (key, time.time(), value)
            self._connection.execute("insert or replace into results values (?, ?, ?)", row)
            self._connection.commit()

    def close(self) -> None:
        """Drops what is too much, those unused for longest first, and closes the file."""
        with self._careful():
            surplus = self._file_bytes() - self._limit_bytes
            if surplus > 0:
                self._drop(surplus)
        self._connection.close()

    def _file_bytes(self) -> int:
        """What the entries take; to add their sizes up would take as long as to read them."""
        pages, free, size = (
            self._connection.execute(f"pragma {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _drop(self, surplus: int) -> None:
        """Removes entries of so many bytes, those unused for longest first."""
        rows = self._connection.execute("select key, length(value) from results order by used")
        dropped = []
        for key, length in rows.fetchall():
            if surplus <= 0:
                break
            surplus -= length
            dropped.append((key,))
        self._connection.executemany("delete from results where key = ?", dropped)
        self._connection.commit()
        self._connection.execute("vacuum")

    def size(self) -> tuple[int, int]:
        """How many entries there are and how many bytes they have."""
        with self._careful():
            sizes = self._connection.execute("select length(value) from results").fetchall()
            return len(sizes), sum(length for (length,) in sizes)
        return 0, 0

    @contextlib.contextmanager
    def _careful(self) -> Iterator[None]:
        """What goes wrong with the file is the end of caching, not of the run."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            self.trouble = f"the cache {self.path} cannot be used: {error}"
            self._connection.close()
            self._connection = _opened(":memory:")
            if type(error) is sqlite3.DatabaseError:  # malformed; its subclasses mean other things
                self._begin_anew(error)

    def _begin_anew(self, error: sqlite3.DatabaseError) -> None:
        try:
            _remove(self.path)
        except OSError as other:
            self.trouble += f", nor removed: {other}"
        else:
            self.trouble = f"the cache {self.path} was damaged, and is begun anew ({error})"


def _opened_or_anew(path: Path) -> sqlite3.Connection:
    """The database at `path`; whatever else is there makes way."""
    try:
        return _opened(str(path))
    except sqlite3.DatabaseError as error:
        if "locked" in str(error) or not path.is_file():
            raise
    _remove(path)
    return _opened(str(path))


def _remove(path: Path) -> None:
    for leftover in path.parent.glob(path.name + "*"):
        leftover.unlink()


def _opened(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=_BUSY_S)
    # What a power failure takes is checked again.
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = off")
    connection.execute(_TABLE)
    connection.execute("select key, used, value from results limit 1").fetchall()
    return connection


def _decoded(value: Any) -> Result | None:
    """The result in an entry; None where there is none, or it was damaged or is another layout."""
    if value is None:
        return None
    try:
        return result_from_json(json.loads(zlib.decompress(value)))
    except (zlib.error, TypeError, ValueError, KeyError, AttributeError):
        return None


class Keeping:
    """An observer that keeps each result as it comes, and passes on what it is told."""

    def __init__(self, observer: Observer, cache: Cache, keys: Mapping[Case, str]) -> None:
        self._observer = observer
        self._cache = cache
        self._keys = keys

    def started(self, worker: int, case: Case) -> None:
        """Worker number `worker` begins `case`."""
        self._observer.started(worker, case)

    def finished(self, worker: int, result: Result) -> None:
        """A case has its result."""
        if key := self._keys.get(result.case):
            self._cache.keep(key, result)
        self._observer.finished(worker, result)


def proofs() -> list[Path]:
    """The files of what has been tried of proofs over every input."""
    return sorted(folder().glob(PROOFS))


def clear() -> int:
    """Removes the cache; returns how many bytes its files had.

    Raises:
        OSError: a file cannot be removed.
    """
    freed = 0
    for path in sorted([*folder().glob(FILE_NAME + "*"), *proofs()]):
        freed += path.stat().st_size
        path.unlink()
    return freed
