from __future__ import annotations

import os

import pytest

from exportcheck import cache
from exportcheck.cache import proofs
from exportcheck.exhaustive import journal
from exportcheck.exhaustive.figures import Figures, Gap, RunFigures
from exportcheck.exhaustive.journal import Journal

FIGURES = Figures(Gap(1, (4, 5, 6)), {"a/b": RunFigures(Gap(2, (1, 2, 3), 9))})


def test_what_was_kept_is_there_again():
    first = Journal("key")
    first.keep(7, FIGURES)
    first.keep(2048, Figures())
    first.close()
    assert Journal("key").pieces == {7: FIGURES, 2048: Figures()}
    assert Journal("another").pieces == {}


@pytest.mark.parametrize("damage", ["cut", "foreign", "binary", "number"])
def test_what_is_damaged_is_measured_again_and_nothing_else(damage):
    first = Journal("key")
    first.keep(7, FIGURES)
    first.keep(8, FIGURES)
    first.close()
    (path,) = proofs()
    text = path.read_bytes()
    path.write_bytes(
        {
            "cut": text[:-20],
            "foreign": text + b'{"piece": 9}\n[1]\nnull\n"x"\n',
            "binary": text + b"\xff\x00\xfe",
            "number": text + b'{"piece": 5000, "eager": [0,null,0,0,0,0], "runs": {}}\n',
        }[damage]
    )
    second = Journal("key")
    assert second.pieces == ({7: FIGURES} if damage == "cut" else {7: FIGURES, 8: FIGURES})
    second.keep(9, FIGURES)
    second.close()
    assert 9 in Journal("key").pieces


def test_two_at_once_keep_what_both_found():
    one, other = Journal("key"), Journal("key")
    one.keep(1, FIGURES)
    other.keep(2, FIGURES)
    one.keep(3, FIGURES)
    assert set(Journal("key").pieces) == {1, 2, 3}


def test_without_a_key_nothing_is_written():
    one = Journal("")
    one.keep(1, FIGURES)
    one.close()
    assert one.pieces == {1: FIGURES}
    assert proofs() == []


def test_a_folder_that_cannot_be_written_costs_the_resuming_only(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path / "file"))
    one = Journal("key")
    one.keep(1, FIGURES)
    one.close()
    assert one.pieces == {1: FIGURES}
    assert "file" in one.trouble


def test_the_oldest_files_make_way(monkeypatch):
    monkeypatch.setattr(journal, "KEPT", 2)
    for age, key in enumerate(["new", "newer", "old"]):
        one = Journal(key)
        one.close()
        (path,) = (p for p in proofs() if p.stem == key)
        os.utime(path, (1000 - age, 1000 - age))
    Journal("newest").close()
    assert {path.stem for path in proofs()} == {"newest", "new"}


def test_clearing_the_cache_removes_them():
    Journal("key").close()
    assert cache.clear() > 0
    assert proofs() == []
