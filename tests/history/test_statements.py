from __future__ import annotations

import pytest

from exportcheck.history.adding import runs_of
from exportcheck.history.axes import axes, places_text, versions_text
from exportcheck.history.overview import (
    ALONE,
    BEFORE,
    CONVERTED,
    INSTEAD,
    STAND_INS,
    Support,
    overviews,
    support,
)
from exportcheck.history.runs import History
from exportcheck.history.statements import MARKS, WORDS, State, state_of
from exportcheck.history.strips import by_option, detail, strips, uneventful
from exportcheck.history.tracks import columns, option, track_of, tracks
from exportcheck.results import Stage, Status
from tests.history.runs import ONNX9, ONNX12, PASS, REFUSED, by_name, cell, history, report

RUNS = by_name(history())
ONNX = track_of("onnx-trace-opset12")
COREML = track_of("coreml-fp32")
CRASH = (Status.CRASH, Stage.LOAD, "the worker died of signal SIGSEGV")
WRONG = (Status.MISMATCH, Stage.COMPARE, "grid: 3 of 4096")


def one(*results):
    (run,) = History(runs_of(report(*results), "r.json")).runs
    return run


@pytest.mark.parametrize(
    ("toolchain", "form", "track", "state"),
    [
        ("torch-1.5", "hardswish", ONNX, State.UNAVAILABLE),
        ("torch-1.7", "hardswish", ONNX, State.FAILS),
        ("torch-1.7", "hardswish-hardtanh", ONNX, State.WORKS),
        ("torch-1.7", "hardswish", COREML, State.FAILS),
        ("torch-1.7", "hardswish-hardtanh", COREML, State.CONVERTS),
        ("torch-1.7+coremltools-5.2.0", "hardswish", COREML, State.WORKS),
    ],
)
def test_the_state_of_a_form(toolchain, form, track, state):
    assert state_of(RUNS[toolchain], form, track).state is state


def test_what_was_not_run_has_no_statement():
    assert state_of(RUNS["torch-1.5"], "hardswish", COREML) is None
    assert state_of(RUNS["torch-1.5"], "mish", ONNX) is None


def test_a_file_that_nothing_ran_is_no_pass():
    statement = state_of(RUNS["torch-1.7"], "hardswish-hardtanh", COREML)
    assert not statement.state.works
    assert not statement.state.failed


def test_of_several_opsets_the_best_counts_and_the_others_are_kept():
    statement = state_of(RUNS["torch-1.7"], "hardswish-hardtanh", ONNX)
    assert option(statement.column) == "opset 12"
    assert by_option(statement) == {"opset 9": State.FAILS, "opset 12": State.WORKS}


def test_of_equal_ones_the_highest_opset_speaks():
    statement = state_of(RUNS["torch-1.7"], "hardswish", ONNX)
    assert option(statement.column) == "opset 12"


@pytest.mark.parametrize(
    ("outcome", "state"), [(WRONG, State.WRONG), (CRASH, State.CRASHES), (REFUSED, State.FAILS)]
)
def test_a_failure_between_layers_makes_a_pass_partial(outcome, state):
    run = one(
        cell("torch-1.7", "hardswish", ONNX12, PASS),
        cell("torch-1.7", "hardswish", ONNX12, outcome, "conv"),
        cell("torch-1.7", "relu", ONNX12, PASS, "conv"),
    )
    statement = state_of(run, "hardswish", ONNX)
    assert statement.state is State.PARTIAL
    assert statement.state.works
    assert list(statement.between) == ["conv"]
    assert outcome[2] in detail(statement)
    alone = one(cell("torch-1.7", "hardswish", ONNX12, outcome))
    assert state_of(alone, "hardswish", ONNX).state is state


def test_a_network_in_which_relu_fails_says_nothing():
    run = one(
        cell("torch-1.7", "hardswish", ONNX12, PASS),
        cell("torch-1.7", "hardswish", ONNX12, REFUSED, "conv"),
        cell("torch-1.7", "relu", ONNX12, REFUSED, "conv"),
    )
    assert state_of(run, "hardswish", ONNX).state is State.WORKS


def test_where_relu_fails_too_it_is_not_the_form():
    run = one(
        cell("torch-1.7", "hardswish", ONNX12, REFUSED), cell("torch-1.7", "relu", ONNX12, REFUSED)
    )
    state = state_of(run, "hardswish", ONNX).state
    assert state is State.BLOCKED
    assert not state.failed
    assert not state.works
    assert state_of(run, "relu", ONNX).state is State.FAILS


def test_a_pass_with_a_note():
    run = one(cell("torch-1.7", "relu", ONNX12, PASS, notes=("nan: nan-lost 9 of 9: …",)))
    statement = state_of(run, "relu", ONNX)
    assert statement.state is State.NOTED
    assert detail(statement) == "works, with a note, opset 12, worst error 7e-07; nan: nan-lost"


