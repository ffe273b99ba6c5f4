from __future__ import annotations

import math
import typing

import pytest
import torch
import torch.nn.functional as F

from exportcheck.catalog import activations
from exportcheck.custom.importing import import_named
from exportcheck.rewrites.pasting import joined, of_class, snake, standalone, taken_from_beside
from exportcheck.subject import FromCatalogue, import_object

WRITTEN = [a for a in activations().values() if a.module.startswith("exportcheck.")]


@pytest.mark.parametrize("activation", WRITTEN, ids=lambda a: a.name)
def test_a_form_runs_where_it_is_pasted(activation):
    scope = {}
    exec(of_class(import_object(activation.module)), scope)
    name = activation.module.rpartition(".")[2]
    source = FromCatalogue(activation, "bare")
    here = source.build()
    pasted = scope[name](**activation.kwargs).eval()
    pasted.load_state_dict(here.state_dict())
    (x,) = source.example()
    assert torch.equal(pasted(x), here(x))
    assert "exportcheck" not in scope


LIMIT, ODD = 3.5, object()
"""A constant of somebody's file is imported from it, to stay one; one of ours is spelt out."""

BINDINGS = [
    ("def f(x):\n    return math.pi * x", "import math"),
    ("def f(x):\n    return torch.relu(x)", "import torch"),
    ("def f(x):\n    return F.relu(x)", "import torch.nn.functional as F"),
    ("def f(x):\n    return isinstance(x, Tensor)", "from torch import Tensor"),
    ("def f(x):\n    return Renamed(x)", "from torch import Tensor as Renamed"),
    ("def f(x):\n    return x < LIMIT", "from tests.rewrites.test_pasting import LIMIT"),
    ("def f(x):\n    return x < other", "other = 2"),
    ("def f(x):\n    return x is ODD", "from tests.rewrites.test_pasting import ODD"),
    ("def f(x):\n    return len(x)", ""),
    ("def f(x):\n    math = x\n    return math", ""),
]
SCOPE = {
    "math": math,
    "torch": torch,
    "F": F,
    "Tensor": torch.Tensor,
    "Renamed": torch.Tensor,
    "LIMIT": LIMIT,
    "other": 2,
    "ODD": ODD,
    "len": len,
}


@pytest.mark.parametrize(("source", "line"), BINDINGS)
def test_a_name_gets_the_line_that_makes_it(source, line):
    text = standalone(source, SCOPE, __name__)
    assert text == f"{line}\n\n\n{source}\n".lstrip()


def test_a_local_object_is_named_and_not_guessed():
    text = standalone("def f(x):\n    return x is here", {"here": object()}, __name__)
    assert text.startswith("# here: as it stands beside the original\n")


def test_what_is_in_a_file_of_no_importable_name_is_not_imported(tmp_path):
    (tmp_path / "my act.py").write_text("LIMIT = 2.5\nODD = object()\ndef g(x):\n    return x\n")
    scope = vars(import_named(str(tmp_path / "my act.py")))
    source = "def f(x):\n    return g(x) < LIMIT or ODD"
    assert standalone(source, scope, scope["__name__"]).splitlines()[:3] == [
        "LIMIT = 2.5",
        "# ODD: as it stands beside the original",
        "# g: as it stands beside the original",
    ]
    assert set(taken_from_beside(standalone(source, scope, scope["__name__"]), scope)) == {
        "ODD",
        "g",
    }


def test_imports_are_in_order_and_annotations_postponed_where_they_were():
    source = "def f(x: typing.Any) -> Tensor:\n    return F.relu(x) + torch.tensor(math.pi)"
    scope = {**SCOPE, "typing": typing, "nn": torch.nn}
    assert standalone(source, scope, __name__, postponed=True).splitlines()[:7] == [
        "from __future__ import annotations",
        "",
        "import math",
        "import torch",
        "import torch.nn.functional as F",
        "import typing",
        "from torch import Tensor",
    ]


def test_a_definition_stands_once_and_again_where_its_name_has_another_meaning():
    one, other = "import math\n\nf = math.sin\n", "f = abs\n"
    assert joined([(one, "a = f\n"), (one, "b = f\n"), ("", "c = 1\n")]) == (
        f"{one}\n\na = f\nb = f\nc = 1\n"
    )
    scope = {}
    exec(joined([(one, "a = f"), (other, "b = f"), (one, "c = f")]), scope)
    assert (scope["a"], scope["b"], scope["c"]) == (math.sin, abs, math.sin)


def test_joined_annotations_are_postponed_first():
    postponed = "from __future__ import annotations\n\n\ndef f(x: Absent):\n    return x\n"
    text = joined([("import math\n", "a = 1\n"), (postponed, "b = f(a)\n")])
    assert text.count("__future__") == 1
    exec(text, {})


@pytest.mark.parametrize(
    ("name", "words"),
    [("CELUElu", "celu_elu"), ("GELUTanh", "gelu_tanh"), ("_MishFunction", "mish_function")],
)
def test_snake(name, words):
    assert snake(name) == words
