from __future__ import annotations

import pytest

from exportcheck.history.storing import read_history, to_text
from exportcheck.render.json import render
from tests.history.runs import ONNX12, PASS, cell, history, report, reports


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "history.json"
    path.write_text(to_text(history()), "utf-8")
    return path


@pytest.fixture
def runs(tmp_path):
    """Each toolchain's report as a file."""
    found = []
    for name, one in reports().items():
        path = tmp_path / f"{name}.json"
        path.write_text(render(one), "utf-8")
        found.append(path)
    return found


def test_reports_become_a_history(cli, runs, tmp_path):
    path = tmp_path / "new" / "history.json"
    done = cli("history", "add", *runs, "--history", path)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "torch-1.5: 3 cells",
        "torch-1.7: 7 cells",
        "torch-1.7+coremltools-5.2.0: 2 cells",
        "torch-1.8: 3 cells",
        f"4 toolchains in {path}",
    ]
    assert read_history(path) == history()


def test_one_after_the_other_is_the_same_as_all_at_once(cli, runs, tmp_path):
    path = tmp_path / "history.json"
    for one in reversed(runs):
        assert cli("history", "add", one, "--history", path).code == 0
    assert path.read_text("utf-8") == to_text(history())


def test_cells_are_not_lost_by_the_way(cli, file, tmp_path):
    less = tmp_path / "less.json"
    less.write_text(render(report(cell("torch-1.7", "relu", ONNX12, PASS))), "utf-8")
    before = file.read_text("utf-8")
    done = cli("history", "add", less, "--history", file)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "has 6 cells that the new run has not" in done.err
    assert file.read_text("utf-8") == before
    assert cli("history", "add", less, "--history", file, "--replace").code == 0
    assert read_history(file).data["torch-1.7"] != history().data["torch-1.7"]


def test_families_by_version(cli, file, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = cli("history", "show", "--history", file).out
    assert "ONNX, TorchScript exporter, by torch" in out
    assert out.splitlines()[3].split() == ["hardswish", "↪", "⇄", "✓"]
    assert "⇄ the native form fails, another works" in out


def test_a_family_form_by_form(cli, file):
    out = cli("history", "show", "--family", "hardswish", "--history", file).out
    assert [line.split() for line in out.splitlines()[3:5]] == [
        ["hardswish", "–", "✗", "✓"],
        ["hardswish-hardtanh", "✓", "✓", "✓"],
    ]


def test_a_target_means_its_track(cli, file):
    for target in ("coreml", "coreml-neuralnetwork", "coreml-*"):
        out = cli("history", "show", "--target", target, "--history", file).out
        assert "Core ML, float32" in out
        assert "ONNX" not in out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--family", "hardswich"), "no family 'hardswich'; nearest: hardswish"),
        (("--target", "onnx-dynamo"), "no target 'onnx-dynamo' in the history; nearest: onnx-"),
        (("--family", "nonsense"), "no family 'nonsense' (all: exportcheck list activations)"),
        (("--target", "zzz"), "no target 'zzz' in the history; "),
        (("--format", "xml"), "no format 'xml'; there are: terminal, markdown, html"),
    ],
)
def test_wrong_usage(cli, file, arguments, complaint):
    done = cli("history", "show", *arguments, "--history", file)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert complaint in done.err


def test_a_run_with_a_coremltools_of_its_own_is_shown(cli, runs, tmp_path):
    path = tmp_path / "one.json"
    done = cli("history", "add", runs[2], "--history", path)
    assert done.out.splitlines()[-1] == f"1 toolchain in {path}"
    shown = cli("history", "show", "--history", path).out
    assert "Core ML, float32, by coremltools on torch 1.7.1" in shown


def test_a_form_means_its_family(cli, file):
    command = ("history", "show", "--history", file, "--family")
    assert cli(*command, "hardswish-relu6").out == cli(*command, "hardswish").out


def test_markdown(cli, file, tmp_path, golden):
    path = tmp_path / "history.md"
    done = cli("history", "show", "-o", path, "--history", file)
    assert (done.code, done.out) == (0, f"markdown in {path}\n")
    golden("history.md", path.read_text("utf-8"))


def test_the_page_links_to_the_matrix_beside_it(cli, file, tmp_path):
    page = tmp_path / "history.html"
    cli("history", "show", "-f", "html", "-o", page, "--history", file)
    assert '"matrix":""' in page.read_text("utf-8")
    (tmp_path / "matrix.html").write_text("", "utf-8")
    cli("history", "show", "-f", "html", "-o", page, "--history", file)
    assert '"matrix":"matrix.html"' in page.read_text("utf-8")


def test_without_a_history(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli("history", "show")
    assert done.code == 0
    assert done.err == (
        "exportcheck: reports/history.json does not exist here; --history FILE names another\n"
    )
    assert "Nothing of this has been measured" in done.out
    named = cli("history", "show", "--history", "none.json")
    assert (named.code, named.err) == (
        2,
        "exportcheck: cannot read none.json: No such file or directory\n",
    )
