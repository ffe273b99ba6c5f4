"""Writes a folder with which a maintainer can see a failure, with nothing of this package."""

from __future__ import annotations

import inspect
import shutil
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exportcheck.catalog import activations
from exportcheck.custom.calling import is_call
from exportcheck.custom.importing import import_named
from exportcheck.custom.issues import issue
from exportcheck.custom.module_spec import ModuleSpec
from exportcheck.custom.reducing import Reduced, reduce
from exportcheck.results import Case, Result
from exportcheck.rewrites.pasting import of_class
from exportcheck.rounding import tolerance_of
from exportcheck.subject import Subject
from exportcheck.targets import targets

if TYPE_CHECKING:
    from torch import nn

SCRIPT = "repro.py"
ISSUE = "ISSUE.md"


def reproduce(
    what: Subject, case: Case, spec: ModuleSpec | None, folder: Path, ended: Result | None = None
) -> Reduced:
    """Writes the folder for one failing case, after reducing the module.

    The script ends with 0 where nothing is wrong any more. Expected outputs are eager PyTorch's.

    Args:
        what: fails.
        case: how it was checked.
        spec: of a user's module; None for one of the catalogue.
        folder: made if need be.
        ended: the result of a case that ended its process: it is neither reduced nor exported.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    small = Reduced(what, "", ended) if ended else reduce(what, case)
    target = targets()[case.target]
    given = _telling(small, target.precision)
    expected = small.what.expected(target.precision)[given.name].outputs
    comparison = small.result.comparisons.get(given.name)
    worst = comparison.worst if comparison else None
    rows = given.rows_of(worst.index[0] if worst else 0)
    expected = tuple(array[rows] for array in expected) if given.count > 1 else expected
    inputs = tuple(array[rows] for array in given.arrays) if given.count > 1 else given.arrays
    for stem, arrays in (("input", inputs), ("expected", expected)):
        for number, array in enumerate(arrays):
            np.save(folder / f"{stem}_{number}.npy", array)
    example = tuple(tensor.numpy() for tensor in small.what.example())
    apart = [a.shape for a in example] != [a.shape for a in inputs]
    for number, array in enumerate(example if apart else ()):
        np.save(folder / f"example_{number}.npy", array)
    module = small.what.build()
    definition = _defined(module, case, spec, small.path)
    definition.write(module, folder)
    tolerance = tolerance_of(small.what, target.precision)
    recipe = target.recipe(small.what.dynamic) if hasattr(target, "recipe") else ""
    parts = (_head(apart), definition.code, recipe, _tail(tolerance.rtol, tolerance.atol))
    (folder / SCRIPT).write_text("\n".join(parts), "utf-8")
    if ended is None:
        _write_artifact(small.what, case, folder)
    if target.suffix == ".onnx":
        _write_backend_test(inputs, expected, folder)
    (folder / ISSUE).write_text(issue(small, case, definition.code, SCRIPT), "utf-8")
    return small


def _telling(small: Reduced, precision: str) -> Any:
    """The input class that fails, the first one where none does."""
    given = small.what.inputs(precision)
    failed = [n for n, c in small.result.comparisons.items() if c.gates and not c.close]
    return next((c for c in given if any(n.startswith(c.name) for n in failed)), given[0])


@dataclass
class _Definition:
    """How a script comes by the module.

    Attributes:
        code: defines `module`.
        files: to copy beside the script.
        weights: whether its state is loaded from a file.
    """

    code: str
    files: list[Path] = field(default_factory=list)
    weights: bool = True

    def write(self, module: nn.Module, folder: Path) -> None:
        """Copies the files and saves the weights."""
        import torch

        for file in self.files:
            shutil.copy(file, folder / file.name)
        if module.state_dict():
            torch.save(module.state_dict(), folder / "weights.pt")
            self.code += 'module.load_state_dict(torch.load("weights.pt", weights_only=True))\n'
        self.code += "module.eval()\n"


def _defined(module: nn.Module, case: Case, spec: ModuleSpec | None, path: str) -> _Definition:
    if native := _written(module):
        return _Definition(f"module = {native}\n")
    if spec is not None:
        return _from_spec(module, spec, path)
    activation = activations()[case.activation]
    args = ", ".join(f"{name}={value!r}" for name, value in activation.kwargs.items())
    kind = type(next(m for m in module.modules() if not _written(m) and not m._modules))
    call = f"{kind.__name__}({args})"
    inside = _written(module, {kind: call}) or call
    return _Definition(f"{of_class(kind)}\n\nmodule = {inside}\n")


def _written(module: nn.Module, known: dict[type, str] | None = None) -> str:
    """The call that makes one of PyTorch's own modules; empty where its repr does not tell.

    Args:
        module: any.
        known: the calls for classes that are not PyTorch's.
    """
    from torch import nn

    if type(module) in (known or {}):
        return (known or {})[type(module)]
    if type(module) is nn.Sequential:
        inner = [_written(child, known) for child in module]
        return f"nn.Sequential({', '.join(inner)})" if all(inner) else ""
    if not type(module).__module__.startswith("torch.nn.modules") or module._modules:
        return ""
    text = f"nn.{module!r}"
    try:
        again = eval(text, {"nn": nn})
    except Exception:  # a repr is for people; where it is no code there is none
        return ""
    return text if repr(again) == repr(module) and type(again) is type(module) else ""


def _from_spec(module: nn.Module, spec: ModuleSpec, path: str) -> _Definition:
    """The user's own file, copied, or the installed package it is of."""
    import torch

    file, _, name = spec.spec.rpartition(":")
    origin = Path(import_named(file).__file__ or "")
    lone = file.endswith(".py") or ("." not in file and "site-packages" not in origin.parts)
    home = origin.stem if lone else file
    lines = [f"from {home} import {name.partition('.')[0]}"]
    if is_call(module) and not path:
        source = textwrap.indent(inspect.getsource(type(module).forward), "    ")
        lines += ["", "", f"class Function(nn.Module):\n{source}", "", "module = Function()"]
    else:
        args = ", ".join(f"{key}={value}" for key, value in spec.args)
        found: Any = import_named(file)
        for part in name.split("."):
            found = getattr(found, part)
        made = name if isinstance(found, torch.nn.Module) else f"{name}({args})"
        lines.append(f"module = {made}" + (f'.get_submodule("{path}")' if path else ""))
    return _Definition("\n".join(lines) + "\n", [origin] if lone else [])


