from __future__ import annotations

import subprocess
import sys

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
