from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from exportcheck.custom.module_spec import ModuleSpec, parse_input
from exportcheck.custom.modules import module_source
from exportcheck.custom.resolving import resolve
from exportcheck.errors import BadModule

GOOD = "tests.user_code.good"
FOLDER = Path(__file__).parents[1] / "user_code"


def spec(text, *args, inputs=(), **more) -> ModuleSpec:
    return ModuleSpec(text, args, tuple(map(parse_input, inputs)), **more)


def refusal(text, *args, **more) -> str:
    with pytest.raises(BadModule) as caught:
        resolve(spec(text, *args, **more)).make()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Writes a file of a user's, in the folder the user is in."""
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), set(sys.modules)

    def write(name: str, text: str) -> str:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        return name

    yield write
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if getattr(sys.modules[name], "__file__", "") and str(tmp_path) in str(
            sys.modules[name].__file__
        ):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("name", "args", "x", "expected"),
    [
        ("Scaled", (), 3.0, 6.0),
        ("Scaled", (("by", "-1.5"),), 2.0, -3.0),
        ("swish", (("beta", "0.0"),), 2.0, 1.0),
        ("Square", (), 3.0, 9.0),
        ("sharp", (), 5.0, 5.0),
    ],
)
@pytest.mark.parametrize("where", [GOOD, str(FOLDER / "good.py")])
def test_classes_functions_autograd_functions_and_instances(where, name, args, x, expected):
    module = resolve(spec(f"{where}:{name}", *args)).make()
    assert isinstance(module, nn.Module)
    assert not module.training
    assert float(module(torch.tensor(x))) == expected


def test_a_factory_is_called_and_seeded():
    resolved = resolve(spec(f"{GOOD}:make", ("width", "3")))
    one, two = resolved.make(), resolved.make()
    assert one is not two
    assert one.in_features == 3
    assert torch.equal(one.weight, two.weight)


@pytest.mark.parametrize("name", ["swish", "Square"])
def test_a_function_can_be_scripted(name):
    module = resolve(spec(f"{GOOD}:{name}", inputs=["3"])).make()
    x = torch.tensor([-1.0, 0.0, 2.0])
    assert torch.equal(torch.jit.script(module)(x), module(x))


def test_an_instance_that_torchscript_compiled_has_inputs_like_any_other(file):
    lines = "import torch\nact = torch.jit.script(torch.nn.Sequential(torch.nn.Linear(3, 4)))\n"
    found = module_source(spec(f"{file('mine.py', lines)}:act"), "bare")
    assert found.place == "mine.py:2"
    assert [one.shape for one in found.given.inputs] == [(4, 3)]


def test_an_instance_is_copied():
    from tests.user_code.good import sharp

    resolved = resolve(spec(f"{GOOD}:sharp"))
    assert resolved.ready
    assert resolved.make() is not sharp
    assert refusal(f"{GOOD}:sharp", ("beta", "2")).endswith("--arg is for a class")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nofile.py:A", "nofile.py: there is no such file"),
        ("no.such.package:A", "no.such.package: there is no module 'no'"),
        ("json.no_such:A", "json.no_such: there is no module 'json.no_such'"),
        (f"{FOLDER / 'good.py'}:Blocc", "there is no 'Blocc' in it; nearest: Block"),
        (f"{FOLDER / 'bad.py'}:NUMBER", "NUMBER is of type int; an nn.Module"),
        (f"{FOLDER / 'bad.py'}:Plain", "Plain is a class; an nn.Module"),
    ],
)
def test_what_names_no_module(text, words):
    assert words in refusal(text)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "missing 2 required positional arguments: 'a' and 'b'; say --arg a=… --arg b=…"),
        ((("a", "1"), ("b", "2"), ("d", "3")), "unexpected keyword argument 'd'; it takes a, b, c"),
        ((("a", "1"), ("b", "2"), ("c", "0")), "ZeroDivisionError: division by zero"),
    ],
)
def test_what_a_constructor_wants_is_said(file, args, words):
    lines = (
        "import torch\nclass A(torch.nn.Module):\n    def __init__(self, a, b, c=1):\n"
        "        super().__init__()\n        1 / c\n"
    )
    assert refusal(f"{file('mine.py', lines)}:A", *args).endswith(words)


