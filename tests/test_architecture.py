"""Which side may import what, and what importing the package costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import exportcheck

PACKAGE = Path(exportcheck.__file__).parent
HOST = {"cli", "explain", "history", "pages", "render", "runner", "worker_pipe", "worker_process"}
PLUGINS = ("catalog", "targets", "runtimes", "mil", "rewrites")
HEAVY = ("torch", "onnx", "onnxruntime", "onnxscript", "coremltools", "rich", "typer")


def imported(source: str) -> set[str]:
    """Dotted modules of this package that `source` imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("exportcheck"):
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(a.name for a in node.names if a.name.startswith("exportcheck."))
    return names


def path_of(module: str) -> Path | None:
    """The file of a dotted module; None where the name is something inside a module."""
    bare = PACKAGE.parent / module.replace(".", "/")
    found = [p for p in (bare.with_suffix(".py"), bare / "__init__.py") if p.exists()]
    return found[0] if found else None


def worker_side() -> dict[str, Path]:
    """Every module a worker may import: what `exportcheck.worker` reaches, and all plug-ins."""
    waiting = ["exportcheck.worker"] + [
        ".".join(("exportcheck", *path.relative_to(PACKAGE).with_suffix("").parts))
        for folder in PLUGINS
        for path in (PACKAGE / folder).rglob("*.py")
    ]
    reached: dict[str, Path] = {}
    while waiting:
        module = waiting.pop()
        path = path_of(module)
        if path and module not in reached:
            reached[module] = path
            waiting.extend(imported(executed(path.read_text("utf-8"))))
    return reached


class _ForCheckersOnly(ast.NodeTransformer):
    def visit_If(self, node):
        only = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return ast.copy_location(ast.Pass(), node) if only else self.generic_visit(node)


def executed(source: str) -> str:
    """`source` without what only type checkers import, as the package does its public names."""
    return ast.unparse(_ForCheckersOnly().visit(ast.parse(source)))


WORKER = worker_side()


def hosts(modules) -> set[str]:
    return {m for m in modules if len(m.split(".")) > 1 and m.split(".")[1] in HOST}


def test_the_worker_side_is_what_it_should_be():
    assert {"exportcheck.stages", "exportcheck.triage", "exportcheck.mil.ops.conv"} <= set(WORKER)


@pytest.mark.parametrize("module", sorted(WORKER))
def test_the_worker_side_never_imports_the_host_side(module):
    assert not hosts(imported(WORKER[module].read_text("utf-8")))


def test_what_only_type_checkers_import_is_reached_by_nobody():
    source = "if TYPE_CHECKING:\n    import exportcheck.api\nimport exportcheck.stages"
    assert imported(executed(source)) == {"exportcheck.stages"}
    assert "exportcheck.api" not in WORKER


def test_the_rule_can_fail():
    assert hosts(imported("from exportcheck.cli import main"))
    assert hosts(imported("def f():\n    from exportcheck import runner"))
    assert hosts(imported("import exportcheck.render.json"))


@pytest.mark.parametrize("module", sorted(WORKER))
def test_the_worker_side_parses_as_python_3_8(module):
    ast.parse(WORKER[module].read_text("utf-8"), feature_version=(3, 8))


BUILTIN_GENERICS = {"dict", "list", "tuple", "set", "frozenset", "type"}


def runtime_subscripts(source: str) -> set[str]:
    """Generics that are subscripted outside annotations and that Python 3.8 cannot subscript."""
    tree = ast.parse(source)
    abstract = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "collections.abc"
        for alias in node.names
    }
    values = [
        n.value for n in ast.walk(tree) if isinstance(n, ast.Assign | ast.AnnAssign) and n.value
    ]
    bases = [base for n in ast.walk(tree) if isinstance(n, ast.ClassDef) for base in n.bases]
    return {
        node.value.id
        for root in (*values, *bases)
        for node in ast.walk(root)
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id in abstract | BUILTIN_GENERICS
    }


@pytest.mark.parametrize("module", sorted(WORKER))
def test_the_worker_side_subscripts_only_what_python_3_8_can(module):
    assert not runtime_subscripts(WORKER[module].read_text("utf-8"))


def test_that_rule_can_fail_too():
    assert runtime_subscripts("Pair = tuple[int, int]") == {"tuple"}
    assert runtime_subscripts("from collections.abc import Callable\nF = Callable[[int], int]")
    assert not runtime_subscripts("from typing import Tuple\nPair = Tuple[int, int]")
    assert not runtime_subscripts("def f(x: dict[str, int]) -> list[int]: ...")


@pytest.mark.parametrize(
    "statement",
    [
        "import exportcheck",
        "import exportcheck.mil",
        "from exportcheck.catalog import activations; activations()",
        "from exportcheck.targets import targets; targets()",
        "import exportcheck.runner, exportcheck.selection, exportcheck.worker, exportcheck.stages",
        "import exportcheck.exportable, exportcheck.rewrites.rules, exportcheck.rewrites.edits",
        "import exportcheck.cli",
    ],
)
def test_importing_is_light(statement):
    """Nothing heavy is imported before it is used; the command line has typer and rich."""
    allowed = {"rich", "typer"} if "cli" in statement else set()
    assert brought(statement, HEAVY) <= allowed


def test_the_command_line_needs_no_numpy():
    """It takes longer to import than all of `exportcheck list`, and only workers compute."""
    statement = "import exportcheck.cli.commands.all as a; from exportcheck.targets import targets"
    assert not brought(f"{statement}; targets()", ("numpy",))
    assert brought("import exportcheck.compare", ("numpy",))


def brought(statement: str, modules) -> set[str]:
    """Which of `modules` are there after `statement` in a Python of its own."""
    program = f"{statement}\nimport sys\nprint(*[m for m in {modules} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())
