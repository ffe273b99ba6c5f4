from __future__ import annotations

from pathlib import Path

import pytest
import torch

import exportcheck
from exportcheck.custom.inspecting import inspect_module
from exportcheck.custom.module_spec import TRACING, ModuleSpec, parse_input
from exportcheck.errors import BadModule
from tests.user_code import good

BAD = Path(__file__).parents[1] / "user_code" / "bad.py"


def bad(name) -> ModuleSpec:
    return ModuleSpec(f"{BAD}:{name}")


def line(name) -> str:
    lines = BAD.read_text().splitlines()
    return f"bad.py:{next(i for i, one in enumerate(lines, 1) if f'# line of {name}' in one)}: "


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Constructor", "the constructor of Constructor fails: ValueError: no good"),
        ("Wants", "missing 1 required positional argument: 'width'"),
        ("Divides", "ZeroDivisionError"),
        ("Shape", "not enough values to unpack"),
        ("Text", "forward returns an object of type str; tensors were expected"),
        ("Nothing", "forward returns None; tensors were expected"),
        ("Random", "it draws random numbers, so no comparison can be made; let it do that when"),
        ("Counts", "it keeps what it saw"),
        ("Caches", "after it was given others than before, in eval mode: it keeps what it saw"),
        ("Cuda", "needs CUDA"),
        ("Exits", "calls sys.exit(3)"),
        ("Forks", "forks"),
    ],
)
def test_bad_input_is_one_line_with_its_place(name, words):
    with pytest.raises(BadModule) as caught:
        inspect_module(bad(name), "bare")
    text = str(caught.value)
    assert line(name) in text
    assert words in text
    assert "\n" not in text


def test_a_state_shows_on_whole_numbers_and_within_a_range_too():
    for name, given in (("Picks", "2x3:int64:0..9"), ("Caches", "2x3:float32:1..2")):
        spec = ModuleSpec(f"{BAD}:{name}", inputs=(parse_input(given),))
        with pytest.raises(BadModule, match="it keeps what it saw"):
            inspect_module(spec, "bare")


def test_whoever_refuses_other_inputs_is_run_on_the_same_ones():
    exportcheck.check(good.Strict(), torch.full((2, 3), 3.0), targets=["torchscript-trace"])


def test_who_writes_to_stdout_is_noted(capfd):
    facts = inspect_module(bad("Prints"), "bare")
    assert facts["notes"] == [f"tests/user_code/{line('Prints')[:-2]} writes to stdout"]


def test_who_writes_to_its_input_is_noted():
    facts = inspect_module(bad("Overwrites"), "bare")
    place = f"tests/user_code/{line('Overwrites')[:-2]}"
    assert facts["notes"] == [f"{place} writes to its input; only outputs are compared"]


def test_the_facts_say_what_was_used():
    facts = inspect_module(ModuleSpec("tests.user_code.good:Hard"), "bare")
    assert facts["inputs"] == facts["outputs"] == ["float32 2x8x16x16"]
    assert facts["guess"] == "NCHW, 8 channels"
    assert facts["elementwise"]
    assert {-3.0, 3.0} <= set(facts["knees"])
    assert "grid" in facts["classes"]
    assert facts["place"].startswith("tests/user_code/good.py:")
    assert "training" not in facts


def test_several_inputs_and_outputs():
    inputs = tuple(map(parse_input, ("2x3", "2x3:bool")))
    facts = inspect_module(ModuleSpec("tests.user_code.good:Named", inputs=inputs), "bare")
    assert facts["inputs"] == ["float32 2x3", "bool 2x3"]
    assert facts["outputs"] == ["float32 2x3", "int64 2"]
    assert facts["guess"] == ""


def test_the_steps_are_announced_before_they_run():
    steps = []
    spec = ModuleSpec("tests.user_code.good:Block", args=(("width", "4"),))
    inspect_module(spec, "bare", lambda step, place: steps.append(step))
    assert list(dict.fromkeys(steps)) == [*("the import", "the constructor", "forward", TRACING)]


@pytest.mark.parametrize(("name", "right"), [("Square", True), ("WrongSquare", False)])
def test_the_gradient_is_checked_on_demand(name, right):
    facts = inspect_module(ModuleSpec(f"tests.user_code.good:{name}", train=True), "bare")
    assert facts["training"]["gradient_right"] is right
