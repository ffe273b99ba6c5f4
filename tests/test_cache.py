from __future__ import annotations

import sqlite3
import subprocess
import sys
import zlib

import pytest

from exportcheck import cache as cache_module
from exportcheck.cache import Cache, Keeping, clear, folder
from exportcheck.results import Case, Result, Stage, Status

CASE = Case("silu", "bare", "coreml-fp32", "mil-numpy", "torch-2.13")
OTHER = Case("mish", "bare", "coreml-fp32", "mil-numpy", "torch-2.13")


def result(status=Status.PASS, case=CASE, message=""):
    return Result(case, "silu", status, Stage.COMPARE, message=message)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "results.sqlite"


def kept(path, *results, **options):
    cache = Cache(path, **options)
    for number, one in enumerate(results):
        cache.keep(f"key{number}", one)
    cache.close()
    assert not cache.trouble


def recalled(path, keys):
    cache = Cache(path)
    try:
        return cache.recall(keys)
    finally:
        cache.close()
        assert not cache.trouble


@pytest.mark.parametrize("status", list(Status))
def test_what_will_come_out_the_same_is_kept_and_nothing_else(path, status):
    kept(path, result(status))
    lasting = status in (Status.PASS, Status.MISMATCH, Status.ERROR)
    assert recalled(path, {CASE: "key0"}) == ({CASE: result(status)} if lasting else {})


def test_another_key_is_a_miss(path):
    kept(path, result())
    assert recalled(path, {CASE: "another"}) == {}


def test_an_entry_of_another_case_is_a_miss(path):
    kept(path, result())
    assert recalled(path, {OTHER: "key0"}) == {}


@pytest.mark.parametrize(
    "value",
    [b"", b"no zlib", zlib.compress(b"no json"), zlib.compress(b"[]"), zlib.compress(b"{}"), 5, ""],
)
def test_a_damaged_entry_is_a_miss(path, value):
    kept(path, result())
    with sqlite3.connect(path) as connection:
        connection.execute("update results set value = ?", (value,))
    connection.close()
    assert recalled(path, {CASE: "key0"}) == {}


def test_each_byte_of_an_entry_counts(path):
    kept(path, result(message="some words"))
    connection = sqlite3.connect(path)
    (value,) = connection.execute("select value from results").fetchone()
    for position in range(len(value)):
        damaged = bytearray(value)
        damaged[position] ^= 0xFF
        connection.execute("update results set value = ?", (bytes(damaged),))
        connection.commit()
        assert recalled(path, {CASE: "key0"}) in ({}, {CASE: result(message="some words")})
    connection.close()


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_begun_anew(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert recalled(path, {CASE: "key0"}) == {}
    kept(path, result())
    assert recalled(path, {CASE: "key0"}) == {CASE: result()}


def test_a_file_with_damaged_pages_is_said_and_begun_anew(path):
    kept(path, *(result(message="a" * 1000) for _ in range(100)))
    data = bytearray(path.read_bytes())
    half = len(data) // 2  # what is looked at first stands before it
    data[half:] = b"\xa5" * (len(data) - half)
    path.write_bytes(data)
    cache = Cache(path)
    found = [cache.recall({CASE: f"key{number}"}) for number in range(100)]
    cache.close()
    assert {} in found
    assert "was damaged, and is begun anew" in cache.trouble
    kept(path, result())
    assert recalled(path, {CASE: "key0"}) == {CASE: result()}


def test_a_damaged_file_that_cannot_be_removed_is_said_and_ends_nothing(path, monkeypatch):
    def refuses(path):
        raise PermissionError("not yours")

    cache = Cache(path)
    monkeypatch.setattr(cache_module, "_remove", refuses)
    with cache._careful():
        raise cache_module.sqlite3.DatabaseError("database disk image is malformed")
    assert "malformed, nor removed: not yours" in cache.trouble
    assert cache.recall({CASE: "key0"}) == {}


def test_a_database_of_somebody_else_is_begun_anew(path):
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("create table results (name text)")
    connection.commit()
    connection.close()
    kept(path, result())
    assert recalled(path, {CASE: "key0"}) == {CASE: result()}


def test_a_folder_that_cannot_be_made_is_said_and_ends_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "results.sqlite")
    cache.keep("key0", result())
    assert cache.recall({CASE: "missing"}) == {}
    cache.close()
    assert str(tmp_path / "file") in cache.trouble


def test_what_was_unused_for_longest_goes_first(path, monkeypatch):
    clock = iter(range(0, 10**6, 2 * int(cache_module.USED_STEP_S)))
    monkeypatch.setattr(cache_module.time, "time", lambda: next(clock))
    kept(path, *(result(message=letter * 100_000) for letter in "abc"))
    recalled(path, {CASE: "key0"})
    Cache(path, limit_bytes=350_000).close()
    assert set(recalled(path, {CASE: "key1"})) == {CASE}
    recalled(path, {CASE: "key0"})
    Cache(path, limit_bytes=250_000).close()
    assert path.stat().st_size < 250_000
    assert set(recalled(path, {CASE: "key0"})) == {CASE}
    assert set(recalled(path, {CASE: "key1"})) == {CASE}
    assert recalled(path, {CASE: "key2"}) == {}


WRITER = """
import sys
from exportcheck.cache import Cache
from exportcheck.results import Case, Result, Stage, Status
cache = Cache()
for number in range(100):
    name = sys.argv[1] + str(number)
    case = Case(name, "bare", "t", "r", "torch-2.13")
    cache.keep(name, Result(case, "f", Status.PASS, Stage.COMPARE))
cache.close()
sys.exit(cache.trouble or 0)
"""


def test_two_runs_at_once_do_not_disturb_each_other():
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name]) for name in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    cache = Cache()
    assert cache.size()[0] == 200
    cache.close()


def test_it_keeps_while_it_passes_on(path):
    seen = []

    class Seeing:
        def started(self, worker, case):
            seen.append((worker, case))

        def finished(self, worker, result):
            seen.append((worker, result))

    cache = Cache(path)
    keeping = Keeping(Seeing(), cache, {CASE: "key0"})
    keeping.started(1, CASE)
    keeping.finished(1, result())
    keeping.finished(0, result(case=OTHER))
    cache.close()
    assert seen == [(1, CASE), (1, result()), (0, result(case=OTHER))]
    assert recalled(path, {CASE: "key0", OTHER: "none"}) == {CASE: result()}


def test_clearing_removes_it_all():
    kept(folder() / cache_module.FILE_NAME, result())
    assert clear() > 0
    assert list(folder().iterdir()) == []
    assert clear() == 0


def test_the_folder_is_the_systems_unless_it_is_named(monkeypatch):
    monkeypatch.setenv("EXPORTCHECK_CACHE", "/named")
    assert str(folder()) == "/named"
    monkeypatch.delenv("EXPORTCHECK_CACHE")
    monkeypatch.setattr(cache_module.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert str(folder()) == "/caches/exportcheck"
    monkeypatch.setattr(cache_module.sys, "platform", "darwin")
    assert folder().parts[-3:] == ("Library", "Caches", "exportcheck")
