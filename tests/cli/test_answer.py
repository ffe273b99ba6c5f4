"""What `check` prints, from results that are made up."""

from __future__ import annotations

import pytest
from rich.console import Console

from exportcheck.cli.answer import compose
from exportcheck.results import Report, Stage, Status
from tests.conftest import result

FACTS = {
    "place": "my.py:9",
    "inputs": ["float32 2x8"],
    "guess": "",
    "outputs": ["float32 2x8"],
    "elementwise": False,
    "knees": [],
    "parameters": 0,
    "classes": ["normal"],
    "notes": [],
    "moved": [],
    "left_out": [],
}


def cell(target, runtime, status=Status.PASS, **facts):
    stage = Stage.COMPARE if status is Status.PASS else Stage.EXPORT
    return result("my.py:A", "my.py:A", target, runtime, status, stage, **facts)


FAILED = cell("torch-export", "torch", Status.ERROR, message="E: it says " + "no and again " * 30)
PASSED = cell("torchscript-trace", "libtorch")


def printed(*results, facts=FACTS, rewrites=None, held=None, color=None, **options):
    console = Console(width=100, color_system=color, force_terminal=color is not None)
    with console.capture() as capture:
        console.print(
            compose(
                Report(results),
                console.width,
                {"my.py:A": facts},
                {"my.py:A": rewrites} if rewrites else {},
                {"my.py:A": held} if held else {},
                **options,
            )
        )
    return capture.get()


@pytest.mark.parametrize("color", [None, "truecolor"])
def test_no_line_ends_in_blanks(color):
    refuted = [{"replacement": "Other", "why": "it is another one " * 12}]
    text = printed(FAILED, PASSED, rewrites={"refuted": refuted}, color=color)
    assert text.count("\n") > 15
    assert [line for line in text.splitlines() if line.endswith(" ")] == []
    assert " \x1b[0m\n" not in text


def test_a_folder_for_a_maintainer_is_advised_unless_it_is_written():
    assert "do: --repro DIR writes what a maintainer needs" in printed(FAILED)
    assert "--repro" not in printed(FAILED, reproduced=True)


def test_who_is_not_the_reference_is_told_so_first_and_last():
    held = {"proof": None, "refuted": {"why": "2 where the reference gives 3"}}
    lines = printed(PASSED, held=held).splitlines()
    assert lines[0] == "my.py:A is not the reference; it ships to TorchScript"
    assert lines[-1] == "1 case: 1 pass; not the reference: 1"
    assert printed(PASSED).splitlines()[-1] == "1 case: 1 pass"


def test_where_no_form_was_found_it_is_said_what_was_looked_for():
    text = printed(FAILED, rewrites={"found": [], "refuted": [], "code": ""})
    assert "no form was found to try\n    looked for: native activations" in text
    refuted = [{"replacement": "Other", "why": "it is another one"}]
    assert "no form was found" not in printed(FAILED, rewrites={"refuted": refuted})


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        (["float32 2"], "-> float32 2\n"),
        (["float32 2"] * 200 + ["int64 3"], "-> 200 of float32 2, int64 3\n"),
        ([f"int8 {n}" for n in range(9)], "int8 5, … (9 in all)\n"),
    ],
)
def test_many_outputs_are_counted(outputs, words):
    assert words in printed(PASSED, facts={**FACTS, "outputs": outputs})
