from __future__ import annotations

from exportcheck.cache import FILE_NAME, Cache, folder, proofs
from exportcheck.exhaustive.figures import Figures
from exportcheck.exhaustive.journal import Journal
from exportcheck.results import Case, Result, Stage, Status


def test_showing_and_clearing(cli):
    case = Case("silu", "bare", "coreml-fp32", "mil-numpy", "torch-2.13")
    cache = Cache()
    cache.keep("key", Result(case, "silu", Status.PASS, Stage.COMPARE))
    cache.close()
    shown = cli("cache", "show")
    assert shown.code == 0
    assert f"{folder() / FILE_NAME}: results: 1," in shown.out
    assert "proofs" not in shown.out
    cleared = cli("cache", "clear")
    assert (cleared.code, "removed" in cleared.out, "proof" in cleared.out) == (0, True, False)
    assert not (folder() / FILE_NAME).exists()


def test_what_is_known_of_proofs_is_named_too(cli):
    journal = Journal("key")
    journal.keep(3, Figures())
    journal.close()
    shown = cli("cache", "show")
    assert f"{folder() / 'exhaustive'}: proofs over every input: 1, 0.0 MB" in shown.out
    assert cli("cache", "clear").out == "removed 0.0 MB, with proofs: 1\n"
    assert proofs() == []


def test_a_folder_that_cannot_be_used(cli, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EXPORTCHECK_CACHE", str(tmp_path / "file"))
    done = cli("cache", "show")
    assert done.code == 3
    assert "cannot be used" in done.err