def test_a_failure_is_quoted():
    text = detail(state_of(RUNS["torch-1.7"], "hardswish", ONNX))
    assert text == f"fails at export, opset 12: {REFUSED[2]}"


def test_every_state_has_a_mark_and_words():
    assert set(MARKS) == set(WORDS) == set(State)
    assert len(set(MARKS.values())) == len(State)


def test_tracks_do_not_depend_on_the_options_of_an_exporter():
    assert track_of("onnx-trace-opset9") is track_of("onnx-trace-opset20")
    assert track_of("coreml-neuralnetwork") is track_of("coreml-fp32")
    assert track_of("onnx-trace-opset9") is not track_of("onnx-dynamo-opset18")
    assert track_of("a-plug-in").name == "a-plug-in"
    assert [track.name for track in tracks(history().runs)] == ["onnx-trace", "coreml"]
    assert [c.target for c in columns(RUNS["torch-1.7"], ONNX)] == [ONNX9[0], ONNX12[0]]


def test_axes():
    (torch,) = axes(history(), ONNX)
    assert [torch.label(run) for run in torch.runs] == ["1.5.1", "1.7.1", "1.8.1"]
    whole, over = axes(history(), COREML)
    assert (whole.package, whole.fixed) == ("coremltools", "")
    assert (over.package, over.fixed) == ("coremltools", "torch 1.7.1")
    assert [over.label(run) for run in over.runs] == ["4.1", "5.2.0"]
    assert versions_text(torch, torch.runs) == "1.5.1 to 1.8.1"
    assert versions_text(torch, torch.runs[:1]) == "1.5.1"


def test_a_coremltools_of_its_own_is_shown_without_a_whole_toolchain():
    (over,) = axes(history("torch-1.7+coremltools-5.2.0"), COREML)
    assert (over.package, over.fixed) == ("coremltools", "torch 1.7.1")
    assert [over.label(run) for run in over.runs] == ["5.2.0"]


def test_strips_have_native_forms_first_and_only_what_was_run():
    onnx, *coreml = strips(history(), ["hardswish-hardtanh", "hardswish", "mish"])
    assert [row.form for row in onnx.rows] == ["hardswish", "hardswish-hardtanh"]
    assert onnx.heads == (("1.5.1", "1.3.0"), ("1.7.1", "1.6.0"), ("1.8.1", "1.7.0"))
    assert [strip.title for strip in coreml] == [
        "Core ML, float32, by coremltools",
        "Core ML, float32, by coremltools on torch 1.7.1",
    ]
    assert not uneventful(onnx)
    (relu,) = strips(history(), ["relu"])
    assert uneventful(relu)


def test_what_stands_in_for_the_native_form_and_why():
    tanh = ("hardswish-hardtanh",)
    assert support(RUNS["torch-1.5"], "hardswish", ONNX) == Support(BEFORE.state, tanh)
    assert support(RUNS["torch-1.7"], "hardswish", ONNX) == Support(INSTEAD.state, tanh)
    assert support(RUNS["torch-1.7"], "hardswish", COREML) == Support(CONVERTED.state, tanh)
    assert support(RUNS["torch-1.8"], "hardswish", ONNX) == Support("works")
    assert support(RUNS["torch-1.7"], "mish", ONNX) is None
    failing = one(cell("torch-1.7", "hardswish", ONNX12, REFUSED))
    assert support(failing, "hardswish", ONNX) == Support("fails")
    alone = one(
        cell("torch-1.7", "hardswish", ONNX12, REFUSED),
        cell("torch-1.7", "hardswish-hardtanh", ONNX12, PASS),
        cell("torch-1.7", "hardswish-hardtanh", ONNX12, REFUSED, "conv"),
        cell("torch-1.7", "relu", ONNX12, PASS, "conv"),
    )
    assert support(alone, "hardswish", ONNX) == Support(ALONE.state, tanh)


def test_a_native_form_that_was_not_run_does_not_fail():
    run = one(cell("torch-1.7", "hardswish-hardtanh", ONNX12, PASS))
    assert support(run, "hardswish", ONNX) == Support("works")


def test_every_stand_in_has_its_own_mark():
    marks = [one.mark for one in STAND_INS.values()]
    assert len({*marks, *MARKS.values()}) == len(marks) + len(MARKS)


def test_places_are_joined_where_they_are_neighbours():
    (torch,) = axes(history(), ONNX)
    assert places_text(torch, [0, 1]) == "1.5.1 to 1.7.1"
    assert places_text(torch, [0, 2]) == "1.5.1, 1.8.1"


def test_overviews_leave_out_what_was_never_run():
    found = overviews(history(), ["hardswish", "mish", "relu"])
    assert [one.name for one in found] == ["onnx-trace", "coreml", "coreml-torch-1.7.1"]
    assert list(found[0].rows) == ["hardswish", "relu"]
    (only,) = overviews(history(), ["hardswish"], lambda track: track == ONNX)
    assert [one.state for one in only.rows["hardswish"]] == [
        BEFORE.state,
        INSTEAD.state,
        "works",
    ]
