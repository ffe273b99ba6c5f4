"""Imports a user's file or module and finds where things in it are defined."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import keyword
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exportcheck.places import short

if TYPE_CHECKING:
    from types import ModuleType


def import_named(file: str) -> ModuleType:
    """The module at a path, or of a dotted name as from the current folder.

    A file of a package is imported by its dotted name, so that its relative imports work.

    Raises:
        Exception: whatever the import raises, SystemExit too.
    """
    if not file.endswith(".py"):
        with _first_in_path(Path.cwd()):
            return importlib.import_module(file)
    path = Path(file).resolve()
    folder, names = path.parent, [path.stem]
    while (folder / "__init__.py").is_file():
        folder, names = folder.parent, [folder.name, *names]
    if names[-1] == "__init__":
        names.pop()
    if len(names) > 1 or path.stem == "__init__":
        with _first_in_path(folder):
            return importlib.import_module(".".join(names))
    name = _free_name(path)
    with _first_in_path(folder):
        return _lone(path, name)


@contextmanager
def _first_in_path(folder: Path) -> Iterator[None]:
    """The folder comes first while a module is imported, as for `python file.py`, then last.

    So a file called `onnx.py` in it is not taken for the package when an exporter imports that.
    """
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        if str(folder) not in sys.path:
            sys.path.append(str(folder))


def _free_name(path: Path) -> str:
    """A name for a file of no package that hides no other module: it may be called `onnx.py`.

    An ASCII identifier, whatever the file is called: TorchScript saves classes by it, and does not
    load what is none.
    """
    try:
        found = importlib.util.find_spec(path.stem)
    except (ImportError, ValueError):  # a name with a dot in it, a module without a spec
        found = None
    hides = (found is not None and found.origin != str(path)) or path.stem in sys.modules
    if path.stem.isascii() and path.stem.isidentifier() and not keyword.iskeyword(path.stem):
        return f"{path.stem}_{zlib.crc32(str(path).encode())}" if hides else path.stem
    words = re.sub(r"[^A-Za-z0-9]+", "_", path.stem).strip("_")
    return f"file_{words}_{zlib.crc32(str(path).encode())}"


def _lone(path: Path, name: str) -> ModuleType:
    for known in list(sys.modules.values()):
        if getattr(known, "__file__", None) == str(path):
            return known
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    try:
        found.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def defined_at(found: Any) -> str:
    """File and line of a function, a class, or the class of an instance; empty where unknown."""
    if not (inspect.isclass(found) or inspect.isroutine(found)):
        found = type(found)
    try:
        found = inspect.unwrap(found)
        file, (_, line) = inspect.getsourcefile(found), inspect.getsourcelines(found)
    except (TypeError, OSError, ValueError):
        return ""
    return f"{short(file)}:{max(line, 1)}" if file and not file.startswith("<") else ""


def assigned_at(file: str, name: str) -> str:
    """File and line where `name` is assigned in a file or module, or the file alone."""
    if not file.endswith(".py"):
        file = getattr(sys.modules.get(file), "__file__", None) or file
    if not Path(file).is_file():
        return short(file)
    for node in ast.walk(ast.parse(Path(file).read_text("utf-8"))):
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in node.targets
        ):
            return f"{short(file)}:{node.lineno}"
    return short(file)