def test_the_line_of_a_number_is_where_it_is_assigned():
    line = (FOLDER / "bad.py").read_text().splitlines().index("NUMBER = 3") + 1
    assert f"bad.py:{line}: NUMBER" in refusal(f"{FOLDER / 'bad.py'}:NUMBER")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import torch\nclass A(:\n", "mine.py:2: the import fails: SyntaxError"),
        ("\nimport no_such_thing\n", "mine.py:2: the import fails: ModuleNotFoundError"),
        ("\n\nraise OSError('a\\nb')\n", "mine.py:3: the import fails: OSError: a b"),
        ("import sys\nsys.exit(5)\n", "mine.py:2: the import calls sys.exit(5)"),
        ("import torch\ntorch.zeros(1).cuda()\n", "mine.py:2: the import needs CUDA"),
    ],
)
def test_an_import_that_fails_is_one_line_with_its_place(file, text, words):
    assert words in refusal(f"{file('mine.py', text)}:A")


def test_files_beside_it_and_relative_imports_work(file):
    file("helps.py", "FACTOR = 3.0\n")
    file("lone.py", "from helps import FACTOR\ndef f(x):\n    return x * FACTOR\n")
    file("package/__init__.py", "")
    file("package/inner.py", "FACTOR = 4.0\n")
    file("package/acts.py", "from .inner import FACTOR\ndef f(x):\n    return x * FACTOR\n")
    for text, factor in (("lone.py:f", 3), ("package/acts.py:f", 4), ("package.acts:f", 4)):
        assert float(resolve(spec(text)).make()(torch.tensor(1.0))) == factor


def test_a_file_that_is_called_like_a_package_does_not_replace_it(file):
    file("onnx.py", "def f(x):\n    return x + 1\n")
    assert float(resolve(spec("onnx.py:f")).make()(torch.tensor(1.0))) == 2.0
    import onnx

    assert onnx.__file__.endswith("__init__.py")


@pytest.mark.parametrize("name", ["my äct 1.py", "2nd-try.py", "class.py", "aktivierung_ü.py"])
def test_whatever_a_file_is_called_torchscript_loads_what_it_saved(file, tmp_path, name):
    file(
        f"odd dir ünï/{name}",
        "import torch\nclass Doubled(torch.nn.Module):\n    def forward(self, x):\n"
        "        return 2 * x\n",
    )
    module = resolve(spec(f"odd dir ünï/{name}:Doubled")).make()
    torch.jit.save(torch.jit.script(module), tmp_path / "saved.pt")
    assert float(torch.jit.load(tmp_path / "saved.pt")(torch.ones(()))) == 2.0


def test_weights_are_loaded_also_from_a_checkpoint(tmp_path):
    weights = {"slope": torch.linspace(0, 1, 5)}
    for number, saved in enumerate((weights, {"state_dict": weights, "epoch": 3})):
        path = tmp_path / f"{number}.pt"
        torch.save(saved, path)
        resolved = resolve(spec(f"{GOOD}:Slopes", state=str(path)))
        assert resolved.ready
        assert torch.equal(resolved.make().slope, weights["slope"])


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("touched"),)


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        ({"slope": torch.zeros(4)}, "does not fit: Error(s) in loading state_dict"),
        ({"other": torch.zeros(5)}, "does not fit"),
        ([1, 2], "holds list where a dict was expected"),
        (Evil(), "cannot be loaded as weights alone"),
        (nn.ReLU(), "it holds torch.nn.modules.activation.ReLU, and code is not loaded; save the"),
        (None, "cannot be loaded as weights alone"),
    ],
)
def test_weights_that_are_none(tmp_path, monkeypatch, saved, words):
    monkeypatch.chdir(tmp_path)
    if saved is not None:
        torch.save(saved, "weights.pt")
    assert words in refusal(f"{GOOD}:Slopes", state="weights.pt")
    assert not Path("touched").exists()
