"""The README says what is there, and nothing that is not."""

from __future__ import annotations

import re

import pytest

from exportcheck.errors import (
    EXIT_BROKEN,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_USAGE,
)
from tests.docs import README, commands, filled

TEXT = README.read_text("utf-8")


def test_generated_blocks_are_what_the_code_says_today():
    assert filled(TEXT) == TEXT, "run `make docs`"


@pytest.mark.parametrize("code", [EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_BROKEN, EXIT_INTERRUPTED])
def test_every_exit_code_is_explained(code):
    assert re.search(rf"^\| {code} \|", TEXT, re.MULTILINE)


def test_the_two_commands_come_first():
    block = TEXT.split("```")[1]
    assert "make all" in block
    assert "make test" in block


def test_files_that_are_linked_exist():
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", TEXT)
    missing = [link for link in links if not (README.parent / link).exists()]
    assert not missing


def test_commands_that_are_shown_exist():
    known = set(commands())
    code = "\n".join(TEXT.split("```")[1::2])
    shown = re.findall(r"^\s*(exportcheck(?: [a-z]+)+)", code, re.MULTILINE)
    assert shown
    for command in shown:
        words = command.split()
        assert any(" ".join(words[:n]) in known for n in (2, 3)), command


def test_the_example_of_the_api_does_what_it_says():
    example = next(block for block in TEXT.split("```python\n")[1:] if "make_exportable" in block)
    scope: dict = {}
    exec(example.partition("```")[0], scope)
    assert not scope["report"].green
    assert [one.original for one in scope["swaps"]] == ["LogSigmoid()"]
    assert type(scope["model"][1]).__name__ == "LogSigmoid"


def test_make_targets_that_are_shown_exist():
    makefile = (README.parent / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"`?make ([a-z-]+)", TEXT)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
