"""Files held against the RECORD of their wheels."""

from __future__ import annotations

import re

import pytest

from exportcheck.errors import EnvironmentBroken
from exportcheck.toolchains.intact import check_files


@pytest.fixture
def site(tmp_path):
    """One package with everything that a RECORD has, none of it wrong."""
    put(tmp_path, "a/__init__.py", 3)
    put(tmp_path, "a/one, two.py", 4)
    put(tmp_path, "a/empty.py", 0)
    record(
        tmp_path,
        "a",
        "a/__init__.py,sha256=x,3",
        '"a/one, two.py",sha256=x,4',
        "a/empty.py,sha256=x,0",
        "a/__pycache__/__init__.cpython-38.pyc,,",
        "../../../bin/a,sha256=x,9",
        "a-1.dist-info/RECORD,,",
    )
    return tmp_path


def put(site, name, size):
    path = site / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


def record(site, name, *lines):
    put(site, f"{name}-1.dist-info/RECORD", 0)
    (site / f"{name}-1.dist-info/RECORD").write_text("\n".join(lines) + "\n")


def test_what_is_whole_is_not_complained_of(site):
    check_files(site)
    check_files(site / "nothing")


@pytest.mark.parametrize(
    ("size", "complaint"),
    [(None, "a/one, two.py is missing"), (0, "a/one, two.py is 0 bytes, 4 were installed")],
)
def test_a_file_is_named(site, size, complaint):
    (site / "a/one, two.py").unlink()
    if size is not None:
        put(site, "a/one, two.py", size)
    with pytest.raises(EnvironmentBroken, match=f"^{re.escape(complaint)}$"):
        check_files(site)


def test_of_many_the_first_is_named_and_the_rest_counted(site):
    for path in (site / "a").iterdir():
        path.unlink()
    with pytest.raises(EnvironmentBroken, match=r"^a/__init__\.py is missing, and 2 more$"):
        check_files(site)


def test_a_file_of_two_distributions_is_that_of_either(site):
    record(site, "b", "a/empty.py,sha256=x,5")
    check_files(site)
    put(site, "a/empty.py", 5)
    check_files(site)
    put(site, "a/empty.py", 6)
    with pytest.raises(EnvironmentBroken, match=r"a/empty\.py is 6 bytes, 0 or 5 were installed"):
        check_files(site)


@pytest.mark.parametrize("content", [b"\xff,x,1\n", b"a,b\n", b'"a' + b"x" * 200_000])
def test_a_record_that_is_damaged_itself_is_no_traceback(site, content):
    (site / "a-1.dist-info/RECORD").write_bytes(content)
    with pytest.raises(EnvironmentBroken, match=r"^a-1\.dist-info/RECORD cannot be read: "):
        check_files(site)
