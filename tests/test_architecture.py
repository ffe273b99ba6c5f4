"""Which side may import what, and what importing the package costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import exportcheck

PACKAGE = Path(exportcheck.__file__).parent
HOST = {
    "cli",
    "render",
    "runner",
    "worker_process",
    "selection",
    "matrix",
    "environment",
    "__main__",
}
HEAVY = ("torch", "onnx", "onnxruntime", "onnxscript", "coremltools", "rich", "typer")
MODULES = sorted(
    path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py")
)


def is_host(module: str) -> bool:
    return module.split("/")[0] in HOST


def imported(source: str) -> set[str]:
    """Parts of this package that `source` imports anywhere, as their first path component."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "exportcheck":
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("exportcheck."):
            names.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            names.update(
                a.name.split(".")[1] for a in node.names if a.name.startswith("exportcheck.")
            )
    return names


@pytest.mark.parametrize("module", [m for m in MODULES if not is_host(m)])
def test_the_worker_side_never_imports_the_host_side(module):
    assert not imported((PACKAGE / f"{module}.py").read_text()) & HOST


def test_the_rule_can_fail():
    assert imported("from exportcheck.cli import main") & HOST
    assert imported("def f():\n    from exportcheck import runner") & HOST
    assert imported("import exportcheck.render.json") & HOST


@pytest.mark.parametrize("module", [m for m in MODULES if not is_host(m)])
def test_the_worker_side_parses_as_python_3_8(module):
    ast.parse((PACKAGE / f"{module}.py").read_text(), feature_version=(3, 8))


@pytest.mark.parametrize(
    "statement",
    [
        "import exportcheck",
        "import exportcheck.mil",
        "from exportcheck.catalog import activations; activations()",
        "from exportcheck.targets import targets; targets()",
        "import exportcheck.runner, exportcheck.selection, exportcheck.worker, exportcheck.check",
        "import exportcheck.cli",
    ],
)
def test_importing_is_light(statement):
    """Nothing heavy is imported before it is used; the command line has typer and rich."""
    allowed = ("rich", "typer") if "cli" in statement else ()
    program = f"{statement}\nimport sys\nprint(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) <= set(allowed)
