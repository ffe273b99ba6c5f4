from __future__ import annotations

import json
import sysconfig
from pathlib import Path

import pytest
import torch

from exportcheck import places
from exportcheck.places import caller, dumped, is_theirs, place, short

HERE = Path(__file__).name


def line_of(function) -> int:
    return function.__code__.co_firstlineno


def fails():
    json.loads("{")


def test_the_innermost_line_of_a_user_not_of_a_library():
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # only its traceback is looked at
        fails()
    assert place(caught.value).rpartition("/")[2] == f"{HERE}:{line_of(fails) + 1}"


def test_a_syntax_error_is_placed_where_it_stands(tmp_path):
    path = tmp_path / "wrong.py"
    path.write_text("import os\nclass A(:\n")
    with pytest.raises(SyntaxError) as caught:
        compile(path.read_text(), str(path), "exec")
    assert place(caught.value) == "wrong.py:2"


def test_without_a_line_of_a_users_it_is_empty():
    assert place(ValueError("never raised")) == ""


def test_the_caller_is_the_innermost_user():
    assert caller().rpartition("/")[2].startswith(f"{HERE}:")


@pytest.mark.parametrize(
    ("path", "theirs"),
    [
        ("/home/me/project/acts.py", True),
        ("/env/lib/python3.11/site-packages/timm/layers.py", True),
        ("/env/lib/python3.11/site-packages/torch/nn/functional.py", False),
        ("/env/lib/python3.11/site-packages/onnxscript/values.py", False),
        (json.__file__, False),
        (places.__file__, False),
        (torch.__file__, False),
        ("<frozen importlib._bootstrap>", False),
        ("<swish(x)>", False),
    ],
)
def test_whose_a_file_is(path, theirs):
    assert is_theirs(path) is theirs


def test_a_dump_of_faulthandler_is_read():
    library = f"{sysconfig.get_path('purelib')}/torch/nn/modules/module.py"
    log = (
        "something before\n"
        "Fatal Python error: Aborted\n\n"
        "Stack (most recent call first):\n"
        f'  File "{library}", line 1776 in _call_impl\n'
        '  File "/home/me/acts.py", line 9 in forward\n'
        '  File "/home/me/main.py", line 3 in <module>\n'
    )
    assert dumped(log) == "acts.py:9"
    assert dumped("no dump at all") == ""


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/env/lib/python3.11/site-packages/torch/nn/functional.py", "torch/nn/functional.py"),
        ("/home/me/acts.py", "acts.py"),
        (str(Path.cwd() / "sub" / "acts.py"), "sub/acts.py"),
    ],
)
def test_a_path_is_shown_without_the_machines_folders(path, shown):
    assert short(path) == shown
