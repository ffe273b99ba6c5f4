"""`exportcheck mil`: read and run a saved Core ML package on any machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from exportcheck.errors import EnvironmentBroken, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from exportcheck.mil import Program

app = typer.Typer(
    help="Read and run a Core ML package (ML program) off macOS, in NumPy.", no_args_is_help=True
)

Package = Annotated[Path, typer.Argument(metavar="PACKAGE", help="An .mlpackage folder.")]
_SAMPLES = 4


def register(parent: typer.Typer) -> None:
    """Adds the commands."""
    parent.add_typer(app, name="mil")


@app.command()
def show(package: Package) -> None:
    """Print the program: inputs, every operation with its types, constants by their size."""
    from exportcheck.mil.text import render

    typer.echo(render(_load(package)))


@app.command()
def run(
    package: Package,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="NAME=FILE.npy", help="An input (repeatable)."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write the values to, as .npy.")
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            "--precision",
            help="strict: round every fp16 value; wide: keep float32 in their place.",
        ),
    ] = "strict",
    function: Annotated[
        str | None, typer.Option("--function", help="Another function than the default one.")
    ] = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Every value in between, in the program's own types.")
    ] = False,
) -> None:
    """Run the program on arrays and print its outputs. A state starts from zeros."""
    arrays = _arrays(inputs or ())
    program = _load(package, precision)
    state = program.make_state(function)
    if trace:
        values = program.trace(arrays, state, function)
        for constant in _constants(program, function or program.default_function):
            values.pop(constant, None)
    else:
        values = program.predict(arrays, state, function)
    typer.echo(f"mil-numpy (simulated), {precision}: not the numbers of Apple's runtime")
    typer.echo("\n".join(_table(values)))
    if state:
        typer.echo("state afterwards")
        typer.echo("\n".join(_table(state)))
    if output is not None:
        _write(values, output)


def _load(package: Path, precision: str = "strict") -> Program:
    from exportcheck import mil
    from exportcheck.runtimes.coreml import import_coremltools

    import_coremltools()
    return mil.load(package, precision)


def _arrays(given: Sequence[str]) -> Mapping[str, Any]:
    """The arrays of all `--input` by name.

    Raises:
        UsageError: a name is given twice, or one of them cannot be read.
    """
    arrays: dict[str, Any] = {}
    for name, array in map(_read, given):
        if name in arrays:
            raise UsageError(f"--input {name} is given twice; one array for each input is expected")
        arrays[name] = array
    return arrays


def _read(option: str) -> tuple[str, Any]:
    """Name and array of one `--input`.

    Raises:
        UsageError: it is not NAME=FILE, or the file holds no array.
    """
    import numpy as np

    name, equals, path = option.partition("=")
    if not (name and equals and path):
        raise UsageError(f"--input {option!r} where NAME=FILE.npy was expected")
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError, SyntaxError) as error:
        raise UsageError(f"--input {name}: cannot read an array from {path} ({error})") from error
    if not isinstance(array, np.ndarray):
        raise UsageError(f"--input {name}: {path} holds several arrays, a .npy was expected")
    return name, array


def _constants(program: Program, function: str) -> Iterator[str]:
    from exportcheck.mil.program import operations

    for operation in operations(program.functions[function].block):
        if operation.is_constant:
            yield from (output.name for output in operation.outputs)


def _table(values: Mapping[str, Any]) -> Iterator[str]:
    """A line for each value: name, dtype, shape, range, the first elements."""
    from exportcheck.mil.text import plain

    rows = [(plain(name), *_facts(value)) for name, value in values.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _facts(value: Any) -> Sequence[str]:
    import numpy as np

    if not isinstance(value, np.ndarray) or value.dtype == object:
        text = repr(value)
        return type(value).__name__, "", "", text if len(text) <= 60 else f"{text[:60]} …"
    first = ", ".join(map(_short, value.ravel()[:_SAMPLES]))
    more = ", …" if value.size > _SAMPLES else ""
    return str(value.dtype), str(value.shape), _range(value), f"[{first}{more}]"


def _range(array: Any) -> str:
    """Smallest to largest of the finite elements, and how many are not finite."""
    import numpy as np

    finite = array[np.isfinite(array)]
    lost = array.size - finite.size
    text = f"{_short(finite.min())} to {_short(finite.max())}" if finite.size else "nothing finite"
    if not array.size:
        text = "empty"
    return f"{text}, {lost} not finite" if lost else text


def _short(number: Any) -> str:
    return f"{number:.6g}" if number.dtype.kind == "f" else str(number)


def _write(values: Mapping[str, Any], folder: Path) -> None:
    """Every array as `NAME.npy`, the name escaped as in an address: it comes from the model.

    Raises:
        EnvironmentBroken: the folder cannot be written to.
    """
    import numpy as np

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in values.items():
            if isinstance(value, np.ndarray) and value.dtype != object:
                np.save(folder / f"{quote(name, safe='')}.npy", value, allow_pickle=False)
    except OSError as error:
        raise EnvironmentBroken(f"cannot write to {folder}: {error.strerror}") from error