def _head(apart: bool) -> str:
    """Imports and inputs."""
    example = 'load("example")' if apart else "tuple(x.clone() for x in inputs)"
    return f'''"""Exports a module, runs it back, compares it with eager PyTorch; 1 if it fails."""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn


def load(stem):
    files = sorted(Path().glob(f"{{stem}}_*.npy"), key=lambda f: int(f.stem.rpartition("_")[2]))
    return tuple(torch.from_numpy(np.load(file)) for file in files)


inputs, expected = load("input"), load("expected")
example = {example}
'''


def _tail(rtol: float, atol: float) -> str:
    return f"""

def flat(tree):
    if tree is None:
        return []
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, (tuple, list)):
        return [leaf for child in tree for leaf in flat(child)]
    return [tree.detach().numpy() if isinstance(tree, torch.Tensor) else np.asarray(tree)]


wrong = 0
for number, (actual, eager) in enumerate(zip(flat(outputs), expected)):
    eager = eager.numpy()
    scale = max(1.0, float(np.abs(eager[np.isfinite(eager)]).max(initial=0.0)))
    close = np.isclose(actual, eager, rtol={rtol!r}, atol={atol!r} * scale, equal_nan=True)
    wrong += int((~close).sum())
    if not close.all():
        first = tuple(int(i) for i in np.argwhere(~close)[0])
        print(f"output {{number}}: {{int((~close).sum())}} of {{close.size}} differ; "
              f"first at {{first}}: {{actual[first]}} where eager gives {{eager[first]}}")
print("wrong numbers" if wrong else "right")
sys.exit(1 if wrong else 0)
"""


def _write_artifact(what: Subject, case: Case, folder: Path) -> None:
    """The exported file, where there is one."""
    target = targets()[case.target]
    path = folder / f"model{target.suffix}"
    try:
        target.save(what.exported(target), path)
    except (Exception, SystemExit):  # that it cannot be exported or saved is what is reproduced
        if path.is_file():
            path.unlink()


def _write_backend_test(inputs: Any, expected: Any, folder: Path) -> None:
    """Inputs and outputs as the ONNX backend tests have them.

    Source: onnx/backend/test/data, `test_data_set_0/input_0.pb` beside `model.onnx`.
    """
    import onnx

    data = folder / "test_data_set_0"
    data.mkdir(exist_ok=True)
    names: dict[str, list[str]] = {"input": [], "output": []}
    if (folder / "model.onnx").exists():
        graph = onnx.load(str(folder / "model.onnx")).graph
        names = {"input": [i.name for i in graph.input], "output": [o.name for o in graph.output]}
    for stem, arrays in (("input", inputs), ("output", expected)):
        for number, array in enumerate(arrays):
            name = names[stem][number] if number < len(names[stem]) else f"{stem}_{number}"
            tensor = onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)
            (data / f"{stem}_{number}.pb").write_bytes(tensor.SerializeToString())
