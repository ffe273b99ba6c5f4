from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import exportcheck.mil
from exportcheck.cli import app
from exportcheck.cli.commands import mil as module
from exportcheck.errors import (
    EXIT_BROKEN,
    EXIT_OK,
    EXIT_USAGE,
    EnvironmentBroken,
    InvalidModel,
    UnsupportedOperator,
    UsageError,
)
from exportcheck.mil.text import render
from tests.mil.packages import KINDS, edited


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A package of each kind used here, and its inputs as KIND-NAME.npy."""
    folder = tmp_path_factory.mktemp("packages")
    for kind in ("convolution", "stateful", "classifier", "functions", "control"):
        for name, value in KINDS[kind](folder / f"{kind}.mlpackage").items():
            np.save(folder / f"{kind}-{name}.npy", value)
    return folder


def call(*arguments):
    """What the command prints; an error of ours is raised."""
    done = CliRunner().invoke(app, ["mil", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == EXIT_OK, done.output
    return done.stdout


def run(folder, kind, *more, names=("x",)):
    inputs = [f"--input={name}={folder / f'{kind}-{name}.npy'}" for name in names]
    return call("run", folder / f"{kind}.mlpackage", *inputs, *more)


def predicted(folder, kind, precision="strict", names=("x",)):
    inputs = {name: np.load(folder / f"{kind}-{name}.npy") for name in names}
    return exportcheck.mil.load(folder / f"{kind}.mlpackage", precision).predict(inputs)


def test_show_prints_the_program(folder):
    package = folder / "control.mlpackage"
    assert call("show", package) == render(exportcheck.mil.load(package)) + "\n"


def test_run_prints_dtype_shape_range_and_first_values(folder):
    y = predicted(folder, "convolution")["y"]
    first = ", ".join(f"{number:.6g}" for number in y.ravel()[:4])
    assert run(folder, "convolution").splitlines() == [
        "mil-numpy (simulated), strict: not the numbers of Apple's runtime",
        f"y  float32  (1, 4, 4, 4)  {y.min():.6g} to {y.max():.6g}  [{first}, …]",
    ]


def test_run_writes_what_it_prints(folder, tmp_path):
    output = tmp_path / "deep" / "folder"
    run(folder, "convolution", "--output", output)
    assert [path.name for path in output.iterdir()] == ["y.npy"]
    written = np.load(output / "y.npy")
    assert written.dtype == np.float32
    np.testing.assert_array_equal(written, predicted(folder, "convolution")["y"])


def test_wide_and_strict_differ(folder, tmp_path):
    written = {}
    for precision in ("strict", "wide"):
        assert f"mil-numpy (simulated), {precision}:" in run(
            folder, "convolution", "--precision", precision, "--output", tmp_path
        )
        written[precision] = np.load(tmp_path / "y.npy")
        expected = predicted(folder, "convolution", precision)["y"]
        np.testing.assert_array_equal(written[precision], expected)
    assert np.any(written["strict"] != written["wide"])


def test_trace_shows_and_writes_every_value_but_constants(folder, tmp_path):
    lines = run(folder, "convolution", "--trace", "--output", tmp_path).splitlines()[1:]
    names = ["x_to_fp16", "hidden_cast_fp16", "y_cast_fp16", "y"]
    assert [line.split()[0] for line in lines] == names
    assert [line.split()[1] for line in lines] == ["float16"] * 3 + ["float32"]
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(names)


def test_a_state_starts_from_zeros_and_is_shown_afterwards(folder):
    lines = run(folder, "stateful").splitlines()
    assert lines[2] == "state afterwards"
    assert lines[1].split()[1:] == lines[3].split()[1:]
    assert lines[1] == "y  float16  (1, 4)  -4 to 2  [-4, -2, 0, 2]"


def test_another_function(folder, tmp_path):
    x = np.load(folder / "functions-x.npy")
    for function, factor in (("double", 2), ("triple", 3)):
        run(folder, "functions", "--function", function, "--output", tmp_path)
        np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), x * np.float32(factor))


def test_what_is_no_array_is_printed_and_not_written(folder, tmp_path):
    lines = run(folder, "classifier", "--output", tmp_path).splitlines()
    assert lines[1].split() == ["label", "str", "'right'"]
    assert lines[2].startswith("label_probs  dict")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.float32([1, np.nan, np.inf, -2]), "-2 to 1, 2 not finite  [1, nan, inf, -2]"),
        (np.float32([np.nan]), "nothing finite, 1 not finite  [nan]"),
        (np.zeros((0, 3), np.float32), "empty  []"),
        (np.int32([3, -4]), "-4 to 3  [3, -4]"),
        (np.array([True, False]), "False to True  [True, False]"),
        (np.float16(1 / 3), "0.333252 to 0.333252  [0.333252]"),
    ],
)
def test_the_range_leaves_out_what_is_not_finite(values, expected):
    (line,) = module._table({"y": np.asarray(values)})
    assert line.endswith(expected)


def test_names_from_a_model_stay_inside_the_folder_and_the_line(tmp_path):
    values = {"../../up": np.zeros(1), "..": np.ones(1), "a/b": np.ones(1), "\x1b[2J": np.ones(1)}
    module._write(values, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "%1B%5B2J.npy",
        "..%2F..%2Fup.npy",
        "...npy",
        "a%2Fb.npy",
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert not any("\x1b" in line for line in module._table(values))


@pytest.mark.parametrize("option", ["x", "x=", "=x.npy", ""])
def test_an_input_that_is_not_name_and_file(option, folder):
    with pytest.raises(UsageError, match=f"^--input '{option}' where NAME=FILE.npy was expected$"):
        call("run", folder / "convolution.mlpackage", "--input", option)


def write_pickle(path):
    np.save(path, np.array([{}], object), allow_pickle=True)


def write_archive(path):
    with path.open("wb") as file:
        np.savez(file, x=np.zeros(1))


def write_huge(path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999,), }"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "cannot read an array from {} ([Errno 2] No such file or directory"),
        (lambda path: path.mkdir(), "cannot read an array from {} ([Errno 21] Is a directory"),
        (lambda path: path.write_bytes(b""), "cannot read an array from {} (No data left in file)"),
        (lambda path: path.write_bytes(b"text"), "cannot read an array from {} ("),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00"), "cannot read an array from {} (EOF"),
        (write_pickle, "cannot read an array from {} (Object arrays cannot be loaded"),
        (write_huge, "cannot read an array from {} ("),
        (write_archive, "{} holds several arrays, a .npy was expected"),
    ],
)
def test_an_input_file_that_holds_no_array(write, message, folder, tmp_path):
    path = tmp_path / "x.npy"
    write(path)
    with pytest.raises(UsageError) as caught:
        call("run", folder / "convolution.mlpackage", "--input", f"x={path}")
    assert str(caught.value).startswith(f"--input x: {message.format(path)}")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            ["show", "{}/absent"],
            InvalidModel,
            "{}/absent: does not exist; an .mlpackage folder was ",
        ),
        (
            ["run", "{}/absent"],
            InvalidModel,
            "{}/absent: does not exist; an .mlpackage folder was ",
        ),
        (["run", "{}/convolution.mlpackage"], InvalidModel, "input 'x' is missing"),
        (
            ["run", "{}/convolution.mlpackage", "--input", "z={}/convolution-x.npy"],
            InvalidModel,
            "no input 'z'; the model takes: x",
        ),
        (
            ["run", "{}/convolution.mlpackage", "--input", "x={}/functions-x.npy"],
            InvalidModel,
            "input 'x' has shape (40,), expected (1, 3, 6, 6)",
        ),
        (
            ["run", "{}/convolution.mlpackage", *("--input", "x={}/convolution-x.npy") * 2],
            UsageError,
            "--input x is given twice; one array for each input is expected",
        ),
        (
            ["run", "{}/functions.mlpackage", "--function", "main"],
            UsageError,
            "no function 'main' in this program; it has: double, triple",
        ),
        (
            ["run", "{}/functions.mlpackage", "--precision", "exact"],
            UsageError,
            "precision 'exact' where one of ('strict', 'wide') was expected",
        ),
    ],
)
def test_wrong_usage(arguments, error, message, folder):
    with pytest.raises(error) as caught:
        call(*(argument.format(folder) for argument in arguments))
    assert str(caught.value).startswith(message.format(folder))
    assert caught.value.exit_code == EXIT_USAGE


def test_an_operator_that_is_not_implemented(folder, tmp_path):
    KINDS["convolution"](tmp_path / "m.mlpackage")
    with edited(tmp_path / "m.mlpackage") as model:
        block = model.mlProgram.functions["main"].block_specializations["CoreML5"]
        next(o for o in block.operations if o.type == "relu").type = "unheard_of"
    assert "= unheard_of(x=%hidden_cast_fp16)" in call("show", tmp_path / "m.mlpackage")
    with pytest.raises(UnsupportedOperator, match=r"^operator 'unheard_of' "):
        call("run", tmp_path / "m.mlpackage", "--input", f"x={folder / 'convolution-x.npy'}")


def test_a_folder_that_cannot_be_written_to(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentBroken, match=r"cannot write to .*/file: File exists$") as caught:
        run(folder, "convolution", "--output", tmp_path / "file")
    assert caught.value.exit_code == EXIT_BROKEN


def test_an_error_is_one_line_on_stderr_and_nothing_else(folder):
    """In a process of its own: coremltools talks while it is imported."""
    command = [sys.executable, "-m", "exportcheck", "mil", "run", str(folder / "control.mlpackage")]
    failed = subprocess.run(command, capture_output=True, text=True)
    assert failed.returncode == EXIT_USAGE
    assert (failed.stdout, failed.stderr) == ("", "exportcheck: input 'x' is missing\n")
    inputs = [f"--input={name}={folder / f'control-{name}.npy'}" for name in ("x", "n")]
    done = subprocess.run([*command, *inputs], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (EXIT_OK, "")
    assert done.stdout.startswith("mil-numpy (simulated), strict")


def test_the_commands_cost_nothing_until_they_run():
    program = (
        "import sys, exportcheck.cli\n"
        "heavy = {'scipy', 'torch', 'coremltools', 'exportcheck.mil'}\n"
        "print(*heavy & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"
