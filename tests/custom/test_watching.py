from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from exportcheck.custom.watching import Watch

HERE = Path(__file__).name


def test_whoever_writes_to_stdout_is_named_and_heard(capsys):
    with Watch() as watch:
        for _ in range(2):
            print("hello")
        sys.stdout.write("\n")
        sys.stdout.flush()
    print("not watched")
    assert len(watch.written) == 1
    assert watch.written[0].rpartition("/")[2].startswith(f"{HERE}:")
    assert capsys.readouterr().out == "hello\nhello\n\nnot watched\n"


def test_a_child_ends_before_it_does_anything(tmp_path):
    path = tmp_path / "child"
    with Watch() as watch:
        child = os.fork()
        if child == 0:
            path.touch()
            os._exit(9)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert not path.exists()
    assert watch.forked.rpartition("/")[2].startswith(f"{HERE}:")


def test_who_does_not_watch_forks_as_ever():
    with Watch():
        pass
    child = os.fork()
    if child == 0:
        os._exit(9)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9


def test_another_program_is_no_fork():
    with Watch() as watch:
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert watch.forked == ""


def test_what_is_raised_inside_ends_the_watch():
    before = sys.stdout
    with pytest.raises(ValueError, match="x"), Watch():
        raise ValueError("x")
    assert sys.stdout is before
