from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def test_the_command_line_starts_without_numpy():
    """Or `--help` would take twice its quarter of a second."""
    program = "import sys, exportcheck.cli; print(*({'numpy', 'packaging'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"


@pytest.mark.parametrize("arguments", [(), ("--help",), ("all", "--help"), ("diff", "-h")])
def test_help(cli, arguments):
    done = cli(*arguments)
    assert "Usage: exportcheck" in done.out + done.err
    assert done.code == (0 if arguments else 2)


def test_the_version(cli):
    assert cli("--version").out.startswith("exportcheck ")


def test_an_unknown_command_is_2(cli):
    assert cli("frobnicate").code == 2


@pytest.mark.parametrize("command", [("list", "cases"), ("doctor", "--json")])
def test_a_full_disk_is_one_line_and_3(command):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "exportcheck", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "No space left" in done.stderr


def test_a_reader_who_leaves_changes_no_exit_code(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "exportcheck", "all", "--select", "relu/bare/torch-export/*"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert (tmp_path / "reports" / "matrix.json").exists()


def test_an_interrupt_before_the_command_line_is_there_is_one_line_too(tmp_path):
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import exportcheck.__main__ as m"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; m.main()"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "exportcheck: interrupted\n")


def test_a_file_that_the_system_refuses_is_named():
    """In a process of its own, whose stdout is sent nowhere."""
    program = "import exportcheck.cli as c; c.app = lambda: open('/nowhere/file'); c.main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    words = "exportcheck: cannot write or read /nowhere/file: No such file or directory\n"
    assert (done.returncode, done.stderr) == (3, words)
